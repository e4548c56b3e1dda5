"""What travels with a picture, in every format that can hold it, and put right."""

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, IptcImagePlugin, TiffImagePlugin

from photostyle.images.photoshop import read_resources, write_resources
from photostyle.images.picture import Metadata, load_image
from photostyle.images.saving import lost_note, read_manifest, save_image
from tests.images.pictures import chunk, jpeg, noise, tiff, with_chunks

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
    xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"
    tiff:Orientation="6" exif:ColorSpace="65535" xmp:Rating="4"
    photoshop:ICCProfile="Adobe RGB (1998)" photoshop:ColorMode="4" hdrgm:Version="1.0"
    GPano:ProjectionType="equirectangular" GPano:FullPanoWidthPixels="80"
    GPano:CroppedAreaImageWidthPixels="40" GPano:CroppedAreaImageHeightPixels="20">
   <tiff:ImageWidth>40</tiff:ImageWidth><exif:PixelYDimension>20</exif:PixelYDimension>
   <tiff:BitsPerSample><rdf:Seq><rdf:li>8</rdf:li></rdf:Seq></tiff:BitsPerSample>
   <xmp:Thumbnails><rdf:Alt><rdf:li>AAAA</rdf:li></rdf:Alt></xmp:Thumbnails>
   <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© José</rdf:li></rdf:Alt></dc:rights>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()
IPTC = b"\x1c\x02\x74\x00\x07(c) Jos\x1c\x02\x78\x00\x07Caption"
FORMATS = ("png", "tif", "jpg", "webp")


def exif():
    tags = Image.Exif()
    tags[0x010E], tags[0x010F], tags[0x0112] = "The caption", "Maker", 6
    tags[0x011A], tags[0x011B], tags[0x0128] = 300.0, 240.0, 2
    values = {0xA001: 65535, 0xA002: 40, 0xA003: 20, 0x9003: "2020:01:02 03:04:05"}
    tags.get_ifd(0x8769).update({**values, 0xA005: {1: "R03"}, 0xA430: "José".encode()})
    return tags


def content(path):
    """A turned photograph, 40×20 as it is stored, that carries everything."""
    small = Image.new("RGB", (8, 8))
    thumb = io.BytesIO()
    small.save(thumb, "JPEG")
    resources = {1028: IPTC, 1034: b"\1", 1036: thumb.getvalue(), 1005: bytes(16), 1039: b"icc"}
    segments = [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        (0xED, b"Photoshop 3.0\0" + write_resources(resources)),
        (0xFE, b"A comment"),
    ]
    path.write_bytes(jpeg(noise(20, 40), *segments, exif=exif(), dpi=(300, 240)))
    return load_image(path)


@pytest.fixture
def photo(tmp_path: Path):
    return content(tmp_path / "content.jpg")


def saved(tmp_path: Path, photo, form):
    path = tmp_path / f"result.{form}"
    save_image(path, photo.image, photo.metadata, manifest="{}")
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_exif_is_kept_and_put_right(tmp_path: Path, photo, form) -> None:
    with Image.open(saved(tmp_path, photo, form)) as picture:
        tags = picture.getexif()
        assert picture.size == (20, 40)
        assert (tags[0x010E], tags[0x010F], tags[0x0112]) == ("The caption", "Maker", 1)
        assert (tags[0x011A], tags[0x011B], tags[0x0128]) == (
            240,
            300,
            2,
        )  # turned with the picture
        kept = tags.get_ifd(0x8769)
        assert (kept[0xA001], kept[0xA002], kept[0xA003]) == (0xFFFF, 20, 40)
        assert kept[0x9003] == "2020:01:02 03:04:05"
        assert kept[0xA430] == "José".encode()
        assert tags.get_ifd(0xA005)[1] == "R03"
        assert tags.get_ifd(0x0001) == {}  # no thumbnail


