"""What runs share: bounded, keyed by content, and without any effect on the pixels."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.config.solves import GRID, PIXELS
from photostyle.encoders.builtin import BankEncoder
from photostyle.errors import ImageError
from photostyle.images.saving import save_image
from photostyle.pipeline import stylize
from photostyle.result import load_recipe
from photostyle.runtime.memory import Memory, digest, held_bytes

SMALL = {"size": 64, "iterations": 3, "encoder": "builtin", "device": "cpu"}
BOTH = replace(Config(), optimize=replace(Config().optimize, solves=(GRID, PIXELS)))


@dataclass(frozen=True)
class Two:
    first: Tensor
    second: tuple[Tensor, ...]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pair")
    generator = torch.Generator().manual_seed(3)
    for name, size in (("content.png", (56, 72)), ("style.png", (64, 60))):
        ramp = torch.linspace(0.1, 0.8, size[0])[:, None].expand(3, *size)
        save_image(folder / name, (ramp + 0.2 * torch.rand(3, *size, generator=generator))[None])
    return folder / "content.png", folder / "style.png"


def test_made_once_and_forgotten_in_order() -> None:
    memory, made = Memory(limit=300), []

    def make(name: str) -> Tensor:
        made.append(name)
        return torch.zeros(25)  # 100 bytes

    for name in "abcabdda":  # d pushes out c, which was asked for longest ago
        memory.get(name, lambda name=name: make(name))
    memory.get("c", lambda: make("c"))
    assert made == ["a", "b", "c", "d", "c"]
    assert (memory.hits, memory.misses) == (4, 5)


def test_what_is_too_large_is_not_kept() -> None:
    memory = Memory(limit=99)
    assert memory.get("a", lambda: torch.zeros(25)) is not memory.get("a", lambda: torch.zeros(25))


def test_bytes_of_nested_values() -> None:
    value = {
        "a": Two(torch.zeros(2, 3), (torch.zeros(4, dtype=torch.float64),)),
        "b": [torch.ones(1)],
    }
    assert held_bytes(value) == 24 + 32 + 4
    assert held_bytes(torch.nn.Linear(3, 2)) == 4 * (6 + 2)


def test_digest_tells_values_shapes_and_kinds_apart() -> None:
    x = torch.arange(6.0)
    values = [x, x + 1, x.reshape(2, 3), x.double(), Two(x, (x,)), Two(x, (x + 1,)), Two(x, ())]
    assert len({digest(v) for v in values}) == len(values)
    assert digest(x.reshape(2, 3).T.contiguous().T) == digest(x.reshape(2, 3))


def test_encoder_remembers_what_it_is_asked_to() -> None:
    encoder = BankEncoder()
    image, layers = torch.rand(1, 3, 64, 64), ("relu1_1", "relu2_1")
    assert encoder.remembered(image, layers).keys() == set(layers)
    encoder.memory = Memory()
    first, second = encoder.remembered(image, layers), encoder.remembered(image.clone(), layers)
    assert all(first[n] is second[n] for n in layers)
    assert torch.equal(encoder(image, layers)["relu1_1"], first["relu1_1"])
    assert (encoder.memory.hits, encoder.memory.misses) == (1, 1)
    copied = copy.deepcopy(encoder)
    assert copied.memory is not encoder.memory
    assert copied.remembered(image, layers)["relu1_1"] is not first["relu1_1"]


@pytest.mark.parametrize(
    "base", [BOTH.with_options({"postprocess": "guided"}), BOTH, preset("photoreal-fast"),
             preset("color")],
)  # fmt: skip
def test_shared_work_leaves_the_pixels_as_they_are(pair: tuple[Path, Path], base: Config) -> None:
    memory = Memory()
    for weights in ({"photoreal_weight": 1e2}, {"photoreal_weight": 1e6}, {"style_weight": 1e3},
                    {"size": 56}, {"matting_epsilon": 1e-5}, {"init": "style"}):  # fmt: skip
        config = base.with_options({**SMALL, **weights})
        alone = stylize(*pair, config)
        for _ in range(2):
            assert torch.equal(stylize(*pair, config, memory=memory).image, alone.image)
    assert memory.hits > memory.misses


def test_a_changed_file_is_read_again(pair: tuple[Path, Path], tmp_path: Path) -> None:
    content, memory, config = tmp_path / "c.png", Memory(), preset("color").with_options(SMALL)
    image = torch.full((1, 3, 64, 64), 0.3)
    image[:, :, 32:] = 0.7
    save_image(content, image)
    before = stylize(content, pair[1], config, memory=memory)
    save_image(content, image.flip(2))
    after = stylize(content, pair[1], config, memory=memory)
    assert before.inputs.content.sha256 != after.inputs.content.sha256
    assert torch.equal(after.image, stylize(content, pair[1], config).image)


def test_a_run_begins_at_another_picture(pair: tuple[Path, Path], tmp_path: Path) -> None:
    config = preset("photoreal").with_options({**SMALL, "iterations": 0, "postprocess": "none"})
    neighbour = tmp_path / "neighbour.png"
    stylize(*pair, config.with_options({"iterations": 3})).save(neighbour)
    cold, warm = stylize(*pair, config), stylize(*pair, config, start=neighbour)
    assert not torch.equal(cold.image, warm.image)
    warm.save(tmp_path / "warm.png")
    assert load_recipe(tmp_path / "warm.png").inputs.start.path == neighbour


def test_a_start_of_other_proportions_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    save_image(tmp_path / "wide.png", torch.zeros(1, 3, 50, 300))
    with pytest.raises(ImageError, match=r"wide\.png has other proportions"):
        stylize(*pair, preset("color").with_options(SMALL), start=tmp_path / "wide.png")
