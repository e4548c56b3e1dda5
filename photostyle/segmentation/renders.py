"""Mattes in OpenEXR files: Cryptomatte, and channels and parts by their names.

References: Friedman and Jones 2015, "Fully automatic ID mattes with support for motion blur and
transparency"; Cryptomatte specification 1.2.0; OpenEXR 3, technical introduction.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photostyle.documents import parse_json
from photostyle.errors import MaskError
from photostyle.images.formats.oiio import opened, there
from photostyle.images.refusals import refusal_of
from photostyle.segmentation.masks import LabelMap

Array = NDArray[np.float32]

_EXR = b"\x76\x2f\x31\x01"
_REST = "rest"
_MOST = 40  # regions; of more mattes the largest are taken
_BEYOND = 0.01  # what a matte may be outside [0, 1] by filters that overshoot
#: Channels that are no mattes of that name: colours, depth, places and directions.
_USUAL = {"R", "G", "B", "A", "RED", "GREEN", "BLUE", "ALPHA", "Y", "RY", "BY", "X", "Z", "ZBACK",
          "DEPTH", "U", "V", "W"}  # fmt: skip
_CRYPTO = re.compile(r"cryptomatte/([^/]+)/(name|manifest|manif_file)")
_RANK = re.compile(r"(\d+)\.(r|g|b|a)[a-z]*$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of a file: H×W×C values of its channels, placed in the picture."""

    name: str
    channels: tuple[str, ...]
    values: Array
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class _Crypto:
    """A Cryptomatte: what its channels are called, and names by their hashes."""

    name: str
    manifest: Mapping[int, str]


def is_render(path: Path) -> bool:
    """Whether a file is an OpenEXR file that can be read here."""
    if not path.is_file() or not there():
        return False
    with path.open("rb") as file:
        return file.read(4) == _EXR


def read_render(path: Path, picture_size: tuple[int, int]) -> LabelMap | None:
    """The mattes in an OpenEXR file as soft labels; None where it has colours alone.

    A Cryptomatte comes first, the first of several by name; else every channel that is named as no
    colour is, and every layer or part of one channel, is a matte. What they leave is "rest".

    Args:
        picture_size: (height, width) of the picture that it belongs to.

    Raises:
        MaskError: it is damaged, or its mattes are empty.
    """
    data = path.read_bytes()
    try:
        parts = list(_parts(data, picture_size))
    except Exception as error:  # damaged files raise nearly anything
        raise MaskError(f"{path} {refusal_of(error, data)}.") from error
    found = _cryptos(parts, path)
    notes = []
    if found:
        planes = _coverage(parts, found[0])
        names = ", ".join(crypto.name for crypto in found)
        if len(found) > 1:
            notes.append(f"{path} has the Cryptomattes {names}; the first one is used.")
    else:
        planes, outside = _named(parts)
        notes += [f"{path}: the channel {n} is not within 0 and 1, so no matte." for n in outside]
    return _labels(planes, path, notes) if planes or found else None


def _labels(planes: dict[str, Array], path: Path, notes: list[str]) -> LabelMap:
    """Soft labels of H×W planes; where more than one pixel is covered, each has its share."""
    areas = {name: float(plane.sum()) for name, plane in planes.items()}
    kept = sorted((name for name in planes if areas[name] > 0), key=lambda name: -areas[name])
    if not kept:
        raise MaskError(f"{path} has only empty mattes; render those of the objects in view.")
    notes += [f"{path}: the matte {n} is empty and left out." for n in planes if areas[n] <= 0]
    if len(kept) > _MOST:
        notes.append(
            f"{path} has {len(kept)} mattes; the {_MOST} largest are regions, the others the rest."
        )
    names = [name for name in planes if name in kept[:_MOST]]
    stack = np.stack([planes[name] for name in names])  # K×H×W
    stack /= np.maximum(stack.sum(axis=0), 1)
    rest = (1 - stack.sum(axis=0, keepdims=True)).clip(0, 1)
    soft = np.concatenate([rest, stack]).astype(np.float32)
    soft /= soft.sum(axis=0)
    called = _REST if _REST not in names else f"({_REST})"
    ids = soft.argmax(axis=0).astype(np.int32)
    return LabelMap(ids, (called, *names), str(path), tuple(notes), soft)


