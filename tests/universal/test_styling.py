"""A style encoded once, and rounds that do not wear a picture out."""

import pytest
import torch

from photostyle.config.universal import LatentsConfig
from photostyle.segmentation.scene import Reference
from photostyle.universal.latents import Transform
from photostyle.universal.styling import OUTSIDE, Stylist, settled, stylist
from photostyle.universal.wavelets import WaveletPackets
from tests.universal.test_flow import network
from tests.universal.test_photoreal import smooth


def made(transform: Transform, style: torch.Tensor, **options: object) -> Stylist:
    reference = Reference(style, torch.ones(1, *style.shape[2:]), 1.0)
    return stylist([transform], [reference], LatentsConfig(**options))  # type: ignore[arg-type]


def test_settled_keeps_what_fits_and_draws_the_rest_together() -> None:
    fits = smooth(1, (40, 40), 0.1, 0.7)
    assert torch.equal(settled(fits), fits)
    wild = 3 * torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0)) - 1
    found = settled(wild)
    assert found.min() >= 0
    assert found.max() <= 1
    assert (found.mean(dim=(2, 3)) - wild.mean(dim=(2, 3))).abs().max() < 0.01
    cut = ((found == 0) | (found == 1)).any(dim=1).float().mean()
    assert cut < 2 * OUTSIDE + 1 / 1600
    flat = torch.corrcoef(torch.stack([found.flatten(), wild.flatten()]))[0, 1]
    assert flat > 0.98


@pytest.mark.parametrize("transform", [WaveletPackets(2), network()], ids=["packets", "flow"])
def test_twenty_rounds_are_as_good_as_one(transform: Transform) -> None:
    """The content leak of reversible transforms: none."""
    content, style = smooth(1, (41, 54), 0.3, 0.5), smooth(2, (48, 48), 0.05, 0.5)
    one_pass = made(transform, style, transfer="adain")
    first = picture = one_pass.styled(content)
    for _ in range(19):
        picture = one_pass.styled(picture)
    assert (picture - first).abs().max() < 0.02
    assert (first - content).abs().max() > 0.1


@pytest.mark.parametrize("transform", [WaveletPackets(2), network()], ids=["packets", "flow"])
def test_there_and_back(transform: Transform) -> None:
    content, style = smooth(1, (41, 54), 0.3, 0.5), smooth(2, (48, 48), 0.05, 0.5)
    there = made(transform, style, transfer="adain").styled(content)
    back = made(transform, content, transfer="adain").styled(there)
    assert (back - content).abs().max() < 0.02
    assert (there - content).abs().max() > 0.1


def test_pictures_of_a_batch_are_styled_each_for_itself() -> None:
    style = smooth(2, (48, 48), 0.05, 0.5)
    one_pass = made(WaveletPackets(2), style, transfer="wct")
    both = torch.cat([smooth(n, (32, 36), 0.3, 0.5) for n in (1, 5)])
    found = one_pass.styled(both)
    for n in range(2):
        assert torch.equal(found[n], one_pass.styled(both[n : n + 1])[0])
    assert torch.equal(one_pass.styled(both), found)  # a film that stands still does
