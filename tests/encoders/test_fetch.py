"""Fetching a torchvision-format VGG-19 from a server of our own, also through the command line."""

import hashlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from photostyle.cli import main
from photostyle.encoders import cache
from photostyle.encoders import fetch as fetching
from photostyle.encoders.fetch import fetch
from photostyle.encoders.registry import ENTRIES, Entry, entry_of
from photostyle.encoders.vgg import VggEncoder, VggOptions
from photostyle.encoders.weights import load_encoder
from photostyle.errors import DownloadError, OptionError, OutputError, WeightsError
from tests.encoders.file_server import Site, serving
from tests.encoders.thin_vgg import random_image, thin_weights
from tests.test_pipeline import CONTENT, STYLE, saved

CHANNELS = (64, 128, 256, 512, 512)


def checkpoint(weights: dict[str, Tensor]) -> bytes:
    """As torchvision publishes it: the convolutions, then a classifier, here a tiny one."""
    classifier = {f"classifier.{index}.weight": torch.ones(2) for index in (0, 3, 6)}
    file = io.BytesIO()
    torch.save(weights | classifier, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def thin() -> tuple[Entry, bytes]:
    """A registry entry whose published file is thin, with the hash in its name."""
    data = checkpoint(thin_weights(19, stop=16))
    start = hashlib.sha256(data).hexdigest()[:8]
    return Entry("vgg19", f"vgg19-{start}.pth", "http://nowhere.invalid/", 1, "imagenet", ""), data


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOSTYLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "home"


@pytest.fixture
def site(thin: tuple[Entry, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    entry, data = thin
    site = Site({f"/models/{entry.file}": data})
    with serving(site) as address:
        monkeypatch.setenv("PHOTOSTYLE_WEIGHTS_URL", f"{address}/models")
        yield site


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


def full_weights() -> dict[str, Tensor]:
    """All of VGG-19's convolutions at their full width, generated."""
    thin = thin_weights(19, stop=16)
    generator = torch.Generator().manual_seed(19)
    weights: dict[str, Tensor] = {}
    inputs = 3
    for key in thin:
        if key.endswith("weight"):
            outputs = CHANNELS[thin[key].shape[0] - 4]  # thin blocks have 4, 5, 6, 7, 8 channels
            size = (outputs, inputs, 3, 3)
            weights[key] = torch.randn(size, generator=generator) * (2 / (9 * inputs)) ** 0.5
            weights[key.replace("weight", "bias")] = torch.zeros(outputs)
            inputs = outputs
    return weights


def command(*words: str) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "photostyle", *words]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_takes_over_from_a_killed_process(
    thin: tuple[Entry, bytes], home: Path, site: Site
) -> None:
    """Another process downloads and this one waits; that is killed half-way, and this resumes."""
    entry, data = thin
    site.gate = threading.Event()
    url = f"{site.address}/models/{entry.file}"
    digits = hashlib.sha256(data).hexdigest()[:16]
    other = command("weights", "fetch", "vgg19", "--from", url, "--sha256", digits)
    assert site.reached_gate.wait(60)
    part = home / "weights" / "vgg19.pth.part"
    while not (part.is_file() and part.stat().st_size >= len(data) // 2):
        assert other.poll() is None
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        if "waiting" in sentence and site.gate:
            assert files(home) == {"vgg19.lock", "vgg19.pth.part", "vgg19.pth.part.json"}
            other.kill()
            other.communicate()
            site.gate.set()

    path = fetch(entry_of("vgg19"), say, url, digits)
    assert said == ["vgg19: another process is fetching it; waiting for that", f"vgg19: {url}"]
    assert [r.range for r in site.requests] == [None, f"bytes={len(data) // 2}-"]
    assert site.requests[1].sent == len(data) - len(data) // 2
    assert files(home) == DONE
    stored = safetensors.torch.load_file(path)
    assert all(torch.equal(stored[key], weight) for key, weight in thin_weights(19, 16).items())


def test_who_waited_finds_it_done(thin: tuple[Entry, bytes], home: Path, site: Site) -> None:
    entry, _ = thin
    site.gate = threading.Event()
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        if "waiting" in sentence and site.gate:
            site.gate.set()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(fetch, entry, print)
        assert site.reached_gate.wait(60)
        assert fetch(entry, say) == first.result()
    assert said == [
        "vgg19: another process is fetching it; waiting for that",
        f"vgg19: in {home / 'weights' / 'vgg19.safetensors'}",
    ]
    assert len(site.requests) == 1


def test_full_size_from_server_to_result(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every convolution at its full width."""
    weights = full_weights()
    data = checkpoint(weights)
    site = Site({})
    # As of a versioned or signed address: what follows the "?" is no part of the file's name.
    site.files["/vgg19.pth?version=1"] = data
    start = hashlib.sha256(data).hexdigest()[:16]
    with serving(site) as address:
        url = f"{address}/vgg19.pth?version=1"
        assert main(["weights", "fetch", "vgg19", "--from", url, "--sha256", start]) == 0
    assert capsys.readouterr().out.strip() == str(home / "weights" / "vgg19.safetensors")
    assert main(["weights", "list"]) == 0
    assert f"not the published file but {url}" in capsys.readouterr().out
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    out = tmp_path / "r.png"
    options = f"--encoder vgg19 --size 64 --iterations 1 --out {out}".split()
    assert main(["run", "--content", str(paths[0]), "--style", str(paths[1]), *options]) == 0
    manifest = json.loads(out.with_suffix(".json").read_text())
    assert manifest["encoder"]["name"] == "vgg19"
    reference = VggEncoder(weights, VggOptions(preprocessing="imagenet"))
    assert manifest["encoder"]["sha256"] == reference.fingerprint
    assert reference(random_image(), ["relu5_4"])["relu5_4"].shape == (1, 512, 3, 4)


@pytest.mark.parametrize("kind", ["VGG-16", "cut short"])
def test_another_network_is_refused(home: Path, tmp_path: Path, site: Site, kind: str) -> None:
    """Even where its hash is given, under a name it would only mislead."""
    weights = thin_weights(16, 13) if kind == "VGG-16" else thin_weights(19, 6)
    data = checkpoint(weights)
    start = hashlib.sha256(data).hexdigest()[:16]
    path = tmp_path / "other.pth"
    path.write_bytes(data)
    site.files["/models/other.pth"] = data
    for source in (str(path), f"{site.address}/models/other.pth"):
        with pytest.raises(WeightsError, match=r"other\.pth holds .* but vgg19 is a whole VGG-19"):
            fetch(entry_of("vgg19"), print, source, start)
        assert files(home) == {"vgg19.lock"}
    torchs = cache.torch_folder() / entry_of("vgg19").file
    torchs.parent.mkdir(parents=True)
    torchs.write_bytes(data)
    with pytest.raises(WeightsError, match="but vgg19 is a whole VGG-19"):
        load_encoder("vgg19")


def test_keys_may_have_a_prefix(home: Path, tmp_path: Path) -> None:
    weights = thin_weights(19, 16)
    path = tmp_path / "wrapped.PTH"
    path.write_bytes(checkpoint({f"module.{key}": value for key, value in weights.items()}))
    stored = fetch(entry_of("vgg19"), print, str(path), fetching.file_sha256(path))
    assert safetensors.torch.load_file(stored).keys() == weights.keys()
