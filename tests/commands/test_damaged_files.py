"""Files that are damaged where their decoders take no notice: refused, as pictures and as masks."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle.cli import main
from tests.images.pictures import noise


def run(*words: str) -> int:
    quick = ["--preset", "color", "--size", "64", "--device", "cpu"]
    return main(["run", *quick, "--out", "out.png", *words])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("good", "style"):
        Image.fromarray(noise(64, 64, 3, 8) // 8 + 100).save(f"{name}.png")
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[..., 2], mask[32:, :, 2], mask[32:, :, 1] = 255, 0, 255
    mask += noise(64, 64, 3, 8) // 64
    for name in ("mask", "other"):
        Image.fromarray(mask).save(f"{name}.png")
    return tmp_path


def halved(name: str) -> None:
    """Zeros where the second half was: to the decoder, pixels like any others."""
    data = Path(name).read_bytes()
    Path(name).write_bytes(data[: len(data) // 2].ljust(len(data), b"\0"))
    with Image.open(name) as picture:
        picture.load()  # which is why nobody sees it


@pytest.mark.parametrize("name", ["good.png", "style.png", "mask.png"])
def test_a_png_of_wrong_checksums(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--content", "good.png", "--style", "style.png", "--content-mask", "mask.png",
             "--style-mask", "other.png")  # fmt: skip
    halved(name)
    assert run(*words) == 2
    assert f"{name} is damaged or incomplete (the checksum" in capsys.readouterr().err
    assert not Path("out.png").exists()


def test_of_metadata_no_checksum_counts() -> None:
    data = bytearray(Path("good.png").read_bytes())
    chunk = b"tEXtComment\0words"
    wrong = (zlib.crc32(chunk) ^ 1).to_bytes(4, "big")
    data[33:33] = (len(chunk) - 4).to_bytes(4, "big") + chunk + wrong
    Path("good.png").write_bytes(data)
    assert run("--content", "good.png", "--style", "style.png") == 0
