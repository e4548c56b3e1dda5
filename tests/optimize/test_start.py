"""Starting pictures."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from photostyle.color.matching import Matches, changed
from photostyle.optimize import start as module
from photostyle.optimize.start import start_image, start_of
from photostyle.segmentation.scene import Scene


@pytest.fixture
def scene() -> Scene:
    generator = torch.Generator().manual_seed(0)
    content = torch.rand(1, 3, 40, 50, generator=generator) * 0.5
    style = torch.rand(1, 3, 30, 30, generator=generator) * 0.3 + 0.6
    return Scene(content, style, torch.ones(1, 40, 50), torch.ones(1, 30, 30))


def test_color_has_the_styles_mean(scene: Scene) -> None:
    start = start_image(scene, "color", 0)
    means = [x.mean(dim=(0, 2, 3)) for x in (start, scene.style, scene.content)]
    assert (means[0] - means[1]).abs().max() < 0.1 * (means[2] - means[1]).abs().max()


def test_content_is_a_copy(scene: Scene) -> None:
    start = start_image(scene, "content", 0)
    assert torch.equal(start, scene.content)
    assert start.data_ptr() != scene.content.data_ptr()


def test_style_is_brought_to_the_contents_size(scene: Scene) -> None:
    assert start_image(scene, "style", 0).shape == scene.content.shape


def test_noise_follows_its_seed(scene: Scene) -> None:
    first, again, other = (start_image(scene, "noise", seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_only_a_start_of_colours_is_matched(scene: Scene) -> None:
    for init in ("content", "style", "noise"):
        start = start_of(scene, init, 3)
        assert start.matches is None
        assert torch.equal(start.picture, start_image(scene, init, 3))


def test_pictures_that_are_not_kin_start_by_their_colours(scene: Scene) -> None:
    start = start_of(scene, "color", 0)
    assert start.matches is not None
    assert not start.matches.kinship.any()
    assert torch.equal(start.picture, start_image(scene, "color", 0))


def test_found_regions_are_matched_as_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "match_regions", lambda *_: pytest.fail("regions one by one"))
    masks = torch.full((2, 40, 50), 0.5)
    two = Scene(scene.content, scene.content.clone(), masks, masks)
    start = start_of(two, "color", 0, as_one=True)
    assert start.matches is not None
    assert start.matches.kinship.tolist() == [start.matches.kinship[0]] * 2
    np.testing.assert_array_equal(*start.matches.change)


def matches_of(*kinship: float) -> Matches:
    change = np.zeros((len(kinship), 20, 3))
    change[:, 0] = 0.1
    return Matches(change, np.array(kinship))


def test_start_follows_the_matches_as_far_as_they_are_kin(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = torch.zeros(2, 40, 50)
    masks[0, :, :20], masks[1, :, 20:] = 1, 1
    two = replace(scene, content_masks=masks, style_masks=torch.full((2, 30, 30), 0.5))
    plain = start_image(two, "color", 0)
    moved = changed(two.content, masks, matches_of(1, 1))
    for kinship in ((1, 1), (1, 0), (0.5, 1)):
        monkeypatch.setattr(module, "match_regions", lambda *_, k=kinship: matches_of(*k))
        start = start_of(two, "color", 0)
        share = kinship[0] * masks[0] + kinship[1] * masks[1]
        torch.testing.assert_close(start.picture, torch.lerp(plain, moved, share))
        assert start.matches is not None
        assert start.matches.kinship.tolist() == list(kinship)
