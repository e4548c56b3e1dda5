"""Picture files through the command line: colours as meant, metadata kept, a note for the rest."""

import io
import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, IptcImagePlugin, TiffImagePlugin

from photostyle.cli import main
from photostyle.feedforward.style_model import build_network, save_model
from photostyle.images.photoshop import write_resources
from photostyle.images.picture import load_image
from tests.feedforward.test_style_model import CONFIG, info
from tests.images.pictures import camera_exif, chunk, jpeg, png, tiff, with_chunks
from tests.images.test_colorimetry import ADOBE_SAID, PNGS
from tests.images.test_encoding import IPTC, content
from tests.images.test_profiles import gamma, profile


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photostyle(words: str) -> int:
    return main(words.split())


def flat(*colour, kind=np.uint8):
    return np.full((64, 64, len(colour)), colour, dtype=kind)


def photograph(seed=0, size=(60, 80)):
    rng = np.random.default_rng(seed)
    ramp = np.linspace(40, 220, size[1])[None, :, None] * np.array([1, 0.8, 0.6])
    return (ramp + rng.normal(0, 6, (*size, 3))).clip(0, 255).astype(np.uint8)


def written(name: str, data: bytes) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(data)


def colour_of(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(float)[32, 32]


# Colours


def grey_profile(bits):
    icc = profile(b"GRAY", {b"kTRC": gamma(0.6)}, connection=b"Lab ")
    value = flat(128 * (257 if bits == 16 else 1), kind=f"u{bits // 8}")[..., 0]
    return tiff(value, photometric="minisblack", iccprofile=icc)


def littlecms_of_grey():
    icc = profile(b"GRAY", {b"kTRC": gamma(0.6)}, connection=b"Lab ")
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    one = Image.new("L", (1, 1), 128)
    made = ImageCms.profileToProfile(one, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return made.getpixel((0, 0))


def test_colours_are_what_the_files_say(capsys: pytest.CaptureFixture[str]) -> None:
    """A filter that leaves plain pictures alone, so that what is read is what is written."""
    stored = flat(39, 200, 60)
    ink, spot = (0.2, 0.6, 0.1, 0.3), 0.5
    levels = np.rint(np.array([*ink, spot, 0.8]) * 65535).astype(np.uint16)
    cases = {
        "adobe.jpg": (jpeg(stored, exif=camera_exif(65535, "R03")), ADOBE_SAID),
        "camera.jpg": (jpeg(stored, exif=camera_exif(1, "R98")), (39, 200, 60)),
        "p3.png": (with_chunks(stored, *PNGS["Display P3"][0]), PNGS["Display P3"][1]),
        "linear.png": (with_chunks(stored, *PNGS["linear"][0]), PNGS["linear"][1]),
        "grey.tif": (grey_profile(8), littlecms_of_grey()),
        "deep.tif": (grey_profile(16), littlecms_of_grey()),
        "spot.tif": (
            tiff(np.broadcast_to(levels, (64, 64, 6)).copy(), photometric="separated",
                 extrasamples=["unspecified", "unassalpha"]),
            [255 * (1 - c) * (1 - ink[3]) for c in ink[:3]],
        ),
        "planar.tif": (
            tiff(np.broadcast_to(levels[:3, None, None], (3, 64, 64)).copy(), photometric="rgb",
                 planarconfig="separate", compression="lzw"),
            np.array(ink[:3]) * 255,
        ),
    }  # fmt: skip
    for name, (data, _) in cases.items():
        written(f"in/{name}", data)
    assert photostyle("post median in --out out") == 0, capsys.readouterr().err
    for name, (_, says) in cases.items():
        with Image.open(f"out/{name}") as picture:
            icc = picture.info.get("icc_profile")
            tags = picture.getexif().get_ifd(0x8769)
        own = {"adobe.jpg": "Adobe RGB", "p3.png": "Display P3", "linear.png": "RGB of the file"}
        assert tags.get(0xA001) in (None, 0xFFFF if name in own else 1)
        if icc:  # what is said of the result is its own space
            called = ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(icc)))
            assert own.get(name, "sRGB") in called
        found = load_image(f"out/{name}").image[0, :, 32, 32].numpy() * 255
        coarse = name in own  # whose 8 bits are another space's
        assert np.abs(found - says).max() < (2.0 if coarse else 1.1), name
    assert load_image("out/spot.tif").metadata.alpha.mean() == pytest.approx(0.8, abs=1e-4)
    assert np.rint(colour_of("out/camera.jpg")).tolist() == [39, 200, 60]


def test_a_plain_srgb_photograph_stays_as_it_is() -> None:
    for name, array in (("in/a.png", photograph()), ("in/b.tif", photograph(1))):
        Path("in").mkdir(exist_ok=True)
        Image.fromarray(array).save(name)
    assert photostyle("post bilateral:d=3,sigma_color=0.0001 in --out out") == 0
    assert np.abs(np.asarray(Image.open("out/a.png")).astype(int) - photograph()).max() <= 1
    assert Image.open("out/b.tif").info.get("icc_profile") is None


# Refusals


