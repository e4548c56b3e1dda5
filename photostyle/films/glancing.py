"""Films looked at and not written: reduced, some frames of them, and stills."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from av.video.reformatter import Interpolation, VideoReformatter

from photostyle.films.colours import Pixels
from photostyle.films.reading import FilmReader


def glimpses(path: Path, side: int) -> Iterator[Pixels]:
    """All frames, H×W×3 uint8 as shown, at most so long.

    Raises:
        ImageError: it is no film, or has no frame that can be read.
    """
    with FilmReader(path) as reader:
        coding, turn = reader.info.coding, reader.info.turn
        height, width = reader.info.stored
        share = min(1.0, side / max(height, width))
        size = max(1, round(share * width)), max(1, round(share * height))
        reduced = VideoReformatter()
        for frame in reader.stored_frames():
            small = reduced.reformat(
                frame, *size, "rgb24", src_colorspace=coding.matrix, dst_colorspace=coding.matrix,
                src_color_range=2 if coding.full else 1, dst_color_range=2,
                interpolation=Interpolation.AREA, threads=1,
            )  # fmt: skip
            yield turn.upright(small.to_ndarray())


def picked(path: Path, numbers: Collection[int]) -> Iterator[tuple[int, Pixels]]:
    """Some frames by their numbers, H×W×3 as shown, in their order; read as far as they are asked
    for.

    Raises:
        ImageError: it is no film, or has no frame that can be read.
    """
    last = max(numbers)
    with FilmReader(path) as reader:
        for number, frame in enumerate(reader.stored_frames()):
            if number in numbers:
                yield number, reader.shown(frame)
            if number == last:
                return


def stills(path: Path, shares: Sequence[float]) -> list[Pixels]:
    """Frames about these shares of its length into a film, H×W×3 as shown; the first one where
    none can be had.

    Raises:
        ImageError: it is no film, or has no frame that can be read.
    """
    found = []
    for share in shares:
        with FilmReader(path) as reader:
            found.append(reader.near(share))
    known = [pixels for pixels in found if pixels is not None]
    return known or [pixels for _, pixels in picked(path, [0])]
