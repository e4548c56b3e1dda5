"""Precision on request, and what happens where a device's memory does not do."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.encoders.base import Encoder
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.vgg import VggEncoder
from photostyle.jobs.executors import _names_a_gpu, _place
from photostyle.jobs.stylejob import StyleJob
from photostyle.objective.objective import Objective, build_objective
from photostyle.optimize.tiles import smaller_tile
from photostyle.pipeline import stylize
from photostyle.runtime.device import arithmetic, settled_precision
from photostyle.segmentation.scene import Scene
from tests.encoders.thin_vgg import thin_weights


def photo(seed: int, size: tuple[int, int] = (64, 96)) -> Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def objective(encoder: Encoder, precision: str, tile: int = 0) -> Objective:
    whole = torch.ones(1, 64, 96)
    scene, config = Scene(photo(1), photo(2), whole, whole), Config()
    terms = ("content", "style")
    return build_objective(
        scene, encoder, config.encoder, config.objective, terms, None, tile, precision
    )


def pull(made: Objective) -> tuple[float, Tensor]:
    image = photo(3).requires_grad_(True)
    total, _ = made(image)
    (gradient,) = torch.autograd.grad(total, image)
    return total.item(), gradient


@pytest.mark.parametrize("tile", [0, 32])
def test_narrow_maps_pull_the_same_way(tile: int) -> None:
    """bfloat16 keeps 8 bits of each value; the sums over positions are float32."""
    encoder = VggEncoder(thin_weights())
    exact, narrow = (pull(objective(encoder, p, tile)) for p in ("float32", "bfloat16"))
    assert narrow[0] == pytest.approx(exact[0], rel=0.05)
    assert narrow[0] != exact[0]
    assert narrow[1].dtype == torch.float32
    likeness = torch.cosine_similarity(exact[1].flatten(), narrow[1].flatten(), dim=0)
    assert likeness > 0.9


def test_targets_are_exact_in_either() -> None:
    encoder = VggEncoder(thin_weights())
    sources = [objective(encoder, p).terms[1].source for p in ("float32", "bfloat16")]
    for one, other in zip(*(source.targets.values() for source in sources), strict=True):
        assert torch.equal(one.statistics, other.statistics)


def test_the_filter_bank_stays_as_it_is() -> None:
    exact, asked = (pull(objective(BankEncoder(), p)) for p in ("float32", "bfloat16"))
    assert exact[0] == asked[0]
    assert torch.equal(exact[1], asked[1])


def test_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settled_precision(None, torch.device("cpu")) == "float32"
    assert settled_precision("auto", torch.device("cpu")) == "float32"
    assert settled_precision("bfloat16", torch.device("cpu")) == "bfloat16"
    for capability, wanted in (((8, 0), "bfloat16"), ((7, 5), "float32")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, c=capability: c)
        assert settled_precision(None, torch.device("cuda", 1)) == wanted
        assert settled_precision("float32", torch.device("cuda", 1)) == "float32"


def test_tf32_is_said_and_taken_back() -> None:
    matmul, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, convolutions.allow_tf32
    for precision, allowed in (("float32", False), ("bfloat16", True)):
        with arithmetic(precision):
            assert (matmul.allow_tf32, convolutions.allow_tf32) == (False, allowed)
    assert (matmul.allow_tf32, convolutions.allow_tf32) == before


class Small(BankEncoder):
    """An encoder on a device that holds no more than so many columns of a picture's maps."""

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        if image.requires_grad and image.shape[3] > 600:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().forward(image, layers)


def test_a_solve_goes_on_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    config = preset("gatys").with_options({"size": 640, "iterations": 1, "encoder": "builtin",
                                           "device": "cpu", "segmenter": "none", "init": "content",
                                           "tile_size": 0})  # fmt: skip
    pictures = photo(1, (60, 640))[0], photo(2, (100, 100))[0]
    whole = stylize(*pictures, config)
    monkeypatch.setattr("photostyle.encoders.weights.BankEncoder", Small)
    tiled = stylize(*pictures, config)
    assert any("tiles of 320 pixels" in note for note in tiled.notes)
    assert (tiled.image - whole.image).abs().max() < 1 / 255


def test_tiles_grow_smaller_to_an_end() -> None:
    config, encoder = Config(), BankEncoder()
    sides = []
    for _ in range(9):
        side = smaller_tile(config, encoder, (3000, 4000))
        if not side:
            break
        sides.append(side)
        config = config.with_options({"tile_size": side})
    assert sides == [1024, 512, 256]
    assert not smaller_tile(config, None, (3000, 4000))
    assert not smaller_tile(config.with_options({"style_term": "mrf"}), encoder, (3000, 4000))


def test_a_gpu_that_is_named_is_seen_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    assert [_place(n, 4)["CUDA_VISIBLE_DEVICES"] for n in range(4)] == ["0", "1", "2", "0"]
    assert "CUDA_VISIBLE_DEVICES" not in _place(1, 4, spread=False)
    jobs = [
        StyleJob("a", Path("a"), Path("b"), Config().with_options({"device": device}))
        for device in ("auto", "cuda", "cuda:1")
    ]
    assert [_names_a_gpu(job) for job in jobs] == [False, False, True]
