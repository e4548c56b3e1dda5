"""The options of every stage: a frozen dataclass each, with help and limits at every field.

Field names are unique over all stages: `photoreal_weight` is enough to name
`objective.photoreal_weight` on the command line and in a sweep. Imports no torch.
"""

from dataclasses import dataclass

from photostyle.options import Stage, option

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
