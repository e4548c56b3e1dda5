"""The list of solves: each an optimisation on a canvas, with its terms, steps and size."""

from dataclasses import dataclass

from photostyle.config.options import Stage, option

CANVASES = ("pixels", "affine-grid", "network")
OPTIMIZERS = ("lbfgs", "adam")
#: Least size of a solve, as a share of the full one.
LEAST_SCALE = 0.01
TERMS = ("content", "style", "swd", "drift", "photoreal", "tv", "gamut")


@dataclass(frozen=True)
class Solve(Stage):
    """One optimisation; each starts from the picture that the one before it left."""

    canvas: str = option("pixels", "What the optimiser moves.", choices=CANVASES)
    terms: tuple[str, ...] = option(TERMS, "Terms of the objective in use.", choices=TERMS)
    optimizer: str = option("lbfgs", "Optimiser.", choices=OPTIMIZERS)
    steps: int = option(60, "Iterations.", low=0)
    scale: float = option(1.0, "Long side as a share of --size.", low=LEAST_SCALE, high=1.0)
    learning_rate: float = option(0.02, "Step of Adam, in units of the [0, 1] image.", low=1e-9)


#: The default's two solves: a bilateral grid at half size, then a short one on the pixels.
GRID = Solve(canvas="affine-grid", terms=("style", "swd", "drift", "gamut"), steps=25, scale=0.5)
#: The same for colours alone: what is distilled needs no more.
COLORS = Solve(canvas="affine-grid", terms=("swd", "drift", "gamut"), steps=15, scale=0.36)
PIXELS = Solve(steps=15)
