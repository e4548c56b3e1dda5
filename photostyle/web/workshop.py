"""The worker processes: each does one job after the other, and another takes its place if it dies.

A job is the name of a task (tasks.py), its arguments, and a number. What the worker tells on the
way goes to whoever gave the job, in the server's own thread.
"""

import asyncio
import multiprocessing
import os
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from photostyle.runtime.stopping import end_with_parent, leave_to_others
from photostyle.web.limits import MOST_WAITING
from photostyle.web.refusing import Refused, Stopped, WorkerGoneError, told

Tell = Callable[[dict[str, Any]], None]
DIED = (
    "The process that computes was ended from outside, or ran out of memory; it was started anew. "
    "Try again, with a smaller size perhaps."
)


@dataclass(eq=False)
class Job:
    """Something to be done for a session.

    Attributes:
        owner: the session's name; a new exclusive job of an owner takes the place of the old one.
        tell: hears what the worker says on the way.
    """

    task: str
    arguments: dict[str, Any]
    owner: str
    done: "asyncio.Future[Any]"
    tell: Tell | None = None
    number: int = 0
    stopped: bool = field(default=False)


class Worker:
    """A process with its queue, seen from the server.

    Args:
        name: shown in lists of processes.
        tasks: the module whose `TASKS` the process can do.
    """

    def __init__(self, name: str, tasks: str) -> None:
        self.name, self.tasks = name, tasks
        self._context = multiprocessing.get_context("spawn")
        self._cancelled, self._ended = (self._context.Value("q", 0) for _ in range(2))
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._running: Job | None = None
        self._count, self._closed = 0, False
        self._process: Any = None
        self._link: Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begins to take jobs, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def give(
        self, task: str, arguments: dict[str, Any], owner: str, tell: Tell | None = None
    ) -> Job:
        """Puts a job at the end of the queue.

        Raises:
            Refused: too many wait.
        """
        assert self._loop
        job = Job(task, arguments, owner, self._loop.create_future(), tell)
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise Refused("Too much is waiting to be done; try again in a while.", 503)
            self._count += 1
            job.number = self._count
            self._waiting.append(job)
            self._changed.notify()
        return job

    async def ask(self, task: str, arguments: dict[str, Any], owner: str = "") -> Any:
        """Does a job and gives what came of it; raises what the job raised."""
        return await self.give(task, arguments, owner).done

    def cancel(self, owner: str, kinds: tuple[str, ...] = ()) -> None:
        """Gives up an owner's jobs, of these tasks or of all."""

        def meant(job: Job) -> bool:
            return job.owner == owner and (not kinds or job.task in kinds)

        with self._changed:
            for job in [job for job in self._waiting if meant(job)]:
                self._waiting.remove(job)
                self._settle(job, Stopped())
            if self._running and meant(self._running):
                self._cancelled.value = self._running.number

    def end_early(self, owner: str) -> bool:
        """Has an owner's running job end with the best that it has; False where there is none."""
        with self._changed:
            if self._running is None or self._running.owner != owner:
                return False
            self._ended.value = self._running.number
            return True

    @property
    def pid(self) -> int | None:
        """Of the process, once there is one."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """Ends the process."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._process:
            self._process.kill()

    def _work(self) -> None:
        """The life of the thread that talks with the process."""
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                job = self._running = self._waiting.popleft()
            try:
                outcome = self._do(job)
            except Exception as error:
                outcome = error
            with self._changed:
                self._running = None
            self._settle(job, outcome)

    def _do(self, job: Job) -> Any:
        for attempt in range(2):
            try:
                self._begun().send((job.number, job.task, job.arguments))
                break
            except (OSError, EOFError):  # it died while there was nothing to do
                self._process = None
                if attempt:
                    raise WorkerGoneError(DIED) from None
        assert self._link
        try:
            while True:
                kind, value = self._link.recv()
                if kind == "told":
                    self._say(job, value)
                else:
                    return value
        except (EOFError, OSError):
            self._process.join(1)
            self._process = None
            raise WorkerGoneError(DIED) from None

    def _begun(self) -> Connection:
        """The link to the process, which is started where there is none."""
        if self._process is None or not self._process.is_alive():
            self._link, other = self._context.Pipe()
            self._process = self._context.Process(
                target=_life, args=(other, self.tasks, self._cancelled, self._ended), daemon=True,
                name=self.name,
            )  # fmt: skip
            self._process.start()
            other.close()
        assert self._link
        return self._link

    def _say(self, job: Job, event: dict[str, Any]) -> None:
        if job.tell and self._loop and not self._loop.is_closed():
            with suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(job.tell, event)

    def _settle(self, job: Job, outcome: Any) -> None:
        def settle() -> None:
            if job.done.done():
                return
            if isinstance(outcome, BaseException):
                job.done.set_exception(outcome)
                job.done.exception()  # nobody may be left to ask for it
            else:
                job.done.set_result(outcome)

        if self._loop and not self._loop.is_closed():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(settle)


@dataclass
class Bench:
    """What a task has in the worker besides its arguments.

    Attributes:
        link: to the server. number: of the job.
        cancelled, ended: numbers of the job that is given up, and of that which ends early.
        names: what people call the files that are worked on, by their paths.
    """

    link: Connection
    number: int
    cancelled: Any
    ended: Any
    names: dict[str, str]

    def tell(self, **event: Any) -> None:
        """Says something on the way.

        Raises:
            Stopped: the job is given up.
        """
        self.check()
        self.link.send(("told", event))

    def check(self) -> None:
        """Raises Stopped where the job is given up."""
        if self.cancelled.value == self.number:
            raise Stopped

    @property
    def ends(self) -> bool:
        """Whether it is to end with the best that there is."""
        return bool(self.ended.value == self.number)


def _life(link: Connection, tasks: str, cancelled: Any, ended: Any) -> None:
    """The life of a process: jobs in, what comes of them out, until the other end is gone."""
    leave_to_others()
    end_with_parent()
    table = import_module(tasks).TASKS
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            number, task, arguments = link.recv()
            names = arguments.pop("names", {})
            bench = Bench(link, number, cancelled, ended, names)
            try:
                value: Any = table[task](bench, **arguments)
            except Exception as error:
                value = _sendable(error, names)
            link.send(("done", value))


def _sendable(error: Exception, names: dict[str, str]) -> Exception:
    """An error that can go to the other process: by its sentence, with names that people know."""
    if isinstance(error, Stopped):
        return Stopped()
    sentence, status = told(error)
    if status == 500 and os.environ.get("PHOTOSTYLE_DEBUG"):
        traceback.print_exception(error)
    return Refused(named(sentence, names), status)


def named(sentence: str, names: dict[str, str]) -> str:
    """A sentence with the names that people know in place of paths."""
    for path, name in names.items():
        sentence = sentence.replace(path, name)
    return sentence
