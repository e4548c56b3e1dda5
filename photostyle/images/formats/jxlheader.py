"""The head of a JPEG XL picture, read and written anew: its size, and what is said of its colours.

Reference: ISO/IEC 18181-1:2024, annexes B, D and E; 18181-2 (boxes).
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

BARE, BOXED = b"\xff\x0a", b"\0\0\0\x0cJXL "
LINEAR, SRGB, BT709 = 8, 13, 1  # transfers, by their numbers in H.273
_CODES = ("jxlc", "jxlp")
_D65, _CUSTOM = 1, 2
_E, _DCI = 10, 11  # white points
_WHITES = {_D65: (0.3127, 0.3290), _E: (1 / 3, 1 / 3), _DCI: (0.314, 0.351)}
_PRIMARIES = {
    1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_RELATIVE = 1  # rendering intent
_SCALE, _GAMMA = 1e6, 1e7  # of chromaticities, and of exponents
#: Ways of writing a number: the least and the bits beyond it.
_ENUM = ((0, 0), (1, 0), (2, 4), (18, 6))
_SIDE = ((1, 9), (1, 13), (1, 18), (1, 30))
_PLACE = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
_DEPTH = ((8, 0), (10, 0), (12, 0), (1, 6))


@dataclass(frozen=True)
class Colours:
    """What RGB values mean.

    Attributes:
        primaries: x and y of R, G and B. white: x and y.
        transfer: H.273's number, or None where `gamma` says it.
        gamma: exponent of light, above 1.
    """

    primaries: tuple[float, ...] = _PRIMARIES[1]
    white: tuple[float, ...] = _WHITES[_D65]
    transfer: int | None = SRGB
    gamma: float = 0.0


@dataclass
class Head:
    """What stands before a picture's frames.

    Attributes:
        colours: None where they are grey, or said in a way that is not read.
        profile: whether an ICC profile says them, which follows packed.
        mixed: whether the pixels are stored in the codec's own space.
        places: bits of `Colours` within the head, from and to; none where they are not there.
    """

    width: int = 0
    height: int = 0
    colours: Colours | None = field(default_factory=Colours)
    profile: bool = False
    mixed: bool = True
    places: tuple[int, int] = (0, 0)


def boxes(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Names of a file's boxes, with where their contents begin and end."""
    at = 0 if data.startswith(BOXED) else len(data)
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        end = at + size if size else len(data)
        if end < at + head:
            return
        yield name.decode("latin-1"), at + head, end
        at = end


def head_of(data: bytes) -> Head:
    """The head of a file's picture.

    Raises:
        ValueError: there is no picture in it.
    """
    start = 0
    if not data.startswith(BARE):
        where = [(name, start) for name, start, _ in boxes(data) if name in _CODES]
        if not where:
            raise ValueError("its header makes no sense")
        start = where[0][1] + (4 if where[0][0] == "jxlp" else 0)
    return _head(_Bits(data[start + 2 : start + 4096]))


