"""The whole product on a pretend accelerator: no stage mixes devices, and the pixels are the CPU's.

Stages hand tensors on and know nothing of each other, so each one's choices are gone through where
they are made, and the presets as wholes.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from photostyle.api import networks
from photostyle.color.lab import rgb_to_lab
from photostyle.config.config import Config, options
from photostyle.config.presets import PRESETS, preset
from photostyle.config.solves import CANVASES, OPTIMIZERS
from photostyle.encoders.base import Encoder
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.vgg import VggEncoder, VggOptions
from photostyle.feedforward.style_model import build_network, save_model
from photostyle.films.reading import FilmReader
from photostyle.images.picture import load_image
from photostyle.looks.fitting import fit_look
from photostyle.matting.product import LaplacianOperator
from photostyle.metrics import departure, heatmap, measured
from photostyle.objective.objective import Objective, build_objective
from photostyle.objective.tiling import kept_bytes, tile_side
from photostyle.optimize.canvas import Canvas, build_canvas
from photostyle.optimize.loop import minimise
from photostyle.pipeline import stylize
from photostyle.runtime.watching import Log, Silent
from photostyle.segmentation.scene import Scene
from photostyle.smoothness import stains
from tests import pretend_device
from tests.encoders.thin_vgg import thin_weights
from tests.feedforward.test_network import network
from tests.feedforward.test_style_model import info
from tests.films.clips import clip, picture

#: Largest difference of a pixel: the device's own arithmetic is the CPU's.
ROUNDING = 1e-5
CPU = torch.device("cpu")
SIZE = (48, 64)
TERMS = ("content", "style", "swd", "drift", "photoreal", "tv", "gamut")
CHOICES = {f.name: f.metadata["choices"] for _, f, _ in options() if f.metadata["choices"]}


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """The device, which `--device pretend:0` names."""
    pretend_device.register()
    for module in ("photostyle.pipeline", "photostyle.looks.fitting", "photostyle.api.networks"):
        monkeypatch.setattr(f"{module}.resolve_device", torch.device)
    return torch.device(pretend_device.NAME)


def photo(seed: int, size: tuple[int, int] = SIZE) -> Tensor:
    """1×3×H×W: a light sky over textured ground."""
    generator = torch.Generator().manual_seed(seed)
    ground = (torch.arange(size[0]) > size[0] // 2)[:, None].float()
    noise = torch.rand(3, *size, generator=generator)
    tint = torch.rand(3, 1, 1, generator=generator)
    return (0.6 * tint + 0.2 + (0.05 + 0.15 * ground) * (noise - 0.5)).clamp(0, 1)[None]


def halves(size: tuple[int, int] = SIZE) -> np.ndarray:
    labels = np.zeros(size, np.uint8)
    labels[size[0] // 2 :] = 1
    return labels


@functools.cache
def scene(place: torch.device) -> Scene:
    masks = torch.stack([torch.from_numpy(halves() == k).float() for k in range(2)])
    masks = torch.nn.functional.avg_pool2d(masks, 5, 1, 2)  # soft borders
    masks = masks / masks.sum(0)
    return Scene(photo(1), photo(2), masks, masks.flip(1)).to(place)


def encoder(kind: str, place: torch.device) -> Encoder:
    average = VggOptions(pooling="average", padding="reflect")
    made = BankEncoder() if kind == "builtin" else VggEncoder(thin_weights(), average)
    return made.to(place)


@functools.cache
def objective(place: torch.device, kind: str = "builtin", tile: int = 0, **weights) -> Objective:
    pair, config = scene(place), Config().with_options({"tv_weight": 1e-3, **weights})
    laplacian = LaplacianOperator.of(pair.content.cpu(), device=place)
    return build_objective(
        pair, encoder(kind, place), config.encoder, config.objective, TERMS, laplacian, tile
    )


def same(found: Tensor, expected: Tensor, budget: float = ROUNDING) -> None:
    assert found.cpu().shape == expected.shape
    assert (found.detach().cpu() - expected.detach()).abs().max() <= budget * expected.abs().max()


def on_both(run: Callable[[str], Tensor]) -> None:
    same(run(pretend_device.NAME), run("cpu"))


def styled(name: str, place: str, **chosen: object) -> Tensor:
    config = preset(name).with_options(
        {
            "size": 64,
            "iterations": 2,
            "encoder": "builtin",
            "affine_radius": 3,
            **chosen,
            "device": place,
        }
    )
    result = stylize(
        photo(1)[0], photo(2, (70, 60))[0], config,
        content_mask=halves(), style_mask=halves((70, 60)),
    )  # fmt: skip
    assert result.device == place
    return result.image


def test_what_is_on_both_devices_is_refused(device: torch.device) -> None:
    here, there = torch.rand(3), torch.rand(3).to(device)
    for mixed in (
        lambda: here + there,
        lambda: torch.cat([here, there]),
        lambda: there @ here,
        lambda: there.addcmul_(here, here),
        lambda: torch.where(there > 0, there, here),
    ):
        with pytest.raises(RuntimeError, match=r"tensors on pretend:0 and the CPU"):
            mixed()
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, device=device, generator=torch.Generator())
    assert (there * torch.tensor(2.0)).device == device  # a number is no tensor of a place
    assert there[torch.tensor([2, 0])].device == device


def test_copies_and_waits_are_counted(device: torch.device) -> None:
    with pretend_device.counting() as seen:
        there = torch.rand(3).to(device)
        there.copy_(torch.zeros(3))
        there.cpu(), there.sum().item(), bool(there.any()), there.nonzero(), there.tolist()
        there + 1, there.to(device), there.clone()
    assert seen == {"to device": 2, "to host": 2, "item": 2, "nonzero": 1}


def test_a_tensor_that_is_made_in_the_wrong_place_shows(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(values: object, like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype)

    monkeypatch.setattr("photostyle.color.lab.constant", forgetful)
    rgb_to_lab(torch.rand(5, 3))
    with pytest.raises(RuntimeError, match=r"tensors on pretend:0 and the CPU, \[\(3, 3\)\]"):
        styled("photoreal-fast", pretend_device.NAME)


@pytest.mark.parametrize(
    "name", [name for name in PRESETS if name not in ("fast", "wct", "artflow")]
)
def test_every_preset(name: str) -> None:
    on_both(lambda place: styled(name, place))


def test_a_network_as_a_preset(tmp_path: Path) -> None:
    model = tmp_path / "net.safetensors"
    save_network(model)
    on_both(lambda place: styled("fast", place, model=str(model), iterations=1))


@pytest.mark.parametrize("chosen", [
    *({"postprocess": word} for word in CHOICES["postprocess"]),
    {"postprocess": "guided", "rare_colors": 0.5, "strength": "0.7"},
    {"protect": "skin", "output_size": 96, "strength": "0.5"},
    *({"preserve_color": word} for word in CHOICES["preserve_color"]),
    *({"init": word} for word in CHOICES["init"]),
    {"edge_softness": 5.0},
], ids=str)  # fmt: skip
def test_what_a_run_can_be_told(chosen: dict[str, object]) -> None:
    on_both(lambda place: styled("color", place, **chosen))


#: Encoder, style term, scaling and tile: any two of them meet.
OBJECTIVES = [
    ("builtin", "gram", "target", 0), ("vgg", "gram", "dpst", 32), ("builtin", "gram", "gatys", 32),
    ("vgg", "mean-std", "target", 32), ("builtin", "mean-std", "dpst", 32),
    ("vgg", "mean-std", "gatys", 0), ("vgg", "mrf", "target", 0), ("builtin", "mrf", "dpst", 0),
    ("vgg", "mrf", "gatys", 0),
]  # fmt: skip


def test_all_terms_and_scalings_are_gone_through() -> None:
    _, terms, scalings, _ = map(set, zip(*OBJECTIVES, strict=True))
    assert (terms, scalings) == (set(CHOICES["style_term"]), set(CHOICES["scaling"]))


@pytest.mark.parametrize(("kind", "term", "scaling", "tile"), OBJECTIVES)
def test_every_objective(
    kind: str, term: str, scaling: str, tile: int, device: torch.device
) -> None:
    form = {"target": "squares", "dpst": "power", "gatys": "length"}[scaling]
    found = []
    for place in (device, CPU):
        made = objective(place, kind, tile, style_term=term, scaling=scaling, tv_form=form)
        image = (0.9 * photo(1)).to(place).requires_grad_(True)
        total, terms = made(image)
        (gradient,) = torch.autograd.grad(total, image)
        found.append([total, *terms.values(), gradient])
    for mine, expected in zip(*found, strict=True):
        assert mine.device == device
        same(mine, expected)


def save_network(path: Path) -> None:
    about = info()
    save_model(path, build_network(about.config.network, 1), about)


def canvas(kind: str, place: torch.device) -> Canvas:
    content = scene(place).content
    net = network().to(place) if kind == "network" else None
    return build_canvas(kind, 0.9 * content, content, 1e4, "maps", net)


@pytest.mark.parametrize("kind", CANVASES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_canvas_and_optimiser(kind: str, optimizer: str) -> None:
    def solved(name: str) -> Tensor:
        place = torch.device(name)
        moved = canvas(kind, place)
        list(minimise(moved, objective(place), optimizer=optimizer, iterations=2))
        return moved.render(scene(place).content, scene(place).content)

    on_both(solved)


# How often the host waits.


@pytest.mark.parametrize(("kind", "again"), [("builtin", 0), ("vgg", 0), ("vgg", 32)])
def test_the_objective_never_waits(kind: str, again: int, device: torch.device) -> None:
    """No copy and no value for the host, so that it can be captured as a graph."""
    made = objective(device, kind, again)
    image = photo(3).to(device).requires_grad_(True)

    def call() -> None:
        torch.autograd.grad(made(image)[0], image)

    call()  # constants come to the device once
    with pretend_device.counting() as seen:
        call()
    if not again:
        assert not seen
    assert not seen.keys() & {"to host", "to device"}


@pytest.mark.parametrize("kind", CANVASES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_solve_waits_once_a_call(kind: str, optimizer: str, device: torch.device) -> None:
    """One transfer a call of the objective: what the line search decides and what is reported."""
    loop = minimise(canvas(kind, device), objective(device), optimizer=optimizer, iterations=4)
    first = next(loop)
    with pretend_device.counting() as seen:
        *_, last = loop
    assert last.iteration == 4
    assert seen == {"to host": last.calls - first.calls}


def test_memory_is_measured_where_storages_have_no_address(device: torch.device) -> None:
    layers = Config().encoder.style_layers
    found, expected = (kept_bytes(encoder("vgg", place), layers) for place in (device, CPU))
    assert expected / 2 < found < 3 * expected
    assert tile_side(encoder("vgg", device), layers, (4000, 4000), 1 << 28) > 0


def test_figures_and_maps(device: torch.device) -> None:
    image = photo(4)
    log = Log(Silent(), None)  # type: ignore[arg-type]
    found, expected = (measured(image.to(p), scene(p), log) for p in (device, CPU))
    assert vars(found) == pytest.approx(vars(expected), rel=ROUNDING)
    masks = scene(CPU).content_masks
    for draw in (departure, heatmap, lambda a, b: stains(a, b, masks.to(a.device))):
        same(draw(image.to(device), photo(1).to(device)), draw(image, photo(1)))


# Looks, networks and films.


def test_a_look(device: torch.device) -> None:
    def shown(place: str) -> Tensor:
        made = fit_look(
            photo(2)[0], photo(1)[0], "photoreal-fast", content_masks=halves(),
            style_mask=halves(), size=64, iterations=2, device=place,
        )  # fmt: skip
        same(made.changed(photo(3).to(place)), made.changed(photo(3)))
        return made.apply(photo(3)[0]).image

    on_both(shown)


@pytest.mark.parametrize("chosen", [{}, {"optimizer": "adam", "norm": "batch"}], ids=str)
def test_training_steps(tmp_path: Path, chosen: dict[str, object]) -> None:
    def trained(place: str) -> Tensor:
        out = tmp_path / f"{place[:3]}.safetensors"
        networks.train(
            photo(2)[0], out=out, size=48, batch=2, steps=3, width=0.1, blocks=1, workers=0,
            encoder="builtin", style_layers=("relu1_1", "relu2_1"), content_layers=("relu2_1",),
            style_size=48, preview_every=3, checkpoint_every=2, precision="float32",
            device=place, **chosen,
        )  # fmt: skip
        made = networks.apply(photo(1)[0], out, device=place)
        return made.image

    on_both(trained)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    save_network(folder / "net.safetensors")
    clip(folder / "in" / "film.mp4", 3, options={"qp": "2"})
    Image.fromarray(picture(0)).save(folder / "in" / "picture.png")
    return folder


def test_networks_on_pictures_and_films(files: Path, tmp_path: Path) -> None:
    for place in ("cpu", pretend_device.NAME):
        networks.apply(
            [files / "in"], files / "net.safetensors", out=tmp_path / place, device=place, memory=1
        )
    shown = [tmp_path / place for place in (pretend_device.NAME, "cpu")]
    same(*(load_image(folder / "picture.png").image for folder in shown))
    frames = []
    for folder in shown:
        with FilmReader(folder / "film.mp4") as film:
            frames.append(np.stack(list(film.frames())))
    assert frames[0].shape[0] == 3
    assert np.array_equal(*frames)
