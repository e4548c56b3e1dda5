"""The encoders: which pixel format and which settings each takes for a film."""

from dataclasses import dataclass

import av

from photostyle.errors import OptionError, OutputError
from photostyle.films.containers import check_codec
from photostyle.films.reading import FilmInfo

#: Decoders after which libswscale takes chroma to lie in the middle; H.264's is left if not said.
_CENTRED = ("mjpeg", "mpeg1video", "ffv1", "vp8", "rawvideo")
#: Of libx264 and libx265, the presets that keep 1080p above 20 frames a second on two cores, with
#: constant qualities at which a film and its copy look the same.
_PRESET = "veryfast"
QUALITY = {"h264": 17, "h265": 19}
_QUALITIES = range(52)


@dataclass(frozen=True)
class Encoder:
    """An encoder set up for a film.

    Attributes:
        name: libav's. form: its pixel format. options: of the encoder.
        full: whether samples use the full range.
        tag: the four letters under which a container has it, where players insist.
    """

    name: str
    form: str
    options: dict[str, str]
    full: bool
    tag: str | None = None


def encoder(codec: str, info: FilmInfo, size: tuple[int, int], quality: int | None) -> Encoder:
    """The encoder for a film: chroma as fine and samples as deep as the film's, if it has them.

    Args:
        size: (height, width) to be coded.
        quality: constant rate factor of h264 and h265, 0 (lossless) to 51; None for the usual.

    Raises:
        OptionError: a quality that the codec does not have.
        OutputError: frames too small for the codec.
    """
    check_quality(codec, quality)
    height, width = size
    odd = bool(height % 2 or width % 2)
    full = info.coding.full and not info.coding.rgb
    factor = {"preset": _PRESET, "crf": str(QUALITY.get(codec, 0) if quality is None else quality)}
    if quality == 0:  # a factor of 0 loses something from 10 bits on
        factor["qp"] = factor.pop("crf")
    if info.codec in _CENTRED:
        factor["chroma_sample_location"] = "center"
    if codec == "h264":
        return Encoder("libx264", _form("libx264", info, odd), factor, full)
    if codec == "h265":
        if min(size) < 16:
            raise OutputError(f"h265 holds no frames of {width}×{height} pixels; take h264.")
        exact = ":lossless=1" if quality == 0 else ""
        quiet = {"x265-params": f"log-level=none{exact}"}
        return Encoder("libx265", _form("libx265", info, odd), factor | quiet, full, "hvc1")
    if codec == "prores":
        # The faster of the two encoders knows even sizes only; ProRes has the limited range alone.
        name = "prores_ks" if odd else "prores_aw"
        fine = info.coding.rgb or "444" in info.form
        form = "yuv444p10le" if fine else "yuv422p10le"
        return Encoder(name, form, {"profile": "4" if fine else "3", "vendor": "apl0"}, False)
    settings = {"level": "3", "g": "1", "slicecrc": "1"}
    if info.coding.rgb:
        form = "bgr0" if info.bits == 8 else f"gbrp{_deeper(info.bits)}le"
        return Encoder("ffv1", form, settings, True)
    return Encoder("ffv1", _form("ffv1", info, False), settings, full)


def check_quality(codec: str, quality: int | None) -> None:
    """
    Raises:
        OptionError: the codec is unknown, or does not have that quality.
    """
    check_codec(codec)
    if quality is not None and codec not in QUALITY:
        raise OptionError(
            f"--quality is for {' and '.join(QUALITY)}; {codec} has one quality only."
        )
    if quality is not None and quality not in _QUALITIES:
        raise OptionError(f"--quality is {quality}; it must be 0 (best) to {_QUALITIES[-1]}.")


def _form(name: str, info: FilmInfo, odd: bool) -> str:
    """The encoder's format nearest to the film's; with whole chroma where a side is odd.

    A grey film may become coloured, so it gets chroma.
    """
    known = {form.name for form in av.Codec(name, "w").video_formats or ()}
    layout = av.VideoFormat(info.form, 16, 16)
    grey = len(layout.components) < 3
    if odd or info.coding.rgb:
        chroma = "444"
    elif grey:
        chroma = "420"
    else:
        wide, high = layout.chroma_width(16) == 16, layout.chroma_height(16) == 16
        chroma = "444" if wide and high else "422" if high else "420"
    for bits in (_deeper(info.bits), 12, 10, 8):
        form = f"yuv{chroma}p" + (f"{bits}le" if bits > 8 else "")
        if bits <= max(info.bits, 8) + 2 and form in known:
            return form
    return f"yuv{chroma}p"


def _deeper(bits: int) -> int:
    """The usual depth that holds so many bits."""
    return next(depth for depth in (8, 10, 12, 16) if depth >= bits)
