"""`compare_methods`: several presets on one pair, in one table and on one sheet."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import dataclasses
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

import torch
from PIL import Image
from torch import Tensor

from photostyle import pipeline
from photostyle.brief import Brief
from photostyle.config.config import Config, option_files
from photostyle.config.keywords import Base, Options, configured
from photostyle.documents import aligned
from photostyle.errors import OptionError, SolveError
from photostyle.images.given import PictureLike
from photostyle.images.photograph import Photograph, in_gamut
from photostyle.images.picture import paths_of
from photostyle.images.sheets import Cell, drawn_grid, thumbnail
from photostyle.images.shown import Picture
from photostyle.jobs.methods import PAINTING, Judge, Method, judge_of, kind_of
from photostyle.loading import loaded
from photostyle.optimize.solving import check_solves
from photostyle.places import expanded
from photostyle.result import Result
from photostyle.runtime.device import resolve_device
from photostyle.runtime.memory import Memory
from photostyle.runtime.peaks import Peak
from photostyle.runtime.updates import Progress, Watched
from photostyle.runtime.watching import Listener
from photostyle.segmentation.arrays import MaskLike, mask_of
from photostyle.segmentation.segmenter import CONTENT_MASK, STYLE_MASK
from photostyle.views import as_picture

#: Keywords that are no options.
OWN = ("content_mask", "style_mask", "judge", "progress", "listener")
#: Columns of the table after the method, its time, calls and memory: headings and formats.
COLUMNS = {
    "structure": ("structure", ".3f"), "edges": ("edges", ".3f"),
    "style_taken": ("colours", ".0%"), "stain": ("stain", ".2f"),
    "statistics": ("statistics", ".0%"),
}  # fmt: skip
LEGEND = (
    "structure, edges: what is left of the content, of 1; colours: share of the style's colours "
    "that was taken; stain: 1 where like colours came out alike"
)
#: Pictures of a sheet: width and height in pixels at most, and how many in a row.
BOX, IN_A_ROW = (460, 340), 4


@dataclass(frozen=True, eq=False)
class Methods(Brief):
    """Methods side by side.

    Attributes:
        methods: in the order given. content, style: the pair.
        judge: name of the encoder by which paintings were judged; empty where there are none.
        failed: reason of each method that broke down, by its name.
        interrupted: stopped early; the last method may be that of its best picture until then.
    """

    methods: tuple[Method, ...]
    content: Photograph = field(repr=False)
    style: Photograph = field(repr=False)
    judge: str = ""
    failed: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False
    made_of: tuple[Path, ...] = field(default=(), repr=False)

    def __getitem__(self, name: str) -> Result:
        """The result of a method, by its name."""
        return {method.name: method.result for method in self.methods}[name]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each method, with the scores of its kind; fit for `pandas.DataFrame`."""
        return [method.row() for method in self.methods]

    def table(self) -> list[str]:
        """The rows as lines of text, and what their columns mean."""
        shown = [n for n in COLUMNS if any(n in method.scores for method in self.methods)]
        head = ["", "seconds", "calls", "memory", *(COLUMNS[name][0] for name in shown)]
        lines = aligned([head, *(_words(method, shown) for method in self.methods)])
        photographs = any(method.kind != PAINTING for method in self.methods)
        return [*lines, "", *([f"{LEGEND}."] if photographs else []), *self._judged()]

    def sheet(self) -> Picture:
        """Content, style and all results on one page, labelled."""
        top = [Cell(_small(photo.shown), (name,)) for name, photo in
               (("content", self.content), ("style", self.style))]  # fmt: skip
        cells = [Cell(_small(m.result.image), tuple(_lines(m))) for m in self.methods]
        rows = math.ceil(len(cells) / IN_A_ROW)
        drawn = drawn_grid(cells, math.ceil(len(cells) / max(rows, 1)) or 1, top)
        return dataclasses.replace(as_picture(drawn), made_of=self.made_of)

    def _repr_png_(self) -> bytes:
        return self.sheet()._repr_png_()

    def _judged(self) -> list[str]:
        if not self.judge:
            return []
        return [
            "statistics: share of the style's statistics that a painting has, by encoder "
            f"{self.judge}, which none of the methods optimised."
        ]


