"""Post-processing of finished pictures: operations with their parameters, one after the other.

bilateral:d=9,sigma_color=0.1
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.config.config import hint
from photostyle.errors import ImageError, OptionError
from photostyle.images.listing import pictures_in
from photostyle.jobs.jobs import Record, key_of, sha256_of
from photostyle.places import as_seen

if TYPE_CHECKING:
    from torch import Tensor

    from photostyle.images.picture import Photo
    from photostyle.runtime.memory import Memory

#: (lowest, default, highest) of every parameter, whole numbers where the default is one. Lengths
#: are in pixels for a long side of 512, but for `affine`, whose radius is in pixels.
OPERATIONS: dict[str, dict[str, tuple[float, float, float]]] = {
    "bilateral": {"d": (3, 9, 200), "sigma_color": (1e-4, 0.08, 10.0)},
    "guided": {"radius": (1, 5, 200), "epsilon": (1e-9, 1e-4, 1.0)},
    "joint-bilateral": {"d": (3, 9, 200), "sigma_color": (1e-4, 0.08, 10.0)},
    "affine": {"radius": (1, 15, 200), "edge": (1e-4, 0.01, 10.0)},
    "median": {"d": (3, 3, 200)},
}
#: Those that look at the content.
GUIDED = ("guided", "joint-bilateral", "affine")


@dataclass(frozen=True)
class Operation:
    """One operation with all of its parameters."""

    name: str
    values: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        return f"{self.name}:" + ",".join(f"{name}={value:g}" for name, value in self.values)

    def apply(self, image: "Tensor", content: "Tensor | None") -> "Tensor":
        """The 1×3×H×W picture after it; `content`, of its size, may be None where not needed."""
        from photostyle.finish import postprocess

        value: dict[str, Any] = dict(self.values)
        if self.name == "bilateral":
            return postprocess.bilateral(image, value["d"], value["sigma_color"])
        if self.name == "median":
            return postprocess.median(image, value["d"])
        assert content is not None
        if self.name == "joint-bilateral":
            return postprocess.joint_bilateral(image, content, value["d"], value["sigma_color"])
        if self.name == "affine":
            return postprocess.smoothed_affine(image, content, value["radius"], value["edge"])
        return postprocess.guided(image, content, value["radius"], value["epsilon"]).apply(content)


def parse_operation(text: str) -> Operation:
    """The operation of NAME or NAME:PARAMETER=VALUE,…

    Raises:
        OptionError: an unknown name, or a value outside its limits.
    """
    name, _, words = text.partition(":")
    if name not in OPERATIONS:
        raise OptionError(f"{text}: there is no operation {name!r}{hint(name, OPERATIONS)}")
    limits = OPERATIONS[name]
    values = {parameter: default for parameter, (_, default, _) in limits.items()}
    for word in filter(None, words.split(",")):
        parameter, _, number = word.partition("=")
        if parameter not in limits:
            raise OptionError(f"{text}: {name} has no {parameter!r}{hint(parameter, limits)}")
        values[parameter] = _number(text, parameter, number, *limits[parameter])
    return Operation(name, tuple(values.items()))


def _number(text: str, parameter: str, word: str, low: float, default: float, high: float) -> float:
    kind = type(default)
    try:
        value = kind(word)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise OptionError(f"{text}: {parameter} is {word!r}; it must be {what}.") from None
    if not low <= value <= high:
        raise OptionError(f"{text}: {parameter} is {word}; it must be from {low:g} to {high:g}.")
    return value


@dataclass(frozen=True)
class PostJob:
    """A finished picture through a chain of operations; bit depth, alpha and metadata stay.

    Attributes:
        name, labels: see `jobs.Job`.
        content: the photograph that the picture was made of, None where no operation needs it.
        bit_depth: 8, 16 or keep; None keeps, too.
    """

    name: str
    picture: Path
    chain: tuple[Operation, ...]
    content: Path | None = None
    suffix: str = ".png"
    bit_depth: str | None = None

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        return (("post", " → ".join(map(str, self.chain))),)

    @functools.cached_property
    def key(self) -> str:
        inputs = [
            None if path is None else sha256_of(path) for path in (self.picture, self.content)
        ]
        chain = [str(operation) for operation in self.chain]
        facts = {"kind": "post", "inputs": inputs, "chain": chain, "place": self.name + self.suffix}
        if self.bit_depth:
            facts["bit_depth"] = self.bit_depth
        return key_of(facts)

    def files(self) -> list[Path]:
        return [path for path in (self.picture, self.content) if path is not None]

    def writes(self, folder: Path) -> list[Path]:
        return [folder / (self.name + self.suffix)]

    def run(self, folder: Path, memory: "Memory") -> Record:
        """Writes the picture.

        Raises:
            ImageError: a file cannot be read, or the content has other proportions.
        """
        import time

        from photostyle.finish.delivery import with_depth
        from photostyle.images.photograph import beside, framed, photograph, seen_photograph
        from photostyle.images.picture import load_image
        from photostyle.images.saving import lost_note, save_image
        from photostyle.jobs.verdicts import judged_again

        began = time.monotonic()
        photo = seen_photograph(load_image(self.picture), "The picture")
        content = None if self.content is None else photograph(load_image(self.content))
        notes = [*photo.notes, *(content.notes if content else ())]
        made = filtered(photo.image, content, self.chain)
        image = framed(made, photo)
        name = self.name + self.suffix
        metadata = with_depth(photo.metadata, self.bit_depth)
        save_image(folder / name, image, metadata, wide=beside(made, photo))
        if lost := lost_note(folder / name, metadata):
            notes.append(lost)
        return {"picture": name, "seconds": round(time.monotonic() - began, 3),
                "size": [image.shape[3], image.shape[2]], "remarks": notes,
                "warnings": list(judged_again(image, self.picture))}  # fmt: skip


def filtered(image: "Tensor", content: "Photo | None", chain: Sequence[Operation]) -> "Tensor":
    """A picture 1×3×H×W after operations; its content, of its proportions, where one needs it.

    Raises:
        ImageError: the content has other proportions.
    """
    guide = None if content is None else _content(content, image)
    for operation in chain:
        image = operation.apply(image, guide)
    return image


def _content(photo: "Photo", image: "Tensor") -> "Tensor":
    """The content at the picture's size."""
    from photostyle.images.picture import image_size, resize, same_proportions

    content = photo.image
    (height, width), (h, w) = image_size(image), image_size(content)
    if not same_proportions((height, width), (h, w)):
        raise ImageError(
            f"{photo.called} has {w}×{h} pixels, other proportions than the result's "
            f"{width}×{height}; it is not its content."
        )
    return resize(content, (height, width))


