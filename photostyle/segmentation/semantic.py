"""Regions by meaning: a network of segmentation-models-pytorch, its classes merged into groups.

Any checkpoint that `smp.from_pretrained` reads will do, from a folder or from the Hugging Face
hub; the default is a SegFormer (Xie et al. 2021) trained on ADE20K (Zhou et al. 2017). Which
classes share their light is a table that users can replace (groups.toml). The library takes
seconds to load, so it is imported when a network is used, and nothing is downloaded unless the
network was asked for by name.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from photostyle.documents import Unreadable, parse_toml, read_json, read_text, shown
from photostyle.errors import OptionError, WeightsError
from photostyle.images.picture import image_size, to_array
from photostyle.matting.guided import GuidedFilter
from photostyle.segmentation.masks import LabelMap

DEFAULT_MODEL = "smp-hub/segformer-b2-512x512-ade-160k"
CONFIG, WEIGHTS = "config.json", "model.safetensors"
PREPROCESSING, CLASSES = "albumentations_config_eval.json", "classes.txt"
OTHER = "other"

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation of RGB in [0, 1]
SIDE = 512  # pixels, for a network that does not say
STRIDE = 32  # every encoder of the library halves a picture at most five times
LEAST_SHARE = 0.005  # of the picture; a smaller group gives way to the next likely
EDGE_RADIUS, EDGE_EPSILON = 8, 1e-3  # of the guided filter, in pixels at 512


@dataclass(frozen=True)
class Groups:
    """Which classes belong together.

    Attributes:
        classes: a network's outputs in order, for checkpoints that do not name them.
        groups: group → classes.
        near: group → groups that may stand in for it, nearest first.
        text: the table as it was read.
        source: its file.
        own: whether it is the user's.
    """

    classes: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    near: Mapping[str, tuple[str, ...]]
    text: str
    source: str
    own: bool

    def names(self) -> tuple[str, ...]:
        return (*(name for name in self.groups if name != OTHER), OTHER)

    def group_of(self, label: str) -> str:
        found = (name for name, classes in self.groups.items() if label in classes)
        return next(found, OTHER)


class SemanticNetwork:
    """A checkpoint with its normalisation and the groups of its classes."""

    def __init__(self, folder: Path, groups: Groups) -> None:
        """Reads the checkpoint; WeightsError if it is none."""
        self.folder = folder
        self.model = _model(folder)
        self.mean, self.std, self.side = _preprocessing(folder)
        self.classes = _classes(folder, groups)
        self.groups = groups
        self.fingerprint = _fingerprint(folder, groups)

    def label(self, image: Tensor, weight: Tensor | None = None) -> LabelMap:
        """The groups of a picture 1×3×H×W, RGB in [0, 1], at its size, whose pixels count by their
        H×W weights.

        The picture is brought to the network's size by its shorter side, keeping its proportions;
        the probabilities of it and of its mirror image are averaged, merged into groups, enlarged
        and moved to the picture's edges.
        """
        merged = self._merged(self._probabilities(image))
        planes = self._refined(merged, image)
        seen = None if weight is None else weight.cpu().double().numpy().ravel()
        counts = np.bincount(planes.argmax(axis=0).ravel(), seen, len(planes))
        shares = counts / counts.sum()
        planes[shares < min(LEAST_SHARE, shares.max())] = -np.inf
        ids = planes.argmax(axis=0).astype(np.int32)
        return LabelMap(ids, self.groups.names(), f"the network {self.folder.name}", self._notes())

    def _probabilities(self, image: Tensor) -> Tensor:
        """1×C×h×w at the network's resolution."""
        height, width = image_size(image)
        scale = self.side / min(height, width)
        size = [max(STRIDE, round(n * scale / STRIDE) * STRIDE) for n in (height, width)]
        small = nn.functional.interpolate(
            image.detach().cpu(), size, mode="bilinear", antialias=True, align_corners=False
        )
        normal = (small - torch.tensor(self.mean)[:, None, None]) / torch.tensor(self.std)[
            :, None, None
        ]
        with torch.inference_mode():
            straight: Tensor = self.model(normal).softmax(dim=1)
            mirrored: Tensor = self.model(normal.flip(3)).softmax(dim=1).flip(3)
        return (straight + mirrored) / 2

    def _merged(self, probabilities: Tensor) -> Tensor:
        """1×G×h×w probabilities of the groups."""
        found = probabilities.shape[1]
        if found != len(self.classes):
            raise WeightsError(
                f"{self.folder} has {found} outputs and {len(self.classes)} class names; put one "
                f"name per line into {self.folder / CLASSES}."
            )
        names = self.groups.names()
        table = torch.zeros(len(names), found)
        for i, label in enumerate(self.classes):
            table[names.index(self.groups.group_of(label)), i] = 1
        return torch.einsum("gc,nchw->nghw", table, probabilities)

    def _refined(self, merged: Tensor, image: Tensor) -> Any:
        """G×H×W, along the image's edges."""
        height, width = image_size(image)
        planes = nn.functional.interpolate(
            merged, (height, width), mode="bilinear", align_corners=False
        )[0].numpy()
        pixels = to_array(image)
        radius = max(2, round(EDGE_RADIUS * max(height, width) / 512))
        guided = GuidedFilter(pixels, radius, EDGE_EPSILON)
        return np.stack([guided(plane) if plane.any() else plane for plane in planes])

    def _notes(self) -> tuple[str, ...]:
        if not self.groups.own:
            return ()
        known = {*self.classes, *self.groups.classes}
        named = [label for classes in self.groups.groups.values() for label in classes]
        unknown = [label for label in named if label not in known]
        if not unknown:
            return ()
        return (
            f"{self.groups.source} names classes that the network does not have: "
            f"{', '.join(unknown)}.",
        )


