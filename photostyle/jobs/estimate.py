"""How long a plan will take and how much memory: from its finished jobs, else from a short probe.

The probe runs a few iterations of one job of each kind on this machine and multiplies. It is an
estimate: line searches take more or fewer calls than the mean, and other programs take their share.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from photostyle.config.config import Config
from photostyle.config.solves import TERMS
from photostyle.jobs.campaign import clock
from photostyle.jobs.jobs import Folder, Job
from photostyle.jobs.stylejob import StyleJob
from photostyle.pipeline import stylize
from photostyle.result import Result
from photostyle.runtime.memory import Memory
from photostyle.runtime.peaks import process_peak

#: Iterations of the probe, and kinds of jobs that are probed at most.
PROBED, KINDS = 3, 4
#: Objective calls of an iteration, line search included: mean of L-BFGS runs of the presets.
CALLS = 1.25
SHARED = ("load", "segment", "start", "Laplacian")


@dataclass(frozen=True)
class Cost:
    """Measured at a working size: seconds shared by all jobs, of each job, of an iteration of each
    solve; and the long side in pixels they belong to."""

    shared: float
    own: float
    iterations: tuple[float, ...]
    side: int

    def seconds(self, config: Config) -> float:
        """Of a job of this kind, shared work aside."""
        steps = [_steps(config, s.steps) for s in config.optimize.chosen]
        work = sum(n * each for n, each in zip(steps, self.iterations, strict=True))
        return float((self.own + work) * (config.image.size / self.side) ** 2)


def estimate(jobs: Sequence[Job], todo: Sequence[Job], folder: Folder, workers: int) -> str:
    """A few lines for the user.

    Raises:
        InputError: a file that the probe needs cannot be used.
    """
    keys = {job.key for job in jobs}
    head = f"{len(keys)} jobs, {len(keys) - len(todo)} of them done, {len(todo)} to do."
    if not todo:
        return head
    times = [r["seconds"] for r in map(folder.record, keys) if r and r["state"] == "done"]
    if times:
        seconds = len(todo) * sum(times) / len(times) / workers
        return f"{head}\nAbout {clock(seconds)} at the mean of the {len(times)} finished jobs."
    styled = [job for job in todo if isinstance(job, StyleJob)]
    if not styled:
        return f"{head}\nNo time is predicted without a solve; it takes seconds a picture."
    seconds, kinds = _probed(styled, workers)
    told = (
        f"{head}\nAbout {clock(seconds)} with {workers} at a time, by a probe of {PROBED} "
        f"iterations of {kinds} kind{'s' * (kinds > 1)} of job on this machine."
    )
    peak = process_peak()
    if peak is None:
        return told
    each = peak / 1e9
    return f"{told}\nAbout {each * workers:.1f} GB of memory ({each:.1f} GB for each at a time)."


def _probed(jobs: Sequence[StyleJob], workers: int) -> tuple[float, int]:
    """Seconds of all jobs, and how many kinds were measured."""
    costs: dict[object, Cost] = {}
    known: list[float] = []
    for job in jobs:
        kind = _kind(job.config)
        if kind not in costs and len(costs) < KINDS:
            costs[kind] = _probe(job)
        if kind in costs:
            known.append(costs[kind].seconds(job.config))
    mean = sum(known) / len(known)
    shared = sum(cost.shared for cost in costs.values())
    return shared + (sum(known) + mean * (len(jobs) - len(known))) / workers, len(costs)


def _kind(config: Config) -> object:
    """Jobs of one kind cost the same, but for their size and number of iterations."""
    weights = tuple(config.objective.weight(term) > 0 for term in TERMS)
    solves = tuple(dataclasses.replace(s, steps=0) for s in config.optimize.chosen)
    return solves, weights, config.encoder, config.postprocess.postprocess


def _probe(job: StyleJob) -> Cost:
    memory = Memory()
    masks = job.content_mask, job.style_mask

    def run() -> Result:
        return stylize(
            job.content, job.style, short,
            content_mask=masks[0], style_mask=masks[1], memory=memory,
        )  # fmt: skip

    short = job.config.with_options({"iterations": PROBED})
    # The first run also pays for what a process does once; its own times are not used.
    shared = run().seconds
    result = run()
    took = [
        (steps[-1].elapsed / max(steps[-1].calls, 1)) if steps else 0.0 for steps in result.history
    ]
    own = sum(result.seconds.values()) - result.seconds.get("optimise", 0.0)
    return Cost(
        shared=sum(shared.get(stage, 0.0) for stage in SHARED),
        own=own,
        iterations=tuple(CALLS * seconds for seconds in took),
        side=job.config.image.size,
    )


def _steps(config: Config, own: int) -> int:
    asked = config.optimize.iterations
    return own if asked is None else asked
