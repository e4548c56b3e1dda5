"""HEIC, AVIF and JPEG XL: read and written, with their depth, colours, alpha and metadata."""

import io
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import torch
from PIL import Image

from photostyle.cli import main
from photostyle.errors import ImageError, OutputError
from photostyle.images.formats.table import format_of
from photostyle.images.picture import Metadata, load_image
from photostyle.images.saving import check_output, lost_note, save_image
from tests.images.pictures import camera_exif, noise
from tests.images.spaces import ciede2000, encoded, lab_by_littlecms, patches, standard
from tests.images.test_profiles import decode
from tests.images.test_saving import tensor

P3 = standard("p3").profile
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
DEEP = imagecodecs.AVIF.PIXEL_FORMAT.YUV444


def smooth(kind=np.uint8):
    """A picture that no compression hurts much."""
    y, x = np.mgrid[0:64, 0:80] / 80
    return encoded(np.stack([x, 0.8 * y, 0.5 + 0 * x], axis=-1) * 0.9 + 0.05, kind)


def heic(pixels, **more):
    kind = "RGB;16" if pixels.itemsize == 2 else {3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    pillow_heif.options.SAVE_HDR_TO_12_BIT = True
    image = pillow_heif.from_bytes(kind, pixels.shape[1::-1], pixels.tobytes())
    image.save(file := io.BytesIO(), quality=98, chroma=444, **more)
    return file.getvalue()


def avif(pixels, bits=8, **more):
    return imagecodecs.avif_encode(
        pixels >> (16 - bits) if pixels.itemsize == 2 else pixels, 98, bitspersample=bits,
        pixelformat=DEEP, matrix=6, speed=9, **{"primaries": 1, "transfer": 13, **more},
    )  # fmt: skip


def jxl_of_light():
    """As the encoder takes 16 bits: linear light."""
    light = decode(smooth(np.uint16) / 65535)
    return imagecodecs.jpegxl_encode(encoded(light, np.uint16), lossless=True)


FILES = {
    "heic 8": lambda: (heic(smooth(), icc_profile=P3), 8, "Display P3", 3),
    "heic 12": lambda: (heic(smooth(np.uint16), icc_profile=P3), 16, "Display P3", 1.2),
    "avif 8": lambda: (avif(smooth(), primaries=12), 8, "Display P3", 3.6),
    "avif 10": lambda: (avif(smooth(np.uint16), 10, primaries=12), 16, "Display P3", 1.5),
    "avif 12": lambda: (avif(smooth(np.uint16), 12), 16, None, 0.5),
    "jxl 8": lambda: (imagecodecs.jpegxl_encode(smooth(), distance=0.1), 8, None, 3.6),
    "jxl 16": lambda: (jxl_of_light(), 16, None, 0.05),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_read_with_their_depth_and_colours(tmp_path: Path, name) -> None:
    data, bits, space, error = FILES[name]()
    (tmp_path / "a.png").write_bytes(data)
    photo = load_image(tmp_path / "a.png")
    assert photo.metadata.bit_depth == bits
    assert (photo.metadata.space and photo.metadata.space.name) == space
    values = (photo.image if photo.wide is None else photo.wide)[0].permute(1, 2, 0).numpy()
    truth = smooth(np.uint16) / 65535
    own = standard("p3").of_srgb(values) if space else values
    assert np.abs(own - truth).max() * 255 < error
    assert not photo.notes


@pytest.mark.parametrize(
    ("suffix", "bits", "most"),
    [(".heic", 8, 1.0), (".heic", 16, 0.3), (".avif", 8, 1.2), (".avif", 16, 0.1),
     (".jxl", 8, 0.1), (".jxl", 16, 0.01)],
)  # fmt: skip
def test_results_come_out_as_they_went_in(tmp_path: Path, suffix, bits, most) -> None:
    pixels = smooth(np.uint8 if bits == 8 else np.uint16)
    space = standard("p3")
    tags = camera_exif(1, "R98").tobytes()
    alpha = np.linspace(0, 1, 80, dtype=np.float32)[None].repeat(64, axis=0)
    metadata = Metadata(bits, alpha=alpha, exif=tags, xmp=XMP, space=space)
    wide = torch.from_numpy(space.to_srgb(pixels)).permute(2, 0, 1)[None]
    save_image(tmp_path / f"a{suffix}", wide.clamp(0, 1), metadata, wide=wide)
    photo = load_image(tmp_path / f"a{suffix}")
    assert photo.metadata.bit_depth == bits
    values = (photo.image if photo.wide is None else photo.wide)[0].permute(1, 2, 0).numpy()
    own = encoded(space.of_srgb(values), np.uint16)
    away = ciede2000(lab_by_littlecms(own, P3), lab_by_littlecms(pixels, P3))[:, 4:]
    assert np.quantile(away, 0.99) < most
    assert np.abs(photo.metadata.alpha - alpha).max() < 0.02
    assert b"Rating" in photo.metadata.xmp
    assert Image.Exif() != photo.metadata.exif
    assert b"Maker" in photo.metadata.exif
    assert photo.metadata.space.name == "Display P3"


@pytest.mark.parametrize("word", ["srgb", "adobergb", "prophoto", "p3"])
def test_deep_avif_by_other_readers(tmp_path: Path, word) -> None:
    """Its pixels, profile, code points, EXIF and XMP, as Pillow and imagecodecs find them."""
    pixels, icc = encoded(patches(), np.uint16), standard(word).profile
    space = None if word == "srgb" else standard(word)
    metadata = Metadata(16, exif=camera_exif(1, "R98").tobytes(), xmp=XMP, space=space)
    wide = tensor(pixels) if space is None else None
    if space is not None:
        wide = torch.from_numpy(space.to_srgb(pixels)).permute(2, 0, 1)[None]
    save_image(tmp_path / "a.avif", wide.clamp(0, 1), metadata, wide=wide)
    data = (tmp_path / "a.avif").read_bytes()
    found = np.rint(imagecodecs.avif_decode(data, 0) * (65535 / 4095)).astype(np.uint16)
    away = ciede2000(lab_by_littlecms(found, icc), lab_by_littlecms(pixels, icc))
    assert away.max() < 0.1
    numbers = {"srgb": (1, 13), "p3": (12, 13)}.get(word, (2, 2))
    assert b"colrnclx" + b"".join(n.to_bytes(2) for n in numbers) in data
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info.get("icc_profile") == (icc if space else None)
        assert picture.getexif()[0x010F] == "Maker"
        assert b"Rating" in picture.info["xmp"]
        shown = np.asarray(picture).astype(int)
    assert np.abs(shown - pixels / 257).max() <= 3  # from YUV in 8 bits


@pytest.mark.parametrize("suffix", [".heic", ".avif", ".jxl"])
def test_a_run_reads_and_writes_them(tmp_path: Path, monkeypatch, capsys, suffix) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.heic").write_bytes(heic(encoded(patches(), np.uint8), icc_profile=P3))
    Path("s.avif").write_bytes(avif(smooth()))
    words = f"run --content c.heic --style s.avif --preset color --size 64 --out r{suffix}"
    assert main(words.split()) == 0
    said = capsys.readouterr().err
    assert "colours outside sRGB" not in said
    assert load_image(f"r{suffix}").metadata.space.name == "Display P3"
    assert format_of(Path(f"r{suffix}").read_bytes()).suffixes[0] == suffix
    assert main(f"render r{suffix} --strength 0.5 --out t.png".split()) == 0


def test_orientation_of_heic_is_applied_once(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    (tmp_path / "a.heic").write_bytes(heic(smooth(), exif=turned.tobytes()))
    with pillow_heif_opened(tmp_path / "a.heic") as image:
        assert load_image(tmp_path / "a.heic").image.shape[2:] == image.size[::-1]


def pillow_heif_opened(path):
    from contextlib import nullcontext

    return nullcontext(pillow_heif.open_heif(path))


@pytest.mark.parametrize("kind", ["heic", "avif", "jxl"])
def test_truncated_files_are_damaged(tmp_path: Path, kind) -> None:
    data = {
        "heic": lambda: heic(noise(64, 80)),
        "avif": lambda: avif(noise(64, 80)),
        "jxl": lambda: imagecodecs.jpegxl_encode(noise(64, 80)),
    }[kind]()
    for share in (0.3, 0.6):
        (tmp_path / "a").write_bytes(data[: int(share * len(data))])
        with pytest.raises(ImageError, match="damaged or incomplete") as caught:
            load_image(tmp_path / "a")
        assert str(caught.value).count("\n") == 0


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.heic").write_bytes(heic(smooth()))
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "pillow_heif" else sys
    )
    with pytest.raises(ImageError, match=r'pip install "photostyle\[heif\]"'):
        load_image(tmp_path / "a.heic")
    with pytest.raises(OutputError, match=r'pip install "photostyle\[heif\]"'):
        check_output(tmp_path / "b.heic", [])
    assert load_image  # what needs nothing is read as ever
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(smooth()))
    load_image(tmp_path / "a.jxl")


def test_gain_maps_of_heic_are_left_out_with_one_note(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.heic").write_bytes(heic(smooth()))
    opened = pillow_heif.open_heif

    def with_map(*args, **more):
        file = opened(*args, **more)
        file.info["aux"] = {"urn:com:apple:photo:2020:aux:hdrgainmap": [7]}
        return file

    monkeypatch.setattr(pillow_heif, "open_heif", with_map)
    (note,) = load_image(tmp_path / "a.heic").notes
    assert "gain map" in note


def test_notes_on_what_they_do_not_keep() -> None:
    for name in ("a.jxl", "a.heic", "a.avif"):
        assert lost_note(name, Metadata(space=standard("p3"))) is None
    assert "8 bits" not in (lost_note("a.avif", Metadata(16)) or "")
