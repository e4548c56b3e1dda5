"""Any function of colours, such as a table, put on pictures of any size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from photostyle.color.beyond import beyond
from photostyle.runtime.device import in_threads

#: Rows that are worked on at a time.
STRIP = 64


@dataclass(frozen=True)
class Tabled:
    """A colour map that knows neither place nor region.

    Attributes:
        function: 3×N float32 sRGB values in [0, 1] to such that may leave it.
        strength: share of its change, in [0, 1].
    """

    function: Callable[[Tensor], Tensor]
    strength: float = 1.0

    def size_on(self, content_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of delivery on a content of that size: its own."""
        return content_size

    def faded(self, strengths: Sequence[float]) -> "Tabled":
        """The map at part of its strength, the number of its one region."""
        return replace(self, strength=self.strength * strengths[0])

    def apply(self, content: Tensor, wide: Tensor | None = None, care: object = None) -> Tensor:
        """1×3×H×W in [0, 1] for a 1×3×H×W content of any size, or not bounded for its `wide`
        colours; see `RegionalLook.apply`. A table minds nothing of the content."""
        out = torch.empty_like(content)

        def render(top: int) -> None:
            own = content[0, :, top : top + STRIP]
            found = self._mapped(own).clamp_(0.0, 1.0)
            if wide is not None:
                far = wide[0, :, top : top + STRIP] - own
                found = found + beyond(self._mapped, own, far)
                own = own + far
            out[0, :, top : top + STRIP] = torch.lerp(own, found, self.strength)

        in_threads(render, range(0, content.shape[2], STRIP), content.device)
        return out

    def _mapped(self, colors: Tensor) -> Tensor:
        return self.function(colors.reshape(3, -1).clamp(0.0, 1.0)).reshape(colors.shape)
