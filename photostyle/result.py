"""Results: the picture with everything that is needed to understand it and to make it again."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike, NDArray
from PIL import Image
from torch import Tensor

from photostyle import views
from photostyle.beside import SideFiles, beside, check_result, manifest_path, places_of, side_folder
from photostyle.brief import Brief
from photostyle.config.config import Config, option_files
from photostyle.config.files import from_dict
from photostyle.documents import Unreadable, parse_json, read_text, shown
from photostyle.errors import ImageError, OptionError
from photostyle.finish.delivery import Grade
from photostyle.images.hashing import content_sha256
from photostyle.images.photograph import Photograph, unframed
from photostyle.images.picture import Metadata, image_size, paths_of, resize
from photostyle.images.saving import check_output, encode_image, read_manifest, write_together
from photostyle.images.shown import Picture
from photostyle.inputs import InputFile, Inputs
from photostyle.metrics import Scores
from photostyle.objective.features import configured_encoder
from photostyle.places import expanded
from photostyle.runtime.steps import Step
from photostyle.segmentation.masks import Masks, counted, resize_masks
from photostyle.segmentation.pairing import describe
from photostyle.segmentation.semantic import load_groups, load_network

#: Version of the manifest's layout.
FORMAT = 1


@dataclass(frozen=True, eq=False)
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
        content: the photograph at its own size. styles: at most 512 pixels high.
        wide: the image where colours of the content reach outside sRGB: extended, below 0 and above
            1, which is what files get.
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
    content: Photograph | None = None
    styles: tuple[Tensor, ...] = ()
    wide: Tensor | None = None

    def __repr__(self) -> str:
        regions = ", ".join(self.masks.names)
        return (
            f"Result of {self.config.preset!r}, {self.state}\n"
            f"  regions: {regions}; encoder: {self.encoder or 'none'}; device: {self.device}"
        )

    @property
    def state(self) -> str:
        """Size, time and scores in a few words."""
        after = "interrupted after " if self.interrupted else ""
        return (
            f"{self.image.shape[3]}×{self.image.shape[2]}, {after}{sum(self.seconds.values()):.0f} "
            f"s, structure kept {self.scores.structure:.3f}, "
            f"style taken {self.scores.style_taken:.0%}"
        )

    @property
    def picture(self) -> Picture:
        """The picture with the content's metadata."""
        return Picture(self.image, self.metadata, self.notes, self._read, self.wide)

    def to_pil(self) -> Image.Image:
        """The picture for PIL; see `Picture.to_pil`."""
        return self.picture.to_pil()

    def to_numpy(self, dtype: DTypeLike = "float32") -> NDArray[Any]:
        """The picture for NumPy, uint8, uint16 or float; see `Picture.to_numpy`."""
        return self.picture.to_numpy(dtype)

    def sheet(self) -> Picture:
        """Content, styles and result side by side."""
        return views.sheet(self._content.shown, self.styles, self.image)

    def preview(self) -> Picture:
        """Content and style as they are and under the colours of their regions."""
        title = self.config.segmentation.segmenter
        return views.regions(self._content.shown, self.styles[0], self.masks, title)

    def heatmap(self) -> Picture:
        """Where the result is no local affine map of the content."""
        image, content, _ = beside_content(self, self._content, image_size(self.image))
        return views.departures(content, image)

    def stain_map(self) -> Picture:
        """Where like colours of the content came out unlike."""
        image, content, masks = beside_content(self, self._content, image_size(self.image))
        return views.stains(content, image, masks)

    @property
    def _read(self) -> tuple[Path, ...]:
        """The files that went in."""
        files = (file.path for _, file in self.inputs.named())
        named = option_files(self.config).values()
        opened = paths_of([] if self.content is None else [self.content])
        return *(path for path in files if path is not None), *opened, *named

    @property
    def _content(self) -> Photograph:
        if self.content is None:
            raise ImageError("This result has no content in it to be shown beside.")
        return self.content

    def _repr_png_(self) -> bytes:
        small = views.sheet(self._content.shown, self.styles, self.image, views.NOTEBOOK)
        return small._repr_png_()

    def manifest(self) -> dict[str, Any]:
        """Everything but the pictures, as JSON types."""
        return {
            "format": FORMAT,
            "versions": versions(),
            "device": self.device,
            "config": self.config.to_dict(),
            "inputs": {role: file.to_dict() for role, file in self.inputs.named()},
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

    def save(
        self,
        path: str | os.PathLike[str],
        side_files: str | os.PathLike[str] | SideFiles | None = None,
    ) -> None:
        """Writes the picture; beside it its manifest as JSON, which is also embedded where the
        format can, and its grade, which `photostyle render` delivers again (see `beside`). All
        three or none; what is none of ours, or was an input, is not replaced.

        Args:
            side_files: a folder for manifest and grade, or "none" for neither.

        Raises:
            OutputError: the folder cannot be written, the suffix is unknown, or a file beside the
                picture was not written by photostyle.
        """
        path, side = expanded(path), SideFiles.of(side_files)
        check_output(path, self._read)
        check_result(path, (), self._read, side)
        text = json.dumps({**places_of(path, side), **self.manifest()}, indent=1)
        files = {path: encode_image(path, self.image, self.metadata, text, self.wide)}
        if side.written:
            manifest, grade = beside(path, side.folder)
            files |= {manifest: text.encode("utf-8"), grade: self.grade.to_bytes()}
        write_together(files)


def beside_content(
    result: Result, photo: Photograph, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """A result, its content and the content's masks as they are compared, at a size (height,
    width): without what is no photograph of them."""
    image = resize(unframed(result.image, photo), size)
    masks = resize_masks(result.masks.content, size)
    return image, resize(photo.image, size), counted(masks, photo.weight_at(size))


@dataclass(frozen=True)
class Recipe(Brief):
    """What a manifest asks for: the run that made its picture.

    `side_files` is the folder of its grade, where that does not lie beside what was read."""

    config: Config
    inputs: Inputs
    encoder_sha256: str
    segmenter_sha256: str = ""
    side_files: Path | None = None

    def verify(self, *, encoder: bool = True) -> None:
        """Checks that the inputs, and the encoder if wanted, are still those of the run.

        Raises:
            OptionError: one of them is missing or has changed; the message names it.
        """
        for role, file in self.inputs.named():
            path = file.file(role)
            if not (os.path.isfile(path) or os.path.isdir(path)):
                raise OptionError(f"{path}: the {role} of that run is no longer there.")
            if content_sha256(path) != file.sha256:
                raise OptionError(f"{path}: the {role} has changed since that run.")
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


def load_recipe(path: str | os.PathLike[str], side_files: Path | None = None) -> Recipe:
    """Reads the manifest in a result picture, or in the JSON file itself; of a picture that has
    none in it, in the folder of side files.

    Raises:
        ImageError: there is no such file, or no manifest in it.
        OptionError: the manifest is damaged, or of a newer layout.
    """
    path = expanded(path)
    text = _manifest_text(path, side_files)
    try:
        data = parse_json(text)
        if data["format"] != FORMAT:
            raise OptionError(
                f"{path}: its manifest has layout {shown(data['format'])}; this version reads "
                f"{FORMAT}."
            )
        files = {
            role: _located(InputFile.from_dict(file), path) for role, file in data["inputs"].items()
        }
        return Recipe(
            from_dict(data["config"], str(path)),
            _inputs(files),
            data["encoder"]["sha256"],
            data.get("segmenter", {}).get("sha256", ""),
            side_files or side_folder(data, path),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = error if isinstance(error, Unreadable) else shown(error)
        raise OptionError(f"{path}: its manifest is damaged ({reason}).") from None


def _inputs(files: dict[str, InputFile]) -> Inputs:
    """The Inputs that `named` listed."""
    more: list[InputFile] = []
    while found := files.pop(f"style_{len(more) + 2}", None):
        more.append(found)
    return Inputs(**files, more_styles=tuple(more))


def _manifest_text(path: Path, folder: Path | None = None) -> str:
    if path.suffix.lower() == ".json":
        try:
            return read_text(path)
        except Unreadable:
            raise ImageError(
                f"{path} cannot be read; give a result picture or its .json."
            ) from None
    text = read_manifest(path)
    if text is None and manifest_path(path, folder).is_file():
        return _manifest_text(manifest_path(path, folder))
    if text is None:
        raise ImageError(
            f"{path} holds no manifest and has none beside it, so its run is not known."
        )
    return text


def _located(file: InputFile, manifest: Path) -> InputFile:
    """The input where it was, else below or beside the manifest's own folders: projects move."""
    recorded = file.path
    if recorded is None or os.path.exists(recorded) or recorded.is_absolute():
        return file
    tried = [folder / recorded for folder in manifest.resolve().parents]
    return replace(file, path=next((path for path in tried if os.path.exists(path)), recorded))


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