def with_colours(data: bytes, colours: Colours) -> bytes:
    """A file of RGB values in sRGB, as the encoder writes it without loss, that says that its
    values mean other colours; its pixels stay the same numbers."""
    found = [data[s + 4 * (name == "jxlp") : e] for name, s, e in boxes(data) if name in _CODES]
    stream = b"".join(found) or data
    bits = _Bits(stream[2:4096])
    head = _head(bits)
    first, last = head.places
    if head.mixed or head.profile or last == 0:
        raise ValueError("its header makes no sense")
    old = int.from_bytes(stream[2:4096], "little")
    bits.number(2)  # no extensions
    bits.number(1)  # the usual transforms
    made = _Made(old & ((1 << first) - 1), first)
    _write(made, colours)
    made.number((old >> last) & ((1 << (bits.place - last)) - 1), bits.place - last)
    stream = BARE + made.bytes() + stream[2 + (bits.place + 7) // 8 :]
    if not found:
        return stream
    parts = [data[s - 8 : e] for name, s, e in boxes(data) if name not in _CODES]
    return b"".join(parts) + struct.pack(">I4s", len(stream) + 8, b"jxlc") + stream


class _Bits:
    """The numbers of a header, the lowest bits first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self.place = 0

    def number(self, bits: int) -> int:
        found = (self._value >> self.place) & ((1 << bits) - 1)
        self.place += bits
        return found

    def one_of(self, ways: tuple[tuple[int, int], ...]) -> int:
        """A number of one of four ways, each a least one and so many bits beyond it."""
        least, bits = ways[self.number(2)]
        return least + self.number(bits)


class _Made:
    """The same, written."""

    def __init__(self, value: int = 0, place: int = 0) -> None:
        self._value, self._place = value, place

    def number(self, value: int, bits: int) -> None:
        self._value |= value << self._place
        self._place += bits

    def one_of(self, value: int, ways: tuple[tuple[int, int], ...]) -> None:
        way = next(n for n, (low, bits) in enumerate(ways) if 0 <= value - low < 1 << bits)
        self.number(way, 2)
        self.number(value - ways[way][0], ways[way][1])

    def bytes(self) -> bytes:
        return self._value.to_bytes((self._place + 7) // 8, "little")


def _head(bits: _Bits) -> Head:
    head = Head()
    head.height, head.width = _size(bits)
    if bits.number(1):
        return head  # all is usual: sRGB
    if bits.number(1):  # orientation, and sizes for showing it
        bits.number(3)
        if bits.number(1):
            _size(bits)
        if bits.number(1) or bits.number(1):
            return head  # a preview or an animation
    _depth(bits)
    bits.number(1)
    extra = bits.one_of(((0, 0), (1, 0), (2, 4), (1, 12)))
    if extra > 1 or (extra == 1 and not _plain_alpha(bits)):
        return head
    head.mixed = bool(bits.number(1))
    first = bits.place
    if not bits.number(1):  # not sRGB
        head.profile = bool(bits.number(1))
        head.colours = _colours(bits, head.profile)
    head.places = first, bits.place
    return head


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.number(1)
    height = 8 * (bits.number(5) + 1) if small else bits.one_of(_SIDE)
    ratio = bits.number(3)
    if ratio == 0:
        return height, 8 * (bits.number(5) + 1) if small else bits.one_of(_SIDE)
    up, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height, height * up // down


def _depth(bits: _Bits) -> None:
    if bits.number(1):  # floats
        bits.one_of(((32, 0), (16, 0), (24, 0), (1, 6)))
        bits.number(4)
    else:
        bits.one_of(_DEPTH)


def _plain_alpha(bits: _Bits) -> bool:
    """Read past an alpha channel of the usual kind; False where it is another."""
    if bits.number(1):
        return True
    if bits.one_of(_ENUM) != 0:
        return False
    _depth(bits)
    bits.one_of(((0, 0), (3, 0), (4, 0), (1, 3)))
    if bits.one_of(((0, 0), (0, 4), (16, 5), (48, 10))):
        return False
    bits.number(1)
    return True


def _colours(bits: _Bits, profile: bool) -> Colours | None:
    if bits.one_of(_ENUM) != 0 or profile:
        return None  # not RGB, or said by a profile
    whites = bits.one_of(_ENUM)
    white = _point(bits) if whites == _CUSTOM else _WHITES.get(whites)
    kind = bits.one_of(_ENUM)
    own = sum((_point(bits) for _ in range(3)), ()) if kind == _CUSTOM else _PRIMARIES.get(kind)
    gamma = bits.number(24) if bits.number(1) else 0
    transfer = None if gamma else bits.one_of(_ENUM)
    bits.one_of(_ENUM)
    if white is None or own is None:
        return None
    return Colours(own, white, transfer, _GAMMA / gamma if gamma else 0.0)


def _point(bits: _Bits) -> tuple[float, ...]:
    packed = [bits.one_of(_PLACE) for _ in range(2)]
    return tuple((n >> 1 if n % 2 == 0 else -(n >> 1) - 1) / _SCALE for n in packed)


def _write(made: _Made, colours: Colours) -> None:
    made.number(0, 2)  # not sRGB, no profile
    made.one_of(0, _ENUM)  # RGB
    _write_points(made, colours.white, _WHITES)
    _write_points(made, colours.primaries, _PRIMARIES)
    made.number(int(colours.transfer is None), 1)
    if colours.transfer is None:
        made.number(round(_GAMMA / colours.gamma), 24)
    else:
        made.one_of(colours.transfer, _ENUM)
    made.one_of(_RELATIVE, _ENUM)


def _write_points(
    made: _Made, points: tuple[float, ...], known: Mapping[int, tuple[float, ...]]
) -> None:
    """Chromaticities by their number where they have one."""
    number = next((n for n, own in known.items() if own == points), _CUSTOM)
    made.one_of(number, _ENUM)
    for value in points if number == _CUSTOM else ():
        whole = round(value * _SCALE)
        made.one_of(2 * whole if whole >= 0 else -2 * whole - 1, _PLACE)