def compare_methods(
    content: PictureLike,
    style: PictureLike,
    presets: Sequence[Base] | Mapping[str, Base],
    *,
    content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None,
    judge: str | None = None,
    progress: Progress = False,
    listener: Listener | None = None,
    **options: Unpack[Options],
) -> Methods:
    """Several methods on one pair: time, calls of the objective, peak memory, and the scores that
    make sense for the kind, structure and style for photographs, style statistics for paintings.

    Args:
        content, style, content_mask, style_mask: in any form; see `stylize`.
        presets: names such as "gatys", Configs, or paths of files of options; as a dict, by the
            names that they shall have.
        judge: the encoder by whose statistics paintings are judged, a name or a file; without it
            the best that is here and that none of the methods optimised.
        progress, listener: see `stylize`; told of each method as it begins.
        options: of all methods, such as `size=512` or `encoder="vgg19"`; `model` is the network of
            "fast". Without `size` each has its own.

    Returns:
        The methods; what broke down is listed there, and Ctrl-C leaves those until then.

    Raises:
        InputError: a picture, mask, preset or option that cannot be used; nothing was run.
    """
    configs = _named(presets, options)
    photo = loaded(content, Memory(limit=0), "The content")
    other = in_gamut(loaded(style, Memory(limit=0), "The style"))
    masks = mask_of(content_mask, CONTENT_MASK), mask_of(style_mask, STYLE_MASK)
    painters = {n: c for n, c in configs.items() if kind_of(c) == PAINTING}
    judging = Judge(judge_of(judge, painters), photo, other) if painters else None
    run = _Run(photo, other, masks, judging)
    done: list[Method] = []
    failed: dict[str, str] = {}
    with Watched(progress, listener) as watched:
        stopped = _carried_out(run, configs, watched.listener, done, failed)
    read = [mask for mask in masks if isinstance(mask, Path)]
    named = [path for config in configs.values() for path in option_files(config).values()]
    return Methods(
        tuple(done), photo, other, judging.encoder.name if judging else "", failed, stopped,
        (*paths_of([photo, other]), *read, *named),
    )  # fmt: skip


def _named(presets: Sequence[Base] | Mapping[str, Base], options: Any) -> dict[str, Config]:
    """The methods' configurations by name, looked at before any of them runs."""
    if isinstance(presets, str):
        presets = [presets]
    pairs = presets.items() if isinstance(presets, Mapping) else [(_name(x), x) for x in presets]
    found: dict[str, Config] = {}
    for name, base in pairs:
        if name in found:
            raise OptionError(f"--presets: {name} is there twice; name each method once.")
        found[name] = configured(base, options, OWN)
        check_solves(found[name])
        resolve_device(found[name].optimize.device)
    if not found:
        raise OptionError("--presets: there is none; give two or more, such as photoreal,color.")
    return found


def _name(base: Base) -> str:
    if isinstance(base, os.PathLike):
        return expanded(base).stem
    return base if isinstance(base, str) else base.preset


@dataclass(frozen=True)
class _Run:
    """What all methods have in common."""

    content: Photograph
    style: Photograph
    masks: tuple[Any, Any]
    judge: Judge | None

    def __call__(self, name: str, config: Config, listener: Listener) -> Method:
        with Peak(resolve_device(config.optimize.device)) as peak:
            result = pipeline.stylize(
                self.content, self.style, config, content_mask=self.masks[0],
                style_mask=self.masks[1], listener=listener,
            )  # fmt: skip
        kind = kind_of(config)
        taken = None
        if kind == PAINTING and self.judge:
            taken = self.judge.taken(result.image)
        calls = sum(steps[-1].calls for steps in result.history if steps)
        return Method(
            name, kind, result, sum(result.seconds.values()), calls, peak.bytes, taken
        )  # fmt: skip


def _carried_out(
    run: _Run, configs: Mapping[str, Config], listener: Listener, done: list[Method],
    failed: dict[str, str],
) -> bool:  # fmt: skip
    """Runs them one after the other; whether they were stopped early."""
    for number, (name, config) in enumerate(configs.items(), start=1):
        listener.stage(name, f"method {number} of {len(configs)}")
        try:
            done.append(run(name, config, listener))
        except SolveError as error:
            failed[name] = str(error)
        except KeyboardInterrupt:
            if not done:
                raise
            return True
        else:
            if done[-1].result.interrupted:
                return True
    return False


def _words(method: Method, shown: Sequence[str]) -> list[str]:
    """A row of the table; a dash where a score means nothing for the kind."""
    scores = method.scores
    cells = (format(scores[n], COLUMNS[n][1]) if n in scores else "–" for n in shown)
    return [method.name, f"{method.seconds:.1f}", str(method.calls), _memory(method), *cells]


def _memory(method: Method) -> str:
    return "–" if method.peak is None else f"{method.peak / 1e9:.2f} GB"


def _lines(method: Method) -> Iterator[str]:
    """What stands under a picture of the sheet."""
    stopped = ", stopped early" if method.result.interrupted else ""
    yield f"{method.name}{stopped}"
    calls = f"{method.calls} calls" if method.calls else "no solve"
    yield f"{method.seconds:.1f} s, {calls}, {_memory(method)}"
    words = [
        f"{COLUMNS[name][0]} {value:{COLUMNS[name][1]}}" for name, value in method.scores.items()
    ]
    for n in range(0, len(words), 2):
        yield ", ".join(words[n : n + 2])


def _small(image: Tensor) -> Image.Image:
    """A picture as it fits into a cell."""
    height, width = image.shape[2:]
    with torch.no_grad():
        return thumbnail(image, max(1, round(min(BOX[1], BOX[0] * height / width))))
