"""Downloads against a server that hangs up, forgets, changes its mind and refuses."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from photostyle.encoders import download as downloading
from photostyle.encoders.download import download, remove_part
from photostyle.errors import DownloadError, OptionError, OutputError
from tests.encoders.file_server import Site, serving

DATA = bytes(range(256)) * 4000  # 1 MB
URL = "/weights.pth"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site({URL: DATA})
    with serving(site):
        yield site


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "weights.pth.part"


def get(site: Site, part: Path) -> list[str]:
    said: list[str] = []
    download(site.address + URL, part, said.append)
    return said


def test_whole_file(site: Site, part: Path) -> None:
    assert get(site, part) == []
    assert part.read_bytes() == DATA
    assert [r.range for r in site.requests] == [None]


def test_goes_on_by_itself_and_only_the_rest_is_sent(site: Site, part: Path) -> None:
    site.cuts = [400_000, 100_000]
    said = get(site, part)
    assert part.read_bytes() == DATA
    assert [r.range for r in site.requests] == [None, "bytes=400000-", "bytes=500000-"]
    assert [r.sent for r in site.requests] == [400_000, 100_000, len(DATA) - 500_000]
    assert "the connection broke after 0.4 of 1.0 MB; going on from there" in said


def test_interrupted_and_resumed_later(site: Site, part: Path) -> None:
    site.cuts = [400_000, 0]
    with pytest.raises(DownloadError, match=r"broke after 0\.4 of 1\.0 MB; run the same command"):
        get(site, part)
    assert part.read_bytes() == DATA[:400_000]
    site.requests.clear()
    get(site, part)
    assert part.read_bytes() == DATA
    (request,) = site.requests
    assert (request.range, request.if_range) == ("bytes=400000-", '"one"')
    assert request.sent == len(DATA) - 400_000


@pytest.mark.parametrize("change", ["no ranges", "another file", "shorter file"])
def test_starts_again_where_it_cannot_resume(site: Site, part: Path, change: str) -> None:
    part.write_bytes(b"x" * 400_000)
    expected = DATA
    if change == "no ranges":
        site.ranges = False
    elif change == "another file":
        part.with_name(f"{part.name}.json").write_text(
            f'{{"url": "{site.address}{URL}", "validator": "\\"old\\""}}'
        )
    else:
        expected = site.files[URL] = DATA[:300_000]
    get(site, part)
    assert part.read_bytes() == expected


def test_a_complete_part_needs_no_byte(site: Site, part: Path) -> None:
    part.write_bytes(DATA)
    get(site, part)
    assert part.read_bytes() == DATA
    assert [r.status for r in site.requests] == [416]


@pytest.mark.parametrize(
    ("status", "says"),
    [(404, r"is not there \(404\)"), (403, r"may not be read \(403\)"), (503, r"refused .*503")],
)
def test_refusals(site: Site, part: Path, status: int, says: str) -> None:
    site.status = status
    with pytest.raises(DownloadError, match=rf"weights\.pth .*{says}.*--from"):
        get(site, part)
    assert not part.exists()


def test_refused_after_a_part_that_does_not_fit(
    site: Site, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part is longer than the file (416), and the request for the whole of it is refused."""
    part.write_bytes(DATA + b"more")

    def forgotten(_: Path) -> None:
        remove_part(part)
        site.files.clear()

    monkeypatch.setattr(downloading, "remove_part", forgotten)
    with pytest.raises(DownloadError, match=r"is not there \(404\)"):
        get(site, part)
    assert [r.status for r in site.requests] == [416, 404]


def test_no_network(part: Path) -> None:
    with serving(Site({})) as address:
        gone = address
    with pytest.raises(
        DownloadError, match=r"cannot be reached \(.*refused.*\); check the network"
    ):
        download(f"{gone}/x.pth", part, print)
    assert not part.exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x.pth", "http://", "x.pth"])
def test_other_addresses(part: Path, url: str) -> None:
    with pytest.raises(OptionError, match="must begin with http"):
        download(url, part, print)


def test_disk_too_small(site: Site, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 1 << 19))  # type: ignore[attr-defined]
    with pytest.raises(OutputError, match=r"0\.5 MB free and 1\.0 MB are needed; .*PHOTOSTYLE_H"):
        get(site, part)
    assert not part.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_disk_fills_up(site: Site, tmp_path: Path) -> None:
    part = tmp_path / "full.part"
    part.symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"full\.part cannot be written: No space left"):
        get(site, part)


def test_remove(site: Site, part: Path) -> None:
    get(site, part)
    remove_part(part)
    assert list(part.parent.iterdir()) == []
