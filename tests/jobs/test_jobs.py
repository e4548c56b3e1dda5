"""Keys, records and the folder that holds them."""

import json
from pathlib import Path

import pytest

from photostyle.errors import ImageError, OutputError
from photostyle.jobs.jobs import Folder, check_name, key_of, sha256_of, write_text

DONE = {"state": "done", "picture": "a.png"}


def test_a_key_is_of_facts_not_of_their_order() -> None:
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})


def test_hash_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"one")
    first = sha256_of(path)
    path.write_bytes(b"other")
    assert sha256_of(path) != first
    with pytest.raises(ImageError, match="gone"):
        sha256_of(tmp_path / "gone")


def test_hash_of_a_folder_is_of_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    first = sha256_of(tmp_path)
    (tmp_path / "b").write_bytes(b"1")
    second = sha256_of(tmp_path)
    (tmp_path / "b").write_bytes(b"22")
    assert len({first, second, sha256_of(tmp_path)}) == 3


def test_done_needs_the_record_and_its_picture(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert not folder.done("k")
    (tmp_path / "a.png").write_bytes(b"picture")
    folder.note("k", DONE)
    assert folder.done("k")
    (tmp_path / "a.png").write_bytes(b"pictur")  # torn
    assert not folder.done("k")
    (tmp_path / "a.png").unlink()
    assert not folder.done("k")
    folder.note("k", {"state": "failed", "reason": "no"})
    assert folder.failed("k")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": "other", "state": "done"}', "\0"])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path)
    write_text(tmp_path / "jobs" / "k.json", text)
    assert folder.record("k") is None
    assert not folder.done("k")


def test_one_process_at_a_time_and_no_leftovers(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in (".photostyle-1234.png", "deep/.photostyle-99.json", "mine.png"):
        (tmp_path / name).touch()
    with Folder(tmp_path).locked():
        assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {
            "mine.png", ".photostyle.lock"}  # fmt: skip
        with pytest.raises(OutputError, match="in use by another"), Folder(tmp_path).locked():
            pass
    with Folder(tmp_path).locked():
        pass


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"), Folder(tmp_path / "file").locked():
        pass


@pytest.mark.parametrize("name", ["a", "Ä b/ç d", "x.y", "日本 語", "a=1,b=2"])
def test_good_names(name: str) -> None:
    assert check_name(name) is None


@pytest.mark.parametrize(
    "name", ["", "..", "../a", "a/../b", "/a", "a\\b", "C:x", ".a", "a/.b", "a\nb", "x" * 300,
             "jobs/a",
             " a", "a/", "a//b"],
)  # fmt: skip
def test_bad_names(name: str) -> None:
    assert check_name(name)


def test_records_keep_every_letter(tmp_path: Path) -> None:
    Folder(tmp_path).note("k", {"state": "failed", "reason": "größer «ü»"})
    text = (tmp_path / "jobs" / "k.json").read_text(encoding="utf-8")
    assert json.loads(text)["reason"] == "größer «ü»"
