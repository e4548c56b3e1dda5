"""The options of rendering: what can be chosen anew after a run, and the words it is told in."""

from dataclasses import dataclass

from photostyle.config.options import Stage, option, parts_of, plain
from photostyle.errors import OptionError
from photostyle.places import as_seen

#: What the bits of a result's channels may be.
DEPTHS = ("8", "16", "keep")


@dataclass(frozen=True)
class RenderConfig(Stage):
    """Stage 7, rendering at the size of delivery."""

    output_size: int | None = option(
        None,
        "Long side in pixels of the result; without it, the content's own, or the optimised "
        "picture's with --deliver pixels.",
        low=32,
    )
    deliver: str = option(
        "maps",
        "How the optimised picture reaches the size of delivery: maps (local colour maps of the "
        "content, which keep its detail) or pixels (itself, enlarged only when asked).",
        choices=("maps", "pixels"),
    )
    output_space: str | None = option(
        None,
        "Colour space of the result's file; without it, the content's own (`render`: the run's).",
        choices=("srgb", "p3", "adobergb", "rec2020", "prophoto"),
    )
    strength: str = option(
        "1",
        "How much of the change to keep, 0 to 1: one number, or region=number with commas, such as "
        '0.8,blue=0.5 or "sky, upper"=0.5.',
    )

    luminance: float | None = option(
        None, "How much of the change in lightness to keep; without it, all.", low=0.0, high=1.0
    )
    color: float | None = option(
        None, "How much of the change in colour to keep; without it, all.", low=0.0, high=1.0
    )
    protect: str | None = option(
        None,
        "What keeps its own look: skin, neutrals (their lack of colour), sky, or a region's name; "
        "several with commas, in part with a number, such as skin=0.7,blue.",
    )
    bit_depth: str | None = option(
        None,
        "Bits of each channel in the result's file: 8, 16 (.png and .tif have them) or keep, the "
        "content's; without it, keep (`render`: the run's).",
        choices=DEPTHS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        strengths(self.strength)
        protections(self.protect)


def strengths(text: str) -> list[tuple[str | None, float]]:
    """Regions, None for all of them, and their numbers in words such as "0.8,blue=0.5".

    Raises:
        OptionError: a number outside [0, 1], or none.
    """
    found: list[tuple[str | None, float]] = []
    for word in parts_of(as_seen(text)):
        *name, number = parts_of(word, "=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= 1.0:
            raise OptionError(
                f"--strength {text}: {number!r} is no number from 0 to 1; write 0.7 or blue=0.5."
            )
        found.append((plain("=".join(name)) if name else None, value))
    return found


def protections(text: str | None) -> dict[str, float]:
    """{what is protected: share of its own look, in [0, 1]} of words such as "skin=0.7,blue".

    Raises:
        OptionError: a share that is no number in [0, 1], or a word without a name.
    """
    found: dict[str, float] = {}
    for word in parts_of(as_seen(text)) if text else ():
        name, *number = parts_of(word, "=")
        try:
            share = float("=".join(number)) if number else 1.0
        except ValueError:
            share = -1.0
        if not name or not 0.0 <= share <= 1.0:
            raise OptionError(
                f"--protect {text}: {word!r} is nothing to protect; write skin, neutrals, "
                "sky or a region's name, such as skin=0.7,blue."
            )
        found[plain(name)] = share
    return found
