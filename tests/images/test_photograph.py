"""What of a picture is photograph: weights, filling, frames taken off and put back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.images.frames import Frame
from photostyle.images.photograph import filled, framed, photograph, unframed
from photostyle.images.picture import Metadata, Photo

SIZE = 60, 80


def noise(seed: int = 0) -> Tensor:
    return torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


def photo(image: Tensor, alpha: np.ndarray | None = None) -> Photo:
    return Photo(image, Metadata(alpha=alpha), Path("a.png"), "")


def cut_out() -> np.ndarray:
    alpha = np.zeros(SIZE, np.float32)
    alpha[20:40, 30:60] = 0.5
    alpha[25:35, 35:55] = 1.0
    return alpha


def test_weights_are_the_opacity() -> None:
    alpha = cut_out()
    found = photograph(photo(noise(), alpha))
    torch.testing.assert_close(found.weight, torch.from_numpy(alpha))
    seen = torch.from_numpy(alpha > 0)
    assert torch.equal(found.image[0][:, seen], noise()[0][:, seen])


def test_hidden_colours_are_gone() -> None:
    alpha = cut_out()
    seen = torch.from_numpy(alpha > 0)
    pictures = [torch.where(seen, noise(), torch.tensor(hidden)) for hidden in (0.0, 1.0)]
    one, other = (photograph(photo(picture, alpha)) for picture in pictures)
    assert torch.equal(one.image, other.image)
    assert one.image.min() >= 0
    assert one.image.max() <= 1


@pytest.mark.parametrize("alpha", [1.0, 0.4])
def test_the_same_everywhere_counts_alike(alpha: float) -> None:
    found = photograph(photo(noise(), np.full(SIZE, alpha, np.float32)))
    assert found.weight is None
    assert not found.unseen
    assert torch.equal(found.image, noise())


def test_what_moves_no_level_is_not_seen() -> None:
    alpha = np.ones(SIZE, np.float32)
    alpha[:30] = 1 / 255
    found = photograph(photo(noise(), alpha))
    assert found.weight is not None
    assert found.weight[:30].max() == 0


def test_wholly_transparent() -> None:
    found = photograph(photo(noise(), np.zeros(SIZE, np.float32)))
    assert found.unseen
    assert torch.equal(found.image, noise())


def test_filling_goes_on_from_what_is_near() -> None:
    image = torch.zeros(1, 3, *SIZE)
    image[..., 40:] = 1
    weight = torch.zeros(SIZE)
    weight[20:40] = 1
    out = filled(image, weight)
    assert out[..., :20, :16].max() < 0.15
    assert out[..., :20, 64:].min() > 0.85
    assert out[..., 18, :32].max() < 0.05
    assert torch.equal(out[..., 20:40, :], image[..., 20:40, :])
    assert filled(image, None) is image


def with_frame() -> Photo:
    image = torch.ones(1, 3, *SIZE)
    image[..., 6:54, 8:72] = noise()[..., 6:54, 8:72]
    return photo(image)


def test_a_frame_counts_for_nothing_and_comes_back() -> None:
    found = photograph(with_frame())
    assert found.frame == Frame(6, 6, 8, 8)
    assert found.weight is not None
    assert found.weight.sum() == 48 * 64
    assert found.weight[6:54, 8:72].min() == 1
    assert found.image[..., :6, :].max() < 0.9  # no white
    assert torch.equal(found.shown, with_frame().image)
    assert "top 6, bottom 6, left 8, right 8" in found.notes[0]
    result = framed(found.image * 0.5, found)
    assert torch.equal(result[..., 6:54, 8:72], 0.5 * noise()[..., 6:54, 8:72])
    assert result[..., :6, :].min() == result[..., :, 72:].min() == 1
    assert torch.equal(unframed(result, found)[..., 6:54, 8:72], result[..., 6:54, 8:72])
    assert unframed(result, found).max() <= 0.5
    half = framed(torch.zeros(1, 3, 30, 40), found)
    assert half[..., :3, :].min() == 1
    assert half[..., 3:27, 4:36].max() == 0


def test_what_has_neither_is_left_as_it_is() -> None:
    plain = photograph(photo(noise()))
    assert plain.weight is None
    assert plain.notes == ()
    assert plain.image is not None
    assert torch.equal(plain.image, noise())
    assert framed(noise(1), plain) is not None
    assert torch.equal(framed(noise(1), plain), noise(1))
    assert photograph(plain) is plain


def test_weights_at_another_size() -> None:
    found = photograph(photo(noise(), cut_out()))
    small = found.weight_at((30, 40))
    assert small is not None
    assert float(small.mean()) == pytest.approx(float(cut_out().mean()), abs=1e-6)
    assert replace(found, weight=None).weight_at((30, 40)) is None
