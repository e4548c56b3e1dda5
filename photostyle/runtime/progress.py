"""Progress on the terminal: of a run, a line per stage and a bar per solve; of a training."""

import sys
from typing import NoReturn, Self

from tqdm import tqdm

from photostyle.config.training import TrainConfig
from photostyle.runtime.steps import Step, TrainStep, reported
from photostyle.runtime.stopping import minded


class _MindsCtrlC:
    """While it is entered, Ctrl-C and its like go to `_interrupt`; afterwards to whom they went
    before."""

    def __enter__(self) -> Self:
        self._minding = minded(self._interrupt)
        self._minding.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._minding.__exit__(None, None, None)
        self._close()

    def _interrupt(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError


class Progress(_MindsCtrlC):
    """A pipeline Listener that writes to standard error, and minds Ctrl-C while it is entered.

    The first Ctrl-C of an optimisation waits for the iteration to end: raised anywhere, an
    interruption can be lost in a destructor. At any other time, and the second time, it acts at
    once.
    """

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._stopping = False

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

    def _interrupt(self) -> None:
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


class TrainingProgress(_MindsCtrlC):
    """A training on the terminal: a bar with images a second and the time left, and a line of
    losses every so often; minds Ctrl-C as `Progress` does.

    Args:
        begun: steps that are done already.
        shown: whether this process is the one that talks.
    """

    def __init__(self, config: TrainConfig, begun: int, shown: bool) -> None:
        self._config, self._shown = config, shown
        self._begun, self._stopping = begun, False
        self._bar: tqdm[NoReturn] = tqdm(
            total=config.steps * config.batch, initial=begun * config.batch, unit="img",
            desc="train", dynamic_ncols=True, disable=None if shown else True,
        )  # fmt: skip

    def _close(self) -> None:
        self._bar.close()

    def note(self, sentence: str) -> None:
        if self._shown:
            tqdm.write(sentence, file=sys.stderr)
            sys.stderr.flush()

    def step(self, step: TrainStep) -> None:
        self._bar.update(self._config.batch)
        if step.step == self._begun + 1 or reported(step, self._config.log_every):
            terms = " ".join(f"{name} {value:.3g}" for name, value in step.terms.items())
            rate = (step.step - self._begun) / step.elapsed
            self.note(
                f"step {step.step}/{step.steps}: {step.total:.4g} = {terms}; "
                f"{rate * self._config.batch:.1f} images/s, "
                f"{tqdm.format_interval((step.steps - step.step) / rate)} left"
            )
        if self._stopping:
            raise KeyboardInterrupt

    def _interrupt(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True
