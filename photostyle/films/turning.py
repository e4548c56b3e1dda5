"""How a film's frames are turned to stand upright, read from its display matrix.

Reference: ISO/IEC 14496-12, section 8.2.2: nine numbers a, b, u, c, d, v, x, y, w, where a stored
point (p, q) is shown at (a·p + c·q, b·p + d·q).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from photostyle.films.colours import Pixels

#: (a, b, c, d) of the eight upright positions: quarter turns clockwise, and whether the frame is
#: mirrored left to right before them.
_POSITIONS = {
    (1, 0, 0, 1): (0, False),
    (0, 1, -1, 0): (1, False),
    (-1, 0, 0, -1): (2, False),
    (0, -1, 1, 0): (3, False),
    (-1, 0, 0, 1): (0, True),
    (0, -1, -1, 0): (1, True),
    (1, 0, 0, -1): (2, True),
    (0, 1, 1, 0): (3, True),
}
_TURNS = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Turn:
    """Quarter turns clockwise, after a mirroring left to right, that set stored frames upright."""

    quarters: int = 0
    mirrored: bool = False

    @staticmethod
    def of(matrix: tuple[int, ...] | None) -> "Turn":
        """The turn of a display matrix of nine; none where it is no multiple of 90 degrees."""
        if matrix is None:
            return Turn()
        a, b, c, d = (int(np.sign(matrix[i])) for i in (0, 1, 3, 4))
        return Turn(*_POSITIONS.get((a, b, c, d), (0, False)))

    @property
    def swaps(self) -> bool:
        """Whether height and width change places."""
        return self.quarters % 2 == 1

    def upright(self, pixels: Pixels) -> Pixels:
        """A stored frame, H×W×3, as it is shown."""
        mirrored = cv2.flip(pixels, 1) if self.mirrored else pixels
        return cv2.rotate(mirrored, _TURNS[self.quarters]) if self.quarters else mirrored

    def stored(self, pixels: Pixels) -> Pixels:
        """The inverse of `upright`."""
        back = cv2.rotate(pixels, _TURNS[4 - self.quarters]) if self.quarters else pixels
        return cv2.flip(back, 1) if self.mirrored else back
