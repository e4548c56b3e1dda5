"""Fetching a torchvision-format VGG-19 from a server of our own, also through the command line."""

import hashlib
import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from photostyle.cli import main
from photostyle.encoders import cache
from photostyle.encoders import fetch as fetching
from photostyle.encoders.fetch import fetch
from photostyle.encoders.registry import ENTRIES, Entry, entry_of
from photostyle.encoders.vgg import VggEncoder
from photostyle.encoders.weights import load_encoder
from photostyle.errors import DownloadError, OptionError, OutputError, WeightsError
from tests.encoders.file_server import Site
from tests.encoders.thin_vgg import checkpoint, thin_weights

CHANNELS = (64, 128, 256, 512, 512)


def files(home: Path) -> set[str]:
    return {path.name for path in (home / "weights").iterdir()}


DONE = {"vgg19.safetensors", "vgg19.json", "vgg19.lock"}


def test_fetch_strips_stores_and_finds_again(
    thin: tuple[Entry, bytes], home: Path, site: Site
) -> None:
    entry, data = thin
    said: list[str] = []
    path = fetch(entry, said.append)
    assert path == home / "weights" / "vgg19.safetensors"
    assert files(home) == DONE
    stored = safetensors.torch.load_file(path)
    expected = thin_weights(19, stop=16)
    assert stored.keys() == expected.keys()
    assert all(torch.equal(stored[key], expected[key]) for key in expected)
    record = json.loads((home / "weights" / "vgg19.json").read_text())
    assert record["source_sha256"] == hashlib.sha256(data).hexdigest()
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert fetch(entry, said.append) == path
    assert said[-1] == f"vgg19: in {path}"
    assert len(site.requests) == 1
    for spec in ("auto", "vgg19"):
        encoder, note = load_encoder(spec)
        assert encoder.fingerprint == VggEncoder(expected).fingerprint
        assert note.endswith(f"found in {home / 'weights'}")


def test_interrupted_and_resumed(thin: tuple[Entry, bytes], home: Path, site: Site) -> None:
    entry, data = thin
    site.cuts = [5000, 0]
    with pytest.raises(DownloadError, match="goes on from there"):
        fetch(entry, print)
    assert files(home) == {"vgg19.lock", "vgg19.pth.part", "vgg19.pth.part.json"}
    site.requests.clear()
    fetch(entry, print)
    assert [(r.range, r.sent) for r in site.requests] == [("bytes=5000-", len(data) - 5000)]
    assert files(home) == DONE


def test_wrong_hash_is_refused_and_thrown_away(
    thin: tuple[Entry, bytes], home: Path, site: Site
) -> None:
    entry, data = thin
    site.files[f"/models/{entry.file}"] = data[:-1] + b"x"
    with pytest.raises(DownloadError, match="thrown away: its SHA-256 begins with"):
        fetch(entry, print)
    assert files(home) == {"vgg19.lock"}
    with pytest.raises(WeightsError, match="not on this machine"):
        load_encoder("vgg19")


def test_torchs_cache_comes_first(thin: tuple[Entry, bytes], home: Path, site: Site) -> None:
    entry, data = thin
    path = cache.torch_folder() / entry.file
    path.parent.mkdir(parents=True)
    said: list[str] = []
    path.write_bytes(data[:-1])
    fetch(entry, said.append)
    assert f"vgg19: {path} is damaged or incomplete, so it is not used" in said
    assert len(site.requests) == 1
    path.write_bytes(data)
    cache.cached_path(entry).unlink()
    fetch(entry, said.append)
    assert said[-1] == f"vgg19: taken from torch's cache, {path}"
    assert len(site.requests) == 1
    assert path.read_bytes() == data


