"""Where a look comes from, as JSON, and the small picture that shows it."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from photostyle.brief import Brief
from photostyle.config.config import Config
from photostyle.images.hashing import file_sha256
from photostyle.images.picture import Photo
from photostyle.result import versions


@dataclass(frozen=True)
class About(Brief):
    """Where a look comes from.

    Attributes:
        facts: JSON types by name: "made" (fit, pair or table), "style", "contents", "options",
            "segmenter", "table", "versions", as far as they are known.
        thumbnail: a PNG of content and result, small; empty without.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    thumbnail: bytes = b""


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


def about_table(path: Path) -> About:
    """Of a look that is another program's table."""
    table = {"path": str(path), "sha256": file_sha256(path)}
    return About({"made": "table", "table": table, "versions": versions()})


def _file(photo: Photo) -> dict[str, str]:
    return {"path": photo.called, "sha256": photo.sha256}


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
