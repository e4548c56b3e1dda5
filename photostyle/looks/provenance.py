"""Where a look comes from, as JSON, and the small picture that shows it."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from photostyle.config.config import Config
from photostyle.images.picture import Photo
from photostyle.result import versions


def facts_of(
    made: str,
    contents: Sequence[Photo],
    config: Config | None = None,
    style: Photo | None = None,
    segmenter: str = "none",
) -> dict[str, Any]:
    """The facts of `About`: which files, with their hashes, which options, which versions."""
    facts: dict[str, Any] = {
        "made": made, "contents": [_file(photo) for photo in contents], "segmenter": segmenter,
        "versions": versions(),
    }  # fmt: skip
    if style is not None:
        facts["style"] = _file(style)
    if config is not None:
        facts["options"] = config.to_dict()
    return facts


def _file(photo: Photo) -> dict[str, str]:
    return {"path": str(photo.path), "sha256": photo.sha256}


def png_of(pictures: Sequence[Image.Image]) -> bytes:
    """Pictures of one height side by side, as a PNG."""
    page = Image.new("RGB", (sum(p.width for p in pictures), pictures[0].height))
    left = 0
    for picture in pictures:
        page.paste(picture, (left, 0))
        left += picture.width
    out = io.BytesIO()
    page.save(out, "PNG", optimize=True)
    return out.getvalue()
