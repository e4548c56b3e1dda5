"""A registry entry with a thin file, a server that has it, and a home of its own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from photostyle.encoders.registry import Entry
from tests.encoders.file_server import Site, serving
from tests.encoders.thin_vgg import checkpoint, thin_weights

CHANNELS = (64, 128, 256, 512, 512)


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
