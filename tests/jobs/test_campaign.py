"""Plans carried out: resumed, retried, shared, killed, and wherever they run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.config.solves import GRID, PIXELS
from photostyle.errors import OptionError, OutputError, SolveError
from photostyle.images.picture import load_image
from photostyle.images.saving import save_image
from photostyle.jobs.axes import parse_axis
from photostyle.jobs.campaign import Plan, carry_out, chains, clock
from photostyle.jobs.executors import Executor, InProcess, Processes
from photostyle.jobs.jobs import Folder, Record, key_of
from photostyle.jobs.stylejob import StyleJob
from photostyle.jobs.sweep import Sweep
from photostyle.pipeline import stylize
from photostyle.result import load_recipe

SMALL = {"size": 64, "iterations": 2, "encoder": "builtin", "device": "cpu"}
AXES = [parse_axis("photoreal_weight=1e2,1e6"), parse_axis("style_weight=10,1000,1e4")]


@dataclass(frozen=True)
class Odd:
    """A job without a picture to style: it counts its runs in a file, and misbehaves if told."""

    name: str
    how: str = "well"
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        return key_of({"name": self.name, "kind": "odd"})

    def files(self) -> list[Path]:
        return []

    def run(self, folder: Path, memory: object) -> Record:
        with (folder / f"{self.name}.runs").open("a") as runs:
            runs.write("x")
        if self.how == "sentence":
            raise SolveError("It does not converge.")
        if self.how == "surprise":
            raise ZeroDivisionError("by zero")
        if self.how == "death":
            os.kill(os.getpid(), signal.SIGKILL)
        (folder / f"{self.name}.png").write_bytes(self.name.encode())
        return {"picture": f"{self.name}.png", "seconds": 1.0}

    def runs(self, folder: Path) -> int:
        path = folder / f"{self.name}.runs"
        return len(path.read_text()) if path.exists() else 0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pair")
    generator = torch.Generator().manual_seed(3)
    for name, size in (("content", (56, 72)), ("style", (64, 60))):
        ramp = torch.linspace(0.1, 0.8, size[0])[:, None].expand(3, *size)
        noise = 0.2 * torch.rand(3, *size, generator=generator)
        save_image(folder / f"{name}.png", (ramp + noise)[None])
    return {name: folder / f"{name}.png" for name in ("content", "style")}


def configure(name: str | None, values: dict[str, object]) -> Config:
    return preset(name or "photoreal-fast").with_options({**SMALL, **values})


def go(
    plan: Plan, folder: Path, executor: Executor | None = None, retry: bool = False
) -> list[int]:
    """[done before, done now, failed]."""
    told: list[str] = []
    summary = carry_out(plan, folder, executor or InProcess(), retry_failed=retry, say=told.append)
    return [summary.before, summary.now, len(summary.failed)]


def odd(*hows: str) -> Plan:
    return Plan("odd", tuple(Odd(f"j{n}", how) for n, how in enumerate(hows)))


def test_only_what_is_missing_or_changed_is_done(tmp_path: Path) -> None:
    plan = odd("well", "well", "well")
    assert go(plan, tmp_path) == [0, 3, 0]
    assert go(plan, tmp_path) == [3, 0, 0]
    (tmp_path / "j1.png").write_bytes(b"torn")
    more = Plan("more", (*plan.jobs, Odd("j3"), Odd("j0")))
    assert go(more, tmp_path) == [2, 2, 0]
    assert [job.runs(tmp_path) for job in more.jobs] == [1, 2, 1, 1, 1]


@pytest.mark.parametrize("executor", [InProcess(), Processes(2)])
def test_a_failure_is_noted_and_the_rest_goes_on(tmp_path: Path, executor: Executor) -> None:
    plan = odd("sentence", "well", "surprise", "well")
    assert go(plan, tmp_path, executor) == [0, 2, 2]
    reasons = [(Folder(tmp_path).record(job.key) or {}).get("reason") for job in plan.jobs]
    assert reasons == ["It does not converge.", None, "ZeroDivisionError: by zero", None]
    assert go(plan, tmp_path) == [2, 0, 2]
    assert go(plan, tmp_path, retry=True) == [2, 0, 2]
    healed = Plan("odd", tuple(replace(job, how="well") for job in plan.jobs))  # type: ignore[type-var]
    assert go(healed, tmp_path, retry=True) == [2, 2, 0]
    assert [job.runs(tmp_path) for job in plan.jobs] == [3, 1, 3, 1]


def test_a_process_that_dies_fails_its_job_alone(tmp_path: Path) -> None:
    plan = odd("well", "death", "well", "well", "death")
    assert go(plan, tmp_path, Processes(2)) == [0, 3, 2]
    record = Folder(tmp_path).record(plan.jobs[1].key) or {}
    assert "ended with code -9" in record["reason"]


def test_two_processes_on_one_folder(tmp_path: Path) -> None:
    with Folder(tmp_path).locked(), pytest.raises(OutputError, match="in use"):
        go(odd("well"), tmp_path)


def plan_of(pair: dict[str, Path], **more: object) -> Plan:
    return Sweep(axes=AXES, files=pair, configure=configure, **more).plan()  # type: ignore[arg-type]


def pixels(plan: Plan, folder: Path) -> list[torch.Tensor]:
    return [load_image(folder / f"{job.name}.png").image for job in plan.jobs]


def test_a_cell_is_what_a_single_run_gives(tmp_path: Path, pair: dict[str, Path]) -> None:
    plan = plan_of(pair, settings={"preset": "photoreal"})
    assert go(plan, tmp_path) == [0, 6, 0]
    for job in plan.jobs:
        single = stylize(pair["content"], pair["style"], job.config)  # type: ignore[attr-defined]
        single.save(tmp_path / "single.png")
        assert (tmp_path / "single.png").stat().st_size > 100
        assert torch.equal(load_image(tmp_path / "single.png").image, pixels(plan, tmp_path)[
            plan.jobs.index(job)])  # fmt: skip
    assert plan.columns == 3
    assert plan.jobs[1].name == "photoreal_weight=1e2,style_weight=1000"


def test_processes_give_the_same_pixels(tmp_path: Path, pair: dict[str, Path]) -> None:
    plan = plan_of(pair)
    assert go(plan, tmp_path / "a") == [0, 6, 0]
    assert go(plan, tmp_path / "b", Processes(2)) == [0, 6, 0]
    both = zip(pixels(plan, tmp_path / "a"), pixels(plan, tmp_path / "b"), strict=True)
    assert all(torch.allclose(a, b, atol=2 / 255) for a, b in both)  # threads may sum otherwise


def test_warm_start_follows_its_row_and_can_be_replayed(
    tmp_path: Path, pair: dict[str, Path]
) -> None:
    plan = plan_of(pair, warm_start=True)
    assert [len(unit) for unit in chains(plan.jobs)] == [3, 3]
    assert go(plan, tmp_path) == [0, 6, 0]
    cold = plan_of(pair)
    assert [a.key == b.key for a, b in zip(plan.jobs, cold.jobs, strict=True)] == (
        [True, False, False] * 2
    )
    recipe = load_recipe(tmp_path / f"{plan.jobs[1].name}.png")
    assert recipe.inputs.start
    assert recipe.inputs.start.path == tmp_path / f"{plan.jobs[0].name}.png"
    again = stylize(**pair, config=recipe.config, start=recipe.inputs.start.path)
    save_image(tmp_path / "again.png", again.image)
    assert torch.equal(load_image(tmp_path / "again.png").image, pixels(plan, tmp_path)[1])


def test_axes_of_files_presets_and_zip(pair: dict[str, Path]) -> None:
    axes = [
        parse_axis("preset=color,photoreal"),
        parse_axis(f"style={pair['content']},{pair['style']}"),
    ]
    files: dict[str, Path | None] = {**pair, "style": None}
    jobs = Sweep(axes, files, configure, zipped=True).plan().jobs
    assert [(j.config.preset, j.style) for j in jobs] == [  # type: ignore[attr-defined]
        ("color", pair["content"]), ("photoreal", pair["style"])]  # fmt: skip
    with pytest.raises(OptionError, match="style is missing"):
        Sweep(axes[:1], files, configure).plan()
    with pytest.raises(OptionError, match="grid varies that"):
        Sweep(axes[:1], pair, configure, settings={"preset": "color"}).plan()


def test_masks_come_and_go_in_pairs(pair: dict[str, Path]) -> None:
    axis = parse_axis("content_mask=mask.png,none")
    files: dict[str, Path | None] = {**pair, "style_mask": Path("other.png")}
    jobs = Sweep([axis], files, configure).plan().jobs
    masks = [(j.content_mask, j.style_mask) for j in jobs]  # type: ignore[attr-defined]
    assert masks == [(Path("mask.png"), Path("other.png")), (None, None)]
    with pytest.raises(OptionError, match="style_mask is missing"):
        Sweep([axis], pair, configure).plan()


KILLED = """
import sys
from pathlib import Path
from typing import Any
from photostyle.jobs.executors import InProcess
from photostyle.jobs.campaign import carry_out
from tests.jobs.test_campaign import configure, plan_of
pair = {n: Path(sys.argv[1]) / f"{n}.png" for n in ("content", "style")}
carry_out(plan_of(pair), Path(sys.argv[2]), InProcess(), retry_failed=False,
          say=lambda line: print(line, flush=True))
