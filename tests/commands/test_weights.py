"""Weight files: formats, wrappings, and everything that can be wrong with them."""

import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.registry import ENTRIES
from photostyle.encoders.vgg import VggEncoder, VggOptions
from photostyle.encoders.weights import load_encoder
from photostyle.errors import WeightsError
from tests.encoders.thin_vgg import thin_weights


@pytest.fixture
def weight_file(tmp_path: Path) -> Path:
    path = tmp_path / "thin.safetensors"
    safetensors.torch.save_file(thin_weights(), path)
    return path


@pytest.mark.parametrize("suffix", [".pth", ".pt"])
def test_formats_and_wrappings_give_the_same_weights(
    tmp_path: Path, weight_file: Path, suffix: str
) -> None:
    expected, _ = load_encoder(str(weight_file))
    path = tmp_path / f"weights{suffix}"
    half = {f"module.{key}": value for key, value in thin_weights().items()}
    for content in (thin_weights(), {"state_dict": thin_weights(), "epoch": 3}, half):
        torch.save(content, path)
        encoder, note = load_encoder(str(path))
        assert encoder.fingerprint == expected.fingerprint
        assert encoder.name == path.name
        assert "\n" not in note


def test_half_precision_is_widened(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    safetensors.torch.save_file({k: v.half() for k, v in thin_weights().items()}, path)
    encoder, _ = load_encoder(str(path))
    assert {weight.dtype for weight in encoder.parameters()} == {torch.float32}


def test_auto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    encoder, note = load_encoder("auto")
    assert encoder.name == "builtin"
    assert "`photostyle weights fetch vgg19` gets them (548 MB)" in note
    assert "\n" not in note
    (tmp_path / "checkpoints").mkdir()
    torch.save(thin_weights(19, stop=16), tmp_path / "checkpoints" / ENTRIES["vgg19"].file)
    encoder, note = load_encoder("auto")
    assert encoder.name == "vgg19"
    assert note == ("encoder: vgg19 (VGG-19 shape, 4-5-6-7-8 channels), found in torch's cache")


@pytest.mark.parametrize("name", ENTRIES)
def test_a_name_without_weights_says_how_to_get_them(name: str) -> None:
    with pytest.raises(WeightsError, match=rf"`photostyle weights fetch {name}` gets them \(5"):
        load_encoder(name)


@pytest.mark.parametrize("name", ENTRIES)
def test_published_files_are_known_by_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By name out of the cache and by path: each brings its preprocessing, an option overrules."""
    entry = ENTRIES[name]
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    path = tmp_path / "checkpoints" / entry.file
    path.parent.mkdir()
    weights = thin_weights(entry.depth, stop=entry.depth - 3)  # all but the classifier's three
    torch.save(weights, path)
    expected = VggEncoder(weights, VggOptions(preprocessing=entry.preprocessing))  # type: ignore[arg-type]
    for spec in (name, str(path)):
        assert load_encoder(spec)[0].fingerprint == expected.fingerprint
    other, _ = load_encoder(name, options=VggOptions(preprocessing="caffe"))
    assert (other.fingerprint == expected.fingerprint) == (entry.preprocessing == "caffe")


def test_our_own_files_carry_their_preprocessing(tmp_path: Path) -> None:
    path = tmp_path / "copied.safetensors"
    safetensors.torch.save_file(thin_weights(), path, {"preprocessing": "caffe"})
    expected = VggEncoder(thin_weights(), VggOptions(preprocessing="caffe"))
    assert load_encoder(str(path))[0].fingerprint == expected.fingerprint


def test_builtin() -> None:
    encoder, note = load_encoder("builtin")
    assert isinstance(encoder, BankEncoder)
    assert note.startswith("encoder: builtin")


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "proof"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(proof),)

    path = tmp_path / "trap.pth"
    torch.save({"features.0.weight": Trap()}, path)
    with pytest.raises(WeightsError, match=r"trap\.pth was refused because reading it could"):
        load_encoder(str(path))
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(WeightsError, match=r"trap\.pth"):
        load_encoder(str(path))
    assert not proof.exists()


def test_whole_module_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "module.pth"
    torch.save(torch.nn.Conv2d(3, 4, 3), path)
    with pytest.raises(WeightsError, match=r"torch\.save\(model\.state_dict\(\), path\)"):
        load_encoder(str(path))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello there, I am no checkpoint", "damaged or is no"),
        (bytes(range(256)) * 20, "damaged or is no"),
    ],
)
def test_not_a_checkpoint(tmp_path: Path, suffix: str, content: bytes, message: str) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"bad{suffix}.* {message}"):
        load_encoder(str(path))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_truncated(tmp_path: Path, suffix: str, part: float) -> None:
    path = tmp_path / f"cut{suffix}"
    if suffix == ".pth":
        torch.save(thin_weights(), path)
    else:
        safetensors.torch.save_file(thin_weights(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(WeightsError, match=rf"cut{suffix} is damaged"):
        load_encoder(str(path))


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is a folder"):
        load_encoder(str(tmp_path))
    for spec in ("vgg", str(tmp_path / "missing.pth")):
        with pytest.raises(
            WeightsError, match=r"neither a name \(auto, builtin, vgg19, vgg16, .*\) nor"
        ):
            load_encoder(spec)
    (tmp_path / "weights.onnx").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"must be a \.safetensors, \.pth, \.pt file"):
        load_encoder(str(tmp_path / "weights.onnx"))


@pytest.mark.parametrize("content", [3, [1, 2], {"weight": torch.zeros(3)}, {}, {1: {2: 3}}])
def test_other_contents(tmp_path: Path, content: object) -> None:
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match=r"must hold a VGG network under torchvision's keys"):
        load_encoder(str(path))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("features.5.weight", torch.zeros(5, 9, 3, 3), r"\(5, 4, 3, 3\), got \(5, 9, 3, 3\)"),
        ("features.0.weight", torch.zeros(4, 3, 11, 11), r"\(4, 3, 3, 3\), got \(4, 3, 11, 11"),
        ("features.2.weight", torch.zeros(()), r"\(1, 4, 3, 3\), got \(\)"),
        ("features.7.bias", torch.zeros(6), r"features\.7\.bias .*\(5,\), got \(6,\)"),
        ("input.weight", torch.zeros(1, 3, 1, 1), r"\(3, 3, 1, 1\), got \(1, 3, 1, 1\)"),
        ("features.7.bias", torch.full((5,), torch.nan), r"features\.7\.bias .* be finite"),
        ("features.0.weight", torch.zeros(4, 3, 3, 3).int(), "floating-point"),
        ("features.1.weight", torch.zeros(4), r"features\.1 .*without batch normalisation"),
        ("features.10.weight", None, r"lacks features\.10\.weight"),
        ("features.0.weight", None, r"lacks features\.0\.weight"),
        ("features.28.bias", None, r"lacks features\.28\.bias"),
        ("other.features.0.weight", torch.zeros(4, 3, 3, 3), r"several networks \(.*other"),
    ],
)
def test_bad_weights(tmp_path: Path, key: str, value: Tensor | None, message: str) -> None:
    weights = thin_weights() | {"input.weight": torch.eye(3).view(3, 3, 1, 1)}
    weights["input.bias"] = torch.zeros(3)
    if value is None:
        del weights[key]
    else:
        weights[key] = value
    path = tmp_path / "bad.safetensors"
    safetensors.torch.save_file(weights, path)
    with pytest.raises(WeightsError, match=message) as caught:
        load_encoder(str(path))
    assert "bad.safetensors" in str(caught.value)
