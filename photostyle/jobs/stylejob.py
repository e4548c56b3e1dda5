"""A job that styles one photograph after another."""

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from photostyle.brief import Brief
from photostyle.config.config import Config, option_files
from photostyle.config.solves import TERMS
from photostyle.errors import PhotostyleError
from photostyle.jobs.jobs import Folder, Record, key_of, sha256_of

if TYPE_CHECKING:
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
    sent: "StyleJob | None" = None

    @functools.cached_property
    def key(self) -> str:
        return key_of({
            "kind": "style",
            "config": self.config.to_dict(),
            "inputs": [None if path is None else sha256_of(path) for path in self._inputs],
            "options": {n: sha256_of(path) for n, path in option_files(self.config).items()},
            "encoder": _encoder(self.config),
            "place": f"{self.name if self.named else ''}{self.suffix}",
            "start": self.start.key if self.start else None,
        })  # fmt: skip

    @property
    def _inputs(self) -> tuple[Path | None, ...]:
        return self.content, self.style, self.content_mask, self.style_mask

    def _roles(self) -> dict[str, Path]:
        names = ("content", "style", "content_mask", "style_mask")
        return {n: path for n, path in zip(names, self._inputs, strict=True) if path}

    def files(self) -> list[Path]:
        return [*self._roles().values(), *option_files(self.config).values()]

    def _maps(self, folder: Path) -> dict[str, str]:
        """The names of the heat maps: they begin as the manifest's does."""
        from photostyle.beside import manifest_path

        manifest = manifest_path(folder / (self.name + self.suffix))
        name = PurePosixPath(self.name).with_name(manifest.stem)
        return {"heat": f"{name}.heat.jpg", "stains": f"{name}.stains.jpg"}

    def writes(self, folder: Path) -> list[Path]:
        from photostyle.beside import beside

        picture = folder / (self.name + self.suffix)
        return [picture, *(folder / name for name in self._maps(folder).values()), *beside(picture)]

    def run(self, folder: Path, memory: "Memory") -> Record:
        """Writes the picture with what belongs to it, and its heat maps.

        Raises:
            PhotostyleError: whatever stops a run, or the job to begin with has no result.
            KeyboardInterrupt: Ctrl-C; a picture that is not finished is not written.
        """
        from photostyle.images.saving import lost_note
        from photostyle.loading import decoded
        from photostyle.pipeline import stylize

        result = stylize(
            self.content, self.style, self.config, content_mask=self.content_mask,
            style_mask=self.style_mask, start=self._begin(folder), memory=memory,
        )  # fmt: skip
        if result.interrupted:
            raise KeyboardInterrupt
        if self.sent:
            result = self.sent.claimed(result)
        picture = self.name + self.suffix
        maps = self._maps(folder)
        places = [folder / name for name in maps.values()]
        _write_maps(places, self.content, result, memory)
        result.save(folder / picture)
        lost = lost_note(folder / picture, result.metadata)
        read = (decoded(path, memory).notes for path in (self.content, self.style))
        remarks = [*itertools.chain(*read), *([lost] if lost else [])]
        return {"picture": picture, **maps, **_facts(result), "remarks": remarks}

    def with_files(self, copies: Mapping[Path, Path]) -> "StyleJob":
        """The same job reading copies of some of its files."""
        roles = {role: copies.get(path, path) for role, path in self._roles().items()}
        given = option_files(self.config).items()
        config = self.config.with_options({n: str(copies.get(p, p)) for n, p in given})
        return dataclasses.replace(self, **roles, config=config, sent=self)  # type: ignore[arg-type]

    def claimed(self, result: "Result") -> "Result":
        """The result of a copy of this job, naming this one's files."""
        inputs = vars(result.inputs)
        own = {r: dataclasses.replace(inputs[r], path=path) for r, path in self._roles().items()}
        given = option_files(self.config).items()
        config = result.config.with_options({name: str(path) for name, path in given})
        return dataclasses.replace(
            result, config=config, inputs=dataclasses.replace(result.inputs, **own)
        )

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


def _write_maps(places: Sequence[Path], content: Path, result: "Result", memory: "Memory") -> None:
    """Departures and stains, at the two places."""
    from photostyle.images.picture import fit_size, image_size
    from photostyle.images.saving import save_image
    from photostyle.loading import decoded
    from photostyle.metrics import heatmap
    from photostyle.result import beside_content
    from photostyle.smoothness import stain_map

    own = image_size(result.image)
    size = fit_size(own, min(HEAT_SIDE, max(own)))
    image, full, masks = beside_content(result, decoded(content, memory), size)
    shown = heatmap(image, full), stain_map(image, full, masks)
    for path, picture in zip(places, shown, strict=True):
        save_image(path, picture)


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
