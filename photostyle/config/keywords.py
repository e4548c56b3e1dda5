"""The options as keywords of Python's functions, with types for editors and checkers.

The classes repeat the fields of the stages, which have the help and the limits; a test compares
them. Imports no torch.
"""

import dataclasses
import difflib
import os
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

from photostyle.config.config import Config, Staged, hint, options
from photostyle.config.files import load_config
from photostyle.config.options import quoted
from photostyle.config.presets import preset
from photostyle.errors import OptionError
from photostyle.places import expanded

C = TypeVar("C", bound=Staged)


#: A preset's name, a configuration, or the path of a TOML or JSON file, as pathlib has it.
Base: TypeAlias = Config | str | os.PathLike[str]
#: A name, or the path of a file or folder.
Files: TypeAlias = str | os.PathLike[str]
#: One number for all, shares by name, or the words of the command line.
Shares: TypeAlias = str | float | Mapping[str, float]
#: Names by name, or the words of the command line.
Pairs: TypeAlias = str | Mapping[str, str]


class ImageOptions(TypedDict, total=False):
    """Stage 1, load."""

    size: int
    input_space: str | None
    ocio: str | None
    view: str | None
    style_scale: float | None
    preserve_color: Literal["none", "luminance", "match"]


class SegmentationOptions(TypedDict, total=False):
    """Stage 2, regions that pair up."""

    segmenter: Literal["auto", "labels", "semantic", "cluster", "none"]
    segmenter_model: Files | None
    segmenter_groups: Files | None
    regions: int
    correspond: Pairs | None
    palette: Pairs | None
    edge_softness: float


class MattingOptions(TypedDict, total=False):
    """Stage 3, Matting Laplacian."""

    matting_epsilon: float


class EncoderOptions(TypedDict, total=False):
    """Stage 4, the encoder and its taps."""

    encoder: Files
    content_layers: Sequence[str]
    style_layers: Sequence[str]
    style_layer_weights: Sequence[float] | None
    tile_size: int | None
    pooling: Literal["max", "average"]
    pooling_gain: float | None
    padding: Literal["auto", "zeros", "reflect", "replicate"]
    preprocessing: Literal["auto", "imagenet", "caffe", "caffe-rgb"]
    activations: Literal["trained", "normalized"]


class ObjectiveOptions(TypedDict, total=False):
    """Stage 4, the weights of the terms; 0 leaves a term out."""

    content_weight: float
    style_weight: float
    alpha_beta: float | None
    style_term: Literal["gram", "mean-std", "mrf"]
    style_blend: Sequence[float] | None
    photoreal_weight: float
    swd_weight: float
    drift_weight: float
    tv_weight: float
    tv_form: Literal["squares", "power", "length"]
    gamut_weight: float
    scaling: Literal["target", "dpst", "gatys"]
    plain_regions: Literal["damped", "full"]


class ModelOptions(TypedDict, total=False):
    """Stage 5, the network behind the canvas of that name."""

    model: Files | None


class LatentsOptions(TypedDict, total=False):
    """Stage 5, the start of --init latents."""

    transform: Literal["wavelet", "artflow", "decoder"]
    transfer: Literal["adain", "wct"]
    alpha: float
    cutoff: float
    bands: Literal["low", "all"]
    levels: int


class OptimizeOptions(TypedDict, total=False):
    """Stage 5, the start and the list of solves."""

    init: Literal["color", "content", "style", "noise", "latents"]
    seed: int
    device: str
    precision: Literal["auto", "float32", "bfloat16"] | None
    canvas: Literal["pixels", "affine-grid", "network"] | None
    iterations: int | None
    optimizer: Literal["lbfgs", "adam"] | None
    pyramid: int


class PostprocessOptions(TypedDict, total=False):
    """Stage 6, post-processing."""

    postprocess: Literal["distil", "guided", "affine", "bilateral", "none"]
    guided_radius: int
    guided_epsilon: float
    shadow_recovery: float
    rare_colors: float
    affine_radius: int
    affine_edge: float
    bilateral_diameter: int
    bilateral_color: float


class RenderOptions(TypedDict, total=False):
    """Stage 7, rendering at the size of delivery."""

    output_size: int | None
    deliver: Literal["maps", "pixels"]
    strength: Shares
    luminance: float | None
    color: float | None
    protect: Shares | None
    output_space: Literal["srgb", "p3", "adobergb", "rec2020", "prophoto"] | None
    bit_depth: Literal[8, 16, "8", "16", "keep"] | None


