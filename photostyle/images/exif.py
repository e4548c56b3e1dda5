"""EXIF that travels: read from a photograph, put right for what is made of it.

Reference: Exif 3.0, sections 4.6 and 4.6.6; DCF 2.0.
"""

from typing import Any

from PIL import ExifTags, Image

_PHOTO, _GPS, _INTEROP = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop
#: Of the first directory only what describes the photograph: in a TIFF the rest describes how
#: the pixels are stored and what their colours are, in a JPEG it points at a preview.
_KEPT_TAGS = frozenset(
    {0x000B, 0x010D, 0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C}
    | {0x4746, 0x4749, 0x8298, *range(0x9C9B, 0x9CA0)}
)
#: Gamma, and places in the picture as it was stored.
_DROPPED_PHOTO_TAGS = frozenset({0xA500, 0x9214, 0xA214})
_COLOR_SPACE, _WIDTH, _HEIGHT = 0xA001, 0xA002, 0xA003
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128


def read_exif(data: bytes | None) -> Image.Exif:
    """Return the tags of a TIFF structure, with or without Exif's head; none where it is broken."""
    tags = Image.Exif()
    try:
        tags.load(data or b"")
    except Exception:  # broken tags say nothing against the picture
        return Image.Exif()
    return tags


def orientation_of(tags: Image.Exif) -> int | None:
    """Return the orientation of the stored rows and columns, 1 to 8, or None."""
    try:
        found = int(tags[ExifTags.Base.Orientation])
    except Exception:  # as above
        return None
    return found if 1 <= found <= 8 else None


def dpi_of(tags: Image.Exif) -> tuple[float, float] | None:
    """Return the resolution as pixels per inch, or None."""
    try:
        scale = {2: 1.0, 3: 2.54}[int(tags.get(_UNIT, 2))]
        x, y = (float(tags[tag]) * scale for tag in (_X_RESOLUTION, _Y_RESOLUTION))
    except Exception:  # as above
        return None
    return (x, y) if 0 < x < 1e7 and 0 < y < 1e7 else None


def kept_exif(tags: Image.Exif, manifest: str) -> bytes | None:
    """Return the tags worth keeping, marked as upright and sRGB; None where nothing is left.

    Args:
        manifest: a description that begins with this word tells how that picture was made, and is
            not kept.
    """
    kept = Image.Exif()
    try:
        for tag in _KEPT_TAGS.intersection(tags):
            kept[tag] = byte_text(tags[tag])
        if str(tags.get(ExifTags.Base.ImageDescription, "")).startswith(f"{manifest} "):
            del kept[ExifTags.Base.ImageDescription]
        photo = dict(tags.get_ifd(_PHOTO))
        for tag in _DROPPED_PHOTO_TAGS.intersection(photo):
            del photo[tag]
        if _COLOR_SPACE in photo:
            photo[_COLOR_SPACE] = 1  # sRGB
        if photo.pop(_INTEROP, None) is not None:
            photo[_INTEROP] = {1: "R98", 2: b"0100"}  # sRGB, too
        for directory, values in ((_PHOTO, photo), (_GPS, tags.get_ifd(_GPS))):
            if values:
                kept[directory] = {tag: _safe_text(value) for tag, value in values.items()}
        if not len(kept):
            return None
        kept[ExifTags.Base.Orientation] = 1
        return kept.tobytes()
    except Exception:  # as above
        return None


def fitted_exif(
    data: bytes | None,
    size: tuple[int, int],
    dpi: tuple[float, float] | None,
    index: str,
    *,
    always: bool,
) -> Image.Exif | None:
    """Return the tags for a picture of (height, width), or None where there are none.

    Args:
        data: from `kept_exif`.
        dpi: taken down where there are other tags, or `always`.
        index: InteroperabilityIndex of its colours, R98 for sRGB; empty where they have none.
    """
    tags = read_exif(data)
    if not len(tags) and not (always and dpi):
        return None
    if dpi:
        tags[_X_RESOLUTION], tags[_Y_RESOLUTION] = (round(value, 4) for value in dpi)
        tags[_UNIT] = 2
    photo = tags.get_ifd(_PHOTO) if _PHOTO in tags else {}
    for tag, side in ((_WIDTH, size[1]), (_HEIGHT, size[0])):
        if tag in photo:
            photo[tag] = side
    if _COLOR_SPACE in photo:
        photo[_COLOR_SPACE] = 1 if index == "R98" else 0xFFFF
    if _INTEROP in photo and not index:
        del photo[_INTEROP]
    elif _INTEROP in photo:  # in place of where it lies
        photo[_INTEROP] = {**tags.get_ifd(_INTEROP), 1: index}
    _keep_texts(tags)
    return tags


def exif_with(data: bytes | None, tag: int, text: str) -> bytes:
    """Return the tags of a TIFF structure with one more, all others as they were."""
    tags = read_exif(data)
    tags[tag] = text
    _keep_texts(tags)
    return exif_bytes(tags)


def exif_bytes(tags: Image.Exif) -> bytes:
    """Return a TIFF structure without Exif's head; texts stay the bytes that they were."""
    for tag in list(tags):
        tags[tag] = byte_text(tags[tag])
    return tags.tobytes().removeprefix(b"Exif\0\0")


def exif_of(image: Image.Image) -> bytes:
    """Return the tags of a PIL image, which stays as it is, texts as the bytes that they were."""
    tags = image.getexif()
    own = read_exif(tags.tobytes())
    own.update({tag: byte_text(value) for tag, value in tags.items() if isinstance(value, str)})
    for directory in {_PHOTO, _GPS}.intersection(own):
        texts = {t: v for t, v in tags.get_ifd(directory).items() if isinstance(v, str)}
        own.get_ifd(directory).update(texts)
    _keep_texts(own)
    return exif_bytes(own)


def _keep_texts(tags: Image.Exif) -> None:
    """Turn the texts of all directories but the first into what Pillow writes as it was."""
    for directory in {_PHOTO, _GPS}.intersection(tags):
        values = tags.get_ifd(directory)
        values.update({tag: _safe_text(value) for tag, value in values.items()})


def _safe_text(value: Any) -> Any:
    """Return `byte_text` of a text that is not ASCII; of others it would change the type."""
    return value if isinstance(value, str) and value.isascii() else byte_text(value)


def byte_text(value: Any) -> Any:
    """Return an EXIF text as the bytes that it was stored as, any other value as it is.

    Pillow reads texts as Latin-1 but writes ASCII, with question marks for the rest.
    """
    return value.encode("latin-1") if isinstance(value, str) else value