def network_at_hand(model: str | None) -> bool:
    """Whether a network is on this machine already: a folder, or in the hub's cache.

    Raises:
        WeightsError: one was asked for and is not here.
    """
    name = model or DEFAULT_MODEL
    if model and _is_path(model):
        return True  # what is wrong with it shows on loading
    here = _cached(name) is not None
    if model and not here:
        raise WeightsError(
            f"--segmenter-model {model} is not on this machine; --segmenter semantic fetches it "
            "from the Hugging Face hub."
        )
    return here


def load_network(model: str | None, groups: Groups) -> SemanticNetwork:
    """The network in a folder or of a hub name, fetched if it is not on this machine yet.

    Raises:
        WeightsError: there is none, it cannot be fetched, or it is no checkpoint of
            segmentation-models-pytorch.
    """
    name = model or DEFAULT_MODEL
    folder = Path(name) if _is_path(name) else _cached(name) or _fetched(name)
    return SemanticNetwork(folder, groups)


def load_groups(path: str | None) -> Groups:
    """The table of groups, the built-in one or the user's.

    Raises:
        OptionError: the file cannot be read or is no such table.
    """
    if path is None:
        own, source = False, "groups.toml"
        text = resources.files("photostyle.segmentation").joinpath(source).read_text("utf-8")
    else:
        own, source = True, path
        try:
            text = read_text(Path(path))
        except Unreadable as error:
            raise OptionError(f"--segmenter-groups {path}: {error}.") from None
    try:
        data = parse_toml(text)
        groups = {name: _names(classes) for name, classes in data["groups"].items()}
        near = {name: _names(others) for name, others in data.get("near", {}).items()}
        classes = _names(data.get("classes", []))
    except Unreadable as error:
        raise OptionError(f"--segmenter-groups {source}: {error}.") from None
    except (KeyError, TypeError, AttributeError):
        raise OptionError(
            f'--segmenter-groups {source}: needs a table [groups] such as sky = ["sky"].'
        ) from None
    known = {*groups, OTHER}
    for name in (*near, *(other for others in near.values() for other in others)):
        if name not in known:
            raise OptionError(
                f"--segmenter-groups {source}: [near] names {shown(name)}, which is no group; "
                f"there is {', '.join(sorted(known))}."
            )
    return Groups(classes, groups, near, text, source, own)


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a list of names is needed")
    return tuple(values)


