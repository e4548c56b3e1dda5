"""Fetching by several processes, and of a network of full width, through the command line."""

import hashlib
import json
import subprocess
import sys
import threading
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
from photostyle.encoders.registry import Entry, entry_of
from photostyle.encoders.vgg import VggEncoder, VggOptions
from photostyle.encoders.weights import load_encoder
from photostyle.errors import WeightsError
from tests.encoders.file_server import Site, serving
from tests.encoders.test_fetch import DONE, files
from tests.encoders.thin_vgg import checkpoint, random_image, thin_weights
from tests.test_pipeline import CONTENT, STYLE, saved

CHANNELS = (64, 128, 256, 512, 512)


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
