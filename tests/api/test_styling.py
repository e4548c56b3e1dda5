"""`stylize`, `segment` and `render` from Python: any kind of picture in, any kind out."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import photostyle
from photostyle.cli import main
from photostyle.errors import ImageError, InputError, OptionError
from photostyle.images.picture import load_image

SMALL: dict[str, Any] = {"size": 64, "device": "cpu", "segmenter": "none"}
RNG = np.random.default_rng(5)


def scene(top: tuple[float, ...], bottom: tuple[float, ...], size: tuple[int, int]) -> np.ndarray:
    """H×W×3 uint16: two colours and some texture."""
    share = np.linspace(0, 1, size[0])[:, None, None]
    values = share * np.array(bottom) + (1 - share) * np.array(top)
    values = values + 0.1 * RNG.random((*size, 1)) + np.zeros((1, size[1], 1))
    return (values.clip(0, 1) * 65535).round().astype(np.uint16)


CONTENT = scene((0.5, 0.7, 0.9), (0.4, 0.35, 0.2), (60, 80))
STYLE = scene((0.1, 0.1, 0.3), (0.8, 0.5, 0.2), (64, 56))
KINDS: dict[str, Callable[[np.ndarray, Path], Any]] = {
    "uint16": lambda x, _: x,
    "float": lambda x, _: x / 65535,
    "tensor": lambda x, _: torch.from_numpy(x / 65535).permute(2, 0, 1),
    "batch tensor": lambda x, _: torch.from_numpy(x / 65535).permute(2, 0, 1)[None].float(),
    "uint8": lambda x, _: (x // 257).astype(np.uint8),
    "PIL": lambda x, _: Image.fromarray((x // 257).astype(np.uint8)),
    "path": lambda x, folder: saved(x, folder / "x.png"),
    "words": lambda x, folder: str(saved(x, folder / "x.png")),
}


def saved(values: np.ndarray, path: Path) -> Path:
    image = torch.from_numpy(values.astype(np.float32) / 65535).permute(2, 0, 1)[None]
    photostyle.save_image(path, image, photostyle.Metadata(bit_depth=16))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_goes_through_unchanged_at_strength_0(
    kind: str, tmp_path: Path
) -> None:
    given = KINDS[kind](CONTENT, tmp_path)
    result = photostyle.stylize(given, STYLE, "color", strength=0, **SMALL)
    exact = CONTENT if kind not in ("uint8", "PIL") else (CONTENT // 257) * 257
    assert (result.to_numpy("uint16") == exact).all()
    full = photostyle.stylize(given, STYLE, "color", **SMALL)
    assert (full.to_numpy("uint16") != exact).mean() > 0.5
    back = photostyle.render(full, strength=0)
    assert (back.to_numpy(np.uint16) == exact).all()


def test_floats_go_through_to_the_last_bit() -> None:
    given = RNG.random((60, 80, 3)).astype(np.float32)
    result = photostyle.stylize(given, STYLE, "color", **SMALL)
    back = photostyle.render(result, strength=0)
    assert back.to_numpy().dtype == np.float32
    assert (back.to_numpy() == given).all()
    assert (back.image[0].permute(1, 2, 0).numpy() == given).all()


def test_16_bits_go_through_a_file(tmp_path: Path) -> None:
    result = photostyle.stylize(CONTENT, STYLE, "color", strength=0, **SMALL)
    result.save(tmp_path / "a.tif")
    photo = load_image(tmp_path / "a.tif")
    assert photo.metadata.bit_depth == 16
    assert (photo.image[0].permute(1, 2, 0).mul(65535).round().numpy() == CONTENT).all()


def test_all_kinds_are_one_picture(tmp_path: Path) -> None:
    """Content, style, start and masks in any form give what files give."""
    rows = np.repeat(np.arange(60) // 30, 80).reshape(60, 80)
    its = np.repeat(np.arange(64) // 32, 56).reshape(64, 56)
    for name, ids in (("mine", rows), ("its", its)):
        Image.fromarray(ids.astype(np.uint8)).save(tmp_path / f"{name}.png")
    paths = [saved(CONTENT, tmp_path / "c.png"), saved(STYLE, tmp_path / "s.png")]
    options = {"size": 64, "device": "cpu", "iterations": 2}
    preset = "photoreal-fast"
    by_file = photostyle.stylize(
        *paths, preset, content_mask=tmp_path / "mine.png", style_mask=tmp_path / "its.png",
        start=paths[0], **options,
    )  # fmt: skip
    soft = torch.nn.functional.one_hot(torch.from_numpy(its), 2).permute(2, 0, 1).float()
    by_value = photostyle.stylize(
        CONTENT, torch.from_numpy(STYLE / 65535).permute(2, 0, 1), preset,
        content_mask=rows, style_mask=soft, start=CONTENT / 65535, **options,
    )  # fmt: skip
    assert by_file.masks.names == by_value.masks.names == ("id 0", "id 1")
    assert (by_file.image - by_value.image).abs().max() < 1e-4


def test_several_styles_in_several_forms() -> None:
    options = {**SMALL, "size": 48, "iterations": 1, "init": "content", "encoder": "builtin"}
    result = photostyle.stylize(
        CONTENT, [STYLE, Image.fromarray((STYLE[::-1] // 257).astype(np.uint8))], "gatys-fine",
        style_blend=[0.3, 0.7], pyramid=1, **{**options, "size": 64},
    )  # fmt: skip
    assert [file.given.split(" of ")[0] for file in result.inputs.styles] == [
        "NumPy array", "PIL image",
    ]  # fmt: skip
    assert len(result.styles) == 2


def test_alpha_comes_out_again() -> None:
    plane = RNG.integers(0, 65536, (60, 80, 1), np.uint16)
    result = photostyle.stylize(
        np.concatenate([CONTENT, plane], axis=2), STYLE, "color", strength=0, **SMALL
    )
    for dtype, expected in (("uint16", plane), ("float64", plane / 65535)):
        out = result.to_numpy(dtype)
        assert out.dtype == dtype
        assert np.abs(out[..., 3:] - expected).max() < 1e-6
    assert result.to_pil().mode == "RGBA"


def test_manifest_tells_what_was_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(STYLE, tmp_path / "s.png")
    mask = np.zeros((60, 80), int)
    result = photostyle.stylize(
        Image.fromarray((CONTENT // 257).astype(np.uint8)), path, "color", size=64, device="cpu",
        content_mask=mask, style_mask=np.zeros((64, 56), int),
    )  # fmt: skip
    inputs = result.manifest()["inputs"]
    assert inputs["content"]["given"] == "PIL image of 80×60 pixels, mode RGB"
    assert "NumPy array of 60×80 int64" in inputs["content_mask"]["given"]
    assert inputs["style"]["path"] == str(path)
    result.save(tmp_path / "r.png")
    says = "The content of that run was no file but given in Python .PIL image of 80×60 pixels"
    with pytest.raises(OptionError, match=says):
        photostyle.load_recipe(tmp_path / "r.png").verify()
    with pytest.raises(OptionError, match=says):
        photostyle.render(tmp_path / "r.png", strength=0.5)
    assert main(["replay", str(tmp_path / "r.png"), "--out", str(tmp_path / "new.png")]) == 2
    assert re.search(says, capsys.readouterr().err)
    assert not (tmp_path / "new.png").exists()
    again = photostyle.render(tmp_path / "r.png", content=CONTENT, strength=0)
    assert (again.to_numpy("uint16") == CONTENT).all()
    with pytest.raises(ImageError, match="other proportions than the result"):
        photostyle.render(tmp_path / "r.png", content=CONTENT[:, :50])


def test_render_of_a_file_is_that_of_its_result(tmp_path: Path) -> None:
    paths = saved(CONTENT, tmp_path / "c.png"), saved(STYLE, tmp_path / "s.png")
    result = photostyle.stylize(*paths, "color", **SMALL)
    result.save(str(tmp_path / "r.png"))
    memory = photostyle.render(result, strength=0.5, output_size=40)
    file = photostyle.render(str(tmp_path / "r.png"), strength=0.5, output_size=40)
    assert memory.image.shape == (1, 3, 30, 40)
    assert (memory.image - file.image).abs().max() < 2e-3  # maps are kept at half precision
    more = photostyle.render(result, output_size=999)
    assert "the content has 80 pixels" in more.notes[0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: photostyle.stylize(CONTENT[:20], STYLE), "The content is 80×20 pixels"),
        (lambda: photostyle.stylize(CONTENT, [STYLE, STYLE[:9]], "gatys"), "Style 2 is 56×9"),
        (lambda: photostyle.stylize(CONTENT, STYLE * 1.0), r"The style .* lie in \[0, 1\]"),
        (lambda: photostyle.stylize([CONTENT], STYLE), "The content is a list"),  # type: ignore[arg-type]
        (lambda: photostyle.stylize(CONTENT, []), "there is no picture"),
        (lambda: photostyle.stylize(CONTENT, None), "The style is a NoneType"),  # type: ignore[arg-type]
        (lambda: photostyle.stylize(CONTENT, STYLE, content_mask=CONTENT[..., 0] * 0), "missing"),
        (lambda: photostyle.stylize(CONTENT, STYLE, start=STYLE), "The start has other proport"),
        (lambda: photostyle.segment(CONTENT.astype(int)), "int64, whose range is not known"),
        (lambda: photostyle.render("nowhere.png"), "nowhere.png is not there"),
        (lambda: photostyle.compare([CONTENT.astype(int)], CONTENT, STYLE), "Result 1 .* int64"),
    ],
)  # fmt: skip
def test_what_does_not_fit_ends_in_a_sentence(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        call()
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


def test_segment_gives_regions_that_can_be_given_back(tmp_path: Path) -> None:
    mine = np.zeros((60, 80), int)
    mine[30:] = 1
    found = photostyle.segment(CONTENT, STYLE, content_mask=mine, style_mask=np.eye(64, 56) > 2)
    assert found.used == "labels"
    found = photostyle.segment(CONTENT, content_mask={"sky": mine == 0, "ground": mine == 1})
    assert found.names == ("sky", "ground")
    assert "sky       50.0%" in found.table()
    written = found.save(tmp_path / "regions")
    assert [path.name for path in written] == ["content-labels.png", "preview.png", "regions.txt"]
    assert (photostyle.segment(CONTENT, content_mask=written[0]).ids == found.ids).all()
    assert Image.open(written[1]).size == found.preview().to_pil().size
    assert repr(found) == "Regions(sky, ground; by labels)"


def test_scores_of_pictures_in_memory() -> None:
    scores = photostyle.compare(CONTENT, CONTENT, STYLE)
    assert list(scores) == ["(content)", "result 1"]
    assert scores["(content)"] == scores["result 1"]
    named = photostyle.compare({"ours": CONTENT, "none": CONTENT[::-1].copy()}, CONTENT, STYLE)
    assert named["ours"].structure > named["none"].structure
