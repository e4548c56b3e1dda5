"""`photostyle info`: what is seen of pictures is what their writers put in."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import photostyle
from photostyle.cli import main
from photostyle.kinds import LOOK
from tests.commands.test_cli_gain_maps import ultra_hdr
from tests.images.pictures import camera_exif, jpeg, noise, tiff
from tests.images.spaces import encoded, patches, standard
from tests.images.test_profiles import gamma, rgb_profile


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(*files, capsys, code=0):
    assert main(["info", *files, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_json_has_what_was_put_in(capsys) -> None:
    p3 = standard("p3").profile
    Path("wide.tif").write_bytes(
        tiff(encoded(patches(), np.uint16), photometric="rgb", iccprofile=p3)
    )
    Path("turned.jpg").write_bytes(
        jpeg(noise(40, 60), exif=camera_exif(0xFFFF, "R03", _274=6), dpi=(300, 300))
    )
    Image.fromarray(noise(40, 60, 4)).save("clear.png")
    Path("hdr.jpg").write_bytes(ultra_hdr())
    wide, turned, clear, hdr = told("wide.tif", "turned.jpg", "clear.png", "hdr.jpg", capsys=capsys)
    assert [f["format"] for f in (wide, turned, clear, hdr)] == ["TIFF", "JPEG", "PNG", "JPEG"]
    assert (wide["depth"], wide["space"], wide["profile"]) == (16, "Display P3", "Display P3")
    assert wide["wide"]
    assert (turned["width"], turned["height"], turned["orientation"]) == (40, 60, 6)
    assert turned["space"] == "Adobe RGB (1998)"
    assert turned["dpi"] == [300, 300]
    assert "EXIF" in turned["metadata"]
    assert (clear["alpha"], clear["hdr"], clear["space"]) == (True, False, "sRGB")
    assert clear["profile"] is None
    assert (hdr["hdr"], hdr["wide"]) == (True, False)


def test_the_table_reads_well(capsys) -> None:
    Path("a.tif").write_bytes(
        tiff(encoded(patches(), np.uint8), photometric="rgb", iccprofile=standard("p3").profile)
    )
    assert main(["info", "a.tif"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "a.tif"
    assert "  size      64×64 pixels, 8 bits per channel" in lines
    assert "  colours   Display P3, with colours outside sRGB" in lines
    assert "  manifest  none" in lines


def test_manifests_inside_and_beside(capsys) -> None:
    for name in ("c.png", "s.png"):
        Image.fromarray(noise(64, 64)).save(name)
    for out in ("r.png", "r.jpg"):
        words = f"run --content c.png --style s.png --preset color --size 64 --out {out}"
        assert main(words.split()) == 0
    Path("c.json").write_text("{}")
    capsys.readouterr()
    inside, beside, none = told("r.png", "r.jpg", "c.png", capsys=capsys)
    assert (inside["manifest"], beside["manifest"]) == ("inside", "r.jpg.json")
    assert none["manifest"] is None


def test_a_bad_file_hides_no_other(capsys) -> None:
    Image.fromarray(noise(40, 60)).save("a.png")
    Path("b.png").write_bytes(b"no picture")
    (found,) = told("b.png", "a.png", "none.png", capsys=capsys, code=2)
    assert found["file"] == "a.png"
    assert main(["info", "b.png", "none.png"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.startswith("photostyle: ") and line.endswith(".") for line in said)


def test_looks_and_films_are_told_apart(capsys) -> None:
    save_file({"a": torch.zeros(1)}, "a.look", metadata={"kind": LOOK})
    Path("a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(99))
    assert main(["info", "a.look", "a.mp4"]) == 2
    look, film = capsys.readouterr().err.splitlines()
    assert look == "photostyle: a.look is a look; `photostyle look show` shows it."
    assert "a.mp4 is a video, where a picture is needed; save one of its frames" in film


def test_a_profile_that_lies_and_one_of_its_own(capsys) -> None:
    own = rgb_profile(((0.66, 0.33), (0.25, 0.68), (0.15, 0.06)), gamma(1.9))
    Path("a.tif").write_bytes(tiff(noise(), photometric="rgb", iccprofile=own))
    Path("b.tif").write_bytes(tiff(noise(), photometric="rgb", iccprofile=own[:200]))
    a, b = photostyle.info("a.tif", "b.tif")
    assert a.space == "unnamed"
    assert not a.notes
    assert b.space == "sRGB, for want of another"
    assert "damaged" in " ".join(b.notes)
