"""A batch of photographs: files, folders and globs, all after the same styles. Imports no torch.

A photograph's name is that of its file, below the folder where it was found. What is no picture in
a folder counts for nothing, nor do results that lie there.
"""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from photostyle.brief import Brief
from photostyle.config.config import Config
from photostyle.errors import ImageError, OptionError, OutputError, unpaired
from photostyle.images.listing import PICTURES, files_below, hidden
from photostyle.jobs.campaign import Plan
from photostyle.jobs.jobs import Folder, check_name
from photostyle.jobs.report import results
from photostyle.jobs.stylejob import StyleJob
from photostyle.jobs.sweep import free_name
from photostyle.places import as_seen, identity

#: Bytes of a name that are kept of a longer one.
LONGEST = 150
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Album(Brief):
    """Photographs that are styled alike.

    Attributes:
        photos: (file, name below the output folder without a suffix), in order.
        styles: what they take after. style_mask: of the first of them.
        content_mask: of the one photograph, or a folder of masks with the photographs' names.
        notes: sentences for the user on what is left out.
    """

    photos: tuple[tuple[Path, str], ...]
    styles: tuple[Path, ...]
    content_mask: Path | None = None
    style_mask: Path | None = None
    notes: tuple[str, ...] = ()

    def plan(self, config: Config, suffix: str) -> Plan:
        """A job for each photograph.

        Raises:
            OptionError: masks that do not fit.
        """
        taken: set[str] = set()
        masks = self._masks()
        style, *more = self.styles
        jobs = []
        for (path, name), mask in zip(self.photos, masks, strict=True):
            free = free_name(name, taken)
            jobs.append(StyleJob(
                name=free, content=path, style=style, config=config, content_mask=mask,
                style_mask=self.style_mask if mask else None, labels=(("photograph", free),),
                suffix=suffix, named=True, more_styles=tuple(more),
            ))  # fmt: skip
        return Plan(" + ".join(as_seen(path.stem) for path in self.styles), tuple(jobs))

    def without_masks(self) -> list[str]:
        """A sentence on photographs that have no mask where others have."""
        if self.content_mask is None:
            return []
        lacking = [p.name for (p, _), m in zip(self.photos, self._masks(), strict=True) if not m]
        if not lacking:
            return []
        if not lacking[1:]:
            return [f"{lacking[0]} has no mask in {self.content_mask}; its regions are looked for."]
        return [
            f"{lacking[0]} and {len(lacking) - 1} more have no mask in {self.content_mask}; their "
            "regions are looked for."
        ]

    def _masks(self) -> list[Path | None]:
        if fault := unpaired(self.content_mask, self.style_mask):
            raise OptionError(fault)
        if self.content_mask is None:
            return [None] * len(self.photos)
        if not self.content_mask.is_dir():
            if len(self.photos) > 1:
                raise OptionError(
                    f"--content-mask {self.content_mask}: one mask fits one photograph, and there "
                    f"are {len(self.photos)}; give a folder of masks with the photographs' names."
                )
            return [self.content_mask]
        found = _by_stem(self.content_mask)
        masks = [found.get(as_seen(path.stem)) for path, _ in self.photos]
        if not any(masks):
            if len(self.photos) == 1:  # a folder with a mask for each region
                return [self.content_mask]
            raise OptionError(
                f"--content-mask {self.content_mask}: it holds no mask with the name of a "
                f"photograph, such as {self.photos[0][0].stem}.png."
            )
        return masks


def album(
    given: Sequence[Path], styles: Sequence[Path], out: Path, named: Sequence[str] = ()
) -> Album:
    """The photographs among files, folders, searched to the bottom, and globs; each once.

    Args:
        given: as they were written. out: of the results, where nothing is looked for.
        named: names in place of the files' own, for files without one.

    Raises:
        OptionError: a path that is not there, or no photograph at all.
        OutputError: the results would lie among the photographs.
    """
    search = _Search(out, {identity(path): path for path in styles})
    for path in given:
        search.add(path)
    photos = search.found
    if named:
        photos = [(path, name) for (path, _), name in zip(photos, named, strict=True)]
    if not photos:
        left = " ".join(search.notes)
        raise OptionError(left or f"{given[0]}: there is no picture in this folder.")
    return Album(tuple(photos), tuple(styles), notes=tuple(search.notes))


