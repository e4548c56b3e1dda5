"""Options as keywords: the typed names are the fields, and values come as Python has them."""

import pathlib
import types
import typing
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest
import torch

from photostyle.config.config import Config, Staged, options
from photostyle.config.keywords import (
    Files,
    Options,
    Pairs,
    RenderOptions,
    SegmentationOptions,
    Shares,
    TrainingOptions,
    configured,
    with_keywords,
)
from photostyle.config.presets import PRESETS, preset
from photostyle.config.training import TrainingConfig
from photostyle.errors import OptionError


def expected(f: Any, kind: Any) -> set[Any]:
    """The types that a field's keyword may be declared with."""
    inner = kind
    if isinstance(kind, types.UnionType):
        inner = next(k for k in typing.get_args(kind) if k is not type(None))
    if f.metadata["choices"]:
        choices = f.metadata["choices"]
        found: list[Any] = [Literal[(*choices, *(int(c) for c in choices if c.isdigit()))]]
    elif typing.get_origin(inner) is tuple:
        found = [Sequence[typing.get_args(inner)[0]]]
    else:
        found = [Files, Shares, Pairs, str] if inner is str else [inner]
    return {x if inner is kind else x | None for x in found}


@pytest.mark.parametrize(
    ("typed", "config", "stages"),
    [
        (Options, Config, None),
        (RenderOptions, Config, ("render",)),
        (SegmentationOptions, Config, ("segmentation",)),
        (TrainingOptions, TrainingConfig, None),
    ],
)
def test_typed_keywords_are_the_fields(
    typed: Any, config: type[Staged], stages: tuple[str, ...] | None
) -> None:
    fields = {f.name: (f, k) for s, f, k in options(config) if stages is None or s in stages}
    hints = typing.get_type_hints(typed)
    assert set(hints) == set(fields)
    for name, hint in hints.items():
        assert hint in expected(*fields[name]), name


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"size": np.int64(300)}, 300),
        ({"style_weight": np.float32(0.5)}, 0.5),
        ({"tv_weight": torch.tensor(2.0)}, 2.0),
        ({"encoder": pathlib.Path("a/b.pth")}, "a/b.pth"),
        ({"strength": 0.25}, "0.25"),
        ({"strength": {"blue": 0.5, "red": 1}}, "blue=0.5,red=1"),
        ({"correspond": {"tower": "house"}}, "tower=house"),
        ({"protect": ["skin", "blue"]}, "skin,blue"),
        ({"content_layers": "relu4_2, relu3_1"}, ("relu4_2", "relu3_1")),
        ({"style_blend": np.array([0.25, 0.75])}, (0.25, 0.75)),
        ({"output_size": None}, None),
        ({"bit_depth": 16}, "16"),
    ],
)
def test_values_as_python_has_them(given: dict[str, Any], value: Any) -> None:
    config = configured("photoreal", given)
    name = next(iter(given))
    stage = next(s for s, f, _ in options() if f.name == name)
    assert getattr(getattr(config, stage), name) == value


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sise": 3}, "sise is no option; did you mean size?"),
        ({"content_maks": 3}, "content_maks is no option; did you mean content_mask?"),
        ({"size": "big"}, "size is 'big'; it must be a whole number"),
        ({"size": 3}, "size is 3; it must be at least 32"),
        ({"photoreal_weight": float("nan")}, "finite number"),
        ({"bit_depth": 12}, "bit_depth is '12'; choose from 8, 16"),
        ({"init": "colour"}, "init is 'colour'; choose from color, content"),
        ({"style_weight": 1, "alpha_beta": 1, "content_weight": 1}, "give one of them"),
    ],
)
def test_unfit_keywords_say_what_the_command_line_says(given: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says.replace("?", r"\?")):
        configured(None, given, ("content_mask",))


def test_a_preset_is_called_config() -> None:
    with pytest.raises(OptionError, match='preset is no option; give its name as config="'):
        configured(None, {"preset": "color"}, ("config",))


def test_options_of_other_stages_are_not_offered() -> None:
    with pytest.raises(OptionError, match="size is no option; choose from output_size, "):
        with_keywords(Config(), {"size": 300}, stages=("render",))


def test_wrong_kinds_of_configuration() -> None:
    with pytest.raises(OptionError, match="config is a int; give a preset's name"):
        configured(3, {})  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="there is no such preset"):
        configured("photreal", {})


@pytest.mark.parametrize("name", PRESETS)
def test_repr_of_a_preset_is_its_name(name: str) -> None:
    assert repr(preset(name)) == f"Config('{name}')"
    changed = preset(name).with_options({"size": 333, "encoder": "vgg19"})
    assert repr(changed) == f"Config('{name}', size=333, encoder='vgg19')"


def test_repr_of_stages_says_what_differs() -> None:
    assert repr(Config().image) == "ImageConfig()"
    assert repr(Config().with_options({"size": 300}).image) == "ImageConfig(size=300)"
    assert repr(TrainingConfig().with_options({"steps": 7})) == "TrainingConfig(steps=7)"
