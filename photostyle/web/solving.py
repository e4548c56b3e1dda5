"""Solves for the page: a ladder of previews, each better than the last, up to what was asked for.
Runs in a worker."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from photostyle.api.styling import stylize
from photostyle.config.config import Config
from photostyle.config.presets import PRESETS
from photostyle.config.rendering import RenderConfig
from photostyle.finish.delivery import deliver
from photostyle.images.picture import fit_size, image_size, resize
from photostyle.loading import LEAST_SIDE
from photostyle.objective.styles import fitted_image
from photostyle.result import Result
from photostyle.runtime.steps import Step
from photostyle.segmentation.masks import LabelMap, resize_masks
from photostyle.web.limits import BREATH, GLIMPSE, GLIMPSE_SHOWN, PREVIEW_EVERY, QUICK, THUMB
from photostyle.web.pictures import SHARED, jpeg, photo_of, png, png_of, put, view_size, webp
from photostyle.web.turning import AFTERWARDS
from photostyle.web.workshop import Bench, named

#: Presets by how long they take; those before the one that was asked for are its previews.
LADDER = ("color", "photoreal-fast", "photoreal")


class Telling:
    """A Listener of the pipeline that tells the page, and stops where it is asked to."""

    def __init__(self, bench: Bench, rung: str) -> None:
        self.bench, self.rung = bench, rung
        self._told = 0.0

    def stage(self, name: str, note: str) -> None:
        self.bench.tell(
            type="stage", rung=self.rung, stage=name, note=named(note, self.bench.names)
        )

    def step(self, solve: int, solves: int, step: Step) -> None:
        self.bench.check()
        now = time.monotonic()
        if now - self._told > PREVIEW_EVERY or step.iteration == step.iterations:
            self._told = now
            left = step.elapsed / step.iteration * (step.iterations - step.iteration)
            self.bench.tell(
                type="step", rung=self.rung, solve=solve, solves=solves, done=step.iteration,
                total=step.iterations, left=left, terms=step.terms,
                picture=jpeg(step.preview().detach()),
            )  # fmt: skip
        if self.bench.ends:
            raise KeyboardInterrupt


def solve(
    bench: Bench,
    content: str,
    style: str,
    preset: str,
    options: dict[str, Any],
    labels: dict[str, Any] | None,
    inputs: dict[str, Any],
    out: str,
    ladder: bool = True,
) -> dict[str, Any]:
    """The ladder up to the preset; what came of it is left in the folder `out`.

    Args:
        labels: names of the regions and, for each role, the file of its labels.
        inputs: what the manifest says of the files, by their roles.
        ladder: whether previews come first.

    Raises:
        InputError, SolveError: as of `stylize`. Stopped: given up.
    """
    masks = masks_of(labels)
    solved = {name: value for name, value in options.items() if name not in AFTERWARDS}
    before = LADDER[: LADDER.index(preset)] if ladder and preset in LADDER else ()
    rungs = [*before, preset]
    began, result, rung = time.monotonic(), None, preset
    if ladder and rungs[0] == "color":
        _glimpse(bench, content, style, masks)
    for rung in rungs:
        config = _configured(rung, solved, last=rung == preset)
        if config.render.deliver == "maps":
            shown = view_size(image_size(photo_of(content).image))
            size = max(shown) if rung == preset else min(GLIMPSE_SHOWN, max(shown))
            config = config.with_options({"output_size": max(32, size)})
        result = stylize(
            content, style, config, content_mask=masks[0], style_mask=masks[1],
            listener=Telling(bench, rung), memory=SHARED,
        )  # fmt: skip
        if rung != preset and not bench.ends:
            bench.tell(type="picture", rung=rung, picture=jpeg(result.image))
        if bench.ends:
            break
    assert result
    facts = _kept(result, Path(out), inputs)
    return {
        **facts, "rung": rung, "seconds": round(time.monotonic() - began, 1),
        "notes": [named(note, bench.names) for note in result.notes],
    }  # fmt: skip


def ready(bench: Bench) -> None:
    """Nothing more than what a process loads when it begins."""


def warm(bench: Bench) -> None:
    """Loads all that a first solve would wait for."""
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    stylize(image, image.flip(2), "color", size=64)


def _configured(rung: str, options: dict[str, Any], last: bool) -> Config:
    config = PRESETS[rung].with_options(options)
    if last:
        return config
    return config.with_options({"size": min(QUICK, config.image.size)})


def _glimpse(
    bench: Bench, content: str, style: str, masks: tuple[LabelMap | None, LabelMap | None]
) -> None:
    """The quickest picture: the colours of small pictures, on the photograph."""
    photos = photo_of(content), photo_of(style)
    small = [fitted_image(photo.image, GLIMPSE, LEAST_SIDE) for photo in photos]
    drawn = [
        None if mask is None else _small(mask, image_size(x))
        for mask, x in zip(masks, small, strict=True)
    ]
    result = stylize(
        small[0][0], small[1][0], "color", size=GLIMPSE, content_mask=drawn[0],
        style_mask=drawn[1], listener=Telling(bench, "glimpse"), memory=SHARED,
    )  # fmt: skip
    size = fit_size(image_size(photos[0].image), GLIMPSE_SHOWN)
    photo = replace(photos[0], image=resize(photos[0].image, size))
    image = deliver(photo, result.grade, RenderConfig())
    bench.tell(type="picture", rung="glimpse", picture=jpeg(image))
    until = time.monotonic() + BREATH
    while time.monotonic() < until:
        bench.check()
        time.sleep(0.03)


def _small(labels: LabelMap, size: tuple[int, int]) -> LabelMap:
    """The labels at another size, each pixel as the one nearest to its middle."""
    rows, columns = (
        ((np.arange(n) + 0.5) * whole / n).astype(int)
        for n, whole in zip(size, labels.ids.shape, strict=True)
    )
    soft = labels.soft[:, rows][:, :, columns] if labels.soft is not None else None
    return LabelMap(labels.ids[rows][:, columns], labels.names, labels.source, soft=soft)


def masks_of(labels: dict[str, Any] | None) -> tuple[LabelMap | None, LabelMap | None]:
    """The label maps of both pictures, as they were written."""
    if labels is None:
        return None, None
    names = tuple(labels["names"])
    return label_map(labels["content"], names, "The content's mask"), label_map(
        labels["style"], names, "The style's mask"
    )


def label_map(file: dict[str, Any], names: tuple[str, ...], source: str) -> LabelMap:
    """The labels in a file of ours, whose indices are places in the list of names."""
    with Image.open(file["path"]) as picture:
        ids = np.asarray(picture).astype(np.int32)
    soft = None
    if file.get("soft"):
        with np.load(file["soft"]) as held:
            soft = held["soft"].astype(np.float32) / 255
        soft /= soft.sum(axis=0)
    return LabelMap(ids, names, source, soft=soft)


def _kept(result: Result, folder: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    """Writes what the page and later deliveries need of a result."""
    manifest = result.manifest()
    manifest["inputs"] |= inputs
    content = result.content
    assert content
    size = view_size(image_size(content.image))
    image = resize(result.image, size)
    folder.mkdir(exist_ok=True)
    put(folder / "view.png", png(image))
    put(folder / "thumb.webp", webp(resize(image, fit_size(size, THUMB))))
    masks = resize_masks(result.grade.masks.cpu(), size).argmax(dim=0)
    put(folder / "regions.png", png_of(masks.to(torch.uint8).numpy()))
    put(folder / "grade.safetensors", result.grade.to_bytes())
    put(folder / "manifest.json", json.dumps(manifest).encode())
    return {
        "size": [size[1], size[0]],
        "names": list(result.grade.names),
        "scores": {k: round(float(v), 4) for k, v in vars(result.scores).items()},
        "encoder": result.encoder,
        "regions_by": result.config.segmentation.segmenter,
        "interrupted": result.interrupted,
    }
