"""What a term on an encoder's features is: targets made once, sums over positions, a distance.

The content, style and patch terms have a module each.
"""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from photostyle.objective.tiling import Tile


class FeatureTerm(Protocol):
    """A term on features.

    `gather` gives, for one layer, what the term needs of the features; unless `additive` is False
    these are sums over positions, so that a picture may come in tiles. `value` makes the loss of
    them.
    """

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that it reads."""
        ...

    @property
    def additive(self) -> bool:
        """Whether `gather` over the tiles of a picture adds up to that over the picture."""
        ...

    def gather(self, layer: str, features: Tensor, tile: Tile | None) -> Tensor:
        """What is needed of the 1×C×h×w features of `layer`: of a tile, or of all (None)."""
        ...

    def value(self, gathered: Mapping[str, Tensor]) -> Tensor:
        """The unweighted term."""
        ...
