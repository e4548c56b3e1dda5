"""The picture formats in one table: what each is called, how it is known, what it holds.

Plain data: the lists of the help and the README are made of it, so it loads no format.
"""

import functools
import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

#: What a format keeps of a photograph besides its pixels.
KEPT = ("alpha", "profile", "EXIF", "XMP", "IPTC", "texts", "manifest", "gain map")


@dataclass(frozen=True)
class Format:
    """A kind of picture file.

    Attributes:
        name: what messages call it.
        suffixes: of its files in lower case, the usual one first.
        module: of this folder, which has `read` (bytes to `Stored`), `write` where `depths` are
            given, and `knows` where `asks` is set.
        starts: (place, bytes) one of which each of its files has.
        asks: whether `knows(data)` has the last word on what `starts` found.
        depths: bits per channel that are written, none where it is only read.
        keeps: of `KEPT`, when written.
        extra, needs: of photostyle that has to be installed for it, and what that brings.
        scene: whether it holds light of a scene, in floats.
        longest: most pixels of a side that it holds.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    starts: tuple[tuple[int, bytes], ...] = ()
    asks: bool = False
    depths: tuple[int, ...] = ()
    keeps: tuple[str, ...] = ()
    extra: str = ""
    needs: str = ""
    scene: bool = False
    longest: int = 2**31

    def fits(self, data: bytes) -> bool:
        """Whether a file's bytes are of this kind."""
        if not any(data.startswith(start, place) for place, start in self.starts):
            return False
        return not self.asks or bool(self.loaded().knows(data))

    @property
    def missing(self) -> str:
        """What has to be installed first; empty where it is there."""
        if not self.needs or importlib.util.find_spec(self.needs):
            return ""
        return f'pip install "photostyle[{self.extra}]"'

    def loaded(self) -> ModuleType:
        """Its module."""
        return importlib.import_module(f"photostyle.images.formats.{self.module}")

    @property
    def holds_profile(self) -> bool:
        """Whether it can say that its colours are not sRGB's."""
        return "profile" in self.keeps

    def depth(self, wanted: int) -> int:
        """The bits per channel that it writes for a picture of so many."""
        return min((d for d in self.depths if d >= wanted), default=max(self.depths))


#: In the order in which a file's content is asked for; the last one takes what is left.
FORMATS = (
    Format("PNG", (".png",), "png", ((0, b"\x89PNG\r\n\x1a\n"),), depths=(8, 16), keeps=KEPT[:-1]),
    Format("JPEG", (".jpg", ".jpeg", ".jfif", ".jpe"), "jpeg", ((0, b"\xff\xd8"),), depths=(8,),
           keeps=("profile", "EXIF", "XMP", "IPTC", "gain map"), longest=65500),
    Format("camera raw",
           (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".nrw",
            ".3fr", ".iiq", ".rwl", ".dcr", ".kdc", ".mrw", ".erf", ".mef", ".x3f"), "raw",
           ((0, b"II*\0"), (0, b"MM\0*"), (0, b"FUJIFILM"), (0, b"IIRO"), (0, b"IIRS"),
            (0, b"MMOR"), (0, b"IIU\0"), (0, b"FOVb"), (0, b"\0MRM"), (4, b"ftypcrx")),
           asks=True, extra="raw", needs="rawpy"),
    Format("TIFF", (".tif", ".tiff"), "tiff",
           tuple((0, start) for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")), depths=(8, 16),
           keeps=("alpha", "profile", "EXIF", "XMP", "IPTC", "manifest")),
    Format("WebP", (".webp",), "webp", ((8, b"WEBP"),), depths=(8,),
           keeps=("alpha", "profile", "EXIF", "XMP"), longest=16383),
    Format("AVIF", (".avif",), "avif", ((4, b"ftypavif"), (4, b"ftypavis")), depths=(8, 12),
           keeps=("alpha", "profile", "EXIF", "XMP")),
    Format("HEIC", (".heic", ".heif", ".hif"), "heif",
           tuple((4, b"ftyp" + brand) for brand in (b"heic", b"heix", b"heim", b"heis", b"mif1",
                                                    b"msf1", b"hevc", b"hevx")),
           depths=(8, 12), keeps=("alpha", "profile", "EXIF", "XMP"),
           extra="heif", needs="pillow_heif", longest=16384),
    Format("JPEG XL", (".jxl",), "jxl", ((0, b"\xff\x0a"), (0, b"\0\0\0\x0cJXL ")),
           depths=(8, 16), keeps=("alpha", "profile", "EXIF", "XMP")),
    Format("OpenEXR", (".exr",), "vfx", ((0, b"\x76\x2f\x31\x01"),), depths=(16, 32),
           keeps=("alpha", "EXIF", "XMP"), extra="vfx", needs="OpenImageIO", scene=True),
    Format("DPX", (".dpx",), "vfx", ((0, b"SDPX"), (0, b"XPDS")), depths=(8, 16),
           extra="vfx", needs="OpenImageIO"),
    Format("Netpbm", (".ppm", ".pgm", ".pbm", ".pnm"), "netpbm",
           tuple((0, b"P%d" % n) for n in range(1, 7)), asks=True),
)  # fmt: skip
#: All others that Pillow knows.
OTHERS = Format("BMP, GIF, JPEG 2000", (".bmp", ".gif", ".jp2"), "pillow")


def format_of(data: bytes) -> Format:
    """The format of a file's bytes; `OTHERS` where none of `FORMATS` fits."""
    return next((form for form in FORMATS if form.fits(data)), OTHERS)


@functools.cache
def written() -> dict[str, Format]:
    """The formats that are written by suffix, in the table's order."""
    return {suffix: form for form in FORMATS if form.depths for suffix in form.suffixes}


def read_suffixes() -> tuple[str, ...]:
    """Suffixes of all pictures that are read, in the table's order."""
    return tuple(suffix for form in (*FORMATS, OTHERS) for suffix in form.suffixes)


def usual() -> tuple[str, ...]:
    """The usual suffix, without its dot, of every format that is written."""
    return tuple(form.suffixes[0][1:] for form in FORMATS if form.depths)


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Name, suffixes, bits that are written, what is kept, and needs of every format, in words."""
    for form in (*FORMATS, OTHERS):
        bits = ", ".join(map(str, form.depths)) or "only read"
        kept = "all but gain maps" if form.keeps == KEPT[:-1] else ", ".join(form.keeps)
        needs = f"`photostyle[{form.extra}]`" if form.extra else ""
        yield form.name, " ".join(f"`{suffix}`" for suffix in form.suffixes), bits, kept, needs
