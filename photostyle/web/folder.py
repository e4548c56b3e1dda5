"""A folder of the server's machine that pages may look at: read, never written, never left."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photostyle.errors import OptionError
from photostyle.images.listing import PICTURES, files_below
from photostyle.places import as_seen
from photostyle.web.limits import MOST_PICTURES
from photostyle.web.refusing import Refused


@dataclass(frozen=True)
class Shelf:
    """The folder. A page knows a picture by a number made of its name, never by its path.

    Attributes:
        root: without links.
    """

    root: Path

    @classmethod
    def of(cls, folder: Path) -> "Shelf":
        """Raises OptionError where there is no such folder."""
        if not folder.is_dir():
            raise OptionError(f"--folder {folder}: there is no such folder.")
        return cls(Path(os.path.realpath(folder)))

    def entries(self) -> dict[str, Path]:
        """The pictures, by their numbers; what links lead to outside is not among them."""
        found = [path for path in files_below(self.root, PICTURES) if self._inside(path)]
        return {self._number(path): path for path in found[:MOST_PICTURES]}

    def listed(self) -> list[dict[str, Any]]:
        """What a page is told."""
        return [
            {"id": number, "name": as_seen(str(path.relative_to(self.root)))}
            for number, path in self.entries().items()
        ]

    def path(self, number: object) -> Path:
        """The picture of that number.

        Raises:
            Refused: there is none.
        """
        found = self.entries().get(number) if isinstance(number, str) else None
        if found is None:
            raise Refused("There is no such picture in the folder.", 404)
        return found

    def _inside(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return real.is_relative_to(self.root) and real.is_file()

    def _number(self, path: Path) -> str:
        return hashlib.sha256(
            str(path.relative_to(self.root)).encode(errors="replace")
        ).hexdigest()[:16]
