"""Videos in and out, and applying a style to files."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from photostyle.errors import ImageError, OptionError, OutputError
from photostyle.feedforward import applying
from photostyle.feedforward.applying import Job, apply_pictures, apply_video, plan
from photostyle.feedforward.style_model import StyleModel
from photostyle.feedforward.tiling import stylised
from photostyle.feedforward.video import VideoReader, VideoWriter
from photostyle.images.photograph import photograph
from photostyle.images.picture import load_image
from tests.feedforward.test_network import network
from tests.feedforward.test_style_model import info


@pytest.fixture
def model() -> StyleModel:
    return StyleModel(network().eval(), info())


def video(path: Path, frames: int, rate: float = 12.0, size: tuple[int, int] = (48, 64)) -> Path:
    """Flat frames, brighter and brighter."""
    codec = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(path), codec, rate, (size[1], size[0]))
    for n in range(frames):
        writer.write(np.full((*size, 3), 20 + 20 * n, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_video_keeps_rate_size_and_frames(tmp_path: Path, model: StyleModel, suffix: str) -> None:
    source = video(tmp_path / f"in{suffix}", 7)
    job = Job(source, tmp_path / "out" / f"in{suffix}")
    told = []
    count = apply_video(
        model, job, batch=3, memory=None, progress=lambda done, all_: told.append((done, all_))
    )
    assert count == 7
    assert told == [(3, 7), (6, 7), (7, 7)]
    with VideoReader(source) as before, VideoReader(job.target) as after:
        assert after.rate == pytest.approx(12.0)
        assert after.size == before.size == (48, 64)
        first, styled = next(before.batches(1)), next(after.batches(1))
    expected = stylised(model.network, first)
    assert (styled.mean(dim=(2, 3)) - expected.mean(dim=(2, 3))).abs().max() < 0.05


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
@pytest.mark.parametrize("size", [(17, 31), (40, 31), (17, 16)])
def test_videos_of_odd_size_grow_to_the_next_even_one(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    ramp = torch.linspace(0, 1, size[0])[None, None, :, None].expand(2, 3, *size)
    with VideoWriter(tmp_path / f"a{suffix}", 5.0, size) as writer:
        writer.write(ramp)
    with VideoReader(tmp_path / f"a{suffix}") as reader:
        height, width = reader.size
        frames = torch.cat(list(reader.batches(1)))
    assert (height, width) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert len(frames) == 2
    kept = frames[:, :, : size[0], : size[1]].mean(dim=(1, 3))
    assert (kept - ramp.mean(dim=(1, 3))).abs().max() < 0.08


def test_video_without_frames(tmp_path: Path, model: StyleModel) -> None:
    empty = video(tmp_path / "empty.avi", 0)
    (tmp_path / "text.mp4").write_text("no video")
    for path in (empty, tmp_path / "text.mp4"):
        job = Job(path, tmp_path / "out" / path.name)
        with pytest.raises(ImageError, match=f"{path.name} has no frame"):
            apply_video(model, job, batch=1, memory=None, progress=lambda *_: None)
        assert not job.target.exists()


def test_video_of_a_few_pixels(tmp_path: Path) -> None:
    thin = video(tmp_path / "thin.mp4", 2, size=(4, 32))
    with pytest.raises(ImageError, match=r"thin\.mp4 has frames of 32×4 pixels.*at least 16"):
        VideoReader(thin)


def test_video_that_does_not_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VideoWriter, "_written", lambda self: 0)
    with (
        pytest.raises(OutputError, match="is the disk full"),
        VideoWriter(tmp_path / "a.avi", 5.0, (32, 32)) as writer,
    ):
        writer.write(torch.rand(1, 3, 32, 32))
    assert list(tmp_path.iterdir()) == []


def test_interrupted_video_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with VideoWriter(tmp_path / "a.mp4", 5.0, (32, 32)) as writer:
            writer.write(torch.rand(1, 3, 32, 32))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name, shape in {
        "odd.png": (17, 31, 3), "other.bmp": (17, 31, 3), "grey.jpg": (40, 32),
        "line.png": (1, 40, 3), "sub/alpha.png": (30, 20, 4),
    }.items():  # fmt: skip
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    return tmp_path


@pytest.mark.parametrize("batch", [1, 2])
def test_pictures_of_any_kind(
    folder: Path, model: StyleModel, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def counted(model: StyleModel, images: torch.Tensor, memory: int | None) -> torch.Tensor:
        counts.append(len(images))
        return stylised(model.network, images, memory)

    monkeypatch.setattr(applying, "styled", counted)
    jobs = plan([folder / "in"], folder / "out")
    done = list(apply_pictures(model, jobs, batch=batch, memory=None))
    assert all(error is None for _, error in done)
    names = sorted(p.relative_to(folder / "out").as_posix() for p in (folder / "out").rglob("*.*"))
    assert names == ["grey.jpg", "line.png", "odd.png", "other.png", "sub/alpha.png"]
    assert max(counts) == batch  # odd and other are of one size
    for job in jobs:
        before, after = load_image(job.source), load_image(job.target)
        assert after.image.shape == before.image.shape
        if job.target.suffix == ".png":
            expected = stylised(model.network, photograph(before).image)
            assert (after.image - expected).abs().max() < 0.6 / 255
    alpha = [load_image(folder / part / "sub/alpha.png").metadata.alpha for part in ("in", "out")]
    assert np.abs(alpha[0] - alpha[1]).max() < 1e-3


def test_unreadable_picture_does_not_stop_the_others(folder: Path, model: StyleModel) -> None:
    (folder / "in" / "broken.png").write_text("no picture")
    done = list(apply_pictures(model, plan([folder / "in"], folder / "out"), batch=2, memory=None))
    failed = [(job.source.name, str(error)) for job, error in done if error]
    assert len(done) == 6
    assert len(failed) == 1
    assert failed[0][0] == "broken.png"
    assert "broken.png" in failed[0][1]


def test_plan_refuses_what_cannot_be(folder: Path) -> None:
    with pytest.raises(OptionError, match="does not exist"):
        plan([folder / "nowhere.png"], folder / "out")
    with pytest.raises(OutputError, match="give another folder"):
        plan([folder / "in" / "odd.png"], folder / "in")
    Image.new("RGB", (20, 20)).save(folder / "odd.png")
    with pytest.raises(OptionError, match="would both become"):
        plan([folder / "in" / "odd.png", folder / "odd.png"], folder / "out")
    (folder / "empty").mkdir()
    with pytest.raises(OptionError, match="holds no picture and no video"):
        plan([folder / "empty"], folder / "out")


def test_results_of_an_earlier_run_are_no_inputs(folder: Path) -> None:
    out = folder / "in" / "out"
    out.mkdir()
    Image.new("RGB", (20, 20)).save(out / "old.png")
    assert all("out" not in job.source.parts[-2:-1] for job in plan([folder / "in"], out))
