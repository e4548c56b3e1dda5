"""Work beside work: order, errors, and threads that end."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from photostyle.films.working import Behind, ahead


def threads() -> int:
    return sum(t.name in ("ahead", "behind") for t in threading.enumerate())


def test_all_items_arrive_in_order() -> None:
    taken: list[int] = []
    with Behind(taken.append) as line, ahead(range(100)) as items:
        for item in items:
            line.put(item)
    assert taken == list(range(100))
    assert threads() == 0


def test_an_error_arises_where_its_item_would() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("here")

    with ahead(broken()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="here"):
            next(items)
    assert threads() == 0


def test_what_runs_ahead_stops_with_the_block() -> None:
    with ahead(iter(int, 1)) as items:  # without end
        next(items)
    assert threads() == 0


def test_an_error_of_what_follows_reaches_the_one_who_gives() -> None:
    def take(item: int) -> None:
        if item == 3:
            raise ValueError("full")

    def give() -> None:
        with Behind(take) as line:
            for item in range(1000):
                line.put(item)
                time.sleep(0.001)

    with pytest.raises(ValueError, match="full"):
        give()
    assert threads() == 0


def test_items_that_wait_are_dropped_when_the_block_fails() -> None:
    taken: list[int] = []

    def take(item: int) -> None:
        time.sleep(0.05)
        taken.append(item)

    def give() -> None:
        with Behind(take) as line:
            for item in range(4):
                line.put(item)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give()
    assert len(taken) < 4
    assert threads() == 0


#: Interrupted again and again, wherever that falls.
INTERRUPTED = """
import signal, sys
from photostyle.films.working import Behind, ahead

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
for n in range(400):
    try:
        with Behind(lambda item: None) as line, ahead(iter(int, 1)) as items:
            signal.setitimer(signal.ITIMER_REAL, 1e-3 + n * 1e-6)
            for item in items:
                line.put(item)
    except KeyboardInterrupt:
        pass
print("ended")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of this kind here")
def test_an_interrupt_at_any_moment_ends_it() -> None:
    words = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout == "ended\n"
