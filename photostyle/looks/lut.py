"""A look-up table as other programs have it: what it is looked up by, and what it gives."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.looks.encodings import SRGB, encoding, from_srgb, to_srgb
from photostyle.looks.lattice import ONE, ZERO, ColourMap, Lattice, Shaper

#: A picture's colours, from black to white.
UNIT = ZERO, ONE


@dataclass(frozen=True, eq=False)
class Lut(Brief):
    """Curves that may lead into a lattice, and the lattice.

    Attributes:
        lattice: over what the shaper gives, or over input values where there is none.
        shaper: over input values, or None.
        input, output: names of ENCODINGS: of the values that go in and that come out.
    """

    lattice: Lattice
    shaper: Shaper | None = None
    input: str = SRGB
    output: str = SRGB

    @property
    def title(self) -> str:
        """What its maker calls it, may be empty."""
        return self.lattice.title

    @classmethod
    def of(
        cls, function: ColourMap, size: int = 33, input: str = SRGB, output: str = SRGB,
        title: str = "",
    ) -> "Lut":  # fmt: skip
        """The table of a function from sRGB to sRGB values, for programs that work in others.

        Where evenly spaced input values would be unevenly seen (`linear`, `log`), a shaper takes
        them to sRGB values, and those that stand for more than white to white.

        Args:
            function: takes and gives 3×N float32; what it gives is cut to [0, 1].

        Raises:
            OptionError: there is no such encoding.
        """
        shaped = encoding(input).curved
        within = SRGB if shaped else input

        def seen(values: Tensor) -> Tensor:
            return from_srgb(function(to_srgb(values, within)).clamp(0, 1), output)

        encoding(output)
        shaper = Shaper.of(lambda values: to_srgb(values, input).clamp(0, 1)) if shaped else None
        return cls(Lattice.of(seen, size, title=title), shaper, input, output)

    def apply(self, rgb: Tensor) -> Tensor:
        """sRGB values under the table: 3×… floating-point to the same; may leave [0, 1]."""
        return to_srgb(self.look_up(from_srgb(rgb, self.input)), self.output)

    def look_up(self, values: Tensor) -> Tensor:
        """Values of the output encoding for 3×… of the input's, as any program has them."""
        return self.lattice.apply(values if self.shaper is None else self.shaper.apply(values))

    def split(self) -> tuple[Shaper | None, Lattice]:
        """The same table with a lattice over [0, 1]: another domain is left to the curves."""
        shaper, lattice = self.shaper, self.lattice
        low, high = np.array(lattice.low), np.array(lattice.high)
        if (lattice.low, lattice.high) == UNIT:
            return shaper, lattice
        if shaper is None:
            curves = Shaper(np.array([ZERO, ONE], np.float32), lattice.low, lattice.high)
        else:
            values = (shaper.values - low) / (high - low)
            curves = Shaper(values.astype(np.float32), shaper.low, shaper.high)
        return curves, Lattice(lattice.values, title=lattice.title)

    def over_unit(self, size: int) -> Lattice:
        """One lattice over input values in [0, 1], as formats without shaper and domain need it."""
        same = self.shaper is None and (self.lattice.low, self.lattice.high) == UNIT
        if same and self.lattice.size == size:
            return self.lattice
        return Lattice.of(self.look_up, size, title=self.title)


def lut_of_curves(curves: Shaper, title: str, input: str = SRGB, output: str = SRGB) -> Lut:
    """A table of curves alone: they shape, and the lattice after them changes nothing."""
    low = torch.from_numpy(curves.values).amin(0)
    high = torch.maximum(torch.from_numpy(curves.values).amax(0), low + 1e-3)
    ends = tuple(low.tolist()), tuple(high.tolist())
    plain = Lattice.identity(2, *ends)
    return Lut(Lattice(plain.values, *ends, title), curves, input, output)