@pytest.mark.parametrize("form", FORMATS)
def test_xmp_is_kept_and_put_right(tmp_path: Path, photo, form) -> None:
    path = saved(tmp_path, photo, form)
    with Image.open(path) as picture:
        packet = picture.info.get("xmp") or picture.info["XML:com.adobe.xmp"]
        found = packet if isinstance(packet, str) else packet.decode()
    for words in (
        'tiff:Orientation="1"', 'exif:ColorSpace="65535"', 'xmp:Rating="4"', "© José",
        'GPano:ProjectionType="equirectangular"', 'photoshop:ColorMode="3"',
        "<tiff:ImageWidth>20<", "<exif:PixelYDimension>40<", 'ICCProfile="Adobe RGB (1998)"',
        'GPano:CroppedAreaImageWidthPixels="20"', 'GPano:FullPanoWidthPixels="40"',
    ):  # fmt: skip
        assert words in found
    for words in ("hdrgm:Version", "Thumbnails", "BitsPerSample"):
        assert words not in found


@pytest.mark.parametrize("form", ["png", "tif", "jpg"])
def test_iptc_is_kept_without_the_thumbnail(tmp_path: Path, photo, form) -> None:
    path = saved(tmp_path, photo, form)
    assert load_image(path).metadata.resources == {1028: IPTC, 1034: b"\1"}
    with Image.open(path) as picture:
        if form == "png":  # as ExifTool and ImageMagick read it
            _, name, length, *digits = picture.text["Raw profile type iptc"].split("\n")
            content = bytes.fromhex("".join(digits))
            assert (name, int(length)) == ("iptc", len(content))
            assert read_resources(content)[1028] == IPTC
        else:
            found = IptcImagePlugin.getiptcinfo(picture)
            assert found == {(2, 116): b"(c) Jos", (2, 120): b"Caption"}


@pytest.mark.parametrize(("form", "tolerance"), [("png", 0.01), ("tif", 0), ("jpg", 0)])
def test_resolution_is_kept(tmp_path: Path, photo, form, tolerance) -> None:
    with Image.open(saved(tmp_path, photo, form)) as picture:
        assert np.abs(np.array(picture.info["dpi"], float) - (240, 300)).max() <= tolerance
    assert load_image(tmp_path / f"result.{form}").metadata.dpi == (240, 300)


@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
def test_from_every_format_to_every_other(tmp_path: Path, photo, first, second) -> None:
    once = load_image(saved(tmp_path, photo, first))
    path = tmp_path / f"again.{second}"
    save_image(path, once.image, once.metadata)
    twice = load_image(path).metadata
    assert twice.dpi == (240, 300)
    assert "© José".encode() in twice.xmp
    assert twice.exif == load_image(saved(tmp_path, photo, second)).metadata.exif
    kept = "webp" not in (first, second)
    assert twice.resources == ({1028: IPTC, 1034: b"\1"} if kept else {})


def test_one_sentence_says_what_a_format_cannot_hold(photo) -> None:
    said = {form: lost_note(f"a.{form}", photo.metadata) for form in FORMATS}
    assert said["png"] is None
    assert said["jpg"] is None
    assert said["tif"] == "a.tif: TIFF does not keep the photograph's text notes; .png would."
    assert said["webp"] == (
        "a.webp: WebP does not keep the photograph's IPTC and text notes; .png would."
    )
    clear = Metadata(alpha=np.zeros((2, 2), np.float32), xmp=b"<broken", texts={"Author": "J"})
    assert lost_note("a.jpg", clear) == (
        "a.jpg: JPEG does not keep the photograph's transparency, XMP, which is damaged and text "
        "notes; .png would."
    )
    assert all(lost_note(f"a.{form}", Metadata()) is None for form in FORMATS)


@pytest.mark.parametrize("form", ["png", "webp"])
def test_resolution_without_exif(tmp_path: Path, form) -> None:
    made = chunk(b"pHYs", struct.pack(">IIB", 11811, 5906, 1))
    (tmp_path / "a.png").write_bytes(with_chunks(noise(), made))
    photo = load_image(tmp_path / "a.png")
    assert photo.metadata.dpi == (300, 150)
    again = load_image(saved(tmp_path, photo, form)).metadata
    assert again.dpi == (300, 150)