"""


def killed_after(pair: dict[str, Path], folder: Path, lines: int) -> Sequence[str]:
    """Runs the plan in another process and kills it -9 when it has told of so many jobs."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", KILLED, str(pair["content"].parent), str(folder)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = [process.stdout.readline() for _ in range(lines)]
        process.kill()
    return told


def test_nothing_finished_is_lost_or_done_again(tmp_path: Path, pair: dict[str, Path]) -> None:
    plan = plan_of(pair)
    told = killed_after(pair, tmp_path, 2)
    assert all(told)
    finished = {k: (tmp_path / f"{j.name}.png").stat().st_mtime_ns for j in plan.jobs
                if Folder(tmp_path).done(k := j.key)}  # fmt: skip
    assert len(finished) >= 2
    before, now, failed = go(plan, tmp_path)
    assert (before, now, failed) == (len(finished), 6 - len(finished), 0)
    for job in plan.jobs:
        if job.key in finished:
            assert (tmp_path / f"{job.name}.png").stat().st_mtime_ns == finished[job.key]
    assert not list(tmp_path.glob(".photostyle-*"))


def test_clock() -> None:
    assert [clock(s) for s in (0, 65, 3661)] == ["0:00", "1:05", "1:01:01"]


def test_records_tell_what_a_cell_is_worth(tmp_path: Path, pair: dict[str, Path]) -> None:
    config = configure("photoreal", {})
    config = replace(config, optimize=replace(config.optimize, solves=(GRID, PIXELS)))
    job = StyleJob("cell", pair["content"], pair["style"], config)
    go(Plan("", (job,)), tmp_path)
    record = Folder(tmp_path).record(job.key) or {}
    last = load_manifest(tmp_path / record["picture"])["history"][-1]["terms"]
    for name in ("style", "photoreal", "swd"):
        weighted = record["losses"][name] * config.objective.weight(name)
        assert weighted == pytest.approx(last[name][-1], rel=1e-4)
    assert record["scores"]["structure"] > 0.5
    assert record["calls"] >= 4


def load_manifest(picture: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(picture.with_suffix(".json").read_text())
    return data


def test_files_that_options_name_belong_to_the_key(pair: dict[str, Path], tmp_path: Path) -> None:
    table = tmp_path / "groups.toml"
    keys = []
    for text in ("[a]", "[b]"):
        table.write_text(text)
        config = configure(None, {"segmenter_groups": str(table)})
        job = StyleJob("x", pair["content"], pair["style"], config)
        assert job.files() == [pair["content"], pair["style"], table]
        keys.append(job.key)
    assert keys[0] != keys[1]
