"""The options of every stage: a frozen dataclass each, with help and limits at every field.

Field names are unique over all stages: `photoreal_weight` is enough to name
`objective.photoreal_weight` on the command line and in a sweep. Imports no torch.
"""

from dataclasses import dataclass, replace
from typing import Any

from photostyle.config.options import Stage, option
from photostyle.config.solves import CANVASES, GRID, LEAST_SCALE, OPTIMIZERS, Solve
from photostyle.errors import OptionError

SEGMENTERS = ("auto", "labels", "semantic", "cluster", "none")


@dataclass(frozen=True)
class ImageConfig(Stage):
    """Stage 1, load."""

    size: int = option(700, "Long side in pixels at which the picture is optimised.", low=32)
    input_space: str | None = option(
        None,
        "Space of scene-linear pictures, such as ACEScg, of an OpenColorIO configuration; without "
        "it, what the files say.",
    )
    ocio: str | None = option(
        None,
        "OpenColorIO configuration of --input-space and --view; without it the one that $OCIO "
        "names, else OpenColorIO's own.",
        file=True,
    )
    view: str | None = option(
        None,
        "How the solve sees scene-linear pictures: DISPLAY/VIEW of an OpenColorIO configuration, "
        "for an sRGB display; without it, sRGB with a shoulder up to 16 times white.",
    )
    style_scale: float | None = option(
        None,
        "Long side of the style as a share of the content's, 1 for the same; without it, the "
        "style's own, up to --size.",
        low=0.05,
        high=8.0,
    )
    preserve_color: str = option(
        "none",
        "Keep the content's colours: luminance (only the brightness is styled), or match (the "
        "style is given the content's colours first).",
        choices=("none", "luminance", "match"),
    )


