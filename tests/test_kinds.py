"""A file of another kind is told what it is, wherever it is given."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from photostyle.cli import main
from photostyle.feedforward.style_model import build_network, save_model, write_tensors
from photostyle.kinds import CHECKPOINT, GRADE, LOOK, NETWORK, kind_of
from tests.feedforward.test_style_model import info

MADE = Path(__file__).parent / "made_before"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    grey = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(grey).save("a.png")
    save_model(Path("net.safetensors"), build_network(info().config.network), info())
    Path("a.grade.safetensors").write_bytes((MADE / "color.grade.safetensors").read_bytes())
    write_tensors(Path("half.safetensors"), {"x": torch.ones(1)}, {"kind": CHECKPOINT})
    write_tensors(Path("a.look"), {"x": torch.ones(1)}, {"kind": LOOK})
    save_file({"features.0.weight": torch.ones(1)}, "vgg.safetensors")
    save_file({"x": torch.ones(1)}, "other.safetensors")
    Path("a.cube").write_text("# a look\nLUT_3D_SIZE 2\n")
    Path("cut.safetensors").write_bytes(Path("net.safetensors").read_bytes()[:100])
    return tmp_path


KINDS = {
    "net.safetensors": NETWORK, "half.safetensors": CHECKPOINT, "a.grade.safetensors": GRADE,
    "a.look": LOOK,
    "vgg.safetensors": "file of weights of a VGG network", "a.png": "picture (PNG)",
    "other.safetensors": "file of another program", "a.cube": "look-up table (.cube)",
    "cut.safetensors": None, "missing": None, ".": None,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_kinds(folder: Path, name: str) -> None:
    assert kind_of(Path(name)) == KINDS[name]


RUN = "run --content a.png --style a.png --preset"
CASES = {
    "a grade as network": ("apply a.png --model a.grade.safetensors --out o", GRADE),
    "a look as network": ("apply a.png --model a.look --out o", f"is a {LOOK}, where"),
    "a network as look": ("look apply net.safetensors a.png --out o", f"no look but a {NETWORK}"),
    "a checkpoint as network": ("apply a.png --model half.safetensors --out o", CHECKPOINT),
    "weights as network": (f"{RUN} fast --model vgg.safetensors", "weights of a VGG network"),
    "a picture as network": ("apply a.png --model a.png --out o", "is a picture (PNG)"),
    "a table as network": ("apply a.png --model a.cube --out o", "is a look-up table (.cube)"),
    "a network as encoder": (f"{RUN} photoreal --encoder net.safetensors", f"is a {NETWORK}; it"),
    "a grade as encoder": (f"{RUN} photoreal --encoder a.grade.safetensors", f"is a {GRADE}; it"),
    "a table as result": (f"{RUN} color --out b.cube", "b.cube would be a look-up table"),
    "a network as result": (f"{RUN} color --out b.safetensors", "would be a network"),
    "a video as result": (f"{RUN} color --out b.mp4", "b.mp4 would be a video by its name"),
}


@pytest.mark.parametrize("case", CASES)
def test_told_in_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    words, sentence = CASES[case]
    assert main(words.split()) == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("photostyle: ")]
    assert sentence in line


def test_a_network_as_grade(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"{RUN} color --out r.png"
    assert main(words.split()) == 0
    Path("r.grade.safetensors").write_bytes(Path("net.safetensors").read_bytes())
    assert main(["render", "r.png", "--out", "s.png"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(f"r.grade.safetensors is a {NETWORK}, where a {GRADE} is needed.")
