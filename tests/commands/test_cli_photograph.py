"""What is no photograph does not count: hidden colours and frames, through the command line."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from photostyle.cli import main
from photostyle.color.transfer import color_start
from photostyle.images.photograph import photograph
from photostyle.images.picture import load_image

ORANGE = np.array([227, 140, 41])
SOLVED = ["--preset", "photoreal-fast", "--iterations", "3"]


def scene(seed: int, warm: float, height: int = 96, width: int = 128) -> np.ndarray:
    """H×W×3 uint8: blobs with grain, lighter at the top."""
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(rng.normal(size=(height, width, 3)).astype(np.float32), (0, 0), 7)
    pixels = soft / soft.std() * 30 + np.linspace(170, 80, height)[:, None, None]
    pixels = pixels + np.array([warm, 0, -warm]) + rng.normal(0, 3, soft.shape)
    return pixels.clip(0, 255).astype(np.uint8)


def save(path: str, pixels: np.ndarray, alpha: np.ndarray | None = None) -> None:
    planes = pixels if alpha is None else np.dstack([pixels, alpha])
    Image.fromarray(planes.astype(np.uint8)).save(path)


def run(out: str, *words: str, content: str = "content.png", style: str = "style.png") -> int:
    files = ["--content", content, "--style", style, "--out", out, "--size", "128"]
    return main(["run", *files, *(words or ("--preset", "color"))])


def levels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save("content.png", scene(0, -20))
    save("style.png", scene(1, 40))
    return tmp_path


def disc() -> np.ndarray:
    """H×W opacity of a disc, 0 to 255."""
    y, x = np.mgrid[:96, :128]
    return np.where(np.hypot(y - 48, x - 64) < 35, 255, 0)


def orange_disc(hidden: Sequence[int]) -> np.ndarray:
    pixels = (ORANGE + np.random.default_rng(0).normal(0, 5, (96, 128, 3))).round()
    shift = (ORANGE - pixels[disc() > 0].mean(axis=0)).round()
    pixels = np.where(disc()[..., None] > 0, pixels + shift, np.array(hidden))
    return pixels.clip(0, 255)


HIDDEN = ((0, 0, 0), (255, 255, 255), (0, 255, 0))


def test_a_cut_out_gives_its_own_mean(folder: Path) -> None:
    save("disc.png", orange_disc((0, 0, 0)), disc())
    content, style = (photograph(load_image(n)) for n in ("content.png", "disc.png"))
    ones = torch.ones(1, 96, 128)
    weight = style.weight_at((96, 128))
    assert weight is not None
    start = color_start(content.image, style.image, ones, weight[None], weights=(None, weight))
    assert run("start.png", "--preset", "color", "--postprocess", "none", style="disc.png") == 0
    for image in (start[0].numpy().transpose(1, 2, 0) * 255, levels("start.png")):
        np.testing.assert_allclose(image.reshape(-1, 3).mean(axis=0), ORANGE, atol=2)


@pytest.mark.parametrize("words", [("--preset", "color"), SOLVED], ids=["color", "solved"])
def test_hidden_colours_of_the_style_change_nothing(words: Sequence[str]) -> None:
    results = []
    for n, hidden in enumerate(HIDDEN):
        save(f"disc{n}.png", orange_disc(hidden), disc())
        assert run(f"r{n}.png", *words, style=f"disc{n}.png") == 0
        results.append(levels(f"r{n}.png"))
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()
    scores = [json.loads(Path(f"r{n}.json").read_text())["scores"] for n in range(3)]
    assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize("words", [("--preset", "color"), SOLVED], ids=["color", "solved"])
def test_hidden_colours_of_the_content_change_nothing(words: Sequence[str]) -> None:
    results = []
    alpha = np.full((96, 128), 255)
    alpha[:40, :50] = 0
    for n, hidden in enumerate(HIDDEN[1:]):
        save(f"c{n}.png", np.where(alpha[..., None] > 0, scene(0, -20), np.array(hidden)), alpha)
        assert run(f"r{n}.png", *words, content=f"c{n}.png") == 0
        results.append(levels(f"r{n}.png")[alpha > 0])
        assert (np.asarray(Image.open(f"r{n}.png"))[..., 3] == alpha).all()
    assert (results[0] == results[1]).all()


def test_with_masks_and_a_label_that_nobody_sees() -> None:
    alpha = np.full((96, 128), 255)
    alpha[:40] = 0
    mask = np.zeros((96, 128, 3), np.uint8)
    mask[:40], mask[40:70], mask[70:] = (255, 0, 0), (0, 0, 255), (0, 255, 0)
    save("mask.png", mask)
    words = ["--preset", "color", "--content-mask", "mask.png", "--style-mask", "mask.png"]
    for n, hidden in enumerate(HIDDEN[:2]):
        for role, warm in (("c", -20), ("s", 40)):
            pixels = np.where(alpha[..., None] > 0, scene(ord(role), warm), np.array(hidden))
            save(f"{role}{n}.png", pixels, alpha)
        assert run(f"r{n}.png", *words, content=f"c{n}.png", style=f"s{n}.png") == 0
    assert (levels("r0.png")[alpha > 0] == levels("r1.png")[alpha > 0]).all()
    regions = json.loads(Path("r0.json").read_text())["regions"]
    assert {r["name"] for r in regions} == {"blue", "green"}
    assert sum(r["style_share"] for r in regions) == pytest.approx(1)
    assert sum(r["content_share"] for r in regions) == pytest.approx(1)


def test_transparent_pixels_count_by_their_opacity() -> None:
    """Left half red at a quarter, right half blue at three: the mean is that of 1 : 3."""
    pixels = np.random.default_rng(0).normal(0, 8, (96, 128, 3))
    pixels += np.repeat([[180, 70, 60], [60, 90, 170]], 64, axis=0)
    alpha = np.repeat([[64], [192]], 64, axis=0).T.repeat(96, axis=0)
    save("style.png", pixels.clip(0, 255), alpha)
    assert (
        run("start.png", "--preset", "color", "--postprocess", "none", "--segmenter", "none") == 0
    )
    found = levels("start.png").reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(found, (60 + 120 / 4, 90 - 20 / 4, 170 - 110 / 4), atol=4)


@pytest.mark.parametrize("role", ["content", "style"])
def test_nothing_to_see(capsys: pytest.CaptureFixture[str], role: str) -> None:
    save("clear.png", scene(0, 0), np.zeros((96, 128)))
    assert run("r.png", **{role: "clear.png"}) == 2
    assert "clear.png is wholly transparent" in capsys.readouterr().err
    assert not Path("r.png").exists()


def framed(pixels: np.ndarray, sides: tuple[int, int, int, int], level: int) -> np.ndarray:
    return cv2.copyMakeBorder(pixels, *sides, cv2.BORDER_CONSTANT, value=[level] * 3)


@pytest.mark.parametrize(
    ("sides", "level", "words"),
    [
        ((14, 22, 16, 16), 255, SOLVED),
        ((20, 20, 0, 0), 0, ["--preset", "color"]),
        ((15, 15, 15, 15), 128, ["--preset", "color"]),
    ],
)
def test_a_frame_around_the_content_comes_out_as_it_went_in(
    capsys: pytest.CaptureFixture[str],
    sides: tuple[int, int, int, int],
    level: int,
    words: list[str],
) -> None:
    top, bottom, left, right = sides
    save("framed.png", framed(scene(0, -20), sides, level))
    words = [*words, "--segmenter", "none"]
    maps = ["--heatmap", "h.png", "--stain-map", "st.png"]
    assert run("r.png", *words, *maps, content="framed.png") == 0
    found = levels("r.png")
    inside = np.zeros(found.shape[:2], bool)
    inside[top : len(inside) - bottom, left : inside.shape[1] - right] = True
    assert (found[~inside] == level).all()
    said = capsys.readouterr().err
    assert run("plain.png", *words) == 0
    assert np.abs(found[inside].reshape(96, 128, 3) - levels("plain.png")).mean() < 3
    assert said.count("framed.png: the frame around the photograph") == 1
    assert main(["render", "r.png", "--strength", "0", "--out", "zero.png"]) == 0
    assert np.abs(levels("zero.png") - levels("framed.png")).max() <= 1


@pytest.mark.parametrize("level", [0, 255])
def test_a_frame_around_the_style_counts_for_nothing(level: int) -> None:
    save("framed.png", framed(scene(1, 40), (20, 20, 20, 20), level))
    for words in (("--preset", "color", "--postprocess", "none"), SOLVED):
        assert run("plain.png", *words, "--segmenter", "none") == 0
        assert run("r.png", *words, "--segmenter", "none", style="framed.png") == 0
        assert np.abs(levels("r.png") - levels("plain.png")).mean() < 2


def test_scores_do_not_see_frames_and_hidden_colours(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("r.png") == 0
    for name in ("content", "style", "r"):
        save(f"{name}-framed.png", framed(levels(f"{name}.png").astype(np.uint8), (16,) * 4, 255))
    capsys.readouterr()
    found = []
    for end in ("", "-framed"):
        words = f"compare r{end}.png --content content{end}.png --style style{end}.png --json"
        assert main(words.split()) == 0
        found.append(json.loads(capsys.readouterr().out)[f"r{end}.png"])
    for name, value in found[0].items():
        assert found[1][name] == pytest.approx(value, rel=0.06, abs=0.02), name


def test_filters_do_not_spread_hidden_colours() -> None:
    alpha = np.full((96, 128), 255)
    alpha[:40, :50] = 0
    for n, hidden in enumerate(HIDDEN[:2]):
        save(f"c{n}.png", np.where(alpha[..., None] > 0, scene(0, -20), np.array(hidden)), alpha)
        assert main(["post", "bilateral:d=9,sigma_color=0.5", f"c{n}.png", "--out", f"out{n}"]) == 0
    found = [levels(str(next(Path(f"out{n}").rglob("c*.png")))) for n in range(2)]
    assert (found[0][alpha > 0] == found[1][alpha > 0]).all()


def test_an_opaque_picture_without_a_frame_is_as_ever() -> None:
    """The controls: an alpha channel that hides nothing, and none."""
    save("opaque.png", scene(1, 40), np.full((96, 128), 255))
    assert run("plain.png", *SOLVED) == 0
    assert run("r.png", *SOLVED, style="opaque.png") == 0
    assert (levels("r.png") == levels("plain.png")).all()


TRAIN = ("train --size 32 --batch 2 --steps 2 --width 0.1 --blocks 1 --workers 0 --encoder builtin "
         "--style-layers relu1_1,relu2_1 --content-layers relu2_1 --style-size 64 --device cpu "
         "--checkpoint-every 5 --preview-every 0 --style {} --out {}")  # fmt: skip


def test_a_trained_style_and_what_it_is_applied_to(capsys: pytest.CaptureFixture[str]) -> None:
    weights = []
    for n, hidden in enumerate(HIDDEN[:2]):
        save(f"disc{n}.png", orange_disc(hidden), disc())
        assert main(TRAIN.format(f"disc{n}.png", f"net{n}.safetensors").split()) == 0
        weights.append(load_file(f"net{n}.safetensors"))
        save(f"c{n}.png", np.where(disc()[..., None] > 0, scene(0, 0), np.array(hidden)), disc())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    save("framed.png", framed(scene(0, 0), (16, 16, 16, 16), 255))
    files = ["c0.png", "c1.png", "framed.png"]
    assert main(["apply", "--model", "net0.safetensors", *files, "--out", "out"]) == 0
    one, other, third = (levels(f"out/{name}") for name in files)
    assert (one[disc() > 0] == other[disc() > 0]).all()
    assert (third[:16] == 255).all()
    assert (third[:, -16:] == 255).all()
    assert np.abs(third[16:-16, 16:-16] - scene(0, 0).astype(int)).mean() > 3
    save("framed-style.png", framed(scene(1, 40), (16, 16, 16, 16), 0))
    capsys.readouterr()
    assert main(TRAIN.format("framed-style.png", "net2.safetensors").split()) == 0
    assert capsys.readouterr().err.count("the frame around the photograph") == 1
    save("clear.png", scene(0, 0), np.zeros((96, 128)))
    assert main(TRAIN.format("clear.png", "net3.safetensors").split()) == 2
