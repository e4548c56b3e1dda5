"""Progress on the terminal: a line per stage, a bar per solve with the terms of its objective."""

import signal
import sys
from types import FrameType, TracebackType
from typing import NoReturn

from tqdm import tqdm

from photostyle.optimize import Step


class Progress:
    """A pipeline Listener that writes to standard error, and minds Ctrl-C while it is entered.

    The first Ctrl-C of an optimisation waits for the iteration to end: raised anywhere, an
    interruption can be lost in a destructor. At any other time, and the second time, it acts at
    once.
    """

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._stopping = False

    def __enter__(self) -> "Progress":
        self._previous = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)
        self._close()

    def stage(self, name: str, note: str) -> None:
        self._close()
        print(f"{name}: {note}" if note else f"{name} …", file=sys.stderr, flush=True)

    def step(self, solve: int, solves: int, step: Step) -> None:
        bar = self._bar or self._open(solve, solves, step)
        terms = " ".join(f"{name} {value:.3g}" for name, value in step.terms.items())
        bar.set_postfix_str(f"total {step.total:.4g} = {terms}", refresh=False)
        bar.update(step.iteration - bar.n)
        if self._stopping:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._bar is None or self._stopping:
            raise KeyboardInterrupt
        self._stopping = True

    def _open(self, solve: int, solves: int, step: Step) -> "tqdm[NoReturn]":
        label = f"optimise {solve}/{solves} at {step.size[1]}×{step.size[0]}"
        self._bar = tqdm(total=step.iterations, desc=label, unit="it", dynamic_ncols=True)
        return self._bar

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
