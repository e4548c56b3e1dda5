"""Asking beforehand whether a picture can be written."""

from pathlib import Path

import pytest

from photostyle.errors import OutputError
from photostyle.images.saving import (
    check_output,
    save_image,
)
from tests.images.pictures import noise
from tests.images.test_saving import tensor


def snapshot(folder):
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("name", ["a.png", "new/deep/a.JPG", "old.tif", "dots.in.name.webp"])
def test_check_output_agrees_and_leaves_nothing(tmp_path: Path, name) -> None:
    (tmp_path / "old.tif").touch()
    (tmp_path / "in.png").touch()
    before = snapshot(tmp_path)
    check_output(tmp_path / name, [tmp_path / "in.png", tmp_path / "missing.png"])
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.gif", r"\.png, \.jpg, \.jpeg, \.jfif, \.jpe, \.tif, \.tiff, \.webp"),
        ("a", r"should end in one of"),
        ("folder.png", "is a folder"),
        ("in.png", "one of the inputs"),
        ("link.png", "one of the inputs"),
        ("hard.png", "one of the inputs"),
        ("folder.png/../in.png", "one of the inputs"),
        ("linked/in.png", "one of the inputs"),
        ("ghost.png", "one of the inputs"),
        ("in.png/a.png", "is a file and no folder"),
        ("in.png/b/a.png", "is a file and no folder"),
        ("n" * 300 + ".png", "cannot be written: File name too long"),
    ],
)
def test_check_output_refuses(tmp_path: Path, name, text) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "in.png").touch()
    (tmp_path / "link.png").symlink_to("in.png")
    (tmp_path / "hard.png").hardlink_to(tmp_path / "in.png")
    (tmp_path / "linked").symlink_to(tmp_path)
    before = snapshot(tmp_path)
    with pytest.raises(OutputError, match=text) as caught:
        check_output(tmp_path / name, [tmp_path / "in.png", tmp_path / "ghost.png"])
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder that refuses even root")
@pytest.mark.parametrize("name", ["/proc/a.png", "/proc/new/a.png"])
def test_check_output_where_nobody_can_write(name) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        check_output(name, [])
    with pytest.raises(OutputError, match="cannot be written"):
        save_image(name, tensor(noise()))
