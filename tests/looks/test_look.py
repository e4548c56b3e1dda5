"""Looks as values and files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from photostyle.config.rendering import RenderConfig
from photostyle.errors import ImageError, LookError, MaskError, OptionError
from photostyle.images.picture import LUMA
from photostyle.looks.look import Look
from photostyle.looks.provenance import About
from tests.looks.scenes import by_definition, gentle, photo, picture

HALVES = torch.zeros(2, 72, 96)
HALVES[0, :, :48], HALVES[1, :, 48:] = 1, 1


def regional() -> Look:
    return Look(gentle(1), {"sky": gentle(2), "ground": gentle(3)})


@pytest.mark.parametrize("size", [(72, 96), (1, 1), (70, 3), (3, 600), (129, 1030)])
def test_the_map_of_the_whole_is_its_definition(size: tuple[int, int]) -> None:
    image, look = picture(4, size), Look(gentle())
    expected = by_definition(look.whole, image).clip(0, 1)
    assert np.abs(look.apply(image).image[0].permute(1, 2, 0).numpy() - expected).max() < 1e-5


def test_regions_have_their_own_maps_away_from_the_border() -> None:
    image, look = picture(5), regional()
    out = (
        look.apply(image, {"sky": HALVES[0], "ground": HALVES[1]}).image[0].permute(1, 2, 0).numpy()
    )
    for name, columns in (("sky", slice(0, 30)), ("ground", slice(66, 96))):
        expected = by_definition(look.regions[name], image).clip(0, 1)
        gap = np.abs(out - expected)[:, columns]
        assert np.quantile(gap, 0.9) < 0.01
        assert np.quantile(np.abs(out - by_definition(look.whole, image))[:, columns], 0.9) > 0.02


def test_unknown_and_uncovered_regions_have_the_look_of_the_whole() -> None:
    image, look = picture(6), regional()
    whole = look.apply(image).image
    assert torch.equal(look.apply(image, {"sea": HALVES[0], "sand": HALVES[1]}).image, whole)
    part = look.apply(image, {"sky": HALVES[0]}).image  # the rest has no name
    assert (part - whole)[..., 66:].abs().quantile(0.9) < 0.01
    assert (part - whole)[..., :30].abs().quantile(0.9) > 0.02


def test_a_saved_and_loaded_look_is_the_look(tmp_path: Path) -> None:
    facts = {"made": "fit", "style": {"path": "a/nächtlich.jpg", "sha256": "0"}}
    look = Look(gentle(1), {"sky": gentle(2), "Erde #2": gentle(3)}, About(facts, b"\x89PNG"))
    look.save(tmp_path / "a.look")
    again = Look.load(tmp_path / "a.look")
    assert again.sha256 == look.sha256
    assert again.about == look.about
    assert "nächtlich.jpg" in repr(again)
    assert again._repr_png_() == b"\x89PNG"
    masks = {"Erde #2": HALVES[0], "sky": HALVES[1]}
    for seed in range(3):
        image = picture(seed)
        assert torch.equal(again.apply(image, masks, strength=0.6, color=0.5).image,
                           look.apply(image, masks, strength=0.6, color=0.5).image)  # fmt: skip


def test_strength_luminance_and_colour_are_shares_of_the_change() -> None:
    image, look = picture(7), Look(gentle())
    whole = look.apply(image).image
    assert torch.equal(look.apply(image, strength=0).image, image)
    half = look.apply(image, strength=0.5).image
    assert torch.allclose(half, torch.lerp(image, whole, 0.5), atol=1e-5)
    weights = torch.tensor(LUMA)[:, None, None]
    light = look.apply(image, color=0).image
    luma = [(x[0] * weights).sum(0) for x in (image, whole, light)]
    assert torch.allclose(luma[2], luma[1], atol=1e-4)
    assert torch.allclose(light - luma[2], image - luma[0], atol=1e-4)


def test_strength_by_region_reaches_pictures_without_it() -> None:
    image, look = picture(8), regional()
    masks = {"sky": HALVES[0], "ground": HALVES[1]}
    assert torch.equal(look.apply(image, strength="1,sky=0").image, look.apply(image).image)
    gone = look.apply(image, masks, strength="1,sky=0").image
    assert (gone - image)[..., :30].abs().quantile(0.9) < 0.01
    assert (gone - image)[..., 66:].abs().quantile(0.9) > 0.02
    kept = look.apply(image, masks, protect="sky").image
    assert torch.equal(kept, gone)
    for options in ({"strength": "sea=0.5"}, {"protect": "sea"}, {"strength": 1.5}):
        with pytest.raises(OptionError, match=r"sea|from 0 to 1"):
            look.apply(image, masks, **options)  # type: ignore[arg-type]


def test_pictures_come_as_files_photos_and_tensors(tmp_path: Path) -> None:
    from photostyle.images.saving import save_image

    image, look = picture(9).mul(255).round().div(255), Look(gentle())
    save_image(tmp_path / "a.png", image)
    for given in (tmp_path / "a.png", str(tmp_path / "a.png"), photo(image)):
        assert torch.allclose(look.apply(given).image, look.apply(image).image, atol=1e-6)
    with pytest.raises(ImageError, match=r"\[0, 1\]"):
        look.apply(image * 300)
    with pytest.raises(MaskError, match="height×width"):
        regional().apply(image, {"sky": HALVES})


def damaged(path: Path, how: str) -> Path:
    """A file that is no good look."""
    Look(gentle(), {"sky": gentle(1)}).save(path)
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {n: file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    if how == "version":
        metadata["format"] = "2"
    elif how == "other":
        metadata = {"format": "pt"}
    elif how == "changed":
        tensors["whole"][3, 1] += 0.5
    elif how == "names":
        metadata["regions"] = json.dumps(["sky", "sea"])
    elif how == "nan":
        bad = Look(gentle(), {"sky": gentle(1) * float("nan")})
        bad.save(path)
    elif how == "shape":
        Look(gentle()[:20].clone()).save(path)
    if how in ("version", "other", "changed", "names"):
        save_file(tensors, path, metadata)
    data = path.read_bytes()
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "text":
        path.write_text("LUT_3D_SIZE 2")
    elif how == "empty":
        path.write_bytes(b"")
    return path


SAYS = {
    "version": "version 2; this photostyle reads version 1", "other": "no look but a",
    "changed": "damaged", "names": "damaged", "nan": "damaged", "shape": "damaged",
    "truncated": "no look, or an incomplete one", "text": "no look", "empty": "no look",
}  # fmt: skip


@pytest.mark.parametrize("how", SAYS)
def test_other_files_are_refused_by_name(tmp_path: Path, how: str) -> None:
    with pytest.raises(LookError, match=SAYS[how]) as caught:
        Look.load(damaged(tmp_path / "bad.look", how))
    assert "bad.look" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_and_other_suffixes(tmp_path: Path) -> None:
    with pytest.raises(LookError, match="does not exist"):
        Look.load(tmp_path / "none.look")
    with pytest.raises(LookError, match="is a folder"):
        Look.load(tmp_path)
    with pytest.raises(LookError, match=r"should end in \.look"):
        Look(gentle()).save(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_check_knows_the_looks_regions() -> None:
    regional().check(RenderConfig(strength="1,sky=0.5", protect="ground,skin"))
    with pytest.raises(OptionError, match="there is no region 'sky'"):
        Look(gentle()).check(RenderConfig(strength="1,sky=0.5"))
