"""A job that styles one photograph after another."""

import dataclasses
import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from photostyle.brief import Brief
from photostyle.config.config import Config, option_files
from photostyle.config.solves import TERMS
from photostyle.config.universal import LatentsConfig
from photostyle.errors import PhotostyleError
from photostyle.jobs.jobs import Folder, Record, key_of, sha256_of
from photostyle.places import relative

if TYPE_CHECKING:
    from torch import Tensor

    from photostyle.beside import SideFiles
    from photostyle.result import Result
    from photostyle.runtime.memory import Memory

#: Long side of the heat maps that lie beside the results.
HEAT_SIDE = 512


@dataclass(frozen=True)
class StyleJob(Brief):
    """One photograph after another, under one configuration.

    Attributes:
        name, labels: see `jobs.Job`.
        suffix: of the picture's file, with its dot.
        named: somebody chose the name: under another it is another job.
        start: the job whose result this one begins with.
        more_styles: blended with the first.
        side_files: see `beside.SideFiles.of`; below a folder of their own as the picture is below
            that of the results.
        sent: the job as the user gave it, where this one reads copies of its files.
    """

    name: str
    content: Path
    style: Path
    config: Config
    content_mask: Path | None = None
    style_mask: Path | None = None
    labels: tuple[tuple[str, str], ...] = ()
    suffix: str = ".png"
    named: bool = False
    start: "StyleJob | None" = None
    more_styles: tuple[Path, ...] = ()
    side_files: str | None = None
    sent: "StyleJob | None" = None

    @functools.cached_property
    def key(self) -> str:
        # Facts of later versions stand there only where they are used: results of before stay.
        more = {"more_styles": [sha256_of(path) for path in self.more_styles],
                "side_files": self.side_files}  # fmt: skip
        return key_of({
            "kind": "style",
            "config": _told(self.config),
            "inputs": [None if path is None else sha256_of(path) for path in self._inputs],
            "options": {n: sha256_of(path) for n, path in option_files(self.config).items()},
            "encoder": _encoder(self.config),
            "place": f"{self.name if self.named else ''}{self.suffix}",
            "start": self.start.key if self.start else None,
            **{name: fact for name, fact in more.items() if fact},
        })  # fmt: skip

    @property
    def _inputs(self) -> tuple[Path | None, ...]:
        return self.content, self.style, self.content_mask, self.style_mask

    def _roles(self) -> dict[str, Path]:
        names = ("content", "style", "content_mask", "style_mask")
        return {n: path for n, path in zip(names, self._inputs, strict=True) if path}

    def files(self) -> list[Path]:
        more = self.more_styles, option_files(self.config).values()
        return [*self._roles().values(), *itertools.chain(*more)]

    @property
    def _side(self) -> "SideFiles":
        from photostyle.beside import SideFiles  # loads torch

        return SideFiles.of(self.side_files).below(PurePosixPath(self.name).parent)

    def _maps(self, folder: Path) -> dict[str, Path]:
        """The heat maps: their names begin as the manifest's does."""
        from photostyle.beside import manifest_path

        if not self._side.written:
            return {}
        manifest = manifest_path(folder / (self.name + self.suffix), self._side.folder)
        return {n: manifest.with_name(f"{manifest.stem}.{n}.jpg") for n in ("heat", "stains")}

    def writes(self, folder: Path) -> list[Path]:
        from photostyle.beside import beside

        picture = folder / (self.name + self.suffix)
        if not self._side.written:
            return [picture]
        return [picture, *self._maps(folder).values(), *beside(picture, self._side.folder)]

    def run(self, folder: Path, memory: "Memory") -> Record:
        """Writes the picture with what belongs to it, and its heat maps.

        Raises:
            PhotostyleError: whatever stops a run, or the job to begin with has no result.
            KeyboardInterrupt: Ctrl-C; a picture that is not finished is not written.
        """
        from photostyle.images.saving import lost_note, save_image
        from photostyle.loading import decoded
        from photostyle.pipeline import stylize

        result = stylize(
            self.content, [self.style, *self.more_styles], self.config,
            content_mask=self.content_mask, style_mask=self.style_mask, start=self._begin(folder),
            memory=memory,
        )  # fmt: skip
        if result.interrupted:
            raise KeyboardInterrupt
        if self.sent:
            result = self.sent.claimed(result)
        picture = self.name + self.suffix
        maps = self._maps(folder)
        shown, warnings = _compared(self.content, result, memory)
        for name, path in maps.items():
            save_image(path, shown[name])
        result.save(folder / picture, self._side)
        lost = lost_note(folder / picture, result.metadata)
        pictures = self.content, self.style, *self.more_styles
        read = (decoded(path, memory).notes for path in pictures)
        remarks = [*itertools.chain(*read), *([lost] if lost else [])]
        named = {name: relative(path, folder) for name, path in maps.items()}
        if self._side.folder is not None:
            named["side_files"] = relative(self._side.folder, folder)
        return {"picture": picture, **named, **_facts(result), "warnings": warnings,
                "remarks": remarks}  # fmt: skip

    def with_files(self, copies: Mapping[Path, Path]) -> "StyleJob":
        """The same job reading copies of some of its files."""
        roles = {role: copies.get(path, path) for role, path in self._roles().items()}
        given = option_files(self.config).items()
        config = self.config.with_options({n: str(copies.get(p, p)) for n, p in given})
        more = tuple(copies.get(path, path) for path in self.more_styles)
        return dataclasses.replace(
            self, **roles, more_styles=more, config=config, sent=self  # type: ignore[arg-type]
        )  # fmt: skip

    def claimed(self, result: "Result") -> "Result":
        """The result of a copy of this job, naming this one's files."""
        inputs = vars(result.inputs)
        own = {r: dataclasses.replace(inputs[r], path=path) for r, path in self._roles().items()}
        given = option_files(self.config).items()
        config = result.config.with_options({name: str(path) for name, path in given})
        styles = zip(result.inputs.more_styles, self.more_styles, strict=True)
        more = tuple(dataclasses.replace(file, path=path) for file, path in styles)
        known = dataclasses.replace(result.inputs, **own, more_styles=more)
        return dataclasses.replace(result, config=config, inputs=known)

    def _begin(self, folder: Path) -> Path | None:
        if self.start is None:
            return None
        record = Folder(folder).record(self.start.key)
        if not record or record["state"] != "done":
            raise PhotostyleError(f"{self.start.name}, whose result it begins with, has none.")
        return folder / str(record["picture"])


