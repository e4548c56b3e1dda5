"""Jobs on several machines: what is sent where, and a real cluster that loses a machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.images.picture import load_image
from photostyle.images.saving import save_image
from photostyle.jobs import cluster
from photostyle.jobs.axes import parse_axis
from photostyle.jobs.campaign import Plan, carry_out
from photostyle.jobs.executors import InProcess
from photostyle.jobs.jobs import RECORDS, Folder, sha256_of
from photostyle.jobs.stylejob import StyleJob
from photostyle.jobs.sweep import Sweep
from photostyle.result import load_recipe

SMALL = {"size": 64, "iterations": 2, "encoder": "builtin", "device": "cpu"}


@pytest.fixture
def pair(tmp_path: Path) -> dict[str, Path]:
    generator = torch.Generator().manual_seed(3)
    for name in ("content", "style"):
        save_image(tmp_path / f"{name}.png", torch.rand(1, 3, 60, 64, generator=generator))
    return {name: tmp_path / f"{name}.png" for name in ("content", "style")}


def configure(name: str | None, values: dict[str, object]) -> Config:
    return preset(name or "photoreal-fast").with_options({**SMALL, **values})


def plan_of(pair: dict[str, Path]) -> Plan:
    axes = [parse_axis("swd_weight=1..100:log4"), parse_axis("drift_weight=0.1,1,10")]
    return Sweep(axes=axes, files=pair, configure=configure).plan()


def test_a_machine_without_the_folder_sends_its_files_back(
    tmp_path: Path, pair: dict[str, Path]
) -> None:
    pytest.importorskip("ray")
    jobs = plan_of(pair).jobs[:2]
    hashes = {path: sha256_of(path) for path in pair.values()}
    records, files = cluster._unit(jobs, tmp_path / "unseen", "token", {}, hashes)
    assert not (tmp_path / "unseen").exists()
    assert len(files) == 2 * 5  # picture, manifest, grade, heat map, stain map
    assert list(cluster._received(records, files, tmp_path / "here"))
    assert all(Folder(tmp_path / "here").done(job.key) for job in jobs)


def test_a_machine_with_the_folder_writes_there(tmp_path: Path, pair: dict[str, Path]) -> None:
    pytest.importorskip("ray")
    job = plan_of(pair).jobs[0]
    (tmp_path / "out" / RECORDS).mkdir(parents=True)
    (tmp_path / "out" / RECORDS / cluster.TOKEN).write_text("token")
    records, files = cluster._unit((job,), tmp_path / "out", "token", {}, {})
    assert files == {}
    assert Folder(tmp_path / "out").done(job.key)
    picture = tmp_path / "out" / records[0]["picture"]
    before = picture.stat().st_mtime_ns
    cluster._unit((job,), tmp_path / "out", "token", {}, {})  # begun again after it was done
    assert picture.stat().st_mtime_ns == before


@dataclass
class Store:
    """What `ray.get` would give."""

    held: dict[str, bytes]

    def get(self, name: str) -> bytes:
        return self.held[name]


def test_inputs_that_a_machine_lacks_come_along(
    tmp_path: Path, pair: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest names the user's files, not the copies."""
    job = plan_of(pair).jobs[0]
    assert isinstance(job, StyleJob)
    key, hashes = job.key, {path: sha256_of(path) for path in pair.values()}
    store = Store({"c": pair["content"].read_bytes()})
    monkeypatch.setitem(__import__("sys").modules, "ray", store)
    expected = tmp_path / "expected"
    carry_out(Plan("", (job,)), expected, InProcess(), retry_failed=False, say=lambda _: None)
    pair["content"].rename(tmp_path / "moved.png")
    parcels: dict[Path, list[Any]] = {pair["content"]: ["c"], pair["style"]: ["unused"]}
    records, files = cluster._unit((job,), tmp_path / "unseen", "token", parcels, hashes)
    assert records[0]["key"] == key
    list(cluster._received(records, files, tmp_path / "here"))
    (tmp_path / "moved.png").rename(pair["content"])
    picture = tmp_path / "here" / records[0]["picture"]
    assert load_recipe(picture).inputs.content.path == pair["content"]
    load_recipe(picture).verify()
    assert torch.equal(load_image(picture).image, load_image(expected / picture.name).image)


@pytest.fixture
def two_nodes() -> Iterator[Any]:
    utils = pytest.importorskip("ray.cluster_utils")
    import ray

    nodes = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def test_a_lost_machine_loses_no_cell(
    tmp_path: Path, pair: dict[str, Path], two_nodes: Any
) -> None:
    import ray

    second = two_nodes.add_node(num_cpus=1)
    two_nodes.wait_for_nodes()
    ray.init(address=two_nodes.address, log_to_driver=False)
    assert ray.cluster_resources()["CPU"] == 2
    plan, told = plan_of(pair), []

    def say(sentence: str) -> None:
        told.append(sentence)
        if len(told) == 3:
            two_nodes.remove_node(second, allow_graceful=False)

    summary = carry_out(
        plan, tmp_path / "out", cluster.OnRay(two_nodes.address), retry_failed=False, say=say
    )
    assert (summary.now, len(summary.failed)) == (12, 0)
    assert not second.any_processes_alive()
    assert all(Folder(tmp_path / "out").done(job.key) for job in plan.jobs)
