"""A small sweep: one option, a few values, each as a small picture. Runs in a worker."""

from typing import Any

from photostyle.api.styling import stylize
from photostyle.config.presets import PRESETS
from photostyle.errors import PhotostyleError
from photostyle.web.limits import SWEEP_SIZE
from photostyle.web.pictures import SHARED, jpeg
from photostyle.web.refusing import told
from photostyle.web.solving import masks_of
from photostyle.web.workshop import Bench, named


def sweep(
    bench: Bench,
    content: str,
    style: str,
    preset: str,
    options: dict[str, Any],
    labels: dict[str, Any] | None,
    name: str,
    values: list[Any],
) -> int:
    """Tells a picture for each value of the option, or why there is none; gives how many there
    are."""
    masks = masks_of(labels)
    base = PRESETS[preset].with_options({**options, "size": SWEEP_SIZE, "output_size": None})
    if base.render.deliver == "maps":
        base = base.with_options({"output_size": 2 * SWEEP_SIZE})
    for place, value in enumerate(values):
        facts = {"type": "tried", "place": place, "value": value, "name": name}
        try:
            result = stylize(
                content, style, base.with_options({name: value}), content_mask=masks[0],
                style_mask=masks[1], listener=_Checking(bench), memory=SHARED,
            )  # fmt: skip
        except PhotostyleError as error:
            bench.tell(**facts, error=named(told(error)[0], bench.names))
            continue
        bench.tell(
            **facts, picture=jpeg(result.image),
            scores={k: round(float(v), 4) for k, v in vars(result.scores).items()},
        )  # fmt: skip
    return len(values)


class _Checking:
    """A Listener that only looks whether the job is given up."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def stage(self, name: str, note: str) -> None:
        self.bench.check()

    def step(self, *_: object) -> None:
        self.bench.check()
