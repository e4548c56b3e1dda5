"""Delivery: the finished maps on the full-size content, at the strength and size asked for.

Nothing is optimised here, so a finished run can be delivered again at once.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from photostyle.brief import Brief
from photostyle.color.regional import RegionalLook
from photostyle.color.silhouettes import Borders
from photostyle.color.tabled import Tabled
from photostyle.config.options import quoted
from photostyle.config.rendering import RenderConfig, protections, strengths
from photostyle.documents import parse_json
from photostyle.errors import OptionError
from photostyle.finish.keeping import FINDERS, found, kept
from photostyle.images.photograph import framed
from photostyle.images.picture import Metadata, Photo, fit_size, image_size, in_space, resize
from photostyle.images.saving import atomic_path
from photostyle.kinds import GRADE, kind_of
from photostyle.matting.maps import LocalAffine, Painted
from photostyle.runtime.watching import Log

#: Steps between 0 and 1 of a picture that is kept in 16 bits.
LEVELS = 65535


@dataclass(frozen=True, eq=False)
class Grade(Brief):
    """A finished change of light and colour, apart from the picture that it was found on.

    Attributes:
        maps: smooth maps of regions or local affine maps from content to result, or a picture of
            its own, at the working size.
        masks: K×h×w float32 regions of the content at that size, summing to 1 over K.
        names: of the regions.
    """

    maps: LocalAffine | Painted | RegionalLook | Tabled
    masks: Tensor
    names: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Writes the grade as safetensors: half-precision maps or 16-bit picture, 8-bit masks.

        Raises:
            OutputError: the folder cannot be written.
        """
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The file that `save` writes; safetensors' own writer keeps others from reading it."""
        tensors = {"masks": self.masks.cpu().mul(255).round().byte()}
        if isinstance(self.maps, RegionalLook):
            tensors["look"] = self.maps.coefficients.cpu().contiguous()
            tensors["borders"] = self.maps.borders.weights.cpu().half().contiguous()
            tensors["sides"] = self.maps.borders.colors.cpu().half().contiguous()
        elif isinstance(self.maps, LocalAffine):
            tensors["maps"] = self.maps.coefficients.cpu().half()
        elif isinstance(self.maps, Tabled):
            raise TypeError("a table is kept as a look, not as a grade")
        else:
            tensors["picture"] = self.maps.picture.cpu().mul(LEVELS).round().to(torch.uint16)
        return save(tensors, metadata={"names": json.dumps(self.names)})

    @classmethod
    def load(cls, path: Path) -> "Grade":
        """Reads what `save` wrote.

        Raises:
            OptionError: there is no such file, or it is damaged.
        """
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
                masks = tensors["masks"]
                names = parse_json(file.metadata()["names"])
            maps: LocalAffine | Painted | RegionalLook
            if "look" in tensors:
                ones = torch.ones(len(tensors["look"]))
                borders = Borders(tensors["borders"], tensors["sides"])
                maps = RegionalLook(tensors["look"], borders, ones)
            elif "picture" in tensors:
                maps = Painted(tensors["picture"] / LEVELS, torch.ones(()))
            else:
                maps = LocalAffine(tensors["maps"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            what = kind_of(path)
            if what not in (None, GRADE):
                raise OptionError(f"{path} is a {what}, where a {GRADE} is needed.") from None
            raise OptionError(
                f"{path}: the run's colour maps are missing or damaged; run it again."
            ) from None
        masks = masks / masks.sum(0).clamp(min=1.0)
        return cls(maps, masks, tuple(names))


def deliver(
    photo: Photo,
    grade: Grade,
    options: RenderConfig,
    working: Tensor | None = None,
    *,
    wide: Tensor | None = None,
) -> Tensor:
    """The result at the size and strength asked for.

    Args:
        photo: the content at its own size.
        working: 1×3×h×w finished picture at the working size, taken as it is when it already has
            the size asked for and full strength.
        wide: 1×3×H×W of the content's, of which to give the result, which is not bounded.

    Returns:
        1×3×H×W in [0, 1].

    Raises:
        OptionError: a strength that is no number in [0, 1], or a region that is not there.
    """
    own = image_size(photo.image)
    size = fit_size(own, options.output_size) if options.output_size else grade.maps.size_on(own)
    values, things = shares(options, grade.names)
    whole = min(values) == 1
    apart = bool(things) or not (options.luminance is None and options.color is None)
    if working is not None and image_size(working) == size and whole and not apart:
        return working.cpu()
    content, maps = photo.image if size == own else resize(photo.image, size), grade.maps
    far = None if wide is None else resize(wide, size, bounded=False)
    if not whole and isinstance(maps, RegionalLook | Tabled):
        maps = maps.faded(values)
    elif not whole:
        maps = maps.faded(_strength_map(values, grade))  # type: ignore[arg-type]
    image = maps.apply(content, far)
    if not apart:
        return image
    planes = {what: share * found(content, what) for what, share in things.items()}
    seen = content if far is None else far
    return partly(seen, image, options, planes, bounded=far is None)


def deliver_wide(photo: Photo, grade: Grade, options: RenderConfig) -> Tensor | None:
    """What `deliver` gives of a content's wide colours, framed; None where it has none."""
    if photo.wide is None:
        return None
    made = [deliver(photo, grade, options, wide=one) for one in torch.unbind(photo.wide[:, None])]
    return torch.cat([framed(image, photo, n) for n, image in enumerate(made)])


def shares(options: RenderConfig, names: Sequence[str]) -> tuple[list[float], dict[str, float]]:
    """The strength of every region, and the shares of protected things that are none.

    Raises:
        OptionError: as for `deliver`.
    """
    values = region_strengths(options.strength, names)
    guarded = protected(options.protect, names)
    things = {what: share for what, share in guarded.items() if what not in names}
    return [value * (1 - guarded.get(name, 0.0)) for name, value in values.items()], things


def partly(
    content: Tensor,
    image: Tensor,
    options: RenderConfig,
    planes: Mapping[str, Tensor],
    bounded: bool = True,
) -> Tensor:
    """A picture with part of the content's lightness, colour and protected things.

    Args:
        planes: H×W shares of its own look, by thing.
        bounded: whether the picture stays in [0, 1].
    """
    luminance, color = (1.0 if x is None else x for x in (options.luminance, options.color))
    chroma = planes.get("neutrals")
    wholly = [plane for what, plane in planes.items() if what != "neutrals"]
    own = torch.stack(wholly).amax(dim=0) if wholly else None
    return kept(content, image, luminance, color, own, chroma, bounded=bounded)


def rendered(
    photo: Photo, grade: Grade, options: RenderConfig, working: Tensor | None, log: Log
) -> Tensor:
    """Stage 7: what `deliver` gives, with a note where fewer pixels come than were asked for."""
    with log.stage("render"):
        image = deliver(photo, grade, options, working)
        if note := size_note(photo, grade, options):
            log.note("render", note)
    return image


def size_note(photo: Photo, grade: Grade, options: RenderConfig) -> str | None:
    """A sentence for the user when more pixels were asked for than there are."""
    own = max(image_size(photo.image))
    painted = max(grade.maps.size_on(image_size(photo.image)))
    if options.output_size is None or options.output_size <= painted:
        return None
    if painted < own:
        return (
            f"--output-size {options.output_size}: the picture was optimised at {painted} pixels "
            "and is enlarged; --size optimises a larger one."
        )
    return (
        f"--output-size {options.output_size}: the content has {own} pixels, and so has the result."
    )


def protected(text: str | None, names: Sequence[str]) -> dict[str, float]:
    """Share of their own look of the regions and things that are protected.

    Raises:
        OptionError: a word that is neither; the message lists both.
    """
    words = protections(text)
    for word in words:
        if word not in names and word not in FINDERS:
            known = ", ".join([*FINDERS, *map(quoted, names)])
            raise OptionError(f"--protect {text}: there is no {word!r}; there is {known}.")
    return words


def region_strengths(text: str, names: Sequence[str]) -> dict[str, float]:
    """The strength of every region from words such as "0.8" or "0.8,blue=0.5".

    Raises:
        OptionError: as for `deliver`.
    """
    values = dict.fromkeys(names, 1.0)
    for name, number in strengths(text):
        if name is not None and name not in values:
            known = ", ".join(map(quoted, values))
            raise OptionError(f"--strength {text}: there is no region {name!r}; there is {known}.")
        values.update(dict.fromkeys(values if name is None else [name], number))
    return values


def _strength_map(values: Sequence[float], grade: Grade) -> Tensor:
    """h×w strengths in [0, 1] from those of the regions."""
    if len(set(values)) == 1:  # exact, whatever the masks' rounding
        return torch.full(grade.masks.shape[1:], values[0])
    weights = torch.tensor(values)[:, None, None]
    return (grade.masks * weights).sum(dim=0).clamp(0.0, 1.0)


def fitting_metadata(photo: Photo, image: Tensor, options: RenderConfig) -> Metadata:
    """The photograph's metadata with its alpha channel at the image's size, and the colour space
    and as many bits as are asked for."""
    metadata = with_depth(in_space(photo.metadata, options.output_space), options.bit_depth)
    if metadata.alpha is None:
        return metadata
    plane = torch.from_numpy(metadata.alpha).float()[None, None]  # H×W -> 1×1×H×W
    fitted = resize(plane, image_size(image))[0, 0].numpy()
    return dataclasses.replace(metadata, alpha=fitted)


def with_depth(metadata: Metadata, depth: str | None) -> Metadata:
    """The metadata with 8 or 16 bits a channel; None and "keep" leave them as they are."""
    if depth in (None, "keep"):
        return metadata
    return dataclasses.replace(metadata, bit_depth=int(depth))
