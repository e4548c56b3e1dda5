"""The three standard streams, whatever they are: terminals of any letters, files, pipes, nothing.

What a stream has no letters for is written in others. Where nobody reads any longer, or nobody did
from the beginning, what is said is lost and the work goes on. Imports no torch.
"""

import codecs
import errno
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from photostyle.errors import OutputError

#: Codecs' error handlers: of standard output, where names of files are for programs too, and of
#: what is for people alone.
NAMES, LETTERS = "photostyle.names", "photostyle.letters"
#: Signs of ours that Unicode does not take apart.
_PLAIN = {"×": "x", "→": "->", "½": "1/2", "–": "-"}
#: How a system says that the other end is gone; Windows calls a broken pipe an invalid argument.
_GONE = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ESHUTDOWN, errno.EINVAL)


@contextmanager
def standard_streams() -> Iterator[None]:
    """While it is entered, all three streams can be used without a second thought.

    Raises:
        OutputError: standard output is a file that cannot be written, as on a full disk.
    """
    before = sys.stdin, sys.stdout, sys.stderr
    _fill()
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - lives on
    sys.stdout, sys.stderr = _safe(sys.stdout, NAMES), _safe(sys.stderr, LETTERS)
    try:
        yield
        sys.stdout.flush()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, OutputError):
                stream.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def _fill() -> None:
    """Opens the streams that were closed from the beginning: else the next file that is opened has
    their number, and what libraries say is written into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _safe(stream: TextIO | None, letters: str) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8", errors=letters)
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:  # a console of Windows, or somebody who listens in
        stream.reconfigure(errors=letters)
        return stream
    with suppress(OSError):
        stream.flush()
    end: Any = _End(raw.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        end if raw is stream.buffer else io.BufferedWriter(end),
        encoding=stream.encoding,
        errors=letters,
        newline=None if os.name == "nt" else "\n",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _End(io.FileIO):
    """The end of a stream that nobody may be at."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno in _GONE or self.fileno() != 1:
                return memoryview(data).nbytes
            raise OutputError(f"Standard output cannot be written: {error.strerror}.") from None


def _as_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """The bytes of file names as they are, letters by their like."""
    if isinstance(error, UnicodeEncodeError):
        letter = error.object[error.start]
        wide = error.encoding.lower().startswith(("utf-16", "utf-32"))
        if "\udc80" <= letter <= "\udcff" and not wide:
            return bytes([ord(letter) - 0xDC00]), error.start + 1
    return _replaced(error)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """Letters by their like."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    like = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return _PLAIN.get(letter) or like or "?", error.start + 1


codecs.register_error(NAMES, _as_bytes)
codecs.register_error(LETTERS, _replaced)
