"""The configuration's encoder: options reach the network, wrong layers show early, replay."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.config.stages import EncoderConfig
from photostyle.encoders.vgg import VggEncoder
from photostyle.errors import OptionError
from photostyle.objective.features import configured_encoder, vgg_options
from photostyle.pipeline import stylize
from photostyle.result import load_recipe
from tests.encoders.thin_vgg import thin_weights
from tests.test_pipeline import CONTENT, STYLE, saved


@pytest.fixture
def weight_file(tmp_path: Path) -> str:
    path = tmp_path / "thin.safetensors"
    safetensors.torch.save_file(thin_weights(), path)
    return str(path)


def test_options_reach_the_network(weight_file: str) -> None:
    config = EncoderConfig(
        encoder=weight_file, pooling="average", padding="replicate", preprocessing="caffe"
    )
    encoder, _ = configured_encoder(config)
    assert isinstance(encoder, VggEncoder)
    assert encoder.pooling == "average"
    assert encoder.pooling_gain == 2.0
    assert encoder.convs["conv1_1"].padding_mode == "replicate"
    # Caffe takes BGR in 0-255.
    torch.testing.assert_close(encoder.input.weight[:, :, 0, 0], 255 * torch.eye(3).flip(0))


@pytest.mark.parametrize(
    ("activations", "asked", "gain"),
    [("trained", None, 2.0), ("normalized", None, 1.0), ("normalized", 1.5, 1.5)],
)
def test_pooling_gain_follows_the_activations(
    activations: str, asked: float | None, gain: float
) -> None:
    config = EncoderConfig(pooling="average", activations=activations, pooling_gain=asked)
    assert vgg_options(config).pooling_gain == gain


def test_options_without_effect_are_named() -> None:
    _, notes = configured_encoder(EncoderConfig(encoder="builtin", pooling="average"))
    assert notes[1] == "--pooling: without effect on encoder builtin"
    _, notes = configured_encoder(EncoderConfig(encoder="builtin"))
    assert len(notes) == 1


class Stages:
    def __init__(self) -> None:
        self.names: list[str] = []

    def stage(self, name: str, note: str) -> None:
        self.names.append(name)

    def step(self, *_: object) -> None:
        raise AssertionError("no iteration may begin")


@pytest.mark.parametrize("option", ["style_layers", "content_layers"])
def test_wrong_layers_show_before_the_work(tmp_path: Path, weight_file: str, option: str) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    config = preset("dpst").with_options({"encoder": weight_file, option: ["relu1_1", "relu9_1"]})
    heard = Stages()
    with pytest.raises(OptionError, match=r"no layer 'relu9_1'; it has conv1_1, relu1_1, conv1_2"):
        stylize(*paths, config, listener=heard)
    assert set(heard.names) == {"load"}


def test_normalised_run_replays_to_the_same_pixels(tmp_path: Path, weight_file: str) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    options = {
        "size": 96, "iterations": 2, "encoder": weight_file, "device": "cpu",
        "pooling": "average", "activations": "normalized",
        "style_layers": ["conv1_1", "relu3_1"], "content_layers": ["conv4_2"],
    }  # fmt: skip
    first = stylize(*paths, Config().with_options(options))
    first.save(tmp_path / "r.png")
    recipe = load_recipe(tmp_path / "r.png")
    recipe.verify()
    second = stylize(*paths, recipe.config)
    assert torch.equal(first.image, second.image)
    assert len(first.normalized_sha256) == 64
    assert first.manifest()["encoder"] == second.manifest()["encoder"]
    plain = stylize(*paths, Config().with_options(options | {"activations": "trained"}))
    assert plain.encoder_sha256 == first.encoder_sha256
    assert plain.normalized_sha256 == ""
    assert not torch.equal(plain.image, first.image)
