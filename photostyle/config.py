"""What a run can be told: a frozen dataclass per stage, the presets, and to and from TOML and JSON.

Every field carries its help sentence and its limits, and the command line is made from them, so
the two cannot drift apart. Field names are unique over all stages: `photoreal_weight` is enough
to name `objective.photoreal_weight` on the command line and in a sweep. Imports no torch.
"""

import dataclasses
import difflib
import json
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photostyle.errors import OptionError
from photostyle.options import Stage, flag, option, text

CANVASES = ("pixels", "affine-grid")
TERMS = ("content", "style", "swd", "drift", "photoreal", "tv", "gamut")


@dataclass(frozen=True)
class Solve(Stage):
    """One optimisation; each starts from the picture that the one before it left."""

    canvas: str = option("pixels", "What the optimiser moves.", choices=CANVASES)
    terms: tuple[str, ...] = option(TERMS, "Terms of the objective in use.", choices=TERMS)
    optimizer: str = option("lbfgs", "Optimiser.", choices=("lbfgs", "adam"))
    steps: int = option(60, "Iterations.", low=0)
    scale: float = option(1.0, "Long side as a share of --size.", low=0.01, high=1.0)
    learning_rate: float = option(0.02, "Step of Adam, in units of the [0, 1] image.", low=1e-9)


#: The default's two solves: a bilateral grid at half size, then a short one on the pixels.
GRID = Solve(canvas="affine-grid", terms=("style", "swd", "drift", "gamut"), steps=25, scale=0.5)
PIXELS = Solve(steps=15)


@dataclass(frozen=True)
class ImageConfig(Stage):
    """Stage 1, load."""

    size: int = option(700, "Long side in pixels at which the picture is optimised.", low=32)


@dataclass(frozen=True)
class MattingConfig(Stage):
    """Stage 3, Matting Laplacian."""

    matting_epsilon: float = option(
        1e-7, "Regularisation of the Matting Laplacian's window covariance.", low=1e-12, high=1.0
    )


@dataclass(frozen=True)
class EncoderConfig(Stage):
    """Stage 4, the encoder and its taps."""

    encoder: str = option(
        "auto", "Encoder: auto, builtin, or the path of a VGG checkpoint (.safetensors, .pth)."
    )
    content_layers: tuple[str, ...] = option(
        ("relu4_2",), "Layers whose features hold the content."
    )
    style_layers: tuple[str, ...] = option(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        "Layers whose Gram matrices hold the style.",
    )


@dataclass(frozen=True)
class ObjectiveConfig(Stage):
    """Stage 4, the weights of the terms; 0 leaves a term out."""

    content_weight: float = option(5.0, "Weight of the content term.", low=0.0)
    style_weight: float = option(100.0, "Weight of the style term (masked Gram).", low=0.0)
    photoreal_weight: float = option(
        1e4, "Weight of the photorealism term (Matting Laplacian), the same look at any size.",
        low=0.0,
    )  # fmt: skip
    swd_weight: float = option(
        33.0,
        "Weight of the sliced Wasserstein distance between colours, region by region.",
        low=0.0,
    )
    drift_weight: float = option(
        1.7, "Weight of the term against slow colour drift within a material.", low=0.0
    )
    tv_weight: float = option(0.0, "Weight of the total variation term.", low=0.0)
    gamut_weight: float = option(3e3, "Weight of the penalty on values outside [0, 1].", low=0.0)
    scaling: str = option(
        "target",
        "target: every layer and region relative to its target's norm; paper: the papers' own sums "
        "and means.",
        choices=("target", "paper"),
    )
    plain_regions: str = option(
        "damped",
        "damped: regions without any texture take less of the style, which would only stain them; "
        "full: all regions take the same.",
        choices=("damped", "full"),
    )


