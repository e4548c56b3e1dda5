"""What a network learns on: random crops of pictures in a folder, or generated scenes.

Crop number n is a function of n, the seed and the files, whoever asks for it and when. So workers,
several machines and a resumed training all see the same stream.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from photostyle.errors import ImageError, OptionError
from photostyle.feedforward.scenes import scene
from photostyle.images.listing import PICTURES, files_below
from photostyle.images.photograph import photograph
from photostyle.images.picture import image_size, load_image, resize
from photostyle.runtime.stopping import leave_to_others

#: Bytes of decoded pictures that are kept, so that a small folder is decoded once.
CACHE_BYTES = 256 * 2**20

#: A file that was skipped, and why.
Skipped = tuple[str, str]


@dataclass(frozen=True)
class CropBatch:
    """Crops of one step.

    Attributes:
        images: N×3×size×size float32 in [0, 1].
        skipped: files that could not be used on the way to them.
    """

    images: Tensor
    skipped: tuple[Skipped, ...]

    def pin_memory(self) -> "CropBatch":
        """In memory from which a GPU copies without waiting; the loader asks for it."""
        return replace(self, images=self.images.pin_memory())


def picture_files(folder: Path, flag: str = "--data") -> tuple[Path, ...]:
    """Every picture below the folder, by name alone, in a fixed order.

    Args:
        flag: the option that named it.

    Raises:
        OptionError: there is no such folder, it cannot be read, or holds no picture.
    """
    if not folder.is_dir():
        raise OptionError(f"{flag} {folder} is no folder; give one that holds pictures.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise OptionError(f"{flag} {folder} cannot be read; give a folder that you may open.")
    found = files_below(folder, PICTURES)
    if not found:
        raise OptionError(f"{flag} {folder} holds no picture; give a folder that does.")
    return tuple(found)


class Stream(Protocol):
    """Numbered items of a training: C×size×size, and the files skipped on the way to it."""

    def __getitem__(self, number: int) -> tuple[Tensor, tuple[Skipped, ...]]: ...


@dataclass
class CropStream(Dataset[tuple[Tensor, tuple[Skipped, ...]]]):
    """The endless stream of crops.

    Attributes:
        files: to crop from; may be empty when `scenes` is 1.
        size: side of the crops.
        scenes: share of generated scenes.
        zoom: crops come from pictures whose short side is 1 to so many crops long.
        flag: the option that named the files.
    """

    files: tuple[Path, ...]
    size: int
    seed: int
    scenes: float
    zoom: float
    flag: str = "--data"
    _kept: dict[int, Tensor] = field(default_factory=dict, repr=False)
    _bad: dict[int, str] = field(default_factory=dict, repr=False)
    _turn: tuple[int, list[int]] = field(default=(-1, []), repr=False)

    def __getitem__(self, number: int) -> tuple[Tensor, tuple[Skipped, ...]]:
        rng = np.random.default_rng([self.seed, number])
        if rng.random() < self.scenes:
            return scene(rng, self.size), ()
        turn, place = divmod(number, len(self.files))
        picture, skipped = self._usable(self._order(turn), place)
        return _crop(picture, self.size, self.zoom, rng), skipped

    def check(self) -> None:
        """Finds out whether the files will do.

        Raises:
            OptionError: none of them can be used.
        """
        if self.scenes < 1.0:
            self._usable(range(len(self.files)), 0)

    def _order(self, turn: int) -> list[int]:
        """The order of the files in one turn through all of them."""
        if self._turn[0] != turn:
            rng = np.random.default_rng([self.seed, turn, 1])
            self._turn = turn, rng.permutation(len(self.files)).tolist()
        return self._turn[1]

    def _usable(self, order: Sequence[int], place: int) -> tuple[Tensor, tuple[Skipped, ...]]:
        """The first picture of the order, from `place` on, that can be used."""
        skipped: list[Skipped] = []
        for n in range(len(order)):
            index = order[(place + n) % len(order)]
            if index not in self._bad and (picture := self._read(index)) is not None:
                return picture, tuple(skipped)
            skipped.append((str(self.files[index]), self._bad[index]))
        raise OptionError(self._useless([reason for _, reason in skipped]))

    def _useless(self, reasons: Sequence[str]) -> str:
        """The sentence on a folder in which no file can be used."""
        small = reasons.count("too small")
        parts, ways = [], "give other pictures"
        if small:
            parts.append(f"{small} smaller than {self.size}×{self.size} pixels")
            ways = "lower --size or give other pictures"
        if bad := len(reasons) - small:
            first = min(n for n, reason in self._bad.items() if reason == "unreadable")
            parts.append(f"{bad} that cannot be read, such as {self.files[first]}")
        folder = os.path.commonpath([path.parent for path in self.files])
        found = " and ".join(parts)
        return f"{self.flag} {folder} has no picture that can be used, but {found}; {ways}."

    def _read(self, index: int) -> Tensor | None:
        """A picture as 1×3×H×W bytes, no larger than needed; None, with the reason noted."""
        if index in self._kept:
            return self._kept[index]
        try:
            image = photograph(load_image(self.files[index])).image
        except ImageError:
            self._bad[index] = "unreadable"
            return None
        short = min(image_size(image))
        if short < self.size:
            self._bad[index] = "too small"
            return None
        image = _shrunk(image, min(1.0, self.zoom * self.size / short))
        picture = image.mul(255).round().byte()
        if sum(x.numel() for x in self._kept.values()) + picture.numel() <= CACHE_BYTES:
            self._kept[index] = picture
        return picture


def _shrunk(image: Tensor, scale: float) -> Tensor:
    height, width = image_size(image)
    return resize(image, (max(1, round(height * scale)), max(1, round(width * scale))))


def _crop(picture: Tensor, size: int, most: float, rng: np.random.Generator) -> Tensor:
    """A random square of a picture at a random size, mirrored half the time; 3×size×size."""
    short = min(image_size(picture))
    zoom = rng.uniform(size, min(short, most * size)) / short
    image = _shrunk(picture.float().div(255), max(zoom, size / short))
    top, left = (rng.integers(side - size + 1) for side in image_size(image))
    crop = image[0, :, top : top + size, left : left + size]
    return (crop.flip(2) if rng.random() < 0.5 else crop).contiguous()


class _Numbers(Sampler[list[int]]):
    """The numbers of this process's crops, step by step."""

    def __init__(self, first: int, steps: int, batch: int, rank: int, processes: int) -> None:
        self.first, self.steps, self.batch = first, steps, batch
        self.share = batch // processes
        self.offset = rank * self.share

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.first, self.steps):
            start = step * self.batch + self.offset
            yield list(range(start, start + self.share))

    def __len__(self) -> int:
        return self.steps - self.first


def crop_loader(
    stream: Stream,
    *,
    first: int,
    steps: int,
    batch: int,
    workers: int,
    rank: int = 0,
    processes: int = 1,
    pin: bool = False,
) -> Iterable[CropBatch]:
    """Batches of steps `first` to `steps`, read by worker processes ahead of their use.

    Args:
        batch: crops in a step over all processes, which share them out evenly.
        workers: processes that read; 0 reads in this one.
        pin: memory from which a GPU copies without waiting.
    """
    loader: DataLoader[Any] = DataLoader(
        cast(Dataset[Any], stream),
        batch_sampler=_Numbers(first, steps, batch, rank, processes),
        num_workers=workers,
        collate_fn=_collate,
        worker_init_fn=_prepare_worker,
        pin_memory=pin,
    )
    return loader


def _collate(items: Sequence[tuple[Tensor, tuple[Skipped, ...]]]) -> CropBatch:
    return CropBatch(
        torch.stack([image for image, _ in items]),
        tuple(file for _, skipped in items for file in skipped),
    )


def _prepare_worker(_: int) -> None:
    cv2.setNumThreads(0)
    leave_to_others()  # Ctrl-C is for the process that trains
