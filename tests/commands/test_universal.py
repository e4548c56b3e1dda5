"""Networks for any style as they are typed: trained, resumed, run, replayed, applied, exported."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from photostyle.cli import main
from photostyle.feedforward.style_model import build_network, read_tensors, save_model
from photostyle.universal.files import KIND, VERSION
from tests.encoders.thin_vgg import thin_weights
from tests.feedforward.test_style_model import CONFIG, info
from tests.films.clips import clip, frames_of

FLOW = (
    "train --method artflow --style styles --data photos --size 32 --batch 2 --flows 1 "
    "--flow-blocks 1 --flow-width 4 --encoder vgg.safetensors --style-layers relu1_1,relu2_1 "
    "--content-layers relu2_1 --workers 0 --checkpoint-every 2 --preview-every 0 --log-every 1"
)
DECODER = (
    "train --method decoder --data photos --size 32 --batch 2 --steps 3 --encoder vgg.safetensors "
    "--decoder-layers relu1_1,relu2_1 --workers 0 --preview-every 3 --out dec.safetensors"
)
PAIR = "--content c.png --style s.png --size 72"


def soft(seed: int, size: tuple[int, int] = (60, 72)) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(20, 236, (6, 7, 3), dtype=np.uint8))
    return small.resize(size[::-1], Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs, styles, an encoder and both kinds of network."""
    folder = tmp_path_factory.mktemp("universal")
    for place in ("photos", "styles"):
        (folder / place).mkdir()
        for n in range(2):
            soft(n + 5 * len(place)).save(folder / place / f"{n}.png")
    soft(1).save(folder / "c.png")
    soft(2, (66, 58)).save(folder / "s.png")
    soft(3, (50, 70)).save(folder / "t.png")
    save_file(thin_weights(stop=5), folder / "vgg.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*FLOW.split(), "--steps", "4", "--out", "flow.safetensors"]) == 0
        assert main(DECODER.split()) == 0
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with links to what was made."""
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(float)


def said(capsys: pytest.CaptureFixture[str], words: str) -> str:
    """The one sentence of a command that cannot do what is asked."""
    assert main(words.split()) == 2
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("photostyle: ")]
    assert len(lines) == 1
    return lines[0]


def test_a_training_resumed_has_the_same_weights(folder: Path) -> None:
    from photostyle.api import networks

    def stopping(session):  # type: ignore[no-untyped-def]
        class Watcher:
            def __enter__(self):  # type: ignore[no-untyped-def]
                return self

            def __exit__(self, *reason: object) -> None: ...

            def note(self, sentence: str) -> None: ...

            def step(self, step) -> None:  # type: ignore[no-untyped-def]
                if step.step == 2:
                    raise KeyboardInterrupt

        return Watcher()

    words = FLOW.split()[1:]
    options = {words[n][2:].replace("-", "_"): words[n + 1] for n in range(0, len(words), 2)}
    numbers = {n: int(v) if v.isdigit() else v for n, v in options.items()}
    style, data = numbers.pop("style"), numbers.pop("data")
    stopped = networks.train(
        style, data, out="again.safetensors", watch=stopping, steps=4, **numbers
    )
    assert stopped.interrupted
    assert main([*FLOW.split(), "--steps", "4", "--out", "again.safetensors", "--resume"]) == 0
    one, other = load_file("flow.safetensors"), load_file("again.safetensors")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    lines = Path("again.losses.csv").read_text().splitlines()
    assert lines[0] == "step,total,content,style"
    assert len(lines) == 5


@pytest.mark.parametrize(
    "method", ["wavelet", "artflow --model flow.safetensors", "wct --model dec.safetensors"]
)
def test_a_preset_replays_to_the_same_pixels(folder: Path, method: str) -> None:
    assert main(f"run --preset {method} {PAIR} --out out.png".split()) == 0
    assert main(["replay", "out.png", "--out", "again.png"]) == 0
    assert (pixels("out.png") == pixels("again.png")).all()
    assert np.abs(pixels("out.png") - pixels("c.png")).mean() > 5
    assert main(["render", "out.png", "--strength", "0", "--out", "none.png"]) == 0
    assert np.abs(pixels("none.png") - pixels("c.png")).max() <= 1


def test_masks_and_their_strengths(folder: Path) -> None:
    for name, size in (("m", (60, 72)), ("n", (66, 58))):
        labels = np.zeros((*size, 3), np.uint8)
        labels[:, : size[1] // 2, 2] = 255
        labels[:, size[1] // 2 :, 0] = 255
        Image.fromarray(labels).save(f"{name}.png")
    masks = "--content-mask m.png --style-mask n.png"
    for preset in ("wavelet", "artflow --model flow.safetensors"):
        words = f"run --preset {preset} {PAIR} {masks} --strength red=0 --out out.png"
        assert main(words.split()) == 0
        change = np.abs(pixels("out.png") - pixels("c.png")).mean(axis=2)
        assert change[:, 45:].max() <= 2
        assert change[:, :28].mean() > 5


def test_styles_blend_and_alpha_is_the_share(folder: Path) -> None:
    run = "run --preset artflow --model flow.safetensors --content c.png --size 64"
    for words in (
        "--style s.png --out s1.png", "--style t.png --out t1.png",
        "--style s.png t.png --style-blend 0,1 --out u.png", "--style s.png --alpha 0 --out no.png",
    ):  # fmt: skip
        assert main([*run.split(), *words.split()]) == 0
    assert (pixels("u.png") == pixels("t1.png")).all()
    assert np.abs(pixels("s1.png") - pixels("t1.png")).mean() > 3
    content = np.asarray(Image.open("c.png").resize((64, 53), Image.Resampling.BOX)).astype(float)
    assert np.abs(pixels("no.png") - content).mean() < 3


def test_sweep_and_leak(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"sweep {PAIR} --set preset=wavelet --grid alpha=0,1 --out sweep"
    assert main(words.split()) == 0
    assert len(list(Path("sweep").rglob("*.png"))) >= 2
    capsys.readouterr()
    leak = "compare leak c.png --style s.png --presets artflow=flow.safetensors,wct=dec.safetensors"
    assert (
        main(
            [
                *leak.split(),
                *["--rounds", "3", "--size", "64", "--sheet", "l.png", "--csv", "l.csv"],
            ]
        )
        == 0
    )
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()[1:]}
    flow, decoder = (float(rows[x][1]) - float(rows[x][3]) for x in ("artflow", "wct"))
    assert abs(flow) <= 0.01
    assert decoder > flow  # three steps of training: every way loses some
    assert len(Path("l.csv").read_text().splitlines()) == 7
    assert Image.open("l.png").width > 500


@pytest.mark.parametrize("name", ["flow", "dec"])
def test_apply_takes_styles(folder: Path, name: str) -> None:
    words = f"apply c.png --model {name}.safetensors --style s.png --out out"
    assert main(words.split()) == 0
    assert Image.open("out/c.png").size == (72, 60)
    one = pixels("out/c.png")
    assert main(words.replace("s.png", "t.png").split()) == 0
    assert np.abs(pixels("out/c.png") - one).mean() > 2


def test_a_film_that_stands_still_does_not_flicker(folder: Path) -> None:
    frames = Path("f.mkv")
    clip(frames, 1, size=(48, 64), codec="ffv1", form="bgr0")
    still = Path("g.mkv")
    clip(still, 3, size=(48, 64), codec="ffv1", form="bgr0")
    words = "apply g.mkv --model flow.safetensors --style s.png --codec ffv1 --out out"
    assert main(words.split()) == 0
    found = [x.astype(float) for x in frames_of(Path("out/g.mkv"))]
    given = [x.astype(float) for x in frames_of(still)]
    moved = np.abs(given[1] - given[0]).mean()
    assert np.abs(found[1] - found[0]).mean() < 4 * moved


def test_exported_it_is_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    assert (
        main(["export", "--model", "flow.safetensors", "--format", "onnx", "--out", "x.onnx"]) == 0
    )
    assert "differs by at most" in capsys.readouterr().out
    session = onnxruntime.InferenceSession("x.onnx")
    assert [x.name for x in session.get_inputs()] == ["content", "style"]
    sentence = said(capsys, "export --model flow.safetensors --format torchscript --out x.pt")
    assert "exported as onnx alone" in sentence


def test_networks_of_another_kind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(Path("fast.safetensors"), build_network(CONFIG.network), info())
    run = f"run {PAIR} --out o.png"
    assert "is a photostyle style network, where a photostyle network for any style" in said(
        capsys, f"{run} --preset artflow --model fast.safetensors"
    )
    assert "was trained as decoder, where" in said(
        capsys, f"{run} --preset artflow --model dec.safetensors"
    )
    assert "needs a trained network" in said(capsys, f"{run} --preset wct")
    assert "network for any style, where a photostyle style network" in said(
        capsys, f"{run} --preset fast --model flow.safetensors"
    )
    assert "--style is missing" in said(capsys, "apply c.png --model flow.safetensors --out out")
    assert "has its one style" in said(
        capsys, "apply c.png --model fast.safetensors --style s.png --out out"
    )
    assert not Path("o.png").exists()


def test_weights_that_are_no_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors, metadata = read_tensors(Path("flow.safetensors"), KIND, VERSION)
    name = next(n for n in tensors if n.endswith("shift"))
    tensors[name] = torch.full_like(tensors[name], float("nan"))
    save_file(tensors, "nan.safetensors", metadata)
    sentence = said(capsys, f"run {PAIR} --preset artflow --model nan.safetensors --out o.png")
    assert "nan.safetensors has weights that are no finite numbers" in sentence


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (f"{FLOW} --out x.safetensors".replace("--style styles ", ""), "--style is missing"),
        (
            f"{FLOW} --out x.safetensors".replace("styles", "empty"),
            "--style empty holds no picture",
        ),
        (f"{FLOW} --out x.safetensors".replace("relu2_1", "relu9_9"), "has no layer 'relu9_9'"),
        (
            DECODER.replace("vgg.safetensors", "builtin").replace("dec.", "x."),
            "inverts a VGG network",
        ),
        (DECODER.replace("relu1_1,relu2_1", "relu1_1,relu1_1").replace("dec.", "x."), "each once"),
        ("compare leak c.png --style s.png --presets nothing", "no such preset"),
        ("compare leak c.png --style s.png --rounds 0", "--rounds is 0"),
        (f"run {PAIR} --preset wavelet --alpha 2 --out o.png", "--alpha is 2"),
    ],
)
def test_bad_input(
    folder: Path, capsys: pytest.CaptureFixture[str], words: str, wrong: str
) -> None:
    Path("empty").mkdir()
    assert wrong in said(capsys, words)


def test_manifests_tell_the_network(folder: Path) -> None:
    assert main(f"run --preset artflow --model flow.safetensors {PAIR} --out o.png".split()) == 0
    config = json.loads(Path("o.json").read_text())["config"]
    assert config["network"]["model"] == "flow.safetensors"
    assert config["latents"]["transform"] == "artflow"
