"""A batch: many pairs, each with its own options or all with the same. Imports no torch.

Everything is checked before the first job runs, and every mistake is shown with its line.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photostyle.config.config import Config, hint
from photostyle.documents import named, shown
from photostyle.errors import ImageError, JobsError, OptionError, unpaired
from photostyle.images.listing import pictures_in
from photostyle.jobs.axes import FILES, OPTIONAL_FILES, known_names, value_of
from photostyle.jobs.campaign import Plan
from photostyle.jobs.jobs import check_name
from photostyle.jobs.jobsfile import Entry, Mistakes, Word, read_jobs
from photostyle.jobs.stylejob import StyleJob
from photostyle.jobs.sweep import Configure, free_name
from photostyle.places import as_seen, expanded, folded, identity


@dataclass
class Batch:
    """Attributes:
    out: the folder of the results, which no job may leave.
    """

    out: Path
    configure: Configure
    suffix: str = ".png"
    taken: set[str] = field(default_factory=set)

    def from_file(self, path: Path) -> Plan:
        """The jobs of a jobs file; the files that it names lie beside it or at absolute paths.

        Raises:
            JobsError: for all of its mistakes at once.
        """
        mistakes = Mistakes(path)
        entries = read_jobs(path, mistakes)
        named = [e for e in entries if "name" in e.words]
        for entry in named:
            self._claim(entry.words["name"], mistakes)
        jobs = [self._job(entry, path.parent, mistakes) for entry in entries]
        mistakes.check()
        return Plan(path.stem, tuple(job for job in jobs if job))

    def from_pairs(self, folder: Path) -> Plan:
        """A job for each picture in content/, with the style/ and masks of the same name; a single
        picture in style/ serves them all, with the mask of its own name.

        Raises:
            JobsError: a folder or a partner is missing, or a name is there twice.
        """
        found = {role: _pictures(folder, role) for role in FILES}
        for role in ("content", "style"):
            if not found[role]:
                raise JobsError(f"--pairs {folder}: there are no pictures in {role}/.")
        jobs = []
        for stem, content in sorted(found["content"].items()):
            style = _partner(found["style"], stem)
            if style is None:
                raise JobsError(f"--pairs {folder}: {content.name} has no partner in style/.")
            masks = _masks(folder, found, stem, as_seen(style.stem))
            jobs.append(StyleJob(name=free_name(stem, self.taken), content=content, style=style,
                                 config=self.configure(None, {}), labels=(("pair", stem),),
                                 suffix=self.suffix, named=True, **masks))  # type: ignore[arg-type]  # fmt: skip
        return Plan(folder.name, tuple(jobs))

    def _claim(self, word: Word, mistakes: Mistakes) -> None:
        """A name that the file gives must be free, and stay below the output folder."""
        fault = check_name(word.text)
        if fault is None and not (self.out / word.text).resolve().is_relative_to(
            self.out.resolve()
        ):
            fault = f"{word.text!r} would leave the output folder by a link"
        if fault is None and folded(word.text) in self.taken:
            fault = f"the name {word.text!r} is there twice"
        if fault:
            mistakes.add(word.line, fault)
        self.taken.add(folded(word.text))

    def _job(self, entry: Entry, folder: Path, mistakes: Mistakes) -> StyleJob | None:
        before = len(mistakes.found)
        files = {role: _file(role, entry, folder, mistakes) for role in FILES}
        if fault := unpaired(files["content_mask"], files["style_mask"], OPTIONAL_FILES):
            mistakes.add(entry.line, fault.removesuffix("."))
        config = self._config(entry, mistakes)
        if len(mistakes.found) > before or config is None:
            return None
        content, style = files["content"], files["style"]
        assert content
        assert style
        name = entry.words["name"].text if "name" in entry.words else free_name(
            f"{content.stem}-{style.stem}".lstrip("."), self.taken
        )  # fmt: skip
        target = identity(self.out / f"{name}{self.suffix}")
        if target in [identity(path) for path in files.values() if path]:
            mistakes.add(entry.line, f"the result {name!r} would replace one of its own inputs")
            return None
        labels = tuple((k, w.text) for k, w in entry.words.items() if k not in ("name", *FILES))
        return StyleJob(name=name, config=config, labels=(("job", name), *labels),
                        suffix=self.suffix, named=True, **files)  # type: ignore[arg-type]  # fmt: skip

    def _config(self, entry: Entry, mistakes: Mistakes) -> Config | None:
        values: dict[str, Any] = {}
        known = {"name": None, **known_names()}
        for name, word in entry.words.items():
            if name in ("name", *FILES):
                continue
            if name not in known:
                mistakes.add(word.line, f"there is nothing called {shown(name)}{hint(name, known)}")
                continue
            try:
                values[name] = _checked_value(name, word.text)
            except OptionError as error:
                mistakes.add(word.line, error.as_typed)
        try:
            return self.configure(values.pop("preset", None), values)
        except OptionError as error:
            mistakes.add(entry.line, error.as_typed)
            return None


@functools.lru_cache(maxsize=10_000)
def _checked_value(name: str, word: str) -> Any:
    """The value, tried out on a configuration, so that a mistake is found at its own line."""
    value = value_of(name, word)
    if name == "preset":
        from photostyle.config.presets import preset

        preset(value)
    else:
        Config().with_options({name: value})
    return value


def _file(role: str, entry: Entry, folder: Path, mistakes: Mistakes) -> Path | None:
    word = entry.words.get(role)
    if word is None or (word.text == "none" and role.endswith("mask")):
        if role in ("content", "style"):
            mistakes.add(entry.line, f"this job has no {role}")
        return None
    path = folder / expanded(word.text)
    if fault := _fault(path):
        mistakes.add(word.line, f"{role} {named(word.text)}: {fault}")
    return path


@functools.lru_cache(maxsize=100_000)
def _fault(path: Path) -> str | None:
    """What keeps a file from being read as a picture, as far as its header tells."""
    from photostyle.images.decoding import check_header

    try:
        if not path.is_file():
            return "is a folder" if path.is_dir() else "there is no such file"
        check_header(path, path.read_bytes())
    except ImageError as error:
        words = str(error).removeprefix(f"{path} ").removesuffix(".")
        return "this is no picture" if words.startswith("is not a picture") else words
    except (OSError, ValueError) as error:
        return f"this cannot be read ({getattr(error, 'strerror', None) or error})"
    return None


def _pictures(folder: Path, role: str) -> dict[str, Path]:
    """The pictures of a folder by their stems, as people see them."""
    place = folder / role
    if not place.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in pictures_in(place):
        stem = as_seen(path.stem)
        if other := found.get(stem):
            raise JobsError(
                f"--pairs {folder}: {role}/ has both {other.name} and {path.name}; names make the "
                "pairs, so rename one of them."
            )
        found[stem] = path
    return found


def _masks(
    folder: Path, found: Mapping[str, Mapping[str, Path]], stem: str, style: str
) -> dict[str, Path | None]:
    """Both masks of a pair, or neither: the content's of its name, the style's of either's."""
    masks = {
        "content_mask": found["content_mask"].get(stem),
        "style_mask": found["style_mask"].get(stem) or found["style_mask"].get(style),
    }
    if masks["content_mask"] is None:  # the style's own may serve other contents
        return dict.fromkeys(masks)
    if masks["style_mask"] is None:
        raise JobsError(
            f"--pairs {folder}: content_mask/{masks['content_mask'].name} has no partner in "
            "style_mask/; masks come in pairs."
        )
    return masks


def _partner(styles: Mapping[str, Path], stem: str) -> Path | None:
    return next(iter(styles.values())) if len(styles) == 1 else styles.get(stem)
