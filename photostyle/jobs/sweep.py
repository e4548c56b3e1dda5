"""A sweep: one pair under every combination of some values. Imports no torch."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photostyle.config.config import Config
from photostyle.errors import OptionError, unpaired
from photostyle.jobs.axes import FILES, OPTIONAL_FILES, Axis, combinations
from photostyle.jobs.campaign import Plan
from photostyle.jobs.jobs import reserved
from photostyle.jobs.stylejob import StyleJob
from photostyle.places import expanded, numbered

#: The configuration of one cell: (preset or None, option values) → Config.
Configure = Callable[[str | None, Mapping[str, Any]], Config]


@dataclass(frozen=True)
class Sweep:
    """What a sweep is made of.

    Attributes:
        files: content, style, content_mask and style_mask where no axis varies them.
        settings: values of every cell, by name.
        zipped: the axes are walked together, not crossed.
        warm_start: a cell begins with the result of the one before it in its row.
    """

    axes: Sequence[Axis]
    files: Mapping[str, Path | None]
    configure: Configure
    settings: Mapping[str, Any] = field(default_factory=dict)
    zipped: bool = False
    warm_start: bool = False
    suffix: str = ".png"

    def plan(self) -> Plan:
        """Its jobs.

        Raises:
            OptionError: a combination that no run can have, an axis that is set as well, or no
                content or style.
        """
        if both := {axis.name for axis in self.axes} & set(self.settings):
            raise OptionError(f"--set {both.pop()}: --grid varies that; give one of them.")
        jobs: list[StyleJob] = []
        cells = combinations(self.axes, self.zipped)
        width = len(self.axes[-1].values) if self.axes and not self.zipped else len(cells)
        taken: set[str] = set()
        for number, cell in enumerate(cells):
            before = jobs[-1] if self.warm_start and number % width else None
            jobs.append(self._job(cell, before, taken))
        axes = tuple((axis.name, axis.labels) for axis in self.axes)
        title = " × ".join(axis.name for axis in self.axes)
        columns = width if len(self.axes) > 1 and not self.zipped else 0
        return Plan(title, tuple(jobs), axes, columns)

    def _job(self, cell: tuple[int, ...], before: StyleJob | None, taken: set[str]) -> StyleJob:
        chosen = {a.name: a.values[i] for a, i in zip(self.axes, cell, strict=True)}
        labels = tuple((a.name, a.labels[i]) for a, i in zip(self.axes, cell, strict=True))
        values = {**self.settings, **chosen}
        preset = values.pop("preset", None)
        given = {name: values.pop(name) for name in FILES if name in values}
        files = {**self.files, **{n: expanded(p) if p else None for n, p in given.items()}}
        for name in ("content", "style"):
            if files.get(name) is None:
                raise OptionError(f"--{name} is missing: a sweep needs one, or an axis of them.")
        _check_masks(files, chosen)
        config = self.configure(preset, values)
        name = free_name(name_of(labels) or "result", taken)
        return StyleJob(name=name, config=config, labels=labels, suffix=self.suffix,
                        start=before, **files)  # type: ignore[arg-type]  # fmt: skip


def _check_masks(files: dict[str, Path | None], chosen: Mapping[str, Any]) -> None:
    """Masks come in pairs: where an axis is at none, the other one is left out too.

    Raises:
        OptionError: one is given, and the other one nowhere.
    """
    if any(role in chosen and chosen[role] is None for role in OPTIONAL_FILES):
        files.update(dict.fromkeys(OPTIONAL_FILES))
    if fault := unpaired(files.get("content_mask"), files.get("style_mask")):
        raise OptionError(fault)


def free_name(name: str, taken: set[str]) -> str:
    """`numbered`, of names that are not the folder's own."""
    return numbered(f"{name}-result" if reserved(name) else name, taken)


def name_of(labels: Sequence[tuple[str, str]]) -> str:
    """A file name that says what the axes are at, such as "style_weight=100,size=400"."""
    words = (f"{name}={Path(value).stem if name in FILES else value}" for name, value in labels)
    return ",".join(re.sub(r"[^\w.+=,-]+", "_", word) for word in words)[:180].lstrip(".")
