"""One file over HTTP: resumed where it broke off, with a bar, into a .part file.

RFC 9110, sections 13.1.5 (If-Range) and 14 (range requests).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from photostyle.documents import read_json
from photostyle.errors import DownloadError, OptionError, OutputError

BLOCK = 1 << 18  # bytes per read
TIMEOUT = 60.0  # seconds without a byte

Say = Callable[[str], None]


class _Broken(Exception):
    """The connection ended early; what came is in the .part file."""


@dataclass(frozen=True)
class _Reply:
    """The head of an answer: bytes that it leaves out at the start, and the whole file's size."""

    body: http.client.HTTPResponse
    start: int
    total: int | None
    validator: str


def download(url: str, part: Path, say: Say) -> None:
    """The whole file at `url` in `part`, going on from what `part` already holds.

    A broken connection is taken up again as long as each attempt brings something.

    Args:
        url: http or https.
        part: Kept when the download fails, with a .json beside it for the server's validator.
        say: Takes sentences for the user.

    Raises:
        OptionError: the address is not http or https.
        DownloadError: no connection, an answer other than the file, or no progress.
        OutputError: `part` cannot be written.
    """
    if not re.match(r"https?://[^/]", url):
        raise OptionError(f"{url} is no address of a file; it must begin with http:// or https://.")
    while True:
        before = _size(part)
        try:
            _attempt(url, part, say)
            return
        except _Broken as error:
            if _size(part) <= before:
                raise DownloadError(
                    f"{url}: {error}; run the same command again, and it goes on from there."
                ) from error
            say(f"{error}; going on from there")


def remove_part(part: Path) -> None:
    """Forget a download."""
    part.unlink(missing_ok=True)
    _note_path(part).unlink(missing_ok=True)


def _attempt(url: str, part: Path, say: Say) -> None:
    """One request, appended to `part`; raises _Broken when it ends early."""
    have = _size(part)
    with _reply(url, part, have) as reply:
        if reply is None:
            return  # it was all there
        if have and not reply.start:
            say("the server cannot resume or its file has changed: starting again")
        _check_space(part, reply)
        with _writing(part):
            note = {"url": url, "validator": reply.validator}
            _note_path(part).write_text(json.dumps(note), encoding="utf-8")
        with _bar(url, reply) as bar:
            _copy(reply, part, bar)
    if reply.total is not None and _size(part) < reply.total:
        raise _Broken(f"the connection broke after {_mb(_size(part))} of {_mb(reply.total)} MB")


def _copy(reply: _Reply, part: Path, bar: tqdm[NoReturn]) -> None:
    with _writing(part), part.open("r+b" if reply.start else "wb") as file:
        file.seek(reply.start)
        while block := _read(reply.body, part):
            file.write(block)
            file.flush()  # what came is kept even if the process is killed
            bar.update(len(block))


def _read(body: http.client.HTTPResponse, part: Path) -> bytes:
    try:
        return body.read1(BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(f"the connection broke after {_mb(_size(part))} MB") from error


@contextlib.contextmanager
def _reply(url: str, part: Path, have: int) -> Iterator[_Reply | None]:
    """The answer to a request for what is missing; None when nothing is."""
    try:
        body = _open(url, _headers(url, part, have))
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise _refusal(url, error) from error
        if error.headers.get("Content-Range", "").rpartition("/")[2] == str(have):
            yield None
            return
        remove_part(part)
        body = _whole(url, part)
    with body:
        start, total = _span(body, have)
        etag = body.headers.get("ETag", "")
        strong = "" if etag.startswith("W/") else etag
        yield _Reply(body, start, total, strong or body.headers.get("Last-Modified", ""))


def _whole(url: str, part: Path) -> http.client.HTTPResponse:
    try:
        return _open(url, _headers(url, part, 0))
    except urllib.error.HTTPError as error:
        raise _refusal(url, error) from error


def _open(url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    try:
        request = urllib.request.Request(url, headers=headers)
        reply: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
        return reply
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(
            f"{url} cannot be reached ({reason}); check the network, or give a mirror or a file "
            "that you have with --from."
        ) from error


def _headers(url: str, part: Path, have: int) -> dict[str, str]:
    headers = {
        "User-Agent": f"photostyle/{version('photostyle')}",
        "Accept-Encoding": "identity",
    }
    if have:
        headers["Range"] = f"bytes={have}-"
        if validator := _validator(url, part):
            headers["If-Range"] = validator
    return headers


def _span(reply: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Where the body begins in the file, and the file's size."""
    if reply.status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", reply.headers.get("Content-Range", ""))
        if span is None or int(span[1]) != have:
            raise DownloadError(f"{reply.url}: the server sent another part than was asked for.")
        return have, None if span[2] == "*" else int(span[2])
    length = reply.headers.get("Content-Length")
    return 0, int(length) if length and length.isdigit() else None


def _refusal(url: str, error: urllib.error.HTTPError) -> DownloadError:
    reasons = {404: "is not there (404)", 403: "may not be read (403)"}
    reason = reasons.get(error.code, f"was refused by the server ({error.code} {error.reason})")
    return DownloadError(f"{url} {reason}; --from takes a mirror or a file that you have.")


def _validator(url: str, part: Path) -> str:
    """What the server said of the file that `part` began; "" for another address."""
    try:
        note = read_json(_note_path(part))
        return str(note["validator"]) if note["url"] == url else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _check_space(part: Path, reply: _Reply) -> None:
    needed = 0 if reply.total is None else reply.total - reply.start
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise OutputError(
            f"{part.parent} has {_mb(free)} MB free and {_mb(needed)} MB are needed; make room, or "
            "set PHOTOSTYLE_HOME to a folder on another disk."
        )


@contextlib.contextmanager
def _writing(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{part} cannot be written: {error.strerror or error}; PHOTOSTYLE_HOME chooses another "
            "folder."
        ) from error


def _bar(url: str, reply: _Reply) -> tqdm[NoReturn]:
    return tqdm(
        total=reply.total, initial=reply.start, desc=url.rpartition("/")[2],
        unit="B", unit_scale=True, dynamic_ncols=True,
    )  # fmt: skip


def _note_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _mb(count: int) -> str:
    return f"{count / (1 << 20):.1f}"