BAD = {
    "kind": (b"II\xbc\1" + bytes(99), "a JPEG XR picture", "save it as"),
    "damage": (tiff(photograph(), photometric="rgb")[:5000], "damaged or incomplete", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_kind_and_damage_are_told_apart(name, capsys: pytest.CaptureFixture[str]) -> None:
    data, says, also = BAD[name]
    written("bad.tif", data)
    Image.fromarray(photograph()).save("style.png")
    words = "run --content bad.tif --style style.png --preset color --out out.png"
    assert photostyle(words) == 2
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    assert "bad.tif" in sentence
    assert says in sentence
    assert also in sentence
    assert not Path("out.png").exists()


def test_batch_refuses_and_takes_the_same_files_as_a_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What Pillow cannot open may be read all the same."""
    deep = np.repeat(photograph().astype(np.uint16) * 257, 2, axis=2)[..., :5]
    written("deep.tif", tiff(deep, photometric="rgb", compression="zstd",
                             extrasamples=["unspecified", "unassalpha"]))  # fmt: skip
    written("bad.jpg", BAD["kind"][0])
    Image.fromarray(photograph(1)).save("style.png")
    Path("jobs.csv").write_text("content,style\nbad.jpg,style.png\n")
    assert photostyle("batch jobs.csv --preset color --size 64 --out out") == 2
    assert "is a JPEG XR picture" in capsys.readouterr().err
    Path("jobs.csv").write_text("content,style\ndeep.tif,style.png\n")
    assert photostyle("batch jobs.csv --preset color --size 64 --out out --format tif") == 0
    assert load_image("out/deep-style.tif").metadata.alpha is not None


# Metadata


@pytest.fixture
def pair(folder: Path) -> None:
    """A turned photograph of 80×60 that carries everything, and a style."""
    content(folder / "small.jpg")
    small = load_image(folder / "small.jpg").metadata
    with Image.open("small.jpg") as picture:
        exif, xmp, dpi = picture.info["exif"], picture.info["xmp"], picture.info["dpi"]
    data = jpeg(photograph(size=(60, 80)),
                (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),
                (0xED, b"Photoshop 3.0\0" + write_resources(small.resources)),
                exif=exif, dpi=dpi)  # fmt: skip
    written("content.jpg", data)
    Image.fromarray(photograph(3)).save("style.png")


def check_kept(name: str, size=(60, 80), iptc: bool = True) -> None:
    """Caption, rights, rating, IPTC and resolution are there, orientation and colours put right."""
    with Image.open(name) as picture:
        tags = picture.getexif()
        assert picture.size == size
        assert (tags[0x010E], tags[0x0112]) == ("The caption", 1)
        assert tags.get_ifd(0x8769)[0xA001] == 0xFFFF
        assert tags.get_ifd(0xA005)[1] == "R03"
        assert (tags.get_ifd(0x8769)[0xA002], tags.get_ifd(0x8769)[0xA003]) == size
        assert (tags[0x011A], tags[0x011B]) == (240, 300)
        packet = picture.info.get("xmp") or picture.info["XML:com.adobe.xmp"]
        words = packet if isinstance(packet, str) else packet.decode()
        assert 'tiff:Orientation="1"' in words
        assert 'xmp:Rating="4"' in words
        assert "© José" in words
        assert f'GPano:CroppedAreaImageWidthPixels="{size[0]}"' in words
        if name.endswith((".tif", ".jpg")):
            assert IptcImagePlugin.getiptcinfo(picture)[2, 120] == b"Caption"
            assert np.allclose(np.array(picture.info["dpi"], float), (240, 300))
    assert load_image(name).metadata.resources.get(1028) == (IPTC if iptc else None)


STYLED = "--content content.jpg --style style.png --preset color --size 64"


def test_all_that_saves_keeps_the_same(pair: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert photostyle(f"run {STYLED} --out a.tif") == 0
    check_kept("a.tif")
    assert photostyle("replay a.tif --out b.png") == 0
    check_kept("b.png")
    assert "does not keep" not in capsys.readouterr().err
    assert photostyle("render a.tif --output-size 40 --out c.webp") == 0
    check_kept("c.webp", size=(30, 40), iptc=False)
    assert capsys.readouterr().err.count("WebP does not keep the photograph's IPTC") == 1
    assert photostyle("post median a.tif b.png --out d") == 0
    check_kept("d/a.tif")
    check_kept("d/b.png")
    Path("jobs.csv").write_text("name,content,style\nn,content.jpg,style.png\n")
    options = "--preset color --size 64"
    capsys.readouterr()
    assert photostyle(f"batch jobs.csv {options} --format webp --out e") == 0
    check_kept("e/n.webp", iptc=False)
    assert capsys.readouterr().err.count("WebP does not keep the photograph's IPTC") == 1
    sweep = "--content content.jpg --style style.png --grid strength=0.5 --format jpg --out f"
    assert photostyle(f"sweep {sweep} {options}") == 0
    check_kept("f/strength=0.5.jpg")


def test_applied_styles_keep_it_too(pair: None, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(Path("net.safetensors"), build_network(CONFIG.network), info())
    with Image.open("content.jpg") as picture:
        clear = Image.new("RGBA", picture.size, (9, 9, 9, 99))
        clear.save("clear.webp", exif=picture.info["exif"])
    assert photostyle("apply content.jpg clear.webp --model net.safetensors --out o") == 0
    check_kept("o/content.jpg")
    assert load_image("o/clear.webp").metadata.alpha is not None
    assert "does not keep" not in capsys.readouterr().err


def test_old_results_with_their_manifest_in_the_caption(pair: None) -> None:
    assert photostyle(f"run {STYLED} --out a.tif") == 0
    text = Path("a.json").read_text(encoding="utf-8")
    Path("old").mkdir()
    shutil.copy("a.grade.safetensors", "old/b.grade.safetensors")
    with Image.open("a.tif") as picture:
        description = {TiffImagePlugin.IMAGEDESCRIPTION: f"photostyle {text}".encode()}
        Image.fromarray(np.asarray(picture)).save("old/b.tif", tiffinfo=description)
    assert json.loads(text)["inputs"]["content"]["path"] == "content.jpg"
    assert photostyle("replay old/b.tif --out again.png") == 0
    assert photostyle("render old/b.tif --out rendered.png") == 0
    target = np.asarray(Image.open("a.tif"))
    assert np.array_equal(np.asarray(Image.open("again.png")), target)
    assert np.abs(np.asarray(Image.open("rendered.png")).astype(int) - target).max() <= 1


# Suffixes, and files of several frames


def test_one_frame_of_several_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    frames = [Image.fromarray(photograph(n)) for n in range(3)]
    for name in ("film.gif", "film.webp"):
        frames[0].save(name, save_all=True, append_images=frames[1:])
    frames[0].save("still.gif")
    save_model(Path("net.safetensors"), build_network(CONFIG.network), info())
    says = "holds several frames or pages; the first one alone is used"
    assert photostyle("apply film.gif --model net.safetensors --out o") == 0
    assert capsys.readouterr().err.count(f"film.gif {says}") == 1
    words = "apply film.webp still.gif --model net.safetensors --out p"
    assert photostyle(words) == 0
    assert capsys.readouterr().err.count(says) == 1
    run = "run --content film.gif --style film.webp --preset color --size 64 --out r.png"
    assert photostyle(run) == 0
    err = capsys.readouterr().err
    assert err.count(f"film.gif {says}") == err.count(f"film.webp {says}") == 1
    assert photostyle("render r.png --out t.png") == 0
    assert capsys.readouterr().err.count(f"film.gif {says}") == 1
    assert photostyle("compare r.png --content film.gif --style still.gif") == 0
    assert capsys.readouterr().err.count(says) == 1
    grid = "--grid strength=0.5,1 --preset color --size 64 --out v"
    assert photostyle(f"sweep --content film.gif --style still.gif {grid}") == 0
    assert capsys.readouterr().err.count(says) == 1


def test_jfif_and_ppm_are_pictures_in_every_folder() -> None:
    deep = photograph().astype(np.uint16) * 257
    written("in/a.jfif", jpeg(photograph()))
    head = f"P6\n# from a scanner\n{deep.shape[1]} {deep.shape[0]}\n65535\n".encode()
    written("in/b.ppm", head + deep.astype(">u2").tobytes())
    assert photostyle("post median in --out post") == 0
    assert sorted(p.name for p in Path("post").glob("[ab].*")) == ["a.jfif", "b.png"]
    assert load_image("post/b.png").metadata.bit_depth == 16
    save_model(Path("net.safetensors"), build_network(CONFIG.network), info())
    assert photostyle("apply in --model net.safetensors --out apply") == 0
    assert sorted(p.name for p in Path("apply").iterdir()) == ["a.jfif", "b.png"]
    written("pairs/content/a.jfif", jpeg(photograph()))
    written("pairs/style/a.ppm", Path("in/b.ppm").read_bytes())
    assert photostyle("batch --pairs pairs --preset color --size 64 --out batch") == 0
    assert Path("batch/a.png").is_file()
    masks = {"left": np.arange(80)[None] < 40, "right": np.arange(80)[None] >= 40}
    for side, where in masks.items():
        level = np.where(where, 255, 0).repeat(60, axis=0).astype(np.uint8)
        written(f"masks/{side}.ppm", b"P5 80 60 255\n" + level.tobytes())
    words = "segment in/a.jfif --content-mask masks --out regions"
    assert photostyle(words) == 0
    assert "left" in Path("regions/regions.txt").read_text()


def test_a_result_may_be_called_jfif() -> None:
    for n, name in enumerate(("content.png", "style.png")):
        Image.fromarray(photograph(n)).save(name)
    words = "run --content content.png --style style.png --preset color --size 64 --out r.jfif"
    assert photostyle(words) == 0
    with Image.open("r.jfif") as picture:
        assert picture.format == "JPEG"


def test_metadata_of_any_size_keeps_no_photograph_from_being_styled() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    written("content.png", with_chunks(photograph(), bomb))
    written("style.png", png(2, photograph(1).astype(np.uint16) * 257, bomb))
    words = "run --content content.png --style style.png --preset color --size 64 --out r.png"
    assert photostyle(words) == 0
