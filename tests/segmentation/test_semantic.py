"""A tiny network of segmentation-models-pytorch, made and saved here, through the real path."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from photostyle.errors import OptionError, WeightsError
from photostyle.segmentation import semantic
from photostyle.segmentation.segmenter import Wishes, segment_pair
from photostyle.segmentation.semantic import (
    SemanticNetwork,
    load_groups,
    load_network,
    network_at_hand,
)

smp = pytest.importorskip("segmentation_models_pytorch")

CLASSES = ("sky", "tree", "grass", "zeppelin")
MEAN, STD = (100.0, 110.0, 120.0), (50.0, 51.0, 52.0)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small U-Net that has learnt four colours, saved as the library saves its own."""
    torch.manual_seed(0)
    model = smp.Unet(
        "resnet18", encoder_weights=None, encoder_depth=3, decoder_channels=(16, 8, 8),
        classes=len(CLASSES),
    )  # fmt: skip
    train(model)
    folder = tmp_path_factory.mktemp("network")
    model.save_pretrained(folder)
    steps = [
        {"__class_fullname__": "Resize", "height": 64, "width": 64},
        {"__class_fullname__": "Normalize", "mean": MEAN, "std": STD, "max_pixel_value": 1.0},
    ]
    (folder / semantic.PREPROCESSING).write_text(json.dumps({"transform": {"transforms": steps}}))
    (folder / semantic.CLASSES).write_text("\n".join(CLASSES))
    return folder


COLOURS = torch.tensor([(0.2, 0.4, 0.95), (0.1, 0.4, 0.1), (0.5, 0.9, 0.3), (0.9, 0.1, 0.1)])


def scene(seed: int, size: int = 64) -> tuple[Tensor, Tensor]:
    """An image of four quarters in random order, and the class of each pixel."""
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    ids = order.reshape(2, 2).repeat_interleave(size // 2, 0).repeat_interleave(size // 2, 1)
    return COLOURS[ids].permute(2, 0, 1)[None], ids[None]


def train(model: nn.Module) -> None:
    """A few steps until the network knows the four colours."""
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    pairs = [scene(seed, 32) for seed in range(8)]
    images = torch.cat([image for image, _ in pairs])
    targets = torch.cat([target for _, target in pairs])
    normal = (images * 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    for _ in range(25):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(normal), targets).backward()
        optimizer.step()


def test_network_finds_groups(checkpoint: Path) -> None:
    network = SemanticNetwork(checkpoint, load_groups(None))
    image, ids = scene(3, size=96)
    labels = network.label(image)
    group = np.array(["sky", "vegetation", "vegetation", "other"])
    found = np.array(labels.names)[labels.ids]
    assert (found == group[ids[0].numpy()]).mean() > 0.9
    assert labels.notes == ()


def test_mirrored_picture_gives_mirrored_regions(checkpoint: Path) -> None:
    network = SemanticNetwork(checkpoint, load_groups(None))
    image, _ = scene(5)
    straight, mirrored = network.label(image).ids, network.label(image.flip(3)).ids
    assert (straight == mirrored[:, ::-1]).mean() > 0.99


def test_normalisation_is_the_checkpoint_s(checkpoint: Path) -> None:
    network = SemanticNetwork(checkpoint, load_groups(None))
    assert network.mean == pytest.approx([v / 255 for v in MEAN])
    assert network.std == pytest.approx([v / 255 for v in STD])
    assert network.side == 64


def test_pair_through_the_whole_segmenter(checkpoint: Path) -> None:
    (content, _), (style, _) = scene(1, 96), scene(2, 128)
    wishes = Wishes("semantic", str(checkpoint))
    masks, made = segment_pair(content, style, (None, None), wishes)
    assert {region.name for region in masks.regions} == {"sky", "vegetation", "other"}
    assert made.used == "semantic"
    assert len(made.fingerprint) == 64
    assert masks.style.shape[1:] == (128, 128)


def test_auto_takes_a_folder_and_never_fetches(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    def fetched(name: str) -> Path:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(semantic, "_fetched", fetched)
    assert network_at_hand(str(checkpoint))
    assert not network_at_hand(None)
    with pytest.raises(WeightsError, match="nobody/nothing is not on this machine"):
        network_at_hand("nobody/nothing")


def test_own_table(checkpoint: Path, tmp_path: Path) -> None:
    table = tmp_path / "groups.toml"
    table.write_text('[groups]\nair = ["sky", "zeppelin"]\ngreen = ["tree", "moss"]\n')
    network = load_network(str(checkpoint), load_groups(str(table)))
    image, _ = scene(4)
    labels = network.label(image)
    assert labels.names == ("air", "green", "other")
    assert set(np.unique(labels.ids)) == {0, 1, 2}
    assert "does not have: moss" in labels.notes[0]
    assert network.fingerprint != SemanticNetwork(checkpoint, load_groups(None)).fingerprint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[groups", "not well-formed"),
        ("a = 1", "needs a table"),
        ('[groups]\nsky = "sky"', "needs a table"),
        ('[groups]\nsky = ["sky"]\n[near]\nsky = ["lake"]', "'lake', which is no group"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "groups.toml").write_text(text)
    with pytest.raises(OptionError, match=says):
        load_groups(str(tmp_path / "groups.toml"))


def test_built_in_table_is_ade20k() -> None:
    groups = load_groups(None)
    assert len(groups.classes) == len(set(groups.classes)) == 150
    named = [label for classes in groups.groups.values() for label in classes]
    assert len(named) == len(set(named))
    assert set(named) <= set(groups.classes)
    assert [groups.group_of(label) for label in ("sea", "skyscraper", "clock")] == [
        "water", "building", "other",
    ]  # fmt: skip


class TestNoCheckpoint:
    def broken(self, checkpoint: Path, folder: Path) -> Path:
        for file in checkpoint.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        return folder

    @pytest.mark.parametrize(
        ("file", "text", "says"),
        [
            ("config.json", None, "has no config.json"),
            ("config.json", "{", "config.json is damaged"),
            ("config.json", '{"model_type": "segformer"}', "does not name a model class"),
            ("config.json", '{"_model_class": "Unet", "encoder_name": "x"}', "as a Unet network"),
            ("model.safetensors", "garbage", "cannot be read as a Unet"),
            (semantic.PREPROCESSING, "[]", "is damaged"),
        ],
    )
    def test_refusals(
        self, checkpoint: Path, tmp_path: Path, file: str, text: str | None, says: str
    ) -> None:
        folder = self.broken(checkpoint, tmp_path)
        if text is None:
            (folder / file).unlink()
        else:
            (folder / file).write_text(text)
        with pytest.raises(WeightsError, match=says):
            SemanticNetwork(folder, load_groups(None))

    def test_class_names_do_not_fit(self, checkpoint: Path, tmp_path: Path) -> None:
        folder = self.broken(checkpoint, tmp_path)
        (folder / semantic.CLASSES).unlink()
        network = SemanticNetwork(folder, load_groups(None))
        with pytest.raises(WeightsError, match="4 outputs and 150 class names"):
            network.label(scene(0)[0])

    def test_no_folder(self) -> None:
        with pytest.raises(WeightsError, match="is no folder"):
            load_network("/nowhere/at/all", load_groups(None))

    def test_hub_that_cannot_be_reached(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(WeightsError, match="nobody/nothing cannot be fetched"):
            load_network("nobody/nothing", load_groups(None))
