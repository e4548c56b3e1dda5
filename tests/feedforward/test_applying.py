"""Applying a style to pictures and videos."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photostyle.errors import OptionError, OutputError
from photostyle.feedforward import applying
from photostyle.feedforward.applying import Job, apply_pictures, apply_video, plan
from photostyle.feedforward.style_model import StyleModel
from photostyle.feedforward.tiling import stylised
from photostyle.films.reading import FilmReader
from photostyle.images.photograph import photograph
from photostyle.images.picture import Metadata, load_image
from photostyle.images.saving import save_image
from photostyle.images.spaces import standard
from tests.feedforward.test_network import network
from tests.feedforward.test_style_model import info
from tests.films.clips import clip


@pytest.fixture
def model() -> StyleModel:
    return StyleModel(network().eval(), info())


@pytest.mark.parametrize("form", ["yuv444p", "yuv444p10le"])
def test_a_video_is_styled_frame_by_frame(tmp_path: Path, model: StyleModel, form: str) -> None:
    source = clip(tmp_path / "in.mp4", 7, form=form, options={"qp": "2"})
    job = Job(source, tmp_path / "out" / "in.mp4")
    told = []
    report = apply_video(
        model, job, batch=3, memory=None, quality=0,
        progress=lambda done, all_: told.append((done, all_)),
    )  # fmt: skip
    assert (report.frames_written, report.damaged) == (7, False)
    assert told == [(3, 7), (6, 7), (7, 7)]
    with FilmReader(source) as before, FilmReader(job.target) as after:
        assert after.info.size == (48, 64)
        assert after.info.bits == (8 if form == "yuv444p" else 10)
        pairs = list(zip(before.frames(), after.frames(), strict=True))
    for content, result in pairs:
        white = np.iinfo(content.dtype).max
        image = torch.from_numpy(content.astype(np.float32) / white).permute(2, 0, 1)[None]
        expected = stylised(model.network, image)[0].permute(1, 2, 0).numpy()
        assert np.abs(result / white - expected).mean() < 1 / 255


def test_videos_go_where_their_codec_does(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.webm", "c.MTS"):
        (tmp_path / name).write_bytes(b"")
    inputs = [tmp_path / name for name in ("a.mp4", "b.webm", "c.MTS")]
    names = [job.target.name for job in plan(inputs, tmp_path / "out")]
    assert names == ["a.mp4", "b.mkv", "c.MTS"]
    names = [job.target.name for job in plan(inputs, tmp_path / "out", "prores")]
    assert names == ["a.mov", "b.mkv", "c.mov"]
    assert all(job.video for job in plan(inputs, tmp_path / "out"))


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

    def counted(
        model: StyleModel, images: torch.Tensor, memory: int | None, out: torch.Tensor, tell: object
    ) -> torch.Tensor:
        counts.append(len(images))
        return stylised(model.network, images, memory, out)

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


def test_wide_colours_are_painted_as_they_are_shown_and_a_note_says_so(
    tmp_path: Path, model: StyleModel
) -> None:
    values = np.random.default_rng(4).random((40, 48, 3)).astype(np.float32)
    wide = torch.from_numpy(standard("p3").to_srgb(values)).permute(2, 0, 1)[None]
    assert wide.min() < -0.05
    metadata = Metadata(16, space=standard("p3"))
    save_image(tmp_path / "a.png", wide.clamp(0, 1), metadata, wide=wide)
    told: list[str] = []
    job = Job(tmp_path / "a.png", tmp_path / "out" / "a.png")
    list(apply_pictures(model, [job], batch=1, memory=None, tell=told.append))
    (note,) = told
    assert "are taken as the nearest" in note
    made = load_image(job.target)
    assert made.metadata.space.name == "Display P3"
    assert made.wide is None


def test_texts_of_exif_stay_as_they_are(tmp_path: Path, model: StyleModel) -> None:
    texts = {0x010E: "Straße".encode(), 0x013B: "Jörg".encode("latin-1")}
    exif = Image.Exif()
    exif.update(texts)
    exif.get_ifd(0x8769)[0xA434] = "50 mm ƒ/2".encode()
    Image.new("RGB", (32, 24), (90, 120, 60)).save(tmp_path / "a.jpg", exif=exif)
    jobs = plan([tmp_path / "a.jpg"], tmp_path / "out")
    [(job, error)] = apply_pictures(model, jobs, batch=1, memory=None)
    assert error is None
    with Image.open(job.target) as picture:
        found = picture.getexif()
        assert {tag: found[tag].encode("latin-1") for tag in texts} == texts
        assert found.get_ifd(0x8769)[0xA434] == "50 mm ƒ/2".encode()  # no text of ASCII, so bytes