@dataclass
class _Search:
    """Photographs as they are found, with their names."""

    out: Path
    styles: dict[object, Path]
    found: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _seen: set[object] = field(default_factory=set)

    def add(self, given: Path) -> None:
        """What a word of the command line stands for."""
        if given.is_dir():
            return self._folder(given)
        if given.is_file():
            return self._file(given)
        if not _MAGIC.search(str(given)):
            raise OptionError(
                f"{given} does not exist; give photographs, folders of them, or a glob."
            )
        matches = [Path(match) for match in glob.glob(str(given), recursive=True)]
        shown = [path for path in matches if not hidden(path.name)]
        if not shown:
            raise OptionError(f"{given}: nothing matches; check the folder and the capitals.")
        for path in sorted(shown, key=lambda p: as_seen(str(p))):
            if path.is_dir():
                self._folder(path)
            elif path.suffix.lower() in PICTURES:
                self._take(path, path.stem, own=False)
        return None

    def _file(self, path: Path) -> None:
        from photostyle.images.decoding import check_header

        if path.suffix.lower() not in PICTURES:
            try:
                check_header(path, path.read_bytes())
            except (ImageError, OSError):
                self.notes.append(f"{path} is no picture and is left out.")
                return
        self._take(path, path.stem, own=True)

    def _folder(self, folder: Path) -> None:
        if (made := results(folder)) is not None:  # of a sweep or batch: not its sheets
            for path in made:
                self._take(path, path.relative_to(folder).with_suffix("").as_posix(), own=False)
            return
        if identity(folder) == identity(self.out):
            raise OutputError(f"--out {self.out} is where the photographs lie; give another.")
        ours = _Ours(folder, self.out)
        for path in files_below(folder, PICTURES):
            if path.parent not in ours:
                name = path.relative_to(folder).with_suffix("").as_posix()
                self._take(path, name, own=False)

    def _take(self, path: Path, name: str, *, own: bool) -> None:
        what = identity(path)
        if what in self._seen:
            return
        self._seen.add(what)
        if what in self.styles and not own:
            self.notes.append(f"{path} is the style and is left out.")
            return
        self.found.append((path, fit_name(as_seen(name))))


class _Ours:
    """The folders below one that hold results, or will: they are no photographs."""

    def __init__(self, top: Path, out: Path) -> None:
        self._known: dict[Path, bool] = {top: False}
        self._out = identity(out)

    def __contains__(self, folder: Path) -> bool:
        if folder not in self._known:
            ours = identity(folder) == self._out or Folder(folder).used()
            self._known[folder] = ours or folder.parent in self
        return self._known[folder]


def fit_name(name: str) -> str:
    """A file's name as that of a result; see `check_name`."""
    parts = ["".join(c for c in part if ord(c) >= 32).strip() for part in name.split("/")]
    short = [p.encode(errors="surrogatepass")[:LONGEST].decode(errors="ignore") for p in parts]
    fitted = "/".join(part.lstrip(".") or "photograph" for part in short)
    if check_name(fitted) is None:
        return fitted
    plain = fitted.replace("\\", "_").replace(":", "_")
    return plain if check_name(plain) is None else f"photographs-{plain}"


def _by_stem(folder: Path) -> dict[str, Path]:
    """What lies in a folder, masks of any kind, by their names as people see them."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda p: as_seen(p.name)):
        if not hidden(path.name):
            found.setdefault(as_seen(path.name if path.is_dir() else path.stem), path)
    return found
