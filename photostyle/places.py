"""Where files lie: paths and names as people write and see them, and places that can be written.

A file is known by what it is, whatever it is called: through links, under two names, in capitals on
a disk that has none. Imports no torch.
"""

import itertools
import os
import tempfile
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

from photostyle.errors import InputError, OutputError


def expanded(text: str | os.PathLike[str]) -> Path:
    """The path that was written, with ~ as the home where no shell has put it.

    Raises:
        InputError: it is no path.
    """
    if not isinstance(text, str | os.PathLike):
        raise InputError(
            f"A path is needed, not {type(text).__name__}; give a str or pathlib.Path."
        )
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~ and no user's name: a file may be called so
        return Path(text)


def home_folder() -> Path:
    """Where what is kept between runs lies: PHOTOSTYLE_HOME where that is set, else the platform's
    cache folder."""
    import platformdirs  # only needed here, and `photostyle --help` must stay quick

    home = os.environ.get("PHOTOSTYLE_HOME")
    return expanded(home) if home else platformdirs.user_cache_path("photostyle")


def relative(path: Path, folder: Path) -> str:
    """The path as it is written in a folder, with slashes."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return str(path)


def as_seen(name: str) -> str:
    """A name as people read it, the same for all bytes that show it: composed letters, and Latin-1
    for bytes that are no UTF-8."""
    letters = (chr(ord(c) - 0xDC00) if "\udc80" <= c <= "\udcff" else c for c in name)
    return unicodedata.normalize("NFC", "".join(letters))


def folded(name: str) -> str:
    """What two names have in common that some file systems hold for one."""
    return unicodedata.normalize("NFC", name).casefold()


def numbered(name: str, taken: set[str]) -> str:
    """The name, numbered where it is taken already on a disk that folds case; it is taken now."""
    others = (f"{name}-{n}" for n in itertools.count(2))
    free = next(n for n in itertools.chain([name], others) if folded(n) not in taken)
    taken.add(folded(free))
    return free


def identity(path: Path) -> Hashable:
    """What tells a file from all others; of one that is not there its real path, folded."""
    try:
        status = os.stat(path)
        if status.st_ino:
            return status.st_dev, status.st_ino
    except OSError:
        pass
    except ValueError:  # a name that no file can have
        return str(path)
    return folded(os.path.realpath(path))


def check_places(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Find out, leaving nothing behind, whether files can be written to these places.

    Args:
        inputs: files and folders that are read.

    Raises:
        OutputError: a place is a folder, one of the inputs, in a folder that is one, or another
            output's, or its folder neither takes files nor can be made.
    """
    given = {identity(path): path for path in inputs}
    taken: dict[Hashable, Path] = {}
    folders: dict[Path, Hashable] = {}
    for path in outputs:
        try:
            if path.is_dir():
                raise OutputError(f"{path} is a folder; give the name of a file in it.")
            what, folder = identity(path), path.parent
            if folder not in folders:
                _check_folder(path)
                folders[folder] = identity(folder)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(
                f"{path} cannot be written: {reason}; choose another place."
            ) from error
        if what in given:
            raise OutputError(f"{path} is one of the inputs; give the output another name.")
        if home := given.get(folders[folder]):
            raise OutputError(
                f"{path} would lie in {home}, which is one of the inputs; choose another folder."
            )
        if other := taken.get(what):
            raise OutputError(f"{path} and {other} are one file; name the outputs apart.")
        taken[what] = path


def check_place(path: Path, inputs: Iterable[Path]) -> None:
    """`check_places` of one."""
    check_places([path], inputs)


def check_not_foreign(path: Path, ours: Callable[[Path], bool]) -> None:
    """Sees to it that nothing of the user's is replaced by a file that was not asked for by name.

    Args:
        ours: whether a file that is there is one that we wrote.

    Raises:
        OutputError: it is not.
    """
    if os.path.lexists(path) and not ours(path):
        raise OutputError(
            f"{path} is there already and was not written by photostyle, so it is not replaced; "
            "give another --out, or move that file."
        )


def _check_folder(path: Path) -> None:
    """Raises OutputError or OSError where the file's folder takes no files."""
    folder = Path(os.path.realpath(path)).parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"{path} cannot be written, as {folder} is a file and no folder.")
    with tempfile.TemporaryFile(dir=folder):  # permissions alone mislead for root
        pass