@pytest.mark.parametrize("kind", ["file", "folder", "address", "base address"])
def test_sources(
    thin: tuple[Entry, bytes], home: Path, tmp_path: Path, site: Site, kind: str
) -> None:
    entry, data = thin
    path = tmp_path / entry.file
    path.write_bytes(data)
    address = f"{site.address}/models"
    source = {
        "file": str(path), "folder": str(tmp_path),
        "address": f"{address}/{entry.file}", "base address": f"{address}/",
    }[kind]  # fmt: skip
    fetch(entry, print, source)
    assert files(home) == DONE
    assert len(site.requests) == ("address" in kind)
    assert path.read_bytes() == data


def test_bad_sources(
    thin: tuple[Entry, bytes], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, data = thin
    with pytest.raises(WeightsError, match=r"no\.pth is not there; --from takes"):
        fetch(entry, print, str(tmp_path / "no.pth"))
    with pytest.raises(WeightsError, match="--from takes"):
        fetch(entry, print, "")
    monkeypatch.setenv("PHOTOSTYLE_WEIGHTS_URL", str(tmp_path / "no"))
    with pytest.raises(WeightsError, match=r"no is not there; PHOTOSTYLE_WEIGHTS_URL takes"):
        fetch(entry, print)
    path = tmp_path / "wrong.pth"
    path.write_bytes(data + b"x")
    with pytest.raises(WeightsError, match=r"wrong\.pth is not the file that was expected:"):
        fetch(entry, print, str(path))
    assert path.exists()
    path.write_bytes(checkpoint({"features.0.weight": torch.zeros(2)}))
    with pytest.raises(WeightsError, match=r"wrong\.pth lacks|must have shape"):
        fetch(entry, print, str(path), fetching.file_sha256(path))
    assert files(home) == {"vgg19.lock"}


def test_read_only_cache(thin: tuple[Entry, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSTYLE_HOME", "/proc/photostyle")
    with pytest.raises(OutputError, match=r"/proc/photostyle/weights cannot be written: .*HOME"):
        fetch(thin[0], print)


def test_damage_shows_and_is_mended(
    thin: tuple[Entry, bytes], home: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    entry, _ = thin
    path = fetch(entry, print)
    assert cache.check(entry) == "intact"
    assert main(["weights", "verify", "vgg19"]) == 0
    path.write_bytes(path.read_bytes()[:-4] + b"oops")
    assert main(["weights", "verify"]) == 1
    assert "is damaged; `photostyle weights fetch vgg19` gets it again" in capsys.readouterr().out
    said: list[str] = []
    fetch(entry, said.append)
    assert said[0] == f"vgg19: {path} is damaged, getting it again"
    assert sum("damaged" in sentence for sentence in said) == 1
    assert cache.check(entry) == "intact"
    (home / "weights" / "vgg19.json").write_text("{")
    assert cache.check(entry) == "damaged"
    path.write_bytes(b"junk")
    with pytest.raises(WeightsError, match=r"damaged .*`photostyle weights fetch vgg19` gets it"):
        load_encoder("auto")


def test_list_and_where(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(ENTRIES)
    assert all("not here (5" in line for line in lines)
    assert main(["weights", "where"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == str(home / "weights")
    assert main(["weights", "verify", "vgg16"]) == 1
    assert "`photostyle weights fetch vgg16` gets" in capsys.readouterr().out


def test_ctrl_c_says_how_to_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "download", stopped)
    assert main(["weights", "fetch", "vgg16-caffe"]) == 130
    errors = capsys.readouterr().err
    assert errors.endswith("stopped; the same command goes on from there.\n")


def test_names_and_hashes_are_checked(home: Path) -> None:
    with pytest.raises(OptionError, match="choose from vgg19, vgg16, vgg19-caffe, vgg16-caffe"):
        entry_of("vgg18")
    with pytest.raises(OptionError, match="must be 8 to 64 hexadecimal digits"):
        fetching.sha256_start("12")
    assert fetching.sha256_start("DCBB9E9D") == ENTRIES["vgg19"].sha256_start == "dcbb9e9d"