class NetworkOptions(TypedDict, total=False):
    """The image transformation network."""

    norm: Literal["instance", "batch"]
    upsampling: Literal["resize", "transposed"]
    width: float
    blocks: int


class FlowOptions(TypedDict, total=False):
    """The networks of --method artflow and decoder."""

    flow_blocks: int
    flows: int
    flow_width: int
    recompute: Literal["on", "off"]
    decoder_layers: Sequence[str]


class ScheduleOptions(TypedDict, total=False):
    """Data, schedule and machine of a training."""

    method: Literal["fast", "artflow", "decoder"]
    size: int
    zoom: float
    batch: int
    steps: int
    optimizer: Literal["muon", "adam"]
    learning_rate: float
    schedule: Literal["cosine", "constant"]
    style_size: int
    scenes: float | None
    precision: Literal["auto", "float32", "mixed"]
    seed: int
    device: str
    workers: int | None
    log_every: int
    checkpoint_every: int
    preview_every: int


class Options(
    ImageOptions, SegmentationOptions, MattingOptions, EncoderOptions, ObjectiveOptions,
    ModelOptions, LatentsOptions, OptimizeOptions, PostprocessOptions, RenderOptions, total=False,
):  # fmt: skip
    """Every option of a run; `photostyle run --help` says what each does."""


class TrainingOptions(
    NetworkOptions, FlowOptions, ScheduleOptions, EncoderOptions, ObjectiveOptions, total=False
):
    """Every option of a training; `photostyle train --help` says what each does."""


def configured(config: Base | None, values: Mapping[str, Any], own: Iterable[str] = ()) -> Config:
    """The configuration of a preset's name, a file or a Config, with options by their names.

    Args:
        own: other keywords of the function, which a misspelt one may have meant.

    Raises:
        OptionError: no such preset, file or option, or a value that does not fit.
    """
    return with_keywords(base_config(config), values, own)


def base_config(config: Base | None) -> Config:
    """The configuration that a `config` argument stands for.

    Raises:
        OptionError: no such preset or file.
    """
    if isinstance(config, str):
        return preset(config)
    if isinstance(config, os.PathLike):
        return load_config(expanded(config))
    base = config or Config()
    if not isinstance(base, Config):
        raise OptionError(
            f"config is a {type(config).__name__}; give a preset's name or a Config, such as "
            '"photoreal".'
        )
    return base


def with_keywords(
    base: C,
    values: Mapping[str, Any],
    own: Iterable[str] = (),
    stages: Collection[str] | None = None,
    without: Collection[str] = (),
) -> C:
    """A copy with options by their names, as Python has them: paths, numbers, lists, dicts.

    Args:
        own: see `configured`. stages: those whose options may be given; None for all.
        without: options that may not.

    Raises:
        OptionError: no such option, or a value that does not fit.
    """
    offered = ((f, kind) for s, f, kind in options(type(base)) if stages is None or s in stages)
    known = {f.name: (f, kind) for f, kind in offered if f.name not in without}
    for name in values:
        if name == "preset" and "config" in own:
            raise OptionError('preset is no option; give its name as config="photoreal-fast" is.')
        if name not in known:
            near = difflib.get_close_matches(name, [*own, *known], n=1)
            raise OptionError(f"{name} is no option{hint(name, dict.fromkeys(near or known))}")
    return base.with_options({name: _plain(*known[name], v) for name, v in values.items()})


def plain_value(name: str, value: Any) -> Any:
    """The value of an option as a configuration file has it; of an unknown name as it is."""
    known = {f.name: (f, kind) for _, f, kind in options()}
    return _plain(*known[name], value) if name in known else value


def _plain(field: "dataclasses.Field[Any]", kind: Any, value: Any) -> Any:
    """The value as a configuration file has it: numbers, words, and lists of them."""
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:  # NumPy's numbers, and torch's
        value = value.item()
    if typing.get_origin(kind) is tuple:
        if isinstance(value, str):
            value = [word.strip() for word in value.split(",")]
        return value.tolist() if hasattr(value, "tolist") else value
    if kind is not str or field.metadata["choices"] or value is None:
        return value
    return _words(value)


def _words(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return ",".join(f"{quoted(str(name))}={_quoted(item)}" for name, item in value.items())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.12g}"
    several = isinstance(value, list | tuple) and all(isinstance(x, str) for x in value)
    return ",".join(value) if several else value


def _quoted(item: Any) -> Any:
    return quoted(item) if isinstance(item, str) else item
