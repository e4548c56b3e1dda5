"""Requests that are not granted, each with a status and a sentence for whoever reads the page."""

import errno

from photostyle.errors import InputError, PhotostyleError


class Refused(PhotostyleError):
    """A request that cannot be granted; the sentence is shown on the page."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.status = status


class Stopped(Exception):
    """A job that was given up, as a newer one took its place."""


class WorkerGoneError(PhotostyleError):
    """The process of a job ended before the job did."""


def told(error: BaseException) -> tuple[str, int]:
    """(sentence, status) for whatever went wrong."""
    if isinstance(error, Refused):
        return error.as_typed, error.status
    if isinstance(error, InputError):
        return error.as_typed, 422
    if isinstance(error, PhotostyleError):
        return error.as_typed, 500
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full, so this could not be kept; make room and try again.", 507
    if isinstance(error, OSError):
        return f"A file could not be written or read: {error.strerror or 'unknown reason'}.", 500
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "There is not enough memory for this; try a smaller size.", 507
    return "Something went wrong inside photostyle; the rest goes on.", 500
