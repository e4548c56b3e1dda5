"""What lies beside a result: its manifest and its grade, under names that no other picture's have.

Those of result.png are result.json and result.grade.safetensors. Where these are another picture's,
as result.jpg's, they are result.png.json and result.png.grade.safetensors.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from photostyle.documents import Unreadable, read_json
from photostyle.images.saving import FORMATS
from photostyle.places import check_not_foreign, check_places

MANIFEST, GRADE = ".json", ".grade.safetensors"


def manifest_path(picture: Path) -> Path:
    """Where the manifest of a picture lies; a manifest is its own."""
    if picture.suffix.lower() == MANIFEST:
        return picture
    return _with(_base(picture), MANIFEST)


def manifest_beside(picture: Path) -> Path | None:
    """The manifest of a picture, where one lies beside it."""
    path = manifest_path(picture)
    manifest = _read(path)
    return path if manifest and manifest.get("picture", picture.name) == picture.name else None


def grade_path(picture: Path) -> Path:
    """Where the grade of a picture, or of a manifest, lies."""
    if picture.suffix.lower() == MANIFEST:
        return picture.with_suffix(GRADE)
    return _with(_base(picture), GRADE)


def beside(picture: Path) -> tuple[Path, Path]:
    """Both of them."""
    return manifest_path(picture), grade_path(picture)


def check_result(picture: Path, others: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Find out whether a result can be written, with all that belongs to it.

    Args:
        others: further files that are written and were asked for by name.

    Raises:
        OutputError: as `check_places`, or a file beside the picture is none of ours.
    """
    check_places([picture, *others, *beside(picture)], inputs)
    for path in beside(picture):
        check_not_foreign(path, is_ours)


def is_ours(path: Path) -> bool:
    """Whether a file beside a picture is a manifest or grade that we wrote; a damaged grade is ours
    where its manifest is there."""
    if path.name.endswith(GRADE):
        manifest = path.with_name(path.name.removesuffix(GRADE) + MANIFEST)
        return _read(manifest) is not None or _is_grade(path)
    return _read(path) is not None


def _base(picture: Path) -> Path:
    """The path that both begin with: the picture's without its suffix, or else with it."""
    short = picture.with_suffix("")
    own = any(os.path.lexists(_with(picture, ending)) for ending in (MANIFEST, GRADE))
    return picture if own or _anothers(short, picture) else short


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
