"""Encodings that other programs' tables are looked up in, to and from sRGB values.

| name | curve | white of the picture at |
|---|---|---|
| srgb | sRGB, IEC 61966-2-1 | 1 |
| rec709 | the display's, BT.1886 with black at 0: exponent 2.4 | 1 |
| linear | none: light | 1 |
| log | Cineon, as film is scanned (Kodak 1995), black at 95 of 1023 | 685/1023 |

All have the primaries of BT.709, which are sRGB's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.color.lab import light_of, srgb_of
from photostyle.errors import OptionError

_GAMMA = 2.4
_CODES, _PER_DECADE, _LOG_WHITE, _LOG_BLACK = 1023, 300, 685, 95
#: Light of the black code, taken away so that black is 0, and of code 0, the darkest there is.
_BLACK = 10 ** ((_LOG_BLACK - _LOG_WHITE) / _PER_DECADE)
_DARKEST = 10 ** (-_LOG_WHITE / _PER_DECADE)


@dataclass(frozen=True)
class Encoding:
    """How a program writes light as values.

    Attributes:
        words: what it is called in comments.
        encode, decode: light to values and back, of any shape.
        curved: whether evenly spaced values are far from evenly seen, so that a lattice needs a
            shaper before it.
    """

    words: str
    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]
    curved: bool = False


def _power(values: Tensor, exponent: float) -> Tensor:
    return values.sign() * values.abs() ** exponent


def _to_log(light: Tensor) -> Tensor:
    shown = (light * (1 - _BLACK) + _BLACK).clamp(min=_DARKEST)
    return (_PER_DECADE * torch.log10(shown) + _LOG_WHITE) / _CODES


def _from_log(values: Tensor) -> Tensor:
    shown: Tensor = 10 ** ((_CODES * values - _LOG_WHITE) / _PER_DECADE)
    return (shown - _BLACK) / (1 - _BLACK)


ENCODINGS = {
    "srgb": Encoding("sRGB (IEC 61966-2-1)", srgb_of, light_of),
    "rec709": Encoding(
        "Rec.709, display gamma 2.4 (BT.1886)",
        lambda light: _power(light, 1 / _GAMMA),
        lambda values: _power(values, _GAMMA),
    ),
    "linear": Encoding(
        "linear light, Rec.709 primaries", lambda light: light, lambda values: values, True
    ),
    "log": Encoding("Cineon log, Rec.709 primaries, white at 685/1023", _to_log, _from_log, True),
}
SRGB = "srgb"


def encoding(name: str) -> Encoding:
    """Raises OptionError where there is none of that name."""
    if name not in ENCODINGS:
        raise OptionError(f"There is no encoding {name!r}; there are {', '.join(ENCODINGS)}.")
    return ENCODINGS[name]


def from_srgb(rgb: Tensor, name: str) -> Tensor:
    """sRGB values of any shape in the encoding of that name; the curves go on beyond [0, 1]."""
    return rgb if name == SRGB else encoding(name).encode(light_of(rgb))


def to_srgb(values: Tensor, name: str) -> Tensor:
    """The inverse of `from_srgb`."""
    return values if name == SRGB else srgb_of(encoding(name).decode(values))
