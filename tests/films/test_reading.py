"""What a film says of itself, and files that are no films or broken ones."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from photostyle.errors import ImageError
from photostyle.films.reading import FilmReader, Frame
from tests.films.clips import clip, picture


def test_properties(tmp_path: Path) -> None:
    path = clip(
        tmp_path / "a.mov", 7, size=(48, 64), form="yuv422p10le", rate=30, degrees=90,
        aspect=Fraction(4, 3), tags=(1, 9, 16, 9),
    )  # fmt: skip
    with FilmReader(path) as reader:
        info = reader.info
        frames = list(reader.frames())
    assert (info.size, info.stored) == ((64, 48), (48, 64))
    assert info.turn.quarters == 3
    assert info.aspect == Fraction(4, 3)
    assert (info.codec, info.form, info.bits, info.rate) == ("h264", "yuv422p10le", 10, 30)
    assert (info.colours.range, info.colours.primaries) == (1, 9)
    assert (info.colours.transfer, info.colours.matrix) == (16, 9)
    assert (info.expected, reader.expected(), reader.read) == (7, 7, 7)
    assert not info.interlaced
    assert {(f.shape, f.dtype.name) for f in frames} == {((64, 48, 3), "uint16")}


@pytest.mark.parametrize(("form", "kind"), [("yuv444p", np.uint8), ("yuv444p10le", np.uint16)])
def test_frames_are_the_picture_upright(tmp_path: Path, form: str, kind: type) -> None:
    path = clip(tmp_path / "a.mov", 3, form=form, degrees=-90, options={"qp": "2"})
    with FilmReader(path) as reader:
        frames = list(reader.frames())
    for n, frame in enumerate(frames):
        expected = np.rot90(picture(n), -1) / 255
        assert frame.dtype == kind
        assert np.abs(frame / np.iinfo(kind).max - expected).mean() < 1 / 255


def test_frames_that_are_kept_do_not_change(tmp_path: Path) -> None:
    with FilmReader(clip(tmp_path / "a.mp4", 6)) as reader:
        kept = [(frame.pixels, frame.pixels.copy()) for frame in reader.items() if
                isinstance(frame, Frame)]  # fmt: skip
    assert all(np.array_equal(frame, copy) for frame, copy in kept)
    assert all(frame.flags.writeable and frame.flags.c_contiguous for frame, _ in kept)


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    with FilmReader(clip(tmp_path / "a.mp4", 1)) as reader:
        assert len(list(reader.frames())) == 1
        assert reader.expected() == 1


@pytest.mark.parametrize("name", ["a.mp4", "a:b.mp4", "%03d.mkv", "-a.avi", "käse ü.mov"])
def test_names_are_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clip(tmp_path / f"film{Path(name).suffix}", 2, options={"bf": "0"}).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with FilmReader(Path(name)) as reader:
        assert len(list(reader.frames())) == 2


def test_files_that_are_no_films(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile /etc/hostname\n")
    Image.new("RGB", (30, 20)).save(tmp_path / "still.png")
    (tmp_path / "still.png").rename(tmp_path / "still.mp4")
    whole = clip(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "head.mp4").write_bytes(whole[: len(whole) // 2])
    with av.open(str(tmp_path / "song.mp4"), "w") as file:
        voice = file.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        file.mux([*voice.encode(frame), *voice.encode(None)])
    for name, words in {
        "nowhere.mp4": "does not exist", "text.mp4": "is no video", "empty.mp4": "is no video",
        "list.mp4": "is no video", "head.mp4": "is no video, or is damaged",
        "still.mp4": r"is a picture \(png\)", "song.mp4": "no pictures",
    }.items():  # fmt: skip
        with pytest.raises(ImageError, match=f"{name} .*{words}".replace(" .*", " .*")):
            FilmReader(tmp_path / name)


def damaged(path: Path, start: float, end: float) -> Path:
    """Zeroes a part of a file."""
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * end)
    data[first:last] = bytes(last - first)
    path.write_bytes(data)
    return path


FORMS = {
    "mjpeg.avi": {"codec": "mjpeg", "form": "yuvj420p"},
    "h264.mp4": {"options": {"g": "6"}, "container": {"movflags": "faststart"}},
    "prores.mov": {"codec": "prores_ks", "form": "yuv422p10le"},
    "h264.ts": {"options": {"g": "6"}},
    "ffv1.mkv": {"codec": "ffv1"},
}


@pytest.mark.parametrize("name", FORMS)
def test_whole_films_are_whole(tmp_path: Path, name: str) -> None:
    with FilmReader(clip(tmp_path / name, 20, **FORMS[name])) as reader:
        assert len(list(reader.frames())) == 20
        assert reader.expected() == 20
        assert not reader.damaged


@pytest.mark.parametrize("name", FORMS)
def test_a_hole_in_the_middle_is_read_past(tmp_path: Path, name: str) -> None:
    path = damaged(clip(tmp_path / name, 20, **FORMS[name]), 0.5, 0.55)
    with FilmReader(path) as reader:
        frames = list(reader.frames())
        assert 12 <= len(frames) < 20 or reader.damaged
        assert reader.expected() == 20
    after = picture(19)
    if name.startswith(("mjpeg", "prores", "ffv1")):  # each frame for itself: the last is there
        last = frames[-1] / np.iinfo(frames[-1].dtype).max
        assert np.abs(last - after / 255).mean() < 0.05


@pytest.mark.parametrize("name", ["mjpeg.avi", "h264.mp4", "ffv1.mkv"])
def test_a_film_without_its_end_says_how_much_is_missing(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name, 40, **FORMS[name])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    with FilmReader(path) as reader:
        read = len(list(reader.frames()))
        assert 0 < read < 40
        assert reader.expected() == 40


def test_a_variable_rate_is_no_damage(tmp_path: Path) -> None:
    times = [0, 40, 80, 500, 540, 580, 1500, 1540, 1580, 1620]
    for suffix in ("mp4", "mkv", "mov"):
        path = clip(tmp_path / f"a.{suffix}", 10, times=times, unit=Fraction(1, 1000))
        with FilmReader(path) as reader:
            assert len(list(reader.frames())) == 10
            assert (reader.expected(), reader.damaged) == (10, False)


RATES = {
    "slower and slower": [7 * n * n for n in range(20)],
    "a still at the end": [*(40 * n for n in range(19)), 8000],
    "a late start": [5000 + 40 * n for n in range(20)],
}


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.webm", "a.mp4"])
@pytest.mark.parametrize("rate", RATES)
def test_whatever_the_rate_a_whole_film_is_whole(tmp_path: Path, rate: str, name: str) -> None:
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    times, unit = RATES[rate], Fraction(1, 1000)
    with FilmReader(clip(tmp_path / name, 20, codec=codec, times=times, unit=unit)) as reader:
        assert len(list(reader.frames())) == 20
        assert (reader.expected(), reader.damaged) == (20, False)


def test_sound_may_go_on_after_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        film, sound = file.add_stream("ffv1", rate=25), file.add_stream("pcm_s16le", rate=8000)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv444p"
        for n in range(20):
            file.mux(film.encode(av.VideoFrame.from_ndarray(picture(n), format="rgb24")))
        file.mux(film.encode())
        for n in range(50):  # five seconds
            silence = np.zeros((1, 800), np.int16)
            block = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 8000, 800 * n, Fraction(1, 8000)
            file.mux(sound.encode(block))
        file.mux(sound.encode())
    with FilmReader(path) as reader:
        assert len(list(reader.frames())) == 20
        assert (reader.expected(), reader.damaged) == (20, False)
