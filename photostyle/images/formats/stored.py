"""What every format's reader gives and every writer takes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from photostyle.images import colorimetry, photoshop
from photostyle.images.colorimetry import Said
from photostyle.images.containers import Carried
from photostyle.images.exif import dpi_of, kept_exif, orientation_of
from photostyle.images.profiles import Samples
from photostyle.images.scene import AsItWas, Primaries
from photostyle.images.spaces import Space
from photostyle.images.xmp import orientation_in

Light = npt.NDArray[np.float32]

MANIFEST_KEY = "photostyle"  # of a manifest in a PNG, and its first word in a TIFF
QUALITY = 95  # of formats that lose detail
#: Opacity below which a pixel is not seen: it moves no 8-bit level of a ground by more than one.
LEAST_OPACITY = 1 / 128


@dataclass(frozen=True, eq=False)
class Stored:
    """A picture as it lies in its file, before orientation and colour management.

    Attributes:
        samples: H×W×1 grey, H×W×3 RGB or H×W×4 CMYK (the most is the most ink), uint8 or uint16,
            not multiplied by alpha.
        alpha: H×W of the same type, or None.
        said: what the file says of its colours, first what counts first; see `Carried`.
        orientation: of the stored rows and columns, by EXIF: 1 to 8.
        exif: the tags worth keeping, marked as upright and sRGB, or None.
        carried: what else lies in the file.
        light: linear, H×W×3 float32 in the picture's primaries, 1 for its white, where a gain map
            says more of it than the samples; or None.
        scene: light of a scene, H×W×3 float32 without an upper end, what it is measured in, and its
            bits; it takes the samples' place. Or None.
        as_it_was: what is written again as it is, in a file that holds light of a scene; or None.
        notes: on what of the file is not used, continuing a sentence that begins with its name.
    """

    samples: Samples
    alpha: Samples | None
    said: list[Said]
    orientation: int
    exif: bytes | None
    carried: Carried
    light: Light | None = None
    scene: tuple[Light, Primaries, int] | None = None
    as_it_was: AsItWas | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fitted:
    """What travels, put right for the picture that is written.

    Attributes:
        light: linear, H×W×3 float32 in the primaries of `space`, 1 for its white, to be written as
            a gain map; or None.
        space: of the picture's values.
        scene: what light of a scene is measured in, for formats that hold it; and
        as_it_was: what of its file comes out as it went in.
    """

    exif: Image.Exif | None
    icc: bytes | None
    xmp: bytes | None
    resources: Mapping[int, bytes]
    dpi: tuple[float, float] | None
    texts: Mapping[str, str]
    light: Light | None = None
    space: Space | None = None
    scene: Primaries | None = None
    as_it_was: AsItWas | None = None


def gathered(
    samples: Samples,
    alpha: Samples | None,
    tags: Image.Exif,
    found: Carried,
    notes: tuple[str, ...] = (),
    scene: tuple[Light, Primaries, int] | None = None,
    as_it_was: AsItWas | None = None,
) -> Stored:
    """Gather what is known of a picture; EXIF's word on colours is the last."""
    turn = orientation_of(tags) or orientation_in(found.xmp) or 1
    found.dpi = found.dpi or dpi_of(tags)
    found.resources = {n: found.resources[n] for n in photoshop.KEPT if n in found.resources}
    found.texts.pop(MANIFEST_KEY, None)  # it tells how this picture was made
    said = [*found.said, *colorimetry.of_exif(tags)]
    kept = kept_exif(tags, MANIFEST_KEY)
    return Stored(
        samples, alpha, said, turn, kept, found, scene=scene, as_it_was=as_it_was, notes=notes
    )
