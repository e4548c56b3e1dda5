"""What counts as a picture in a folder, and which folders are searched."""

import os
import unicodedata
from pathlib import Path

import pytest

from photostyle.images.hashing import content_sha256
from photostyle.images.listing import PICTURES, files_below, hidden, pictures_in
from photostyle.places import as_seen, expanded, folded, identity

NOISE = ("._a.png", ".DS_Store", ".hidden.jpg", "Thumbs.db", "desktop.ini", "notes.txt")


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode(errors="surrogateescape"))


def names(folder: Path, found: list[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in found]


def test_companions_and_systems_files_are_no_pictures(tmp_path: Path) -> None:
    fill(
        tmp_path, *NOISE, "a.png", "b.JPG", "folder.png/c.png", ".cache/d.png", "@eaDir/a.png/S.jpg"
    )
    fill(tmp_path, "__MACOSX/._a.png", "$RECYCLE.BIN/e.png", "sub/f.webp", "sub/._f.webp")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "broken.png").symlink_to("nowhere.png")
    assert names(tmp_path, pictures_in(tmp_path)) == ["a.png", "b.JPG"]
    below = names(tmp_path, files_below(tmp_path, PICTURES))
    assert below == ["a.png", "b.JPG", "folder.png/c.png", "sub/f.webp"]


def test_a_hidden_folder_that_is_asked_for_is_searched(tmp_path: Path) -> None:
    fill(tmp_path, ".private/a.png", ".private/sub/b.png")
    assert len(files_below(tmp_path / ".private", PICTURES)) == 2


def test_links_are_searched_once_and_not_in_circles(tmp_path: Path) -> None:
    fill(tmp_path, "album/a.png", "album/deep/b.png", "elsewhere/c.png", "elsewhere/far/d.png")
    album = tmp_path / "album"
    (album / "0-itself").symlink_to(album)
    (album / "deep" / "up").symlink_to("..")
    (album / "0-deep").symlink_to("deep")  # what has a name of its own here keeps it
    (album / "linked").symlink_to(tmp_path / "elsewhere")
    (album / "again").symlink_to(tmp_path / "elsewhere" / "far")
    (tmp_path / "elsewhere" / "back").symlink_to(album)
    (album / "dangling").symlink_to("nowhere")
    found = files_below(album, PICTURES)
    assert len(found) == 4
    assert len({os.path.realpath(path) for path in found}) == 4
    assert {"a.png", "deep/b.png", "linked/c.png"} <= set(names(album, found))


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        (unicodedata.normalize("NFD", "Café"), "Café"),
        (os.fsdecode("Café".encode("latin-1")), "Café"),
        ("Café", "Café"),
        ("a.png", "a.png"),
        ("日本", "日本"),
    ],
)
def test_names_are_compared_as_people_see_them(name: str, seen: str) -> None:
    assert as_seen(name) == seen


def test_folders_hash_alike_whatever_their_names_bytes(tmp_path: Path) -> None:
    """Systems' files come and go, and a disk may spell a name otherwise."""
    for place, name in (("a", "é.png"), ("b", "é.png")):
        fill(tmp_path / place, "z.png")
        spelled = unicodedata.normalize("NFD" if place == "a" else "NFC", name)
        (tmp_path / place / spelled).write_bytes(b"same")
    fill(tmp_path / "a", *NOISE[:5])
    assert content_sha256(tmp_path / "a") == content_sha256(tmp_path / "b")
    (tmp_path / "b" / "z.png").write_bytes(b"other")
    assert content_sha256(tmp_path / "a") != content_sha256(tmp_path / "b")


def test_hidden() -> None:
    assert [hidden(n) for n in ("._a.png", ".a", "@eaDir", "a.png", "_a.png")] == [
        True, True, True, False, False
    ]  # fmt: skip


def test_files_are_known_by_what_they_are(tmp_path: Path) -> None:
    fill(tmp_path, "a.png")
    (tmp_path / "link.png").symlink_to("a.png")
    os.link(tmp_path / "a.png", tmp_path / "hard.png")
    one = identity(tmp_path / "a.png")
    for name in ("link.png", "hard.png", "sub/../a.png", "./a.png"):
        (tmp_path / "sub").mkdir(exist_ok=True)
        assert identity(tmp_path / name) == one
    assert identity(tmp_path / "New.png") == identity(tmp_path / "new.PNG")
    assert identity(tmp_path / "new.png") != one
    assert folded("É.PNG") == folded(unicodedata.normalize("NFD", "é.png"))


def test_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/here")
    assert expanded("~/x.png") == Path("/here/x.png")
    assert expanded("~nobody-at-all/x") == Path("~nobody-at-all/x")
    assert expanded("a/~/x") == Path("a/~/x")
