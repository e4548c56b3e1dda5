"""Mattes of OpenEXR files that are written here: Cryptomatte, named channels, parts."""

import json
import struct
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

from photostyle.cli import main
from photostyle.errors import MaskError
from photostyle.segmentation.formats import Drawing, read_drawings

SIZE = 48, 64


def hashed(name):
    """MurmurHash3 (x86, 32 bits, seed 0) of a name, as the specification asks for it, which keeps
    exponents of 0 and 255 away."""
    data, h = name.encode(), 0
    blocks, rest = data[: len(data) // 4 * 4], data[len(data) // 4 * 4 :]

    def mixed(k):
        k = k * 0xCC9E2D51 & 0xFFFFFFFF
        k = (k << 15 | k >> 17) & 0xFFFFFFFF
        return k * 0x1B873593 & 0xFFFFFFFF

    for (k,) in struct.iter_unpack("<I", blocks):
        h ^= mixed(k)
        h = (h << 13 | h >> 19) & 0xFFFFFFFF
        h = (h * 5 + 0xE6546B64) & 0xFFFFFFFF
    if rest:
        h ^= mixed(int.from_bytes(rest, "little"))
    h ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h ^= h >> shift
        h = h * factor & 0xFFFFFFFF
    return h ^ (1 << 23) if h >> 23 & 255 in (0, 255) else h


def test_the_hash_is_the_specifications() -> None:
    assert hashed("") == 1 << 23  # 0 has an exponent of 0
    assert hashed("hello") == 0x248BFA47
    assert hashed("hello, world") == 0x149BBB7F


def shares():
    """Two objects with a soft border between them, and a third on a part of the second."""
    x = np.arange(SIZE[1])[None, :] * np.ones((SIZE[0], 1))
    sky = ((30 - x) / 12 + 0.5).clip(0, 1)
    tower = 1 - sky
    bush = np.zeros(SIZE)
    bush[30:, 50:] = 0.6 * tower[30:, 50:]
    tower[30:, 50:] *= 0.4
    return {"sky": sky, "tower": tower, "bush": bush}


def write(path, parts):
    """Parts are (name, channels by name, attributes); or more than one."""
    specs = []
    for name, channels, attributes in parts:
        height, width = next(iter(channels.values())).shape
        spec = oiio.ImageSpec(width, height, len(channels), "float")
        spec.channelnames = tuple(channels)
        x, y = attributes.get("place", (0, 0))
        spec.x, spec.y = x, y
        spec.full_width, spec.full_height = attributes.get("full", (width, height))
        if name:
            spec.attribute("oiio:subimagename", name)
        for key, value in attributes.items():
            if isinstance(value, str):
                spec.attribute(key, value)
        specs.append(spec)
    out = oiio.ImageOutput.create(str(path))
    opened = out.open(str(path), specs[0]) if len(specs) == 1 else out.open(str(path), tuple(specs))
    assert opened, out.geterror()
    for n, (_, channels, _) in enumerate(parts):
        if n:
            assert out.open(str(path), specs[n], "AppendSubimage")
        pixels = np.stack(list(channels.values()), axis=-1).astype(np.float32)
        assert out.write_image(np.ascontiguousarray(pixels)), out.geterror()
    out.close()


def colours():
    light = np.random.default_rng(1).random((*SIZE, 3)) * 3
    return dict(zip("RGB", np.moveaxis(light, -1, 0), strict=True))


def crypto(planes, name="CryptoObject", named=None, beside=None):
    """Channels of two levels, the larger share first, and the header's words."""
    codes = {n: hashed(n) for n in planes}
    stack = np.stack(list(planes.values()))
    order = np.argsort(-stack, axis=0)
    ids = np.array([struct.unpack("<f", struct.pack("<I", c))[0] for c in codes.values()], "f4")
    channels = {}
    for rank in range(4):
        level, (code, share) = rank // 2, ("RG", "BA")[rank % 2]
        there = rank < len(planes)
        values = np.take_along_axis(stack, order, axis=0)[rank] if there else np.zeros(SIZE)
        hashes = np.where(values > 0, ids[order[rank]], 0) if there else np.zeros(SIZE, "f4")
        channels[f"{name}{level:02}.{code}"] = hashes
        channels[f"{name}{level:02}.{share}"] = values
    key = f"cryptomatte/{hashed(name):08x}"[: len("cryptomatte/") + 7]
    listed = {n: f"{c:08x}" for n, c in codes.items() if n in (named or planes)}
    words = {f"{key}/name": name, f"{key}/hash": "MurmurHash3_32"}
    words[f"{key}/conversion"] = "uint32_to_float32"
    if beside:
        words[f"{key}/manif_file"] = beside
    else:
        words[f"{key}/manifest"] = json.dumps(listed)
    return channels, words


def read(path, size=SIZE):
    return read_drawings([Drawing(Path(path), size)])[0]


def planes_of(labels):
    return dict(zip(labels.names, labels.soft, strict=True))


def test_cryptomatte_gives_soft_regions_by_their_names(tmp_path: Path) -> None:
    channels, words = crypto(shares())
    preview = {f"CryptoObject.{c}": np.zeros(SIZE) for c in "RGB"}
    write(tmp_path / "c.exr", [("", {**colours(), **preview, **channels}, words)])
    found = planes_of(read(tmp_path / "c.exr"))
    assert set(found) == {"rest", "sky", "tower", "bush"}
    for name, plane in shares().items():
        assert np.abs(found[name] - plane).max() < 1e-5
    assert found["rest"].max() < 1e-5


def test_objects_that_no_manifest_names_go_by_their_hash(tmp_path: Path) -> None:
    channels, words = crypto(shares(), named=["sky"])
    write(tmp_path / "c.exr", [("", {**colours(), **channels}, words)])
    codes = {f"{hashed(n):08x}" for n in ("tower", "bush")}
    assert set(read(tmp_path / "c.exr").names) == {"rest", "sky", *codes}


def test_a_manifest_beside_the_file(tmp_path: Path) -> None:
    channels, words = crypto(shares(), beside="names.json")
    write(tmp_path / "c.exr", [("", {**colours(), **channels}, words)])
    (tmp_path / "names.json").write_text(json.dumps({n: f"{hashed(n):08x}" for n in shares()}))
    assert set(read(tmp_path / "c.exr").names) == {"rest", *shares()}
    channels, words = crypto(shares(), beside="../names.json")
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "c.exr", [("", {**colours(), **channels}, words)])
    assert "sky" not in read(tmp_path / "in" / "c.exr").names  # none from elsewhere


