"""Work beside work: an iterable that runs ahead in a thread, and a consumer that follows in one.

libav and OpenCV let go of the interpreter's lock, so decoding, changing and encoding overlap.

Lines are of `SimpleQueue`, which Ctrl-C can interrupt at any moment: a `Queue` that is interrupted
while it wakes up its other side wakes up nobody the next time, and both wait forever.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: Items that wait at most: a few frames, which are large.
_DEPTH = 4
_WAIT_S = 0.1


def _tokens() -> "queue.SimpleQueue[None]":
    """As many as items may wait: who adds one takes a token, who takes one gives it back."""
    tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(_DEPTH):
        tokens.put(None)
    return tokens


@contextlib.contextmanager
def ahead(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """The items, computed in a thread up to a few ahead; errors arise where the item would.

    The thread has ended when the block has.
    """
    line: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    free = _tokens()
    stopped = False
    end = object()

    def put(item: Any, error: BaseException | None = None) -> bool:
        while not stopped:
            with contextlib.suppress(queue.Empty):
                free.get(timeout=_WAIT_S)
                line.put((item, error))
                return True
        return False

    def run() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(end)
        except BaseException as error:
            put(end, error)

    def given() -> Iterator[T]:
        while True:
            item, error = line.get()
            free.put(None)
            if error is not None:
                raise error
            if item is end:
                return
            yield item

    worker = threading.Thread(target=run, name="ahead", daemon=True)
    worker.start()
    try:
        yield given()
    finally:
        stopped = True
        worker.join()


class Behind(Generic[T]):
    """A function that follows in a thread, item by item.

    Its error arises at the next `put` or at the end of the block. A block that ends by itself waits
    for all items; one that ends by an error drops those that wait.
    """

    def __init__(self, take: Callable[[T], None]) -> None:
        self._take = take
        self._line: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._free = _tokens()
        self._error: BaseException | None = None
        self._dropping = False
        self._worker = threading.Thread(target=self._run, name="behind", daemon=True)

    def __enter__(self) -> "Behind[T]":
        self._worker.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._dropping = error is not None
        try:
            self._line.put(None)
            self._worker.join()
        except BaseException:
            self._dropping = True
            self._worker.join()
            raise
        if error is None:
            self._check()

    def put(self, item: T) -> None:
        self._check()
        self._free.get()
        self._line.put(item)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (item := self._line.get()) is not None:
            if not self._dropping and self._error is None:
                try:
                    self._take(item)
                except BaseException as error:
                    self._error = error
            self._free.put(None)
