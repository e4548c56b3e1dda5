"""Exported networks against the original, on random sizes."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from photostyle.errors import OptionError
from photostyle.feedforward.export import EXPORTS, difference, export, opened
from photostyle.feedforward.style_model import StyleModel
from tests.feedforward.test_network import network
from tests.feedforward.test_style_model import info

needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnxscript", "onnxruntime")),
    reason="the extra is not installed",
)


def assert_same(model: StyleModel, path: Path, form: str) -> None:
    run = opened(path, form)
    assert run is not None
    rng = np.random.default_rng()
    sizes = [(16, 16), (17, 31), *map(tuple, rng.integers(16, 150, (6, 2)).tolist())]
    assert difference(model, run, sizes) <= 1 / 255, sizes
    images = torch.rand(3, 3, 33, 45)
    with torch.no_grad():
        assert (run(images) - model.network(images)).abs().max() <= 1 / 255


@needs_onnx
def test_onnx(tmp_path: Path) -> None:
    """The same picture at random sizes, in one file, with where it came from."""
    import onnx

    model, path = StyleModel(network().eval(), info()), tmp_path / "net.onnx"
    export(model, path, "onnx")
    assert list(tmp_path.iterdir()) == [path]
    assert_same(model, path, "onnx")
    proto = onnx.load(path)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    assert facts["style"] == "starry.png"
    assert facts["style_sha256"] == "ab" * 32
    assert [x.name for x in (*proto.graph.input, *proto.graph.output)] == ["image", "result"]


@pytest.mark.parametrize(("norm", "upsampling"), [("instance", "resize"), ("batch", "transposed")])
def test_torchscript(tmp_path: Path, norm: str, upsampling: str) -> None:
    model = StyleModel(network(norm, upsampling).eval(), info())
    path = tmp_path / f"net{EXPORTS['torchscript'][0]}"
    export(model, path, "torchscript")
    assert_same(model, path, "torchscript")


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photostyle.feedforward.export.find_spec", lambda name: None)
    model = StyleModel(network().eval(), info())
    with pytest.raises(OptionError, match=r"onnx and onnxscript.*photostyle\[export\]"):
        export(model, tmp_path / "net.onnx", "onnx")
    assert opened(tmp_path / "net.onnx", "onnx") is None
    assert not list(tmp_path.iterdir())


def test_difference_sees_one(tmp_path: Path) -> None:
    model = StyleModel(network().eval(), info())
    assert difference(model, lambda x: model.network(x) + 0.1) == pytest.approx(0.1, abs=1e-6)
