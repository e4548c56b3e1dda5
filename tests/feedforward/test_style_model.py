"""The file of a trained style: round trip, and files that are not one."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from photostyle.config.training import TrainingConfig
from photostyle.errors import ModelError, OutputError
from photostyle.feedforward.style_model import (
    StyleInfo,
    build_network,
    load_model,
    save_model,
    thumbnail,
)

CONFIG = TrainingConfig().with_options({"width": 0.1, "blocks": 1, "norm": "batch"})


def info() -> StyleInfo:
    small = thumbnail(torch.linspace(0, 1, 180000).reshape(1, 3, 200, 300))
    return StyleInfo("starry.png", "ab" * 32, small, "builtin", "cd" * 32, CONFIG, steps=7)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "starry.safetensors"
    save_model(path, build_network(CONFIG.network, seed=5), info())
    return path


def test_round_trip(model: Path) -> None:
    network = build_network(CONFIG.network, seed=5).eval()
    loaded = load_model(model)
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(loaded.network(images), network(images))
    assert loaded.info == info()
    assert loaded.info.config == CONFIG
    assert not loaded.network.training
    with Image.open(io.BytesIO(loaded.info.thumbnail)) as picture:
        assert picture.size == (128, 85)


def test_initial_weights_depend_on_the_seed_alone() -> None:
    torch.rand(17)
    one, same, other = (build_network(CONFIG.network, seed) for seed in (1, 1, 2))
    assert torch.equal(one.output.weight, same.output.weight)
    assert not torch.equal(one.output.weight, other.output.weight)


def rewritten(path: Path, change: Callable[[dict, dict], None]) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    change(tensors, metadata)
    save_file(tensors, path, metadata=metadata)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t, m: m.update(version="2"), "has version 2"),
        (lambda t, m: m.update(kind="recipe for soup"), "is a recipe for soup, where a"),
        (lambda t, m: m.clear(), "is a file of another program"),
        (lambda t, m: m.update(config="{"), "damaged"),
        (lambda t, m: m.update(config='{"network": {"norm": "no"}}'), "damaged"),
        (lambda t, m: m.pop("style"), "damaged"),
        (lambda t, m: t.pop("output.weight"), "damaged"),
        (lambda t, m: t.update({"output.bias": torch.zeros(4)}), "damaged"),
    ],
)
def test_files_that_are_no_style_network(model: Path, change, says: str) -> None:
    rewritten(model, change)
    with pytest.raises(ModelError, match=says) as caught:
        load_model(model)
    assert str(model) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_and_missing_files(tmp_path: Path, model: Path) -> None:
    model.write_bytes(model.read_bytes()[:100])
    with pytest.raises(ModelError, match="damaged or is no safetensors"):
        load_model(model)
    with pytest.raises(ModelError, match="does not exist"):
        load_model(tmp_path / "nowhere.safetensors")


def test_a_full_disk_leaves_the_old_file(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = model.read_bytes()

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:50])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save_model(model, build_network(CONFIG.network), info())
    assert model.read_bytes() == before
    assert [path.name for path in model.parent.iterdir()] == [model.name]
