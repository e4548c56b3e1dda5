"""Results: the picture with everything that is needed to understand it and to make it again."""

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.files import from_dict
from photostyle.errors import ImageError, OptionError
from photostyle.finish.delivery import Grade
from photostyle.images.hashing import content_sha256
from photostyle.images.picture import Metadata
from photostyle.images.saving import atomic_path, read_manifest, save_image
from photostyle.metrics import Scores
from photostyle.objective.features import configured_encoder
from photostyle.runtime.steps import Step
from photostyle.segmentation.masks import Masks
from photostyle.segmentation.pairing import describe
from photostyle.segmentation.semantic import load_groups, load_network

#: Version of the manifest's layout.
FORMAT = 1


@dataclass(frozen=True)
class InputFile:
    """A file that went in: its path as given, and the SHA-256 of its bytes in hex."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Inputs:
    """The files of a run."""

    content: InputFile
    style: InputFile
    content_mask: InputFile | None = None
    style_mask: InputFile | None = None
    more_styles: tuple[InputFile, ...] = ()
    start: InputFile | None = None

    @property
    def styles(self) -> tuple[InputFile, ...]:
        """All style pictures, in the order given."""
        return (self.style, *self.more_styles)

    def named(self) -> Iterator[tuple[str, InputFile]]:
        """(role, file) of every file there is; the roles of further styles are style_2, …"""
        single = (self.content, self.style, self.content_mask, self.style_mask, self.start)
        roles = ("content", "style", "content_mask", "style_mask", "start")
        yield from ((role, file) for role, file in zip(roles, single, strict=True) if file)
        yield from ((f"style_{n}", file) for n, file in enumerate(self.more_styles, start=2))


@dataclass(frozen=True)
class Result:
    """What a run leaves.

    Attributes:
        image: 1×3×H×W float32 in [0, 1].
        grade: the local affine maps, at the working size, that take the content to it.
        masks: at the working size.
        scores: structure kept and style taken.
        history: the Steps of every solve.
        encoder, encoder_sha256: its name and the hash of its weights.
        normalized_sha256: hash of the weights with normalised activations; empty without.
        notes: sentences for the user (encoder and why, merged regions, early stops).
        seconds: of each stage.
        segmenter_sha256: of the segmentation network and its table, or empty.
        interrupted: stopped early; the picture is the best one until then.
        metadata: of the content, for saving.
    """

    image: Tensor
    grade: Grade
    masks: Masks
    scores: Scores
    history: tuple[tuple[Step, ...], ...]
    config: Config
    inputs: Inputs
    encoder: str
    encoder_sha256: str
    device: str
    normalized_sha256: str = ""
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False
    metadata: Metadata = field(default_factory=Metadata)
    segmenter_sha256: str = ""

    def manifest(self) -> dict[str, Any]:
        """Everything but the pictures, as JSON types."""
        return {
            "format": FORMAT,
            "versions": versions(),
            "device": self.device,
            "config": self.config.to_dict(),
            "inputs": {
                role: {"path": str(file.path), "sha256": file.sha256}
                for role, file in self.inputs.named()
            },
            "segmenter": {
                "name": self.config.segmentation.segmenter,
                "sha256": self.segmenter_sha256,
                "table": describe(self.masks),
            },
            "encoder": {
                "name": self.encoder,
                "sha256": self.encoder_sha256,
                "normalized_sha256": self.normalized_sha256,
            },
            "size": [self.image.shape[3], self.image.shape[2]],
            "regions": [vars(region) for region in self.masks.regions],
            "scores": vars(self.scores),
            "notes": list(self.notes),
            "seconds": {stage: round(s, 3) for stage, s in self.seconds.items()},
            "interrupted": self.interrupted,
            "history": [_trace(steps) for steps in self.history],
        }

    def save(self, path: Path) -> None:
        """Writes the picture; beside it its manifest as JSON, which is also embedded where the
        format can, and its grade, which `photostyle render` delivers again.

        Raises:
            OutputError: the folder cannot be written.
        """
        text = json.dumps(self.manifest(), indent=1)
        save_image(path, self.image, self.metadata, manifest=text)
        with atomic_path(manifest_path(path)) as temporary:
            temporary.write_text(text, encoding="utf-8")
        self.grade.save(grade_path(path))


@dataclass(frozen=True)
class Recipe:
    """What a manifest asks for: the run that made its picture."""

    config: Config
    inputs: Inputs
    encoder_sha256: str
    segmenter_sha256: str = ""

    def verify(self, *, encoder: bool = True) -> None:
        """Checks that the inputs, and the encoder if wanted, are still those of the run.

        Raises:
            OptionError: one of them is missing or has changed; the message names it.
        """
        for role, file in self.inputs.named():
            if not file.path.exists():
                raise OptionError(f"{file.path}: the {role} of that run is no longer there.")
            if content_sha256(file.path) != file.sha256:
                raise OptionError(f"{file.path}: the {role} has changed since that run.")
        if encoder and self.encoder_sha256:  # empty when that run had no use for one
            found, _ = configured_encoder(self.config.encoder)
            if found.fingerprint != self.encoder_sha256:
                raise OptionError(f"encoder {found.name}: its weights are not those of that run.")
        if encoder and self.segmenter_sha256:
            options = self.config.segmentation
            groups = load_groups(options.segmenter_groups)
            network = load_network(options.segmenter_model, groups)
            if network.fingerprint != self.segmenter_sha256:
                raise OptionError(
                    f"segmentation network {network.folder}: its weights or its table of groups "
                    "are not those of that run."
                )


def manifest_path(path: Path) -> Path:
    """Where the manifest of a picture lies."""
    return path.with_suffix(".json")


def grade_path(path: Path) -> Path:
    """Where the grade of a picture lies."""
    return path.with_suffix(".grade.safetensors")


def load_recipe(path: Path) -> Recipe:
    """Reads the manifest in a result picture, or in the JSON file itself.

    Raises:
        ImageError: there is no such file, or no manifest in it.
        OptionError: the manifest is damaged, or of a newer layout.
    """
    text = _manifest_text(path)
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise OptionError(
                f"{path}: its manifest has layout {data['format']}; this version reads {FORMAT}."
            )
        files = {
            role: InputFile(_located(Path(file["path"]), path), file["sha256"])
            for role, file in data["inputs"].items()
        }
        return Recipe(
            from_dict(data["config"], str(path)),
            _inputs(files),
            data["encoder"]["sha256"],
            data.get("segmenter", {}).get("sha256", ""),
        )
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise OptionError(f"{path}: its manifest is damaged ({error!r}).") from None


def _inputs(files: dict[str, InputFile]) -> Inputs:
    """The Inputs that `named` listed."""
    more: list[InputFile] = []
    while found := files.pop(f"style_{len(more) + 2}", None):
        more.append(found)
    return Inputs(**files, more_styles=tuple(more))


def _manifest_text(path: Path) -> str:
    if path.suffix.lower() == ".json":
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ImageError(
                f"{path} cannot be read; give a result picture or its .json."
            ) from None
    text = read_manifest(path)
    if text is None and manifest_path(path).is_file():
        text = manifest_path(path).read_text(encoding="utf-8")
    if text is None:
        raise ImageError(
            f"{path} holds no manifest and has none beside it, so its run is not known."
        )
    return text


def _located(recorded: Path, manifest: Path) -> Path:
    """The input where it was, else below or beside the manifest's own folders: projects move."""
    if recorded.exists() or recorded.is_absolute():
        return recorded
    tried = [folder / recorded for folder in manifest.resolve().parents]
    return next((path for path in tried if path.exists()), recorded)


def _trace(steps: tuple[Step, ...]) -> dict[str, Any]:
    if not steps:
        return {"iterations": 0}
    names = steps[-1].terms
    return {
        "size": [steps[-1].size[1], steps[-1].size[0]],
        "iterations": steps[-1].iteration,
        "calls": steps[-1].calls,
        "stopped": steps[-1].stopped,
        "total": [_short(s.total) for s in steps],
        "terms": {name: [_short(s.terms[name]) for s in steps] for name in names},
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def versions() -> dict[str, str]:
    """Versions of Python, this program and what it computes with."""
    names = ("photostyle", "torch", "numpy", "scipy", "pillow", "opencv-python-headless")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