def _parts(data: bytes, picture_size: tuple[int, int]) -> Iterator[_Part]:
    """The parts of a file, each placed in the window of the whole picture, or, where that is not of
    the picture's size, in the first part's."""
    with opened(data, ".exr") as file:
        first = file.spec()
        whole = first.full_x, first.full_y, first.full_width, first.full_height
        if whole[:1:-1] != picture_size:
            whole = first.x, first.y, first.width, first.height
        number = 0
        while file.seek_subimage(number, 0):
            spec = file.spec()
            values = file.read_image(number, 0, 0, spec.nchannels, "float")
            if values is None or file.has_error:
                raise ValueError(file.geterror() or "its pixels cannot be decoded")
            values = values.reshape(spec.height, spec.width, -1)
            yield _Part(
                spec.getattribute("oiio:subimagename") or "", tuple(spec.channelnames),
                _placed(values, (spec.x, spec.y), whole),
                {a.name: a.value for a in spec.extra_attribs if isinstance(a.value, str)},
            )  # fmt: skip
            number += 1


def _placed(values: Array, place: tuple[int, int], whole: Sequence[int]) -> Array:
    """H×W×C of a window, with nothing around them, in another window (x, y, width, height)."""
    left, top, width, height = whole
    x, y = place[0] - left, place[1] - top
    if (x, y) == (0, 0) and values.shape[:2] == (height, width):
        return values
    out = np.zeros((height, width, values.shape[2]), np.float32)
    seen = values[max(0, -y) : max(0, height - y), max(0, -x) : max(0, width - x)]
    y, x = max(0, y), max(0, x)
    out[y : y + seen.shape[0], x : x + seen.shape[1]] = seen
    return out


def _named(parts: Sequence[_Part]) -> tuple[dict[str, Array], list[str]]:
    """H×W mattes by name, and the channels that would be some but for their values."""
    planes: dict[str, Array] = {}
    outside = []
    for part in parts:
        layers = [channel.rpartition(".")[0] for channel in part.channels]
        for n, channel in enumerate(part.channels):
            layer, _, end = channel.rpartition(".")
            name = end
            if end.upper() in _USUAL:
                alone = layers.count(layer) == 1 and (layer or len(parts) > 1)
                name = (layer or part.name) if alone else ""
            plane = np.nan_to_num(part.values[..., n])
            if not name:
                continue
            if plane.min() < -_BEYOND or plane.max() > 1 + _BEYOND:
                outside.append(channel)
            else:
                planes[name if name not in planes else channel] = plane.clip(0, 1)
    return planes, outside


def _cryptos(parts: Sequence[_Part], path: Path) -> list[_Crypto]:
    """The Cryptomattes of which there are channels, by name."""
    said: dict[str, dict[str, str]] = {}
    for part in parts:
        for key, value in part.attributes.items():
            if match := _CRYPTO.fullmatch(key):
                said.setdefault(match[1], {})[match[2]] = value
    there = [c for part in parts for c in part.channels]
    found = {
        words["name"]: _Crypto(words["name"], _manifest(words, path))
        for words in said.values()
        if any(_rank(channel, words.get("name", "")) for channel in there)
    }
    return [found[name] for name in sorted(found)]


def _rank(channel: str, name: str) -> tuple[int, int] | None:
    """Which number and which of R, G, B and A a channel of a Cryptomatte is; None for others."""
    match = _RANK.fullmatch(channel.removeprefix(name)) if name else None
    known = match and channel.startswith(name)
    return (int(match[1]), "rgba".index(match[2].lower())) if match and known else None


def _manifest(words: Mapping[str, str], path: Path) -> dict[int, str]:
    """Names by their hashes, from the header or the file that it names; none where broken."""
    text = words.get("manifest", "")
    beside = PurePosixPath(words.get("manif_file", ""))
    if not text and beside.name and not beside.is_absolute() and ".." not in beside.parts:
        place = path.parent / beside
        text = place.read_text("utf-8", "replace") if place.is_file() else ""
    try:
        listed: Any = parse_json(text or "{}")
        return {int(code, 16): str(name) for name, code in listed.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _coverage(parts: Sequence[_Part], crypto: _Crypto) -> dict[str, Array]:
    """H×W shares of the objects in a Cryptomatte's ranks, pairs of hash and coverage."""
    ranked: dict[tuple[int, int], Array] = {}
    for part in parts:
        for n, channel in enumerate(part.channels):
            if (place := _rank(channel, crypto.name)) is not None:
                ranked[place] = part.values[..., n]
    planes: dict[str, Array] = {}
    for level, which in sorted(ranked):
        share = ranked.get((level, which + 1))
        if which % 2 or share is None:
            continue
        hashes = np.ascontiguousarray(ranked[level, which], np.float32).view(np.uint32)
        share = np.nan_to_num(share).clip(0, 1)
        for code in np.unique(hashes[(share > 0) & (hashes != 0)]).tolist():
            name = crypto.manifest.get(code, f"{code:08x}")
            plane = planes.setdefault(name, np.zeros_like(share))
            plane += np.where(hashes == code, share, 0)
    return planes
