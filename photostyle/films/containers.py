"""The files that films come in, and which codec goes into which: the one list of suffixes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from photostyle.errors import OptionError, OutputError

#: Suffixes that are written, and libav's name of the container. `.mts` has larger packets, see
#: `writing`.
CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".qt": "mov",
    ".mkv": "matroska",
    ".avi": "avi",
    ".3gp": "3gp",
    ".3g2": "3g2",
    ".ts": "mpegts",
    ".mts": "mpegts",
    ".m2ts": "mpegts",
}
#: Suffixes that are read, but hold none of our codecs; their films become Matroska files, which
#: take any sound.
READ_ONLY = (
    ".webm", ".mpg", ".mpeg", ".mpe", ".m2v", ".vob", ".wmv", ".asf", ".ogv", ".flv", ".f4v",
    ".mxf", ".dv", ".mk3d", ".divx",
)  # fmt: skip
#: Suffixes of films, lower case.
VIDEO_SUFFIXES = (*CONTAINERS, *READ_ONLY)
#: Where each codec is at home, and is played.
CODECS = {
    "h264": tuple(CONTAINERS),
    "h265": (".mp4", ".m4v", ".mov", ".qt", ".mkv", ".ts", ".mts", ".m2ts"),
    "prores": (".mov", ".qt", ".mkv"),
    "ffv1": (".mkv", ".avi"),
}
#: Containers that say by a matrix how the picture is turned.
TURNING = ("mp4", "mov", "3gp", "3g2", "matroska")


def written_suffix(suffix: str, codec: str) -> str:
    """The suffix under which a film of this suffix is written: its own where the codec fits."""
    suffix = suffix.lower()
    if suffix in CODECS[codec]:
        return suffix
    return ".mov" if codec == "prores" and suffix in CONTAINERS else ".mkv"


def check_codec(codec: str) -> None:
    """
    Raises:
        OptionError: the codec is none of `CODECS`.
    """
    if codec not in CODECS:
        raise OptionError(f"--codec {codec} is unknown; give one of {', '.join(CODECS)}.")


def check_target(path: Path, codec: str) -> None:
    """Finds out whether a codec goes into the file that a path names.

    Raises:
        OptionError: the codec is none of `CODECS`.
        OutputError: the suffix is not one that is written, or the codec does not go into it.
    """
    check_codec(codec)
    suffix = path.suffix.lower()
    if suffix not in CONTAINERS:
        raise OutputError(f"{path} should end in one of {', '.join(CONTAINERS)}.")
    if suffix not in CODECS[codec]:
        raise OutputError(
            f"{path}: {codec} does not go into {suffix} files; say {_or(CODECS[codec])}."
        )


def stated_end(tags: Mapping[str, str]) -> float | None:
    """Seconds at which a stream of a Matroska file ends, where its tags say so: other streams may
    be longer."""
    try:
        hours, minutes, seconds = tags["DURATION"].split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except (KeyError, ValueError):
        return None


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