def _facts(result: "Result") -> Record:
    return {
        "scores": dict(vars(result.scores)),
        "seconds": round(sum(result.seconds.values()), 3),
        "losses": _losses(result),
        "calls": sum(steps[-1].calls for steps in result.history if steps),
        "size": [result.image.shape[3], result.image.shape[2]],
        "notes": list(result.notes),
        "encoder": result.encoder,
    }


def _losses(result: "Result") -> dict[str, float]:
    """The terms that the last solve ended with, free of their weights, so that cells compare."""
    steps = next((steps for steps in reversed(result.history) if steps), ())
    terms = steps[-1].terms if steps else {}
    weights = {n: result.config.objective.weight(n) for n in terms if n in TERMS}
    return {n: float(f"{terms[n] / weight:.6g}") for n, weight in weights.items() if weight}


def _compared(
    content: Path, result: "Result", memory: "Memory"
) -> "tuple[dict[str, Tensor], list[str]]":
    """Departures and stains as pictures, and what looks wrong."""
    from photostyle.images.picture import fit_size, image_size
    from photostyle.jobs.verdicts import judged
    from photostyle.loading import decoded, viewing_of
    from photostyle.metrics import heatmap
    from photostyle.result import beside_content
    from photostyle.smoothness import stain_map

    own = image_size(result.image)
    size = fit_size(own, min(HEAT_SIDE, max(own)))
    photo = decoded(content, memory, viewing_of(result.config))
    image, full, masks = beside_content(result, photo, size)
    shown = {"heat": heatmap(image, full), "stains": stain_map(image, full, masks)}
    return shown, list(judged(result, photo, size))


def _told(config: Config) -> dict[str, Any]:
    """The options by which a job is known; a stage that came later counts where it is used, so that
    what was done before stays done."""
    tables = config.to_dict()
    if config.latents == LatentsConfig():
        del tables["latents"]
    return tables


def _encoder(config: Config) -> str:
    """The fingerprint of the encoder that the run would use."""
    from photostyle.objective.features import uses_encoder

    if not uses_encoder(config):
        return "none"
    return _fingerprint(config.encoder.encoder)


@functools.lru_cache
def _fingerprint(spec: str) -> str:
    from photostyle.encoders.weights import load_encoder

    return load_encoder(spec)[0].fingerprint
