"""What counts in a folder: pictures, and not what systems leave beside them. Imports no torch."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from photostyle.images.formats.table import read_suffixes
from photostyle.places import as_seen

#: Ends of the files that are taken for pictures in a folder.
PICTURES = read_suffixes()
#: Files that systems leave in folders, and folders that they and servers fill with copies; folded.
_KEPT_BY_SYSTEMS = frozenset(
    ["thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "__macosx", "$recycle.bin", "#recycle"]
) | {"system volume information"}


def hidden(name: str) -> bool:
    """Whether a file or folder is none that its user put there: dot files, among them macOS's `._`
    companions, and systems' own."""
    return name.startswith(".") or name.casefold() in _KEPT_BY_SYSTEMS


def pictures_in(folder: Path, suffixes: Collection[str] = PICTURES) -> list[Path]:
    """The pictures right in a folder, or files of other suffixes (lower case), by their names
    alone, sorted as people see them.

    Raises:
        OSError: the folder cannot be read.
    """
    found = (path for path in folder.iterdir() if _counts(path, suffixes))
    return sorted(found, key=lambda path: as_seen(path.name))


def files_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Files of these suffixes (lower case) in a folder and all below it, sorted; linked folders are
    searched too, all of them once; those that cannot be read are passed over."""
    found = (Path(at, name) for at, names in _walked(folder) for name in names)
    return sorted(path for path in found if _counts(path, suffixes))


def _counts(path: Path, suffixes: Collection[str]) -> bool:
    return not hidden(path.name) and path.suffix.lower() in suffixes and os.path.isfile(path)


def _walked(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Every folder below with its files' names: first what lies there itself, then what is linked,
    so that no link gives its name to what has one here."""
    seen: set[tuple[int, int]] = set()
    waiting = [str(folder)]
    while waiting:
        for at, folders, names in os.walk(waiting.pop(0)):
            status = os.stat(at)
            if (status.st_dev, status.st_ino) in seen:
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            folders[:] = sorted(name for name in folders if not hidden(name))
            links = (os.path.join(at, name) for name in folders)
            waiting += [path for path in links if os.path.islink(path)]
            yield at, names
