"""What a run can be told: the options of all stages together, as plain values and as TOML.

The command line is made from the fields, so the two cannot drift apart. Imports no torch.
"""

import dataclasses
import difflib
import json
import os
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from photostyle.brief import Brief, shown
from photostyle.config.options import Stage, flag
from photostyle.config.rendering import RenderConfig
from photostyle.config.stages import (
    EncoderConfig,
    FeedForwardConfig,
    ImageConfig,
    MattingConfig,
    ObjectiveConfig,
    OptimizeConfig,
    PostprocessConfig,
    SegmentationConfig,
)
from photostyle.config.universal import LatentsConfig
from photostyle.errors import OptionError

C = TypeVar("C", bound="Staged")


class Staged(Brief):
    """Base of configurations: dataclasses of stages."""

    def __repr__(self) -> str:
        words = ", ".join(f"{name}={shown(value)}" for name, value in self.differing(type(self)()))
        return f"{type(self).__name__}({words})"

    def differing(self, other: "Staged") -> Iterator[tuple[str, Any]]:
        """(name, value) of the fields in which it differs from another of its kind."""
        for stage, cls in stages(type(self)):
            mine, its = getattr(self, stage), getattr(other, stage)
            for f in dataclasses.fields(cls):
                if getattr(mine, f.name) != getattr(its, f.name):
                    yield f.name, getattr(mine, f.name)

    def with_options(self: C, values: Mapping[str, Any]) -> C:
        """A copy with fields set by their bare names, e.g. {"photoreal_weight": 1e4}.

        Raises:
            OptionError: no field has that name, or the value does not fit it.
        """
        kind = type(self)
        chosen: dict[str, dict[str, Any]] = {}
        for name, value in {**_unset(values, kind), **values}.items():
            chosen.setdefault(_stage_of(name, kind), {})[name] = value
        changed = {s: dataclasses.replace(getattr(self, s), **v) for s, v in chosen.items()}
        return dataclasses.replace(self, **changed)  # type: ignore[type-var]

    def before(self, stage: str) -> tuple[Stage, ...]:
        """The options of every stage that comes before the named one: all that it can depend on."""
        names = [name for name, _ in stages()]
        return tuple(getattr(self, name) for name in names[: names.index(stage)])

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings; None is left out, as TOML has no null."""
        return _plain(self)  # type: ignore[no-any-return]

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    def to_toml(self) -> str:
        import tomli_w  # only needed here, and `photostyle --help` must stay quick

        return tomli_w.dumps(self.to_dict())


@dataclass(frozen=True)
class Config(Staged):
    """Everything that a run can be told, apart from its input and output files."""

    def __repr__(self) -> str:
        # Presets are made of this class, so their module cannot be imported above.
        known = import_module("photostyle.config.presets").PRESETS
        differing = self.differing(known.get(self.preset, Config()))
        words = (f"{name}={shown(value)}" for name, value in differing)
        return f"Config({', '.join([repr(self.preset), *words])})"

    preset: str = "photoreal"
    image: ImageConfig = field(default_factory=ImageConfig)
    segmentation: SegmentationConfig = field(default_factory=SegmentationConfig)
    matting: MattingConfig = field(default_factory=MattingConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    network: FeedForwardConfig = field(default_factory=FeedForwardConfig)
    latents: LatentsConfig = field(default_factory=LatentsConfig)
    optimize: OptimizeConfig = field(default_factory=OptimizeConfig)
    postprocess: PostprocessConfig = field(default_factory=PostprocessConfig)
    render: RenderConfig = field(default_factory=RenderConfig)


def options(kind: type[Staged] = Config) -> Iterator[tuple[str, "dataclasses.Field[Any]", Any]]:
    """(stage name, field, type) of every field that the command line offers, in order."""
    for stage, cls in stages(kind):
        kinds = typing.get_type_hints(cls)
        for f in dataclasses.fields(cls):
            if f.metadata.get("cli"):
                yield stage, f, kinds[f.name]


def option_files(config: Staged) -> dict[str, Path]:
    """The options that name a file or folder which is there, such as an encoder's weights."""
    fields = (
        (f.name, getattr(getattr(config, stage), f.name))
        for stage, f, _ in options(type(config))
        if f.metadata["file"]
    )
    return {name: Path(word) for name, word in fields if word and os.path.exists(word)}


def stages(kind: type[Staged] = Config) -> Iterator[tuple[str, type[Stage]]]:
    """(name, dataclass) of every stage, in order."""
    kinds = typing.get_type_hints(kind)
    names = (f.name for f in dataclasses.fields(kind))  # type: ignore[arg-type]
    return ((name, kinds[name]) for name in names if name != "preset")


def _unset(values: Mapping[str, Any], kind: type[Staged]) -> dict[str, None]:
    """The fields that stand in place of one of the given ones."""
    found: dict[str, None] = {}
    for _, f, _ in options(kind):
        replaced = f.metadata["replaces"]
        if replaced in values and values.get(f.name) is not None:
            raise OptionError(f"{flag(f.name)} and {flag(replaced)}: give one of them.")
        if replaced in values:
            found[f.name] = None
    return found


def _stage_of(name: str, kind: type[Staged]) -> str:
    names = {f.name: stage for stage, cls in stages(kind) for f in dataclasses.fields(cls)}
    if name not in names:
        raise OptionError(f"{flag(name)} is no option{hint(name, names)}")
    return names[name]


def hint(name: str, known: Mapping[str, Any]) -> str:
    """The end of a sentence on an unknown name, its mark included: the likeliest one, or all."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; choose from {', '.join(known)}."


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(item) for name, item in pairs if item is not None}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
