"""Configuration: limits, presets, both ways to TOML and JSON, names."""

import dataclasses
import json
import tomllib
from pathlib import Path

import pytest

from photostyle.config.config import Config, options
from photostyle.config.files import from_dict, load_config
from photostyle.config.options import flag, parse
from photostyle.config.presets import PRESETS
from photostyle.config.solves import Solve
from photostyle.errors import OptionError


@pytest.mark.parametrize("name", PRESETS)
def test_preset_survives_toml_and_json(name: str) -> None:
    config = PRESETS[name]
    assert config.preset == name
    assert from_dict(tomllib.loads(config.to_toml())) == config
    assert from_dict(json.loads(config.to_json())) == config


def test_option_names_are_unique_over_the_stages() -> None:
    names = [f.name for _, f, _ in options()]
    assert len(names) == len(set(names))
    assert all(f.metadata["help"].endswith((".", ")")) for _, f, _ in options())


def test_with_options_changes_only_what_it_names() -> None:
    config = Config().with_options({"photoreal_weight": 7, "seed": 3})
    assert config.objective.photoreal_weight == 7.0
    assert isinstance(config.objective.photoreal_weight, float)
    assert config.optimize.seed == 3
    assert dataclasses.replace(
        config, objective=Config().objective, optimize=Config().optimize
    ) == (Config())


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("style_weight", -1.0, "at least 0"),
        ("style_weight", float("nan"), "finite"),
        ("style_weight", "100", "number"),
        ("style_weight", True, "number"),
        ("size", 0, "at least"),
        ("size", 512.5, "whole number"),
        ("init", "magic", "color, content, style, noise"),
        ("style_layers", "relu1_1", "list"),
        ("encoder", "", "word"),
        ("photoreal_wieght", 1.0, "did you mean photoreal_weight"),
    ],
)
def test_bad_value_is_named(name: str, value: object, says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        Config().with_options({name: value})
    assert flag(name) in caught.value.as_typed
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("preset = 'nothing'", "photoreal"),
        ("[objective]\nstyle_wait = 3", "style_weight"),
        ("[nowhere]\nx = 1", "no stage"),
        ("objective = 3", "table"),
        ("[[optimize.solves]]\ncanvas = 'clay'", "pixels"),
        ("[optimize]\nsolves = 3", "list of tables"),
        ("[objective\n", "not well-formed"),
        ("[image]\nsize = -4", "at least"),
    ],
)
def test_bad_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(OptionError, match=says) as caught:
        load_config(path)
    assert "settings.toml" in str(caught.value)


def test_file_starts_from_its_preset(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("preset = 'dpst'\n[objective]\nstyle_weight = 3\n")
    config = load_config(path)
    assert config.optimize == PRESETS["dpst"].optimize
    assert config.objective.style_weight == 3.0


def test_solves_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"optimize": {"solves": [{"steps": 5, "terms": ["style"]}]}}))
    assert load_config(path).optimize.solves == (Solve(steps=5, terms=("style",)),)


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("photoreal_weight", "1e4", 1e4),
        ("size", "512", 512),
        ("iterations", "7", 7),
        ("style_layers", "relu1_1, relu2_1", ("relu1_1", "relu2_1")),
    ],
)
def test_parse_reads_the_command_line(name: str, words: str, value: object) -> None:
    f, kind = next((f, kind) for _, f, kind in options() if f.name == name)
    assert parse(f, kind, words) == value


def test_parse_names_the_option() -> None:
    f, kind = next((f, kind) for _, f, kind in options() if f.name == "size")
    with pytest.raises(OptionError, match="size is 'big'; it must be a whole number"):
        parse(f, kind, "big")


def test_alpha_beta_stands_for_the_content_weight() -> None:
    config = Config().with_options({"style_weight": 50.0, "alpha_beta": 1e-3})
    assert config.objective.weight("content") == 0.05
    assert config.objective.weight("style") == 50.0
    later = config.with_options({"content_weight": 2.0})
    assert later.objective.weight("content") == 2.0
    assert later.objective.alpha_beta is None
    with pytest.raises(OptionError, match="alpha_beta and content_weight: give one"):
        config.with_options({"alpha_beta": 1.0, "content_weight": 2.0})


def test_pyramid_goes_from_coarse_to_fine_in_every_solve() -> None:
    solves = (Solve(steps=5, scale=0.5), Solve(steps=7))
    optimize = dataclasses.replace(Config().optimize, solves=solves, pyramid=3)
    assert [s.scale for s in optimize.chosen] == [0.125, 0.25, 0.5, 0.25, 0.5, 1.0]
    assert [s.steps for s in optimize.chosen] == [5, 5, 5, 7, 7, 7]


def test_common_options_reach_every_solve() -> None:
    config = Config().with_options({"optimizer": "adam", "iterations": 3})
    assert {(s.optimizer, s.steps) for s in config.optimize.chosen} == {("adam", 3)}
    assert {s.optimizer for s in Config().optimize.chosen} == {"lbfgs"}


def test_style_layer_weights_are_read_and_counted() -> None:
    f, kind = next((f, kind) for _, f, kind in options() if f.name == "style_layer_weights")
    assert parse(f, kind, "1, 0.5") == (1.0, 0.5)
    layers = {"style_layers": ["relu1_1", "relu2_1"], "style_layer_weights": [1, 0.5]}
    config = Config().with_options(layers)
    assert config.encoder.style_layer_weights == (1.0, 0.5)
    assert from_dict(json.loads(config.to_json())) == config