def test_resolution_per_centimetre(tmp_path: Path) -> None:
    data = tiff(noise(), photometric="rgb", resolution=(100, 50), resolutionunit="CENTIMETER")
    (tmp_path / "a.tif").write_bytes(data)
    assert load_image(tmp_path / "a.tif").metadata.dpi == (254, 127)


def test_texts_of_png_in_any_letters(tmp_path: Path) -> None:
    texts = {"Author": "José", "Title": "東京" * 900, "Description": "x" * 5000, "Software": "S"}
    image = load_image_of(tmp_path, Metadata(texts=texts))
    assert image.metadata.texts == texts
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.text == texts


def load_image_of(tmp_path, metadata):
    (tmp_path / "b.png").write_bytes(with_chunks(noise()))
    save_image(tmp_path / "a.png", load_image(tmp_path / "b.png").image, metadata)
    return load_image(tmp_path / "a.png")


def extended(packet):
    """A packet in the two parts that JPEG needs from 64 KiB on, as Adobe's programs write it."""
    name = hashlib.md5(packet).hexdigest().upper().encode()
    main = XMP.replace(b'xmp:Rating="4"', b'xmp:Rating="4" xmlns:xmpNote="http://ns.adobe.com/xmp/'
                       b'note/" xmpNote:HasExtendedXMP="' + name + b'"')  # fmt: skip
    yield 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + main
    parts = [(at, packet[at : at + 65000]) for at in range(0, len(packet), 65000)]
    for at, part in reversed(parts):
        head = b"http://ns.adobe.com/xmp/extension/\0" + name
        yield 0xE1, head + struct.pack(">II", len(packet), at) + part


def test_xmp_beyond_a_segment_of_jpeg(tmp_path: Path) -> None:
    long = b"y" * 200_000
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
        b'syntax-ns#"><rdf:Description rdf:about="" xmlns:my="http://my/" my:long="'
        + long + b'"/></rdf:RDF></x:xmpmeta>'
    )  # fmt: skip
    (tmp_path / "a.jpg").write_bytes(jpeg(noise(), *extended(packet)))
    photo = load_image(tmp_path / "a.jpg")
    for form in FORMATS:
        again = load_image(saved(tmp_path, photo, form)).metadata.xmp
        assert long in again
        assert b'xmp:Rating="4"' in again


@pytest.mark.parametrize(
    "packet",
    [
        b"<a>" * 50_000, b"\xff" * 99, b"<?xml version='1.0'?><a/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + XMP, XMP.replace(b"<rdf:RDF", b"<a>" * 3000),
    ],
)  # fmt: skip
def test_broken_xmp_is_left_out_and_told(tmp_path: Path, packet) -> None:
    made = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    (tmp_path / "a.png").write_bytes(with_chunks(noise(), made))
    photo = load_image(tmp_path / "a.png")
    path = saved(tmp_path, photo, "png")
    assert load_image(path).metadata.xmp is None
    if photo.metadata.xmp:
        assert "XMP, which is damaged" in str(lost_note(path, photo.metadata))


# The manifest in a TIFF


def test_the_caption_of_a_tiff_stays_beside_the_manifest(tmp_path: Path, photo) -> None:
    path = saved(tmp_path, photo, "tif")
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].description == "The caption"
        assert file.pages[0].tags[65000].value == b"photostyle {}"
    assert read_manifest(path) == "{}"


def test_manifests_of_old_tiffs_are_found(tmp_path: Path) -> None:
    tags = {TiffImagePlugin.IMAGEDESCRIPTION: 'photostyle {"a": "é"}'.encode()}
    Image.fromarray(noise()).save(tmp_path / "a.tif", tiffinfo=tags)
    assert read_manifest(tmp_path / "a.tif") == '{"a": "é"}'


def test_no_manifest_of_another_picture_travels(tmp_path: Path, photo) -> None:
    once = load_image(saved(tmp_path, photo, "tif"))
    for form in ("tif", "png"):
        path = tmp_path / f"again.{form}"
        save_image(path, once.image, once.metadata)
        assert read_manifest(path) is None