@dataclass(frozen=True)
class SegmentationConfig(Stage):
    """Stage 2, regions that pair up."""

    @property
    def unguided(self) -> bool:
        """Whether nobody drew or named the regions, so that the pictures are safest taken whole."""
        return self.segmenter == "cluster"

    segmenter: str = option(
        "auto",
        "Where regions come from: labels (the masks given, else one region), semantic (a "
        "network), cluster (found in the two pictures), none (one region); auto takes masks where "
        "given, else a network that is on this machine, else cluster.",
        choices=SEGMENTERS,
    )
    segmenter_model: str | None = option(
        None,
        "Network of semantic: a folder that segmentation-models-pytorch saved, or a hub name; "
        "without it, smp-hub/segformer-b2-512x512-ade-160k.",
        file=True,
    )
    segmenter_groups: str | None = option(
        None,
        "TOML table of classes that share their light, in place of the built-in one.",
        file=True,
    )
    regions: int = option(0, "Regions of cluster; 0 chooses from the pictures.", low=0, high=6)
    correspond: str | None = option(
        None, "Pairs of regions by name, content first, such as tower=building,lake=water."
    )
    palette: str | None = option(
        None, "Colours of the masks, such as sky=#80c0ff,ground=#604020, if not the usual nine."
    )
    edge_softness: float = option(
        0.0, "Width over which regions blend along the picture's edges, in pixels at 512; "
        "0 is hard.", low=0.0, high=50.0,
    )  # fmt: skip


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
        "auto",
        "Encoder: auto (VGG-19 where its weights are on this machine, else the built-in), builtin, "
        "vgg19, vgg16, vgg19-caffe, vgg16-caffe, or the path of a VGG checkpoint (.safetensors, "
        ".pth).",
        file=True,
    )
    content_layers: tuple[str, ...] = option(
        ("relu4_2",), "Layers whose features hold the content."
    )
    style_layers: tuple[str, ...] = option(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        "Layers whose statistics hold the style.",
    )
    style_layer_weights: tuple[float, ...] | None = option(
        None, "Weight of each style layer, in their order; without it, equal ones.", low=0.0
    )
    tile_size: int | None = option(
        None,
        "Encode pictures longer than this in tiles of so many pixels: the same sums in less "
        "memory; 0 never does. Without it, as the free memory asks.",
        low=0,
    )
    pooling: str = option(
        "max", "Pooling of a VGG encoder: max as trained, average as Gatys et al.",
        choices=("max", "average"),
    )  # fmt: skip
    pooling_gain: float | None = option(
        None,
        "Factor on average-pooled maps, which are smaller than maxima; without it, 2 for trained "
        "activations and 1 for normalized ones.",
        low=0.01,
        high=100.0,
    )
    padding: str = option(
        "auto", "Padding of a VGG encoder's convolutions; auto is the weights' own.",
        choices=("auto", "zeros", "reflect", "replicate"),
    )  # fmt: skip
    preprocessing: str = option(
        "auto",
        "What a VGG encoder's weights expect: imagenet (RGB by mean and deviation), caffe (BGR, "
        "0-255 minus mean), caffe-rgb (the same in RGB), or auto, what is known of the weights.",
        choices=("auto", "imagenet", "caffe", "caffe-rgb"),
    )
    activations: str = option(
        "trained",
        "normalized: the mean activation of every filter of a VGG encoder over content and style "
        "is brought to 1 (Gatys et al.).",
        choices=("trained", "normalized"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.style_layer_weights
        if given is not None and len(given) != len(self.style_layers):
            raise OptionError(
                f"--style-layer-weights has {len(given)} numbers for the {len(self.style_layers)} "
                f"layers {','.join(self.style_layers)}; give one for each."
            )


@dataclass(frozen=True)
class ObjectiveConfig(Stage):
    """Stage 4, the weights of the terms; 0 leaves a term out."""

    content_weight: float = option(5.0, "Weight of the content term.", low=0.0)
    style_weight: float = option(100.0, "Weight of the style term.", low=0.0)
    alpha_beta: float | None = option(
        None,
        "Content weight as a share of the style weight (α/β), in place of --content-weight.",
        low=0.0,
        replaces="content_weight",
    )
    style_term: str = option(
        "gram",
        "What the style is: gram (Gram matrices), mean-std (means and deviations of the channels) "
        "or mrf (patches, each drawn to its nearest).",
        choices=("gram", "mean-std", "mrf"),
    )
    style_blend: tuple[float, ...] | None = option(
        None, "Shares of several style pictures, in their order; without it, equal ones.", low=0.0
    )
    photoreal_weight: float = option(
        1e4,
        "Weight of the photorealism term (Matting Laplacian), the same look at any size; below 1e4 "
        "the last step, guided, holds the picture less firmly too.",
        low=0.0,
    )
    swd_weight: float = option(
        33.0,
        "Weight of the sliced Wasserstein distance between colours, region by region.",
        low=0.0,
    )
    drift_weight: float = option(
        1.7, "Weight of the term against slow colour drift within a material.", low=0.0
    )
    tv_weight: float = option(0.0, "Weight of the total variation term.", low=0.0)
    tv_form: str = option(
        "squares",
        "Total variation as squares, ½Σ(dx² + dy²), power, Σ(dx² + dy²)^1.25, or length, "
        "Σ√(dx² + dy²).",
        choices=("squares", "power", "length"),
    )
    gamut_weight: float = option(3e3, "Weight of the penalty on values outside [0, 1].", low=0.0)
    scaling: str = option(
        "target",
        "target: every layer and region relative to its target's norm; dpst, gatys: the sums and "
        "means of Luan et al. and of Gatys et al.",
        choices=("target", "dpst", "gatys"),
    )
    plain_regions: str = option(
        "damped",
        "damped: regions without any texture take less of the style, which would only stain them; "
        "full: all regions take the same.",
        choices=("damped", "full"),
    )

    def weight(self, term: str) -> float:
        """The weight of one of `TERMS`."""
        if term == "content" and self.alpha_beta is not None:
            return self.alpha_beta * self.style_weight
        weight: float = getattr(self, f"{term}_weight")
        return weight


@dataclass(frozen=True)
class FeedForwardConfig(Stage):
    """Stage 5, the network behind the canvas of that name."""

    model: str | None = option(
        None,
        "Network that `photostyle train` wrote; for the presets fast, artflow and wct.",
        file=True,
    )


@dataclass(frozen=True)
class OptimizeConfig(Stage):
    """Stage 5, the start and the list of solves."""

    init: str = option(
        "color",
        "Picture that the optimisation starts from; color is the content with each region's "
        "colours moved to the style's, latents the content whose latents under --transform are "
        "moved to the style's.",
        choices=("color", "content", "style", "noise", "latents"),
    )
    seed: int = option(0, "Seed of everything random.", low=0, high=2**63 - 1)
    device: str = option("auto", "Device: auto, cpu, cuda, cuda:N or mps.")
    precision: str | None = option(
        None,
        "Arithmetic of a VGG encoder's maps in the solves: float32, exact also on a GPU (no TF32), "
        "bfloat16, with targets and sums in float32, or auto, as without it: bfloat16 on a GPU "
        "that has it, else float32.",
        choices=("auto", "float32", "bfloat16"),
    )
    canvas: str | None = option(
        None, "Only the solves on this canvas; without it, all of them.", choices=CANVASES
    )
    iterations: int | None = option(
        None, "Iterations of every solve; without it, each solve's own.", low=0
    )
    optimizer: str | None = option(
        None, "Optimiser of every solve; without it, each solve's own.", choices=OPTIMIZERS
    )
    pyramid: int = option(
        1,
        "Sizes of every solve, each twice as large as the one before, whose picture it starts "
        "from.",
        low=1,
        high=6,
    )
    solves: tuple[Solve, ...] = (GRID,)

    @property
    def chosen(self) -> tuple[Solve, ...]:
        """The solves as they are run: those that `canvas` leaves, under the common options."""
        common: dict[str, Any] = {"steps": self.iterations, "optimizer": self.optimizer}
        given = {name: value for name, value in common.items() if value is not None}
        unmoved = {**given, "steps": 0}  # a solve of no steps is a picture as it is made
        return tuple(
            replace(
                solve,
                scale=max(solve.scale / 2**level, LEAST_SCALE),
                **(given if solve.steps else unmoved),
            )
            for solve in self.solves
            if self.canvas in (None, solve.canvas)
            for level in reversed(range(self.pyramid))
        )


@dataclass(frozen=True)
class PostprocessConfig(Stage):
    """Stage 6, post-processing."""

    postprocess: str = option(
        "distil",
        "Last step: distil (a smooth map of the content's colours for each region), guided "
        "(locally affine projection by a guided filter), affine (the paper's smoothed local "
        "affine), bilateral, or none.",
        choices=("distil", "guided", "affine", "bilateral", "none"),
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
    rare_colors: float = option(
        0.0,
        "Share of their own chroma that colours rare in their region keep, with guided: a trunk "
        "among leaves, a flag; 0.5 is a good start, 0 is off.",
        low=0.0,
        high=1.0,
    )
    affine_radius: int = option(15, "Radius of affine, in pixels.", low=1, high=200)
    affine_edge: float = option(
        0.01, "Range sigma of affine, in units of the [0, 1] content.", low=1e-4, high=10.0
    )
    bilateral_diameter: int = option(9, "Diameter of bilateral, in pixels at 512.", low=3, high=200)
    bilateral_color: float = option(
        0.08, "Range sigma of bilateral, in units of the [0, 1] image.", low=1e-4, high=10.0
    )
