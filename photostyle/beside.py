"""What lies beside a result: its manifest and its grade, under names that no other picture's have.

Those of result.png are result.json and result.grade.safetensors. Where these are another picture's,
as result.jpg's, they are result.png.json and result.png.grade.safetensors. They may go to a folder
of their own, or nowhere.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from photostyle.brief import Brief
from photostyle.documents import Unreadable, read_json
from photostyle.errors import OutputError
from photostyle.images.saving import FORMATS
from photostyle.places import check_not_foreign, check_places, expanded, identity, relative

MANIFEST, GRADE = ".json", ".grade.safetensors"
#: In place of a folder: no side files.
NONE = "none"


@dataclass(frozen=True)
class SideFiles(Brief):
    """Where the files go that belong to a picture.

    Attributes:
        folder: of their own; None for the picture's.
        written: False for nowhere.
    """

    folder: Path | None = None
    written: bool = True

    @classmethod
    def of(cls, given: "str | os.PathLike[str] | SideFiles | None") -> "SideFiles":
        """What `--side-files` asks for: a folder, "none", or nothing."""
        if isinstance(given, SideFiles):
            return given
        if given == NONE:
            return cls(written=False)
        return cls(None if given is None else expanded(given))

    def below(self, name: PurePath) -> "SideFiles":
        """Those of a folder below: of results that have the same folders below theirs."""
        return self if self.folder is None else SideFiles(self.folder / name)

    def to_word(self) -> str | None:
        """What `of` takes."""
        return NONE if not self.written else None if self.folder is None else str(self.folder)


def manifest_path(picture: Path, folder: Path | None = None) -> Path:
    """Where the manifest of a picture lies, in a folder of its own or beside it; a manifest is its
    own."""
    if picture.suffix.lower() == MANIFEST:
        return picture
    return _with(_base(picture, folder), MANIFEST)


def manifest_beside(picture: Path) -> Path | None:
    """The manifest of a picture, where one lies beside it."""
    path = manifest_path(picture)
    manifest = _read(path)
    return path if manifest and manifest.get("picture", picture.name) == picture.name else None


def grade_path(picture: Path, folder: Path | None = None) -> Path:
    """Where the grade of a picture, or of a manifest, lies."""
    if picture.suffix.lower() == MANIFEST:
        return picture.with_suffix(GRADE)
    return _with(_base(picture, folder), GRADE)


def beside(picture: Path, folder: Path | None = None) -> tuple[Path, Path]:
    """Both of them."""
    return manifest_path(picture, folder), grade_path(picture, folder)


def check_result(
    picture: Path, others: Iterable[Path], inputs: Iterable[Path], side: SideFiles | None = None
) -> None:
    """Find out whether a result can be written, with all that belongs to it.

    Args:
        others: further files that are written and were asked for by name.

    Raises:
        OutputError: as `check_places`, or a file that belongs to it is none of ours, or another
            picture's.
    """
    side = side or SideFiles()
    written = beside(picture, side.folder) if side.written else ()
    check_places([picture, *others, *written], inputs)
    for path in written:
        check_not_foreign(path, is_ours)
    check_owner(picture, side)


def check_owner(picture: Path, side: SideFiles) -> None:
    """Sees to it that a result takes no other picture's place in a folder of side files.

    Raises:
        OutputError: it would.
    """
    if side.folder is None:
        return
    manifest = manifest_path(picture, side.folder)
    if (other := _owner(manifest)) and _differs(other, picture):
        raise OutputError(
            f"{manifest} belongs to {other}, another picture of that name; give another "
            "--side-files."
        )


def places_of(picture: Path, side: SideFiles) -> dict[str, str]:
    """Where a picture and what belongs to it lie, as seen from each other."""
    if side.folder is None:
        return {"picture": picture.name}
    home, away = picture.parent.resolve(), side.folder.resolve()
    return {
        "picture": relative(home / picture.name, away),
        "side_files": relative(away, home),
    }


def side_folder(manifest: Mapping[str, Any], picture: Path) -> Path | None:
    """The folder of the side files that a picture names; a manifest lies among them."""
    named = manifest.get("side_files")
    if not isinstance(named, str) or picture.suffix.lower() == MANIFEST:
        return None
    return picture.parent / named


def is_ours(path: Path) -> bool:
    """Whether a file beside a picture is a manifest or grade that we wrote; a damaged grade is ours
    where its manifest is there."""
    if path.name.endswith(GRADE):
        manifest = path.with_name(path.name.removesuffix(GRADE) + MANIFEST)
        return _read(manifest) is not None or _is_grade(path)
    return _read(path) is not None


def _base(picture: Path, folder: Path | None) -> Path:
    """The path that both begin with: the picture's without its suffix, or else with it."""
    if folder is not None:
        place = folder / picture.name
        bases = place.with_suffix(""), place
        owners = ((base, _owner(_with(base, MANIFEST))) for base in bases)
        return next((b for b, other in owners if not (other and _differs(other, picture))), place)
    short = picture.with_suffix("")
    own = any(os.path.lexists(_with(picture, ending)) for ending in (MANIFEST, GRADE))
    return picture if own or _anothers(short, picture) else short


def _owner(manifest: Path) -> Path | None:
    """The picture that a manifest in a folder of its own belongs to, where it is still there."""
    data = _read(manifest)
    found = manifest.parent / str((data or {}).get("picture", ""))
    return found if found.is_file() else None


def _differs(one: Path, other: Path) -> bool:
    return identity(one) != identity(other)


def _anothers(short: Path, picture: Path) -> bool:
    """Whether the files of the short name belong to another picture, which is still there."""
    manifest = _read(_with(short, MANIFEST))
    if manifest is None:
        return False
    own = picture.suffix
    of = Path(str(manifest.get("picture", ""))).suffix
    if of:
        return of != own and os.path.lexists(_with(short, of))
    # Manifests of before do not say whose they are.
    there = [suffix for suffix in FORMATS if os.path.lexists(_with(short, suffix))]
    return bool(there) and not os.path.lexists(picture)


def _read(path: Path) -> dict[str, Any] | None:
    """A manifest of ours, else None."""
    if not os.path.isfile(path):
        return None
    try:
        data = read_json(path)
    except Unreadable:
        return None
    whole = isinstance(data, dict) and {"format", "config", "inputs", "versions"} <= data.keys()
    return data if whole else None


def _is_grade(path: Path) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return "names" in (file.metadata() or {}) and "masks" in file.keys()  # noqa: SIM118
    except (OSError, SafetensorError):
        return False


def _with(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