def test_the_first_of_several_cryptomattes(tmp_path: Path) -> None:
    one, words = crypto(shares(), "CryptoObject")
    other, more = crypto({"glass": shares()["sky"], "stone": 1 - shares()["sky"]}, "CryptoMaterial")
    write(tmp_path / "c.exr", [("", {**one, **other}, {**words, **more})])
    labels = read(tmp_path / "c.exr")
    assert set(labels.names) == {"rest", "glass", "stone"}
    (note,) = labels.notes
    assert "CryptoMaterial, CryptoObject" in note


def test_channels_and_layers_that_are_named_are_mattes(tmp_path: Path) -> None:
    sky = shares()["sky"]
    tower = np.where(np.isfinite(sky), 0.5 * (1 - sky), 0)
    tower[0, 0] = np.nan
    channels = {
        **colours(), "Z": 9 + 0 * sky, "masks.sky": sky, "tower.A": tower, "N.X": sky, "N.Y": sky,
        "distance": 5 + sky,
    }  # fmt: skip
    write(tmp_path / "c.exr", [("", channels, {})])
    labels = read(tmp_path / "c.exr")
    found = planes_of(labels)
    assert set(found) == {"rest", "sky", "tower"}
    assert np.abs(found["sky"] - sky).max() < 1e-6
    assert np.abs(found["tower"] - np.nan_to_num(tower)).max() < 1e-6
    assert [note for note in labels.notes if "distance" in note]


