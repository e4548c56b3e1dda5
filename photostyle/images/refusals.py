"""Pictures that are not wanted: of kinds that are not read, told from damaged ones."""

import itertools

from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 120_000_000
MAX_CHANNELS = 32
SAVE_AS = "save it as a JPEG, PNG or TIFF picture first"
WRONG_SAMPLES = (
    "holds floating-point, signed or 32-bit samples; save it with 8 or 16 bits per channel"
)
_TOO_LARGE = (
    f"has more than the {MAX_PIXELS // 1_000_000} megapixels that are read; make it smaller first"
)
_A_FILM = (
    "is a video, where a picture is needed; save one of its frames as a JPEG, PNG or TIFF picture "
    "first"
)
#: Kinds of files by the bytes at a place near their beginning.
_KINDS = (
    (0, b"II\xbc", "a JPEG XR picture"),
    (0, b"#?RADIANCE", "a Radiance picture"),
    (0, b"8BPB", "a Photoshop file"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"gimp xcf", "a GIMP file"),
    (0, b"PK\x03\x04", "an archive or a project file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an SVG drawing or another XML file"),
    *((4, start, "a video") for start in (b"ftyp", b"moov", b"mdat")),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (8, b"AVI ", "a video"),
)
#: Beginnings of the kinds that are read.
_READ = (
    *((0, start) for start in (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF8", b"BM")),
    *((0, start) for start in (b"II+\0", b"MM\0+", b"\0\0\0\x0cjP  ")),
    (4, b"ftypavi"),
    (8, b"WEBP"),
)
#: What the decoders say of files that are whole, but beyond them.
_LIMITS = (
    "unsupported", "not supported", "not a known", "unknown", "not implemented", "cannot handle",
    "not available", "requires",
)  # fmt: skip


class Refusal(Exception):
    """A picture that is not wanted; the text continues a sentence that begins with its name."""


class TooLarge(Refusal):
    """A picture of more pixels than are read."""


def check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raise TooLarge for more than so many pixels, Refusal for none."""
    if min(width, height) < 1:
        raise Refusal("is damaged or incomplete (it has no pixels)")
    if width * height > most:
        raise TooLarge(_TOO_LARGE)


def not_read(kind: str) -> Refusal:
    """A refusal of a whole file, which has to be saved in another way first."""
    return Refusal(f"is {kind}, which is not read; {SAVE_AS}")


def refusal_of(error: Exception, data: bytes) -> Refusal:
    """The refusal of a file that the decoders have given up: a kind, no picture, or damage."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Image.DecompressionBombError):
        return TooLarge(_TOO_LARGE)
    if isinstance(error, UnidentifiedImageError):
        return _refusal_of_unknown(data)
    if isinstance(error, NotImplementedError) or any(w in str(error).lower() for w in _LIMITS):
        return not_read(f"of a kind ({_words(error)})")
    return Refusal(f"is damaged or incomplete ({_words(error)})")


def _refusal_of_unknown(data: bytes) -> Refusal:
    """The refusal of a file that no decoder knows."""
    if any(data.startswith(start, place) for place, start in _READ):
        return Refusal("is damaged or incomplete (its header makes no sense)")
    for place, start, kind in _KINDS:
        if data.startswith(start, place):
            return Refusal(_A_FILM) if kind == "a video" else not_read(kind)
    return Refusal("is not a picture that can be read; give a JPEG, PNG, TIFF or WebP file")


def _words(error: Exception) -> str:
    """What a decoder says, on one line."""
    return " ".join(itertools.islice(str(error).split(), 40)) or type(error).__name__