def content_of(picture: Path, given: Path | None) -> Path:
    """The photograph that a result was made of: the one given, the one of its name in the folder
    given, or what its manifest names.

    Raises:
        OptionError: there is none.
    """
    if not (path := given or picture).exists():
        option = "--content " if given else ""
        raise OptionError(f"{option}{path} does not exist; check the name and the folder.")
    if given is None:
        from photostyle.result import load_recipe

        try:
            return load_recipe(picture).inputs.content.file("content")
        except (ImageError, OptionError):
            raise OptionError(
                f"{picture} has no manifest that names its content; give it with --content."
            ) from None
    if not given.is_dir():
        return given
    name = as_seen(picture.stem)
    found = [path for path in pictures_in(given) if as_seen(path.stem) == name]
    if not found:
        raise OptionError(f"--content {given}: it holds no picture called {picture.stem}.")
    return found[0]


def post_jobs(
    pictures: Sequence[Path],
    chain: tuple[Operation, ...],
    content: Path | None,
    suffixes: Sequence[str],
    bit_depth: str | None = None,
) -> list[PostJob]:
    """A job for each picture, each under a name of its own.

    Raises:
        OptionError: a content is needed and not found.
    """
    from photostyle.jobs.sweep import free_name

    taken: set[str] = set()
    needs = any(operation.name in GUIDED for operation in chain)
    return [
        PostJob(
            name=free_name(as_seen(path.stem), taken),
            picture=path,
            chain=chain,
            content=content_of(path, content) if needs else None,
            suffix=path.suffix if path.suffix.lower() in suffixes else ".png",
            bit_depth=bit_depth,
        )
        for path in pictures
    ]
