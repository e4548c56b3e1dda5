"""Watching a run: who listens, and what a run notes about itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from photostyle.runtime.memory import Memory
from photostyle.runtime.steps import Step


class Listener(Protocol):
    """Watches a run. Both calls return at once; what they raise stops the run."""

    def stage(self, name: str, note: str) -> None:
        """A stage begins, or has something to say."""

    def step(self, solve: int, solves: int, step: Step) -> None:
        """An iteration of solve number `solve` (from 1) is done."""


class Silent:
    """Nobody watches."""

    def stage(self, name: str, note: str) -> None:
        return

    def step(self, solve: int, solves: int, step: Step) -> None:
        return


@dataclass
class Log:
    """What a run notes about itself for the Result, and what it shares with others."""

    listener: Listener
    memory: Memory
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    history: list[tuple[Step, ...]] = field(default_factory=list)
    interrupted: bool = False

    def facts(self) -> dict[str, Any]:
        """What a Result keeps of it, by the Result's names."""
        return {
            "history": tuple(self.history),
            "notes": tuple(self.notes),
            "seconds": self.seconds,
            "interrupted": self.interrupted,
        }

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.listener.stage(name, "")
        began = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began

    def note(self, stage: str, *sentences: str) -> None:
        self.notes.extend(sentences)
        self.tell(stage, *sentences)

    def tell(self, stage: str, *lines: str) -> None:
        """What the Result has in another form."""
        for line in lines:
            self.listener.stage(stage, line)
