"""Crops: where they come from, that they repeat, and files that cannot be used."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photostyle.errors import OptionError
from photostyle.feedforward.data import CropStream, crop_loader, picture_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three usable pictures of flat colours, grey and alpha among them; three others."""
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    Image.new("RGB", (90, 70), (255, 0, 0)).save(tmp_path / "red.png")
    Image.new("L", (64, 100), 128).save(tmp_path / "sub" / "grey.jpg")
    Image.new("RGBA", (80, 80), (0, 0, 255, 40)).save(tmp_path / "sub" / "deep" / "alpha.png")
    Image.new("RGB", (40, 400)).save(tmp_path / "small.png")
    (tmp_path / "sub" / "text.png").write_text("no picture")
    (tmp_path / "notes.txt").write_text("not even by name")
    return tmp_path


def stream(folder: Path, seed: int = 0, scenes: float = 0.0) -> CropStream:
    return CropStream(picture_files(folder), 48, seed, scenes, 2.0)


def test_folders_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, who may read everything, so the system's answers are made up."""
    closed = folder / "sub" / "deep"
    scan = os.scandir

    def scandir(path):
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    names = [path.name for path in picture_files(folder)]
    assert sorted(names) == ["grey.jpg", "red.png", "small.png", "text.png"]
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder)
    with pytest.raises(OptionError, match="cannot be read; give a folder that you may open"):
        picture_files(folder)


def test_pictures_are_found_to_the_bottom(folder: Path) -> None:
    names = [path.name for path in picture_files(folder)]
    assert sorted(names) == ["alpha.png", "grey.jpg", "red.png", "small.png", "text.png"]


def test_crops_and_skipped_files(folder: Path) -> None:
    crops, skipped = zip(*(stream(folder)[n] for n in range(40)), strict=True)
    assert {tuple(crop.shape) for crop in crops} == {(3, 48, 48)}
    colours = {tuple((crop.mean(dim=(1, 2)) * 255).round().int().tolist()) for crop in crops}
    assert colours == {(255, 0, 0), (128, 128, 128), (0, 0, 255)}
    reasons = {Path(name).name: reason for files in skipped for name, reason in files}
    assert reasons == {"small.png": "too small", "text.png": "unreadable"}


def test_a_crop_depends_on_its_number_alone(folder: Path) -> None:
    forwards, backwards = stream(folder), stream(folder)
    back = {n: backwards[n][0] for n in reversed(range(12))}
    assert all(torch.equal(forwards[n][0], back[n]) for n in range(12))


def test_every_turn_takes_all_pictures_in_another_order(tmp_path: Path) -> None:
    for level in range(8):
        Image.new("L", (50, 50), 30 * level).save(tmp_path / f"{level}.png")
    crops = stream(tmp_path)
    turns = [[round(float(crops[n][0].mean()) * 255) for n in range(a, a + 8)] for a in (0, 8)]
    assert sorted(turns[0]) == sorted(turns[1]) == [30 * level for level in range(8)]
    assert turns[0] != turns[1]


def test_crops_vary_in_place_size_and_side(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 200, dtype=np.uint8)
    Image.fromarray(np.broadcast_to(ramp, (200, 200)).copy()).save(tmp_path / "ramp.png")
    crops = [stream(tmp_path)[n][0][0, 0] for n in range(30)]
    slopes = torch.stack([crop[-1] - crop[0] for crop in crops])
    assert (slopes > 0).any()
    assert (slopes < 0).any()  # mirrored
    assert slopes.abs().max() > 1.5 * slopes.abs().min()  # zoom
    assert torch.stack([crop[0] for crop in crops]).std() > 0.05  # place


def test_zoom_1_takes_whole_squares(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 200, dtype=np.uint8)
    Image.fromarray(np.broadcast_to(ramp, (200, 200)).copy()).save(tmp_path / "ramp.png")
    crops = CropStream(picture_files(tmp_path), 48, 0, 0.0, 1.0)
    for n in range(10):
        row = crops[n][0][0, 0]
        assert sorted((round(float(row[0]), 1), round(float(row[-1]), 1))) == [0.0, 1.0]


def test_generated_scenes_take_their_share(folder: Path) -> None:
    crops = [stream(folder, scenes=0.5)[n][0] for n in range(60)]
    flat = sum(float(crop.std(dim=(1, 2)).max()) < 1e-3 for crop in crops)
    assert 15 < flat < 45
    assert CropStream((), 32, 0, 1.0, 1.0)[5][0].shape == (3, 32, 32)


@pytest.mark.parametrize("workers", [0, 2])
def test_loader_gives_the_stream_whoever_reads(folder: Path, workers: int) -> None:
    loader = crop_loader(stream(folder), first=2, steps=5, batch=2, workers=workers)
    batches = list(loader)
    assert len(batches) == 3
    for step, batch in enumerate(batches, start=2):
        expected = torch.stack([stream(folder)[n][0] for n in (2 * step, 2 * step + 1)])
        assert torch.equal(batch.images, expected)
    expected_names = {"small.png", "text.png"}
    assert {Path(name).name for batch in batches for name, _ in batch.skipped} == expected_names


def test_processes_share_a_step(folder: Path) -> None:
    both = [
        list(crop_loader(stream(folder), first=0, steps=3, batch=4, workers=0, rank=rank,
                         processes=2))
        for rank in (0, 1)
    ]  # fmt: skip
    alone = list(crop_loader(stream(folder), first=0, steps=3, batch=4, workers=0))
    for one, other, whole in zip(*both, alone, strict=True):
        assert torch.equal(torch.cat([one.images, other.images]), whole.images)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path / "nowhere", "is no folder"),
        (lambda path: path, "holds no picture"),
    ],
)
def test_useless_folders(tmp_path: Path, make, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        picture_files(make(tmp_path))


def test_nothing_usable_says_why(tmp_path: Path) -> None:
    Image.new("RGB", (47, 300)).save(tmp_path / "narrow.png")
    (tmp_path / "text.jpg").write_text("no picture")
    says = r"no picture that can be used, but 1 smaller than 48×48 pixels and 1 that cannot be read"
    with pytest.raises(OptionError, match=f"{says}, such as .*text.jpg; lower size or give"):
        stream(tmp_path).check()
