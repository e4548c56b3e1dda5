"""The look of a result: its change of light and colour, apart from the picture. Runs in the worker
for solves, as a look is fitted by one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from photostyle.config.presets import PRESETS
from photostyle.looks.fitting import fit_look
from photostyle.looks.look import Look
from photostyle.web.pictures import SHARED
from photostyle.web.refusing import Refused
from photostyle.web.solving import Telling, masks_of
from photostyle.web.workshop import Bench

#: Kinds of files that a look is kept as.
KINDS = ("look", "cube")


def look(
    bench: Bench,
    result: str,
    content: str,
    style: str,
    preset: str,
    options: dict[str, Any],
    labels: dict[str, Any] | None,
    kind: str,
) -> str:
    """Writes the look beside a result, fitted once; gives the file's name."""
    if kind not in KINDS:
        raise Refused(f"A look is kept as {' or '.join(KINDS)}.")
    path = Path(result) / "result.look"
    if not path.is_file():
        masks = masks_of(labels)
        config = PRESETS[preset].with_options(options)
        made = fit_look(
            style, content, config, content_masks=masks[0], style_mask=masks[1],
            listener=Telling(bench, "look"), memory=SHARED,
        )  # fmt: skip
        facts = {**made.about.facts}
        facts["style"] = _known(facts["style"], bench.names)
        facts["contents"] = [_known(file, bench.names) for file in facts["contents"]]
        replace(made, about=replace(made.about, facts=facts)).save(path)
    if kind == "cube":
        Look.load(path).to_cube(path.with_suffix(".cube"))
    return path.with_suffix(f".{kind}").name


def _known(file: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    """A file by the name that people know."""
    return {**file, "path": names.get(file["path"], file["path"])}
