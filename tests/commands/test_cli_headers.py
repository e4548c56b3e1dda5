"""What the headers of OpenEXR and DPX files carry goes through a run."""

import io
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

from photostyle.cli import main
from tests.images.pictures import camera_exif
from tests.images.test_phones import XMP


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(2).integers(40, 200, (48, 64, 3), np.uint8)
    Image.fromarray(noise).save("s.png")
    return tmp_path


def write(path, *attributes, kind="half", window=None):
    pixels = np.random.default_rng(1).random((48, 64, 3)).astype(np.float32)
    spec = oiio.ImageSpec(64, 48, 3, kind)
    if window:
        spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height = window
    for name, type_of, value in attributes:
        spec.attribute(name, oiio.TypeDesc(type_of), value)
    out = oiio.ImageOutput.create(path)
    assert out.open(path, spec)
    assert out.write_image(pixels)
    out.close()


def header(path):
    file = oiio.ImageInput.open(path)
    spec = file.spec()
    file.close()
    window = (spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    return {a.name: a.value for a in spec.extra_attribs}, window


def run(content, out, more="--strength 0"):
    words = f"run --content {content} --style s.png --preset color --size 48 --out {out} {more}"
    assert main(words.split()) == 0


def test_attributes_and_windows_of_exr_are_kept() -> None:
    matrix = tuple(float(n) for n in range(16))
    written = [
        ("owner", "string", "the studio"), ("comments", "string", "shot 12"),
        ("worldToCamera", "matrix", matrix), ("smpte:TimeCode", "timecode", (1, 2)),
        ("framesPerSecond", "rational", (24, 1)), ("PixelAspectRatio", "float", 2.0),
        ("studio/take", "int", 7), ("compression", "string", "piz"), ("Make", "string", "Arri"),
    ]  # fmt: skip
    window = (3, 2, -1, -2, 80, 60)
    write("c.exr", *written, window=window)
    run("c.exr", "r.exr", "")
    (before, old), (after, new) = header("c.exr"), header("r.exr")
    assert new == old == window
    assert {name: after[name] for name in before} == before
    assert after["worldToCamera"] == matrix
    run("c.exr", "n.exr", "--strength 0 --output-size 32")
    after, new = header("n.exr")
    assert after["owner" if "owner" in after else "Copyright"] == "the studio"
    assert new == (0, 0, 0, 0, 32, 24)


def test_lossy_compression_is_not_kept() -> None:
    write("c.exr", ("compression", "string", "dwaa"))
    run("c.exr", "r.exr")
    assert header("r.exr")[0]["compression"] == "zip"


def test_words_on_cryptomattes_are_not_kept_without_their_channels() -> None:
    write("c.exr", ("cryptomatte/1234567/name", "string", "CryptoObject"))
    assert "cryptomatte/1234567/name" in header("c.exr")[0]
    run("c.exr", "r.exr")
    assert not [name for name in header("r.exr")[0] if "cryptomatte" in name]


def test_headers_of_log_dpx_are_kept() -> None:
    kept = [("Copyright", "string", "me"), ("dpx:InputDevice", "string", "scanner")]
    log = [("oiio:ColorSpace", "string", "KodakLog"), ("oiio:BitsPerSample", "int", 10)]
    write("c.dpx", *kept, *log, ("dpx:FrameRate", "float", 24.0), kind="uint16")
    run("c.dpx", "r.dpx")
    (before, _), (after, _) = header("c.dpx"), header("r.dpx")
    for name in ("Copyright", "dpx:InputDevice", "dpx:FrameRate", "dpx:Transfer"):
        assert after[name] == before[name]


def test_exif_and_xmp_go_into_exr_and_out_again() -> None:
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)).save(
        file := io.BytesIO(), "JPEG", exif=camera_exif(1, "R98").tobytes(), xmp=XMP
    )
    Path("c.jpg").write_bytes(file.getvalue())
    run("c.jpg", "r.exr")
    found, _ = header("r.exr")
    assert found["Make"] == "Maker"
    assert 'xmp:Rating="4"' in found["xmp"]
    run("r.exr", "n.jpg")
    with Image.open("n.jpg") as picture:
        assert picture.getexif()[0x010F] == "Maker"
        assert b"Rating" in picture.info["xmp"]


def test_texts_of_old_cameras_are_latin() -> None:
    tags = Image.Exif()
    tags[0x8298] = "© José".encode("latin-1")
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save("c.jpg", exif=tags.tobytes())
    run("c.jpg", "r.exr")
    assert header("r.exr")[0]["Copyright"] == "© José"


def test_a_header_without_them_makes_none() -> None:
    write("c.exr")
    run("c.exr", "r.jpg")
    with Image.open("r.jpg") as picture:
        assert 0x9000 not in picture.getexif().get_ifd(0x8769)
        assert "xmp" not in picture.info
