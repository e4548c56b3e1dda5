"""Networks on a pretend accelerator whose memory does not do; see test_pretend_device."""

import pytest
import torch
from torch import Tensor, nn

from photostyle.feedforward import applying
from photostyle.feedforward.applying import styled
from photostyle.feedforward.style_model import StyleModel
from tests import pretend_device
from tests.feedforward.test_network import network
from tests.feedforward.test_style_model import info


def photo(seed: int, size: tuple[int, int] = (64, 96)) -> Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def test_fewer_pictures_go_through_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_device.register()
    images = torch.cat([photo(seed) for seed in range(5)])
    expected = styled(StyleModel(network().eval(), info()), images, None)
    model = StyleModel(network().eval().to(pretend_device.NAME), info())
    real, seen, notes = applying.stylised, [], []

    def stylised(net: nn.Module, batch: Tensor, memory: int | None = None) -> Tensor:
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        seen.append(len(batch))
        return real(net, batch, memory)

    monkeypatch.setattr(applying, "stylised", stylised)
    torch.testing.assert_close(styled(model, images, None, notes.append), expected)
    assert seen == [2, 1, 2]
    assert all("less went through at once" in note for note in notes)


def test_what_fits_no_device_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = []

    def stylised(net: nn.Module, batch: Tensor, memory: int | None = None) -> Tensor:
        rooms.append(memory)
        raise torch.OutOfMemoryError("CUDA out of memory.")

    pretend_device.register()
    monkeypatch.setattr(applying, "stylised", stylised)
    model = StyleModel(network().eval().to(pretend_device.NAME), info())
    with pytest.raises(torch.OutOfMemoryError):
        styled(model, photo(1), 1 << 26)
    assert rooms == [1 << 26, 1 << 25, 1 << 24]
