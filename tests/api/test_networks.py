"""`train`, `apply` and `export` from Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import photostyle
from photostyle.errors import InputError, OptionError
from photostyle.feedforward.style_model import load_model
from photostyle.images.picture import load_image

TINY: dict[str, Any] = {
    "steps": 2, "size": 64, "batch": 1, "width": 0.1, "blocks": 1, "style_size": 64, "workers": 0,
    "device": "cpu", "encoder": "builtin", "preview_every": 0, "content_layers": ["relu2_1"],
    "style_layers": ["relu1_1", "relu2_1"],
}  # fmt: skip
STYLE = np.random.default_rng(0).random((80, 90, 3))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> photostyle.Training:
    told: list[photostyle.Update] = []
    out = tmp_path_factory.mktemp("network") / "wave.safetensors"
    done = photostyle.train(STYLE, out=str(out), progress=told.append, **TINY)
    assert [(u.done, u.total) for u in told if u.total] == [(1, 2), (2, 2)]
    return done


def test_training_leaves_a_network(trained: photostyle.Training) -> None:
    assert (trained.steps, trained.interrupted) == (2, False)
    assert not trained.checkpoint.exists()
    info = load_model(trained.network).info
    assert info.config.train.batch == 1
    assert load_image(Path(info.style)).image.shape == (1, 3, 80, 90)
    assert len(repr(trained)) < 200
    assert len(repr(load_model(trained.network))) < 700


def test_interrupted_training_goes_on(tmp_path: Path) -> None:
    def stop(update: photostyle.Update) -> None:
        if update.done == 1:
            raise KeyboardInterrupt

    out = tmp_path / "n.safetensors"
    done = photostyle.train(STYLE, out=out, progress=stop, **TINY)
    assert done.interrupted
    assert (done.kept, done.checkpoint.exists(), out.exists()) == (1, True, False)
    assert photostyle.train(STYLE, out=out, resume=True, **TINY).steps == 2
    assert out.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stepss": 3}, r"stepss is no option; did you mean steps\?"),
        ({"photoreal_weight": 3}, "photoreal_weight is no option"),
        ({"out": "n.pt"}, "should end in .safetensors"),
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"data": "nowhere"}, "nowhere is no folder"),
    ],
)
def test_unfit_trainings_are_refused(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    given = {**TINY, "out": tmp_path / "n.safetensors", **options}
    with pytest.raises(InputError, match=says):
        photostyle.train(STYLE, **given)


def test_apply_in_memory_is_the_network(trained: photostyle.Training, tmp_path: Path) -> None:
    given = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    model = load_model(trained.network)
    expected = model.network(torch.from_numpy(given).permute(2, 0, 1)[None] / 255)
    for picture in (given, Image.fromarray(given)):
        for network in (trained.network, str(trained.network), model):
            done = photostyle.apply(picture, network, device="cpu")
            assert (done.image - expected).abs().max() < 1e-5
    (tmp_path / "broken.png").write_bytes(b"no picture")
    told: list[photostyle.Update] = []
    applied = photostyle.apply(
        [given, tmp_path / "broken.png"], trained.network, out=tmp_path / "o", device="cpu",
        progress=told.append,
    )  # fmt: skip
    assert len(applied.done) == 1
    assert (load_image(applied.done[0]).image - expected).abs().max() <= 0.51 / 255
    assert [path.name for path in applied.failed] == ["broken.png"]
    assert [(u.done, u.total) for u in told] == [(1, 2), (2, 2)]
    with pytest.raises(OptionError, match="batch is 0"):
        photostyle.apply([given], trained.network, out=tmp_path, batch=0)


def test_export_gives_what_the_network_gives(trained: photostyle.Training, tmp_path: Path) -> None:
    made = photostyle.export(trained.network, tmp_path / "n.pt", format="torchscript")
    assert made.faithful
    image = torch.rand(1, 3, 30, 40)
    script = torch.jit.load(made.path)
    assert (script(image) - load_model(trained.network).network(image)).abs().max() < 1e-4
    with pytest.raises(InputError, match=r"should end in \.onnx"):
        photostyle.export(trained.network, tmp_path / "n.pt")
    with pytest.raises(OptionError, match="choose from onnx, torchscript"):
        photostyle.export(trained.network, format="tflite")  # type: ignore[arg-type]
