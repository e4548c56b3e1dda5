"""Progress for callers from Python: a bar that notebooks draw in their own way, or a function that
is told."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from photostyle.brief import Brief
from photostyle.errors import OptionError
from photostyle.runtime.steps import Step, TrainStep
from photostyle.runtime.watching import Listener, Silent

if TYPE_CHECKING:
    from tqdm import tqdm


@dataclass(frozen=True)
class Update(Brief):
    """What a `progress` function is told.

    Attributes:
        stage: load, segment, start, Laplacian, targets, optimise, post-process, render, measure;
            of trainings train; of many files the name of the file.
        note: a sentence for the user; empty when a stage begins or a step is done.
        done, total: iterations of the solve under way, or steps, or files; total is 0 where it is
            not known.
        solve, solves: which solve it is, from 1, and how many there are; 0 outside of solves.
        step: of a solve, else None.
    """

    stage: str
    note: str = ""
    done: int = 0
    total: int = 0
    solve: int = 0
    solves: int = 0
    step: Step | None = None


#: False for silence, True for a bar, or a function of an `Update`, which must return soon; what it
#: raises stops the run, and KeyboardInterrupt in a solve keeps the best picture so far.
Progress: TypeAlias = bool | Callable[[Update], object]


class Teller(Silent):
    """A Listener of the pipeline that turns all it hears into updates."""

    def __init__(self, tell: Callable[[Update], object]) -> None:
        self.tell = tell

    def stage(self, name: str, note: str) -> None:
        self.tell(Update(name, note))

    def step(self, solve: int, solves: int, step: Step) -> None:
        self.tell(Update("optimise", "", step.iteration, step.iterations, solve, solves, step))

    def counted(self, what: str, done: int, total: int) -> None:
        """So many frames or iterations of something are done, of as many; 0 where that is not
        known."""
        self.tell(Update(what, "", done, total))

    def trained(self, step: TrainStep) -> None:
        """A step of a training is done."""
        self.tell(Update("train", "", step.step, step.steps))


class Bar:
    """A bar on the terminal, or a notebook's own: stages by their names, iterations counted."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __call__(self, update: Update) -> None:
        bar = self._open() if self._bar is None else self._bar
        bar.set_description_str(update.stage, refresh=False)
        # What a run has to say is in its notes; of files it is what there is to be seen.
        bar.set_postfix_str(update.note if update.total else "", refresh=False)
        if update.total and (bar.total != update.total or update.done < bar.n):
            bar.reset(total=update.total)
        if update.step:
            bar.set_postfix_str(f"total {update.step.total:.4g}", refresh=False)
        bar.update(update.done - bar.n if update.total else 0)
        bar.refresh()

    def close(self) -> None:
        """Leaves the bar as it stands."""
        if self._bar is not None:
            self._bar.close()

    def _open(self) -> "tqdm[Any]":
        with warnings.catch_warnings(action="ignore"):  # of notebooks without ipywidgets
            from tqdm.auto import tqdm  # looks for a notebook when it is loaded

        self._bar = tqdm(unit="it")
        return self._bar


class Watched:
    """Who is told of a run, and a bar that is closed when it ends: `with Watched(progress) as …`.

    Args:
        progress: see `Progress`.
        listener: hears it instead where one is given.

    Raises:
        OptionError: `progress` is neither.
    """

    def __init__(self, progress: Progress, listener: Listener | None = None) -> None:
        if not (callable(progress) or progress in (True, False, None)):
            raise OptionError(
                f"progress is {progress!r}; give True, False, or a function of an Update."
            )
        self._bar = Bar() if progress and not callable(progress) else None
        tell = self._bar or (progress if callable(progress) else None)
        self.teller = Teller(tell or _nothing)
        self.listener: Listener = listener or self.teller

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *reason: object) -> None:
        if self._bar:
            self._bar.close()


def _nothing(update: Update) -> None:
    return
