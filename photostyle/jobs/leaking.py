"""Content leak: what is left of a photograph that is styled again and again.

An et al. 2021 (ArtFlow), section 3.1: encoders with decoders lose some of the content on every way,
so that a picture styled twenty times with one style falls apart, while a reversible transform has
nothing to lose but what the transfer changes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from photostyle.brief import Brief
from photostyle.config.config import Config
from photostyle.documents import csv_text
from photostyle.images.curves import curves
from photostyle.images.picture import image_size
from photostyle.metrics import Scores, measure
from photostyle.pipeline import stylize
from photostyle.runtime.memory import Memory

#: Tells a method's name, its round and of how many.
Tell = Callable[[str, int, int], None]
#: Memory in bytes for what the rounds share, such as the encoded style.
SHARED = 256 * 2**20


@dataclass(frozen=True)
class Leak(Brief):
    """One method.

    Attributes:
        pictures: of every round. scores: of every round against the content.
        back: the last picture in the content's own style, and its PSNR to the content in dB.
    """

    pictures: tuple[Tensor, ...]
    scores: tuple[Scores, ...]
    back: tuple[Tensor, float]

    @property
    def structure(self) -> list[float]:
        """Structure kept by round."""
        return [s.structure for s in self.scores]

    @property
    def edges(self) -> list[float]:
        """Edges kept by round."""
        return [s.edges for s in self.scores]


def leak(
    content: Tensor,
    styles: Sequence[Tensor],
    config: Config,
    rounds: int,
    tell: Callable[[int], None],
) -> Leak:
    """A picture styled again and again by one method.

    Args:
        content: 1×3×H×W. styles: each 1×3×h×w; several take turns.
        tell: is told of every round.
    """
    config = config.with_options({"size": max(image_size(content)), "segmenter": "none"})
    memory, picture, pictures, scores = Memory(SHARED), content, [], []
    for number in range(rounds):
        style = styles[number % len(styles)]
        picture = stylize(picture[0], style[0], config, memory=memory).image
        pictures.append(picture)
        scores.append(_scored(picture, content, style))
        tell(number + 1)
    back = stylize(picture[0], content[0], config, memory=memory).image
    return Leak(tuple(pictures), tuple(scores), (back, psnr(back, content)))


def _scored(picture: Tensor, content: Tensor, style: Tensor) -> Scores:
    one, other = (x.new_ones(1, *x.shape[2:]) for x in (content, style))
    return measure(picture, content, style, one, other)


def psnr(picture: Tensor, wanted: Tensor) -> float:
    """In dB, of pictures in [0, 1]; infinite for the same."""
    error = float((picture - wanted).square().mean())
    return math.inf if error == 0 else -10 * math.log10(error)


def table(leaks: Mapping[str, Leak]) -> list[list[str]]:
    """Words of a table: structure and edges of some rounds, and of the way back."""
    rounds = len(next(iter(leaks.values())).scores)
    shown = sorted({1, 2, 5, 10, rounds} & set(range(1, rounds + 1)))
    heads = [f"{what} {n}" for what in ("structure", "edges") for n in shown]
    rows = [["", *heads, "back, dB"]]
    for name, one in leaks.items():
        values = [f"{found[n - 1]:.3f}" for found in (one.structure, one.edges) for n in shown]
        rows.append([name, *values, f"{one.back[1]:.1f}"])
    return rows


def rounds_csv(leaks: Mapping[str, Leak]) -> str:
    """A line for every method and round."""
    rows = [["method", "round", "structure", "edges", "style_taken"]]
    rows += [
        [name, str(n), f"{s.structure:.5f}", f"{s.edges:.5f}", f"{s.style_taken:.5f}"]
        for name, one in leaks.items()
        for n, s in enumerate(one.scores, start=1)
    ]
    return csv_text(rows)


def leak_rows(
    content: Tensor, styles: Sequence[Tensor], leaks: Mapping[str, Leak], height: int
) -> list[list[tuple[str, Tensor]]]:
    """Rows of a sheet: the curves, then every method's pictures of some rounds and the way back."""
    rounds = len(next(iter(leaks.values())).scores)
    shown = sorted({1, 2, 5, 10, rounds} & set(range(1, rounds + 1)))
    size = height, round(1.7 * height)
    kept = {"structure kept": "structure", "edges kept": "edges"}
    first = [("content", content), *((f"style {n}", x) for n, x in enumerate(styles, start=1))]
    first += [
        ("", curves(title, {n: getattr(x, what) for n, x in leaks.items()}, size))
        for title, what in kept.items()
    ]
    rows = [first]
    for name, one in leaks.items():
        row = [(f"{name}, round {n}", one.pictures[n - 1]) for n in shown]
        rows.append([*row, (f"back, {one.back[1]:.1f} dB", one.back[0])])
    return rows
