"""Films changed and written: what must stay stays, to the bit where it is copied."""

import os
import resource
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from photostyle.errors import OptionError, OutputError
from photostyle.films.containers import CODECS, VIDEO_SUFFIXES, written_suffix
from photostyle.films.reading import FilmReader
from photostyle.films.restyling import FilmReport, restyle
from tests.films.clips import clip, facts, frames_of, packets, picture


def same(pixels: np.ndarray) -> np.ndarray:
    return pixels


def swapped(pixels: np.ndarray) -> np.ndarray:
    """Red for blue."""
    return pixels[..., ::-1]


def through(source: Path, suffix: str | None = None, **options: object) -> tuple[Path, FilmReport]:
    target = source.parent / "out" / f"film{suffix or source.suffix}"
    report = restyle(source, target, same, **options)  # type: ignore[arg-type]
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    return target, report


def test_every_frame_is_changed(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", form="yuv444p", tags=(1, 1, 1, 1), options={"qp": "2"})
    told: list[tuple[int, int]] = []
    target = tmp_path / "deep" / "out.mp4"
    report = restyle(source, target, swapped, quality=1, progress=lambda *n: told.append(n))
    assert (report.frames_read, report.frames_written, report.frames_expected) == (12, 12, 12)
    assert told == [(n, 12) for n in range(1, 13)]
    assert (report.damaged, report.interrupted, report.notes) == (False, False, ())
    for n, frame in enumerate(frames_of(target)):
        assert np.abs(frame.astype(float) - picture(n)[..., ::-1]).mean() < 2


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
@pytest.mark.parametrize("form", ["yuv420p", "yuv444p10le"])
def test_no_level_moves_where_nothing_changes(tmp_path: Path, suffix: str, form: str) -> None:
    source = clip(tmp_path / f"a{suffix}", 5, form=form, options={"bf": "0"})
    target, _ = through(source, quality=0)
    with FilmReader(source) as one, FilmReader(target) as other:
        pairs = list(zip(one.frames(), other.frames(), strict=True))
    for before, after in pairs:
        levels = np.abs(before.astype(float) - after) / np.iinfo(before.dtype).max * 255
        assert levels.mean() < (0.5 if form == "yuv420p" else 0.1)
    assert facts(target)["times"] == facts(source)["times"]


def test_sound_is_copied_to_the_bit(tmp_path: Path) -> None:
    for name, sound in {"a.mp4": "aac", "b.mkv": "pcm_s16le", "c.avi": "pcm_s16le",
                        "d.mov": "pcm_s16le"}.items():  # fmt: skip
        source = clip(tmp_path / name, 20, sound=sound, options={"bf": "0"})
        target, report = through(source)
        assert packets(target, "audio") == packets(source, "audio")
        assert len(packets(target, "audio")) > 3
        assert report.notes == ()
        with av.open(str(target)) as file:
            assert file.streams.audio[0].codec_context.name == sound
            if name[2:] in ("mp4", "mkv"):
                assert file.streams.audio[0].language == "deu"
        target.unlink()


def test_subtitles_attachments_chapters_and_titles(tmp_path: Path) -> None:
    lines = [(0, 200, "One"), (240, 100, "Two, ü")]
    chapters = [
        {"id": n, "start": n * 200, "end": n * 200 + 200, "time_base": Fraction(1, 1000),
         "metadata": {"title": f"Part {n}"}} for n in (1, 2)
    ]  # fmt: skip
    source = clip(
        tmp_path / "a.mkv", subtitles=lines, attachment=b"hello", chapters=chapters,
        metadata={"title": "Holiday", "artist": "Me"},
    )  # fmt: skip
    target, report = through(source)
    assert packets(target, "subtitle") == packets(source, "subtitle")
    assert [p.decode() for p, _ in packets(target, "subtitle")] == ["One", "Two, ü"]
    with av.open(str(source)) as before, av.open(str(target)) as after:
        assert after.chapters() == before.chapters()
        assert len(after.chapters()) == 2
        assert after.metadata["title"] == "Holiday"
        assert after.metadata["ARTIST" if "ARTIST" in after.metadata else "artist"] == "Me"
        [attached] = [s for s in after.streams if s.type == "attachment"]
        assert attached.data == b"hello"
    assert report.notes == ()


def test_what_a_container_does_not_take_is_named(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mkv", subtitles=[(0, 100, "One")], attachment=b"hello")
    target, report = through(source, ".mp4")
    [note] = report.notes
    assert "subtitles stream (srt)" in note
    assert ".mp4 files do not take" in note
    assert len(facts(target)["times"]) == 12


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_properties_stay(tmp_path: Path, suffix: str, codec: str) -> None:
    source = clip(
        tmp_path / f"a{suffix}", degrees=90, aspect=Fraction(4, 3), tags=(1, 9, 16, 9),
        form="yuv420p10le",
    )  # fmt: skip
    target, _ = through(source, codec=codec)
    before, after = facts(source), facts(target)
    assert after.pop("codec") == {"h264": "h264", "h265": "hevc"}[codec]
    before.pop("codec")
    assert after == before
    assert after["rotation"] == 90
    assert after["form"] == "yuv420p10le"


def test_the_full_range_stays(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", form="yuv444p", tags=(2, 1, 13, 1))
    target, _ = through(source)
    assert facts(target)["tags"] == (2, 1, 13, 1)
    white = restyle(source, tmp_path / "white.mp4", lambda p: np.full_like(p, 255))
    assert all((frame >= 254).all() for frame in frames_of(white.target))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_variable_rate_stays(tmp_path: Path, suffix: str) -> None:
    times = [0, 40, 80, 500, 540, 580, 1500, 1540, 1580, 1620]
    source = clip(tmp_path / f"a{suffix}", 10, times=times, unit=Fraction(1, 1000))
    target, report = through(source)
    assert facts(target)["times"] == facts(source)["times"] == [t / 1000 for t in times]
    assert facts(target)["end"] == facts(source)["end"] == 1.66
    assert not report.damaged


def test_the_change_sees_frames_upright(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", 4, form="yuv444p", degrees=-90, tags=(1, 1, 1, 1))

    def top_black(pixels: np.ndarray) -> np.ndarray:
        assert pixels.shape == (64, 48, 3)
        pixels[:16] = 0
        return pixels

    target = restyle(source, tmp_path / "out.mp4", top_black).target
    stored = frames_of(target)[0]
    shown = np.rot90(stored, -1)
    assert facts(target)["rotation"] == -90
    assert shown[:14].max() < 12 < shown[20:].mean()


def test_a_container_without_a_matrix_gets_turned_frames(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mov", 4, degrees=90, aspect=Fraction(4, 3))
    target, _ = through(source, ".avi")
    after = facts(target)
    assert (after["size"], after["rotation"], after["aspect"]) == ((64, 48), 0, Fraction(3, 4))


@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64), (2, 2), (1, 1), (4, 32)])
@pytest.mark.parametrize("codec", ["h264", "prores", "ffv1"])
def test_odd_and_tiny_sizes_stay(tmp_path: Path, size: tuple[int, int], codec: str) -> None:
    source = clip(tmp_path / "a.mkv", 3, size=size, codec="libx264", form="yuv444p")
    target, _ = through(source, ".mov" if codec == "prores" else ".mkv", codec=codec)
    assert facts(target)["size"] == size
    assert len(facts(target)["times"]) == 3


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("codec", CODECS)
def test_films_of_a_few_frames(tmp_path: Path, codec: str, frames: int) -> None:
    source = clip(tmp_path / "a.mkv", frames, unit=Fraction(1, 1000), times=[0, 40, 80])
    target, _ = through(source, codec=codec)
    assert facts(target)["times"] == facts(source)["times"]


@pytest.mark.parametrize(
    ("codec", "form", "becomes"),
    [
        ("h264", "yuv420p", "yuv420p"), ("h264", "yuv422p10le", "yuv422p10le"),
        ("h264", "gray", "yuv420p"), ("h264", "yuv444p12le", "yuv444p10le"),
        ("h265", "yuv420p12le", "yuv420p12le"), ("prores", "yuv420p", "yuv422p10le"),
        ("prores", "yuv444p10le", "yuv444p12le"), ("ffv1", "yuv420p10le", "yuv420p10le"),
        ("ffv1", "bgr0", "bgr0"), ("ffv1", "gbrp10le", "gbrp10le"),
    ],
)  # fmt: skip
def test_depth_and_chroma_stay_as_far_as_the_codec_goes(
    tmp_path: Path, codec: str, form: str, becomes: str
) -> None:
    source = clip(tmp_path / "a.mkv", 2, codec="ffv1", form=form)
    target, _ = through(source, codec=codec)
    assert facts(target)["form"] == becomes
    with FilmReader(source) as one, FilmReader(target) as other:
        for before, after in zip(one.frames(), other.frames(), strict=True):
            whites = [np.iinfo(frame.dtype).max for frame in (before, after)]
            assert np.abs(before / whites[0] - after / whites[1]).mean() < 4 / 255


def test_where_codecs_go() -> None:
    assert written_suffix(".MP4", "h264") == ".mp4"
    assert written_suffix(".mp4", "prores") == ".mov"
    assert written_suffix(".mkv", "prores") == ".mkv"
    assert written_suffix(".webm", "h264") == ".mkv"
    assert written_suffix(".avi", "h265") == ".mkv"
    for codec in CODECS:
        assert {written_suffix(s, codec) for s in VIDEO_SUFFIXES} <= set(CODECS[codec])


def test_what_does_not_fit_is_refused_before_any_work(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", 2)
    for name, options, words in [
        ("out.mp4", {"codec": "prores"}, r"prores does not go into \.mp4 files; say \.mov"),
        ("out.avi", {"codec": "h265"}, r"h265 does not go into \.avi files"),
        ("out.webm", {}, "should end in one of"),
        ("out.mp4", {"codec": "divx"}, "codec divx is unknown; give one of h264, h265"),
        ("out.mp4", {"quality": 70}, "quality is 70; it must be 0"),
        ("out.mov", {"codec": "prores", "quality": 3}, "quality is for h264 and h265"),
    ]:
        with pytest.raises((OptionError, OutputError), match=words):
            restyle(source, tmp_path / name, same, **options)  # type: ignore[arg-type]
    tiny = clip(tmp_path / "b.mp4", 2, size=(8, 8))
    with pytest.raises(OutputError, match="h265 holds no frames of 8×8 pixels; take h264"):
        restyle(tiny, tmp_path / "out.mp4", same, codec="h265")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_ctrl_c_leaves_a_playable_film(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", 40, sound="aac")
    seen = 0

    def change(pixels: np.ndarray) -> np.ndarray:
        nonlocal seen
        seen += 1
        if seen == 10:
            os.kill(os.getpid(), signal.SIGINT)
        return pixels

    report = restyle(source, tmp_path / "out" / "a.mp4", change)
    assert report.interrupted
    assert not report.damaged
    assert 8 <= report.frames_written <= 10
    assert facts(report.target)["times"] == facts(source)["times"][: report.frames_written]
    assert len(packets(report.target, "audio")) >= 1
    assert [p.name for p in report.target.parent.iterdir()] == ["a.mp4"]


def test_ctrl_c_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", 10)

    def change(pixels: np.ndarray) -> np.ndarray:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restyle(source, tmp_path / "out.mp4", change)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_a_change_that_fails_leaves_the_old_film(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", 10)
    (tmp_path / "out.mp4").write_bytes(b"old")

    def change(pixels: np.ndarray) -> np.ndarray:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        restyle(source, tmp_path / "out.mp4", change)
    assert (tmp_path / "out.mp4").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


FULL_DISK = """
import resource, sys
from pathlib import Path
from photostyle.errors import OutputError
from photostyle.films.restyling import restyle
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    restyle(Path(sys.argv[1]), Path(sys.argv[2]), lambda p: p, codec="ffv1")
except OutputError as error:
    print(error)
"""


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE is not None
    source = clip(tmp_path / "a.mkv", 40)
    command = [sys.executable, "-c", FULL_DISK, str(source), str(tmp_path / "out.mkv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "out.mkv cannot be written: " in done.stdout, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["a.mkv"]


def test_floats_and_other_depths_are_taken(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", 2, form="yuv444p", tags=(1, 1, 1, 1))
    for kind, grey in {"float32": 0.5, "uint16": 32768}.items():
        report = restyle(
            source, tmp_path / f"{kind}.mp4", lambda p, k=kind, g=grey: np.full(p.shape, g, k)
        )
        for frame in frames_of(report.target):
            assert np.abs(frame.astype(int) - 128).max() <= 2


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_cover_picture_stays_one(tmp_path: Path, suffix: str) -> None:
    cover = cv2.imencode(".jpg", picture(3))[1].tobytes()
    source = clip(tmp_path / "a.mkv", 5, attachment=cover, mimetype="image/jpeg")
    target, report = through(source, suffix)
    with av.open(str(target)) as file:
        film, attached = file.streams.video
        assert not film.disposition & Disposition.attached_pic
        assert attached.disposition & Disposition.attached_pic
        assert [bytes(p) for p in file.demux(attached) if p.size] == [cover]
    assert report.notes == ()