def _is_path(name: str) -> bool:
    """A folder, or what can be nothing else; hub names are owner/name."""
    return Path(name).exists() or name.count("/") != 1 or name.startswith((".", "/", "~"))


def _cached(name: str) -> Path | None:
    if not _hub_folder().is_dir():
        return None  # spares the import of the hub's client, a fifth of a second
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(name, file) for file in (CONFIG, WEIGHTS)]
    paths = [Path(file) for file in found if isinstance(file, str)]
    return paths[1].parent if len(paths) == 2 else None


def _hub_folder() -> Path:
    """The hub's cache, by the variables that its client reads."""
    home = os.environ.get("HF_HOME") or Path(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    given = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(given or Path(home, "hub")).expanduser()


def _fetched(name: str) -> Path:
    from huggingface_hub import snapshot_download

    wanted = [CONFIG, WEIGHTS, PREPROCESSING, CLASSES]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except Exception as error:  # the hub's client meets networks with many kinds of exception
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise WeightsError(
            f"{name} cannot be fetched from the Hugging Face hub ({reason}); give a local folder "
            "with --segmenter-model, or use --segmenter cluster."
        ) from None


def _model(folder: Path) -> nn.Module:
    """The network, ready for inference."""
    if not folder.is_dir():
        raise WeightsError(
            f"--segmenter-model {folder} is no folder; give one that save_pretrained of "
            "segmentation-models-pytorch wrote, or a name on the hub."
        )
    kind = f"{folder} is no checkpoint of segmentation-models-pytorch"
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise WeightsError(f"{kind}: it has no {file}.")
    try:
        config = read_json(folder / CONFIG)
    except Unreadable:
        raise WeightsError(f"{kind}: its {CONFIG} is damaged.") from None
    if not isinstance(config, dict) or "_model_class" not in config:
        raise WeightsError(f"{kind}: its {CONFIG} does not name a model class.")
    try:
        import segmentation_models_pytorch as smp
    except ImportError as error:
        raise WeightsError(
            f"segmentation-models-pytorch cannot be loaded ({error}); install it, or use "
            "--segmenter cluster."
        ) from None
    try:
        model: nn.Module = smp.from_pretrained(str(folder))
    except Exception as error:  # anything in the file may be wrong
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{folder} cannot be read as a {config['_model_class']} network "
                           f"({reason}).") from None  # fmt: skip
    return model.eval().requires_grad_(False)


def _preprocessing(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Mean and deviation for RGB in [0, 1], and the network's side in pixels."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    (mean, std), side = IMAGENET, SIDE
    if not (folder / PREPROCESSING).exists():
        return mean, std, side  # SMP's own encoders are normalised as ImageNet
    try:
        data = read_json(folder / PREPROCESSING)
        steps = data["transform"]["transforms"]
        for step in steps:
            kind = step["__class_fullname__"].rpartition(".")[2]
            if kind == "Normalize":
                # albumentations: (pixel − mean · top) / (std · top) with pixels from 0 to 255.
                top = float(step.get("max_pixel_value", 255.0)) / 255
                mean = tuple(float(v) * top for v in step["mean"])
                std = tuple(float(v) * top for v in step["std"])
            elif kind == "Resize":
                side = int(min(step["height"], step["width"]))
    except (OverflowError, ValueError, KeyError, TypeError, AttributeError):
        raise WeightsError(f"{folder / PREPROCESSING} is damaged.") from None
    return mean, std, side


def _classes(folder: Path, groups: Groups) -> tuple[str, ...]:
    file = folder / CLASSES
    if not file.is_file():
        return groups.classes or load_groups(None).classes
    try:
        lines = read_text(file).splitlines()
    except Unreadable as error:
        raise WeightsError(f"{file} {error}.") from None
    return tuple(line.strip() for line in lines if line.strip())


def _fingerprint(folder: Path, groups: Groups) -> str:
    digest = hashlib.sha256(groups.text.encode())
    for name in (CONFIG, WEIGHTS, PREPROCESSING, CLASSES):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()