def test_parts_of_one_channel_are_mattes(tmp_path: Path) -> None:
    sky = shares()["sky"]
    parts = [("beauty", colours(), {}), ("sky", {"Y": sky}, {}), ("tower", {"A": 1 - sky}, {})]
    write(tmp_path / "c.exr", parts)
    found = planes_of(read(tmp_path / "c.exr"))
    assert set(found) == {"rest", "sky", "tower"}
    assert np.abs(found["tower"] - (1 - sky)).max() < 1e-6


def test_a_small_window_lies_at_its_place(tmp_path: Path) -> None:
    plane = np.ones((10, 20), np.float32)
    write(tmp_path / "c.exr", [("", {"m.car": plane}, {"place": (7, 5), "full": (64, 48)})])
    found = planes_of(read(tmp_path / "c.exr"))["car"]
    assert found.shape == SIZE
    assert found[5:15, 7:27].min() == 1
    assert found.sum() == 200


def test_colours_alone_are_a_label_picture(tmp_path: Path) -> None:
    left = np.zeros(SIZE)
    left[:, :30] = 1
    write(tmp_path / "c.exr", [("", {"R": 1 - left, "G": 0 * left, "B": left}, {})])
    labels = read(tmp_path / "c.exr")
    assert [labels.names[i] for i in labels.ids[0, [0, -1]]] == ["blue", "red"]
    ids = np.where(left > 0, 3, 11).astype(np.float32)
    write(tmp_path / "i.exr", [("", {"Y": ids}, {})])
    labels = read(tmp_path / "i.exr")
    assert [labels.names[i] for i in labels.ids[0, [0, -1]]] == ["id 3", "id 11"]


def test_empty_and_broken_ones_are_one_sentence(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "c.exr", [("", {**colours(), "sky": np.zeros(SIZE)}, {})])
    with pytest.raises(MaskError, match="only empty mattes"):
        read(tmp_path / "c.exr")
    data = (tmp_path / "c.exr").read_bytes()
    (tmp_path / "c.exr").write_bytes(data[: len(data) // 2])
    with pytest.raises(MaskError, match=r"c\.exr is damaged or incomplete"):
        read(tmp_path / "c.exr")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MaskError, match=r'pip install "photostyle\[vfx\]"'):
        read(tmp_path / "c.exr")


def test_more_objects_than_regions(tmp_path: Path) -> None:
    planes = {}
    for n in range(45):
        plane = np.zeros(SIZE)
        plane[n : n + 1, : 10 + n] = 1
        planes[f"m.object{n}"] = plane
    write(tmp_path / "c.exr", [("", planes, {})])
    labels = read(tmp_path / "c.exr")
    assert len(labels.names) == 41
    assert "object0" not in labels.names
    assert "45 mattes; the 40 largest" in labels.notes[0]


def test_a_run_with_a_cryptomatte(tmp_path: Path, monkeypatch, capsys) -> None:
    """Through the command line: one object is left as it was, softly."""
    monkeypatch.chdir(tmp_path)
    planes = shares()
    channels, words = crypto({"sky": planes["sky"], "tower": 1 - planes["sky"]})
    write("c.exr", [("", {**colours(), **channels}, words)])
    rng = np.random.default_rng(2)
    Image.fromarray(rng.integers(60, 120, (48, 64, 3), np.uint8)).save("s.png")
    write("m.exr", [("", {"m.sky": planes["sky"], "m.tower": 1 - planes["sky"]}, {})])
    words = "run --content c.exr --content-mask c.exr --style s.png --style-mask m.exr --out r.exr"
    assert main([*words.split(), "--preset", "color", "--strength", "sky=0,tower=1"]) == 0
    said = capsys.readouterr().err
    assert "sky" in said
    assert "tower" in said
    file = oiio.ImageInput.open("r.exr")
    after = file.read_image(0, 0, 0, 3, "float")
    file.close()
    before = np.stack(list(colours().values()), axis=-1)
    change = np.abs(after - before).mean(axis=(0, 2))
    assert change[:20].max() < 0.02
    assert change[44:].min() > 0.1
