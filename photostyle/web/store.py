"""Where the server keeps things: files named by the hash of what is in them, and sessions.

Nothing that a page sends is ever part of a path: names of files are hashes with an ending from a
list, sessions are known by random names that the server made, and both are checked by their form.
"""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from photostyle.documents import Unreadable, read_json
from photostyle.places import home_folder
from photostyle.web.limits import KEPT, MOST_BYTES
from photostyle.web.refusing import Refused

#: Endings of files that are kept as they came; others are decoded by what is in them.
ENDINGS = (
    "jpg", "jpeg", "jfif", "png", "tif", "tiff", "webp", "bmp", "avif", "gif", "json", "cube",
)  # fmt: skip
_FILE = re.compile(r"[0-9a-f]{64}(-[a-z]{1,12})?\.[a-z]{2,5}")
_SESSION = re.compile(r"[0-9a-f]{24}")


class Store:
    """Files and sessions below a folder that belongs to the user alone.

    Args:
        home: is made where it is missing; `PHOTOSTYLE_HOME/web` without it.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or home_folder() / "web"
        self.files, self.sessions = self.home / "files", self.home / "sessions"
        for folder in (self.home, self.files, self.sessions):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def file(self, name: object) -> Path:
        """The place of a file by its name.

        Raises:
            Refused: it is no name of a file here, or the file is gone.
        """
        if not isinstance(name, str) or not _FILE.fullmatch(name):
            raise Refused("There is no such file.", 404)
        path = self.files / name
        if not path.is_file():
            raise Refused("That file is no longer kept; give it again.", 404)
        return path

    async def receive(self, body: AsyncIterator[bytes], called: str) -> str:
        """Keeps what is sent, under the hash of it; gives the name.

        Args:
            called: what its owner calls it; only its ending is looked at.

        Raises:
            Refused: it is empty, or larger than `MOST_BYTES`.
        """
        ending = called.rpartition(".")[2].lower()
        ending = ending if ending in ENDINGS else "bin"
        temporary = self.files / f".{secrets.token_hex(8)}"
        digest, size = hashlib.sha256(), 0
        try:
            with temporary.open("wb") as file:
                async for part in body:
                    size += len(part)
                    if size > MOST_BYTES:
                        raise Refused(
                            f"The file has more than {MOST_BYTES >> 20} MiB, which is the most.",
                            413,
                        )
                    digest.update(part)
                    file.write(part)
            if not size:
                raise Refused("The file is empty (zero bytes).")
            name = f"{digest.hexdigest()}.{ending}"
            os.replace(temporary, self.files / name)
        finally:
            temporary.unlink(missing_ok=True)
        return name

    def folder(self, session: str) -> Path:
        """The folder of a session.

        Raises:
            Refused: there is no such session.
        """
        if not _SESSION.fullmatch(session) or not (self.sessions / session).is_dir():
            raise Refused("There is no such session; begin a new one.", 404)
        return self.sessions / session

    def create(self) -> str:
        """The name of a new session."""
        session = secrets.token_hex(12)
        (self.sessions / session).mkdir(mode=0o700)
        return session

    def save(self, session: str, state: dict[str, Any]) -> None:
        """Keeps the state of a session, whole or not at all."""
        path = self.folder(session) / "state.json"
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            temporary.write_text(json.dumps(state), encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, session: str) -> dict[str, Any]:
        """The state that was kept, empty where there is none that can be read."""
        try:
            found = read_json(self.folder(session) / "state.json")
        except Unreadable:
            return {}
        return found if isinstance(found, dict) else {}

    def recent(self) -> list[str]:
        """Sessions, last touched first."""
        found = [path for path in self.sessions.iterdir() if _SESSION.fullmatch(path.name)]
        return [path.name for path in sorted(found, key=_touched, reverse=True)]

    def clean(self, now: float | None = None) -> None:
        """Removes sessions that nobody has touched for a week, and files that no session has."""
        now = time.time() if now is None else now
        for session in self.recent():
            if now - _touched(self.sessions / session) > KEPT:
                self.remove(session)
        used = set(self._used())
        for path in self.files.iterdir():
            kept = path.name[:64] in used
            if not kept and now - _touched(path) > KEPT:
                path.unlink(missing_ok=True)

    def remove(self, session: str) -> None:
        """Forgets a session."""
        shutil.rmtree(self.folder(session), ignore_errors=True)

    def forget(self) -> None:
        """Forgets everything."""
        for folder in (self.sessions, self.files):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)

    def _used(self) -> Iterator[str]:
        """Hashes of the files that sessions speak of."""
        for session in self.recent():
            text = json.dumps(self.load(session))
            yield from re.findall(r"[0-9a-f]{64}", text)


def _touched(path: Path) -> float:
    with contextlib.suppress(OSError):
        state = path / "state.json"
        return (state if state.is_file() else path).stat().st_mtime
    return 0.0