@dataclass(frozen=True)
class OptimizeConfig(Stage):
    """Stage 5, the start and the list of solves."""

    init: str = option(
        "color",
        "Picture that the optimisation starts from; color is the content with each region's "
        "colours moved to the style's.",
        choices=("color", "content", "style", "noise"),
    )
    seed: int = option(0, "Seed of everything random.", low=0, high=2**63 - 1)
    device: str = option("auto", "Device: auto, cpu, cuda, cuda:N or mps.")
    canvas: str | None = option(
        None, "Only the solves on this canvas; without it, all of them.", choices=CANVASES
    )
    iterations: int | None = option(
        None, "Iterations of every solve; without it, each solve's own.", low=0
    )
    solves: tuple[Solve, ...] = (GRID, PIXELS)

    @property
    def chosen(self) -> tuple[Solve, ...]:
        """The solves that `canvas` leaves."""
        return tuple(s for s in self.solves if self.canvas in (None, s.canvas))


@dataclass(frozen=True)
class PostprocessConfig(Stage):
    """Stage 6, post-processing."""

    postprocess: str = option(
        "guided",
        "Last step: guided (locally affine projection by a guided filter), affine (the paper's "
        "smoothed local affine), bilateral, or none.",
        choices=("guided", "affine", "bilateral", "none"),
    )
    guided_radius: int = option(5, "Window radius of guided, in pixels at 512.", low=1, high=200)
    guided_epsilon: float = option(1e-4, "Regularisation of guided.", low=1e-9, high=1.0)
    shadow_recovery: float = option(
        1.0,
        "Share of the start's local contrast below which crushed shadows come back, with guided; "
        "0 is off.",
        low=0.0,
        high=2.0,
    )
    affine_radius: int = option(15, "Radius of affine, in pixels.", low=1, high=200)
    affine_edge: float = option(
        0.01, "Range sigma of affine, in units of the [0, 1] content.", low=1e-4, high=10.0
    )
    bilateral_diameter: int = option(9, "Diameter of bilateral, in pixels at 512.", low=3, high=200)
    bilateral_color: float = option(
        0.08, "Range sigma of bilateral, in units of the [0, 1] image.", low=1e-4, high=10.0
    )


@dataclass(frozen=True)
class RenderConfig(Stage):
    """Stage 7, rendering at the size of delivery."""

    output_size: int | None = option(
        None, "Long side in pixels of the result; without it, the content's own.", low=32
    )
    strength: str = option(
        "1",
        "How much of the change to keep, 0 to 1: one number, or region=number with commas, such as "
        "0.8,blue=0.5.",
    )


