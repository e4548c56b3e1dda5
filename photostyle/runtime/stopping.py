"""Being asked to stop: by Ctrl-C, by SIGTERM, or by a terminal that is closed. Imports no torch."""

import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
#: Seconds within which SIGTERM says the same thing again: `timeout` sends it twice.
AGAIN = 1.0


@contextmanager
def minded(answer: Callable[[], None]) -> Iterator[None]:
    """While it is entered, whoever asks to stop gets this answer; afterwards the one of before.

    What is ignored, as SIGHUP under nohup, stays ignored, but for Ctrl-C. Outside the main thread
    nobody can ask.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    last = -math.inf

    def asked(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if number == signal.SIGINT or last - before > AGAIN:
            answer()

    heard = [n for n in SIGNALS if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]
    previous = {number: signal.signal(number, asked) for number in heard}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def interrupt() -> None:
    """The answer that acts at once.

    Raises:
        KeyboardInterrupt: always.
    """
    raise KeyboardInterrupt


def leave_to_others() -> None:
    """For processes that another one, which is asked as well, ends."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_with_parent() -> None:
    """Ends this process when its parent is gone: an orphan would go on for nobody, in folders that
    others have taken over."""

    def wait() -> None:
        parent = multiprocessing.parent_process()
        assert parent
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