@dataclass(frozen=True)
class Config:
    """Everything that a run can be told, apart from its input and output files."""

    preset: str = "photoreal"
    image: ImageConfig = field(default_factory=ImageConfig)
    matting: MattingConfig = field(default_factory=MattingConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    optimize: OptimizeConfig = field(default_factory=OptimizeConfig)
    postprocess: PostprocessConfig = field(default_factory=PostprocessConfig)
    render: RenderConfig = field(default_factory=RenderConfig)

    def with_options(self, values: Mapping[str, Any]) -> "Config":
        """A copy with fields set by their bare names, e.g. {"photoreal_weight": 1e4}.

        Raises:
            OptionError: no field has that name, or the value does not fit it.
        """
        stages: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            stages.setdefault(_stage_of(name), {})[name] = value
        changed = {s: dataclasses.replace(getattr(self, s), **v) for s, v in stages.items()}
        return dataclasses.replace(self, **changed)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings; None is left out, as TOML has no null."""
        return _plain(self)  # type: ignore[no-any-return]

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    def to_toml(self) -> str:
        import tomli_w  # only needed here, and `photostyle --help` must stay quick

        return tomli_w.dumps(self.to_dict())


def options() -> Iterator[tuple[str, "dataclasses.Field[Any]", Any]]:
    """(stage name, field, type) of every field that the command line offers, in order."""
    for stage, cls in _stages():
        kinds = typing.get_type_hints(cls)
        for f in dataclasses.fields(cls):
            if f.metadata.get("cli"):
                yield stage, f, kinds[f.name]


def preset(name: str) -> Config:
    """The preset of that name.

    Raises:
        OptionError: there is none; the message lists those that exist.
    """
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise OptionError(f"--preset {name}: there is no such preset; choose from {known}.")
    return PRESETS[name]


def from_dict(data: Mapping[str, Any], source: str = "the configuration") -> Config:
    """The Config that `to_dict` wrote; what is left out comes from its preset.

    Raises:
        OptionError: unknown names or unfit values; the message names `source`.
    """
    try:
        return _from_tables(dict(data))
    except OptionError as error:
        raise OptionError(f"{source}: {error}") from None


def _from_tables(tables: dict[str, Any]) -> Config:
    config = preset(text(tables.pop("preset", "photoreal"), "preset"))
    known = dict(_stages())
    for stage, table in tables.items():
        if stage not in known:
            raise OptionError(f"[{stage}] is no stage; choose from {', '.join(known)}.")
        if not isinstance(table, Mapping):
            raise OptionError(f"{stage} must be a table of options, not {table!r}.")
        values = _renamed(known[stage], table, f"[{stage}]")
        changed = dataclasses.replace(getattr(config, stage), **values)
        config = dataclasses.replace(config, **{stage: changed})
    return config


def load_config(path: Path) -> Config:
    """Reads a .toml or .json configuration file.

    Raises:
        OptionError: the file is missing or unreadable, malformed, or names unknown options.
    """
    try:
        words = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise OptionError(f"--config {path}: cannot be read ({reason}).") from None
    try:
        data = json.loads(words) if path.suffix.lower() == ".json" else tomllib.loads(words)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"--config {path}: not well-formed ({error}).") from None
    if not isinstance(data, dict):
        raise OptionError(f"--config {path}: must hold a table of options.")
    return from_dict(data, f"--config {path}")


def _stages() -> Iterator[tuple[str, type[Stage]]]:
    kinds = typing.get_type_hints(Config)
    return ((f.name, kinds[f.name]) for f in dataclasses.fields(Config) if f.name != "preset")


def _stage_of(name: str) -> str:
    names = {f.name: stage for stage, cls in _stages() for f in dataclasses.fields(cls)}
    if name not in names:
        raise OptionError(f"{flag(name)} is no option{_hint(name, names)}.")
    return names[name]


def _hint(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; choose from {', '.join(known)}"


def _renamed(cls: type[Stage], table: Mapping[str, Any], where: str) -> dict[str, Any]:
    names = {f.name: f for f in dataclasses.fields(cls)}
    for name in table:
        if name not in names:
            raise OptionError(f"{where} has no option {name}{_hint(name, names)}.")
    values = dict(table)
    if "solves" in values:
        values["solves"] = _solves(values["solves"], where)
    return values


def _solves(rows: Any, where: str) -> tuple[Solve, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise OptionError(f"{where} solves must be a list of tables.")
    return tuple(Solve(**_renamed(Solve, row, f"{where} solves")) for row in rows)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(item) for name, item in pairs if item is not None}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


PRESETS: dict[str, Config] = {
    "photoreal": Config(),
    "photoreal-fast": Config(
        preset="photoreal-fast",
        objective=ObjectiveConfig(drift_weight=2.7),
        optimize=OptimizeConfig(
            solves=(dataclasses.replace(GRID, terms=("swd", "drift", "gamut")),)
        ),
        postprocess=PostprocessConfig(guided_radius=7, shadow_recovery=0.7),
    ),
    "color": Config(
        preset="color",
        optimize=OptimizeConfig(solves=()),
        postprocess=PostprocessConfig(guided_radius=10),
    ),
    # Luan et al. 2017 with the authors' published constants: stage one without the Laplacian, from
    # noise, then as long again with it.
    "dpst": Config(
        preset="dpst",
        objective=ObjectiveConfig(
            tv_weight=1e-3, gamut_weight=0.0, scaling="paper", plain_regions="full"
        ),
        optimize=OptimizeConfig(
            init="noise",
            solves=(
                Solve(terms=("content", "style", "tv"), steps=1000),
                Solve(terms=("content", "style", "photoreal", "tv"), steps=1000),
            ),
        ),
        postprocess=PostprocessConfig(postprocess="affine"),
    ),
}
