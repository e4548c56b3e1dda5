"""One look over one photograph or many: put side by side, styled once, and distilled once.

So all statistics are of the whole set, regions are matched by name, and every photograph gets the
same maps.
"""

from __future__ import annotations  # help() has the names of kinds, not their lists

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import torch
from torch import Tensor

from photostyle.color.matching import Matches, match_pooled
from photostyle.color.preserve import prepared, recombined
from photostyle.color.terms import HEIGHT
from photostyle.config.config import Config
from photostyle.config.keywords import Base, Options, configured
from photostyle.errors import ImageError, MaskError, unpaired
from photostyle.finish.distil import LINEAR, QUADRATIC, TALL, regional_maps
from photostyle.finish.finishing import firmed
from photostyle.images.given import PictureLike, listed
from photostyle.images.photograph import Photograph
from photostyle.images.picture import Photo, image_size
from photostyle.images.sheets import thumbnail
from photostyle.loading import Sources, load, loaded, segmented
from photostyle.looks.look import EVERYWHERE, Look
from photostyle.looks.mosaic import Mosaic
from photostyle.looks.provenance import About, facts_of, png_of
from photostyle.objective.features import activated, run_encoder
from photostyle.objective.styles import fitted_image
from photostyle.optimize.solving import optimise
from photostyle.optimize.start import Start, start_of
from photostyle.optimize.tiles import tiled
from photostyle.runtime.device import resolve_device
from photostyle.runtime.memory import Memory
from photostyle.runtime.updates import Progress, Watched
from photostyle.runtime.watching import Listener, Log
from photostyle.segmentation.arrays import MaskLike, mask_of
from photostyle.segmentation.masks import LabelMap, whole
from photostyle.segmentation.pairing import Rules, describe, pair, parse_correspond
from photostyle.segmentation.scene import Scene
from photostyle.segmentation.segmenter import (
    CONTENT_MASK,
    STYLE_MASK,
    Segmented,
    Wishes,
    drawings_of,
    segment,
)

#: Freedoms of `distil` without the terms across the picture, which mean nothing on another one.
FREEDOMS = (LINEAR, QUADRATIC, (*QUADRATIC, *TALL), (*QUADRATIC, *HEIGHT))
WHOLE = ((*QUADRATIC, *HEIGHT),)
FLAT = (QUADRATIC,)
#: Keywords of `fit_look` that are no options.
OWN = ("config", "content_masks", "style_mask", "progress", "listener", "memory")
#: Long side of the style beside several contents, at least, as each of them is small.
STYLE_SIDE = 256


@dataclass(frozen=True)
class _Page:
    """Contents side by side as a scene with their style.

    Attributes:
        names: of the regions. as_one: nobody drew or named them.
        segmenter: what found them.
    """

    scene: Scene
    mosaic: Mosaic
    names: tuple[str, ...]
    as_one: bool
    segmenter: str
    config: Config


def fit_look(
    style: PictureLike,
    contents: PictureLike | Sequence[PictureLike],
    config: Base | None = None,
    *,
    content_masks: MaskLike | Sequence[MaskLike] | None = None,
    style_mask: MaskLike | None = None,
    progress: Progress = False,
    listener: Listener | None = None,
    memory: Memory | None = None,
    **options: Unpack[Options],
) -> Look:
    """One look of a style over all the contents together.

    Args:
        style, contents: pictures in any form; see `stylize`.
        config, progress, listener, memory, options: as for `stylize`.
        content_masks, style_mask: masks of every content, in their order, and of the style.

    Raises: InputError, an input or option cannot be used; SolveError, no finite objective;
        KeyboardInterrupt, as a look of half a solve would be kept unknowingly.
    """
    chosen = configured(config, options, OWN)
    with Watched(progress, listener) as watched:
        log = Log(watched.listener, memory or Memory(limit=0))
        return _fitted(style, contents, chosen, content_masks, style_mask, log)


def _fitted(
    style: PictureLike,
    contents: PictureLike | Sequence[PictureLike],
    config: Config,
    content_masks: MaskLike | Sequence[MaskLike] | None,
    style_mask: MaskLike | None,
    log: Log,
) -> Look:
    device = resolve_device(config.optimize.device)
    photos, masks = _listed(contents, content_masks, style_mask)
    its = mask_of(style_mask, STYLE_MASK)
    with log.stage("load"):
        sources = load(photos[0], style, (masks[0], its), None, config, log.memory)
        others = [loaded(x, log.memory, f"Content {n}") for n, x in enumerate(photos[1:], start=2)]
        notes = (note for photo in others for note in photo.notes)
        log.note("load", *dict.fromkeys([*sources.notes, *notes]))
        network = run_encoder(config, device, log)
    every = [sources.content, *others]
    if len(every) == 1:
        page = _single(sources, config, device, log)
    else:
        page = _several(every, sources.styles[0], (*masks, its), config, log)
    seen = prepared(page.scene, keep := config.image.preserve_color)
    with log.stage("start"):
        start = _start(page, seen)
    encoder = activated(network, seen, page.config, log)
    settings = tiled(page.config, encoder, seen, log)
    image = optimise(start.picture, seen, encoder, settings, log)
    if log.interrupted:
        raise KeyboardInterrupt
    image = firmed(recombined(image, page.scene.content, keep), start, config)
    with log.stage("distil"):
        look = _distilled(image, start.matches, page)
    facts = facts_of("fit", every, config, sources.styles[0], page.segmenter)
    return replace(look, about=About(facts, _thumbnail(look, every[0])))


def _listed(
    contents: PictureLike | Sequence[PictureLike], masks: Any, style_mask: MaskLike | None
) -> tuple[list[PictureLike], list[Path | LabelMap | None]]:
    """All contents, and a mask or None for each."""
    photos = listed(contents)
    if not photos:
        raise ImageError("There is no content to fit a look on; give one photograph or more.")
    given = list(masks) if isinstance(masks, list | tuple) else [] if masks is None else [masks]
    if given and len(given) != len(photos):
        raise MaskError(
            f"There are {len(given)} content masks for {len(photos)} contents; give one for each, "
            "or none."
        )
    if fault := unpaired(given or None, style_mask):
        raise MaskError(fault)
    drawn = [mask_of(one, CONTENT_MASK) for one in given]
    return photos, drawn or [None] * len(photos)


def _single(sources: Sources, config: Config, device: torch.device, log: Log) -> _Page:
    """One content: the scene of a run."""
    scene, masks, settings, _ = segmented(sources, config, device, log)
    chosen = settings.segmentation
    mosaic = Mosaic.single(image_size(scene.content))
    return _Page(scene, mosaic, masks.names, chosen.unguided, chosen.segmenter, settings)


def _several(
    photos: Sequence[Photograph],
    style: Photograph,
    masks: Sequence[Path | LabelMap | None],
    config: Config,
    log: Log,
) -> _Page:
    """Several contents: each has its own regions, which go by name; none where they have none."""
    with log.stage("segment"):
        sizes = [image_size(photo.image) for photo in photos]
        mosaic = Mosaic.of(sizes, config.image.size)
        page = mosaic.assembled([photo.image for photo in photos])
        side = max(STYLE_SIDE, *(max(part.shape[2:]) for part in mosaic.parts(page)))
        beside = fitted_image(style.image, min(side, config.image.size), 48)
        small = [fitted_image(photo.image, config.image.size, 48) for photo in photos]
        drawings = drawings_of(masks, [*photos, style])
        wishes = Wishes(**vars(config.segmentation))
        seen = [
            photo.weight_at(image_size(image))
            for photo, image in zip((*photos, style), (*small, beside), strict=True)
        ]
        made = segment([*small, beside], drawings, wishes, seen)
        weights = _weights(photos, mosaic), seen[-1]
        found = whole(mosaic.size, image_size(beside), weight=weights[1])
        if made.used != "none":
            found = pair(*_labels(made, mosaic), page, beside, _rules(made, wishes), weights)
        log.note("segment", *found.warnings)
        log.tell("segment", f"regions by {made.used}", *describe(found))
    scene = Scene(page, beside, found.content, found.style, weights=weights).to(
        resolve_device(config.optimize.device)
    )
    as_one = made.used == "none" and config.segmentation.segmenter != "none"
    settings = config.with_options({"segmenter": made.used})
    return _Page(scene, mosaic, found.names, as_one, made.used, settings)


def _weights(photos: Sequence[Photograph], mosaic: Mosaic) -> Tensor | None:
    """H×W weights of the page; None where all of it counts alike."""
    if all(photo.weight is None for photo in photos):
        return None
    sizes = [image_size(photo.image) for photo in photos]
    planes = [photo.weight_at(size) for photo, size in zip(photos, sizes, strict=True)]
    filled = [torch.ones(s) if w is None else w for s, w in zip(sizes, planes, strict=True)]
    return mosaic.assembled([plane[None, None] for plane in filled])[0, 0]


def _labels(made: Segmented, mosaic: Mosaic) -> tuple[LabelMap, LabelMap]:
    """The label maps of the page and of the style."""
    *mine, its = made.maps
    names = tuple(dict.fromkeys(name for one in mine for name in one.names))
    ids = []
    for one in mine:
        place = torch.tensor([names.index(name) for name in one.names], dtype=torch.int32)
        ids.append(place.numpy()[one.ids])
    notes = tuple(dict.fromkeys(note for one in mine for note in one.notes))
    return LabelMap(mosaic.assembled_ids(ids), names, "the contents' masks", notes), its


def _rules(made: Segmented, wishes: Wishes) -> Rules:
    correspond = parse_correspond(wishes.correspond) if wishes.correspond else {}
    return Rules(correspond, made.near or {}, wishes.edge_softness, made.used == "labels")


def _start(page: _Page, seen: Scene) -> Start:
    """What the solves begin with; contents are matched with the style each at its own place."""
    options = page.config.optimize
    matches = None
    if len(page.mosaic.tiles) > 1 and options.init == "color":
        contents = page.mosaic.parts(seen.content)
        mine, its = seen.weights
        weights = [None] * len(contents) if mine is None else page.mosaic.parts(mine)
        matches = match_pooled(
            contents, seen.style, page.mosaic.parts(seen.counted), seen.style_masks,
            (weights, its),
        )  # fmt: skip
    return start_of(seen, options.init, options.seed, page.as_one, matches)


def _distilled(image: Tensor, matches: Matches | None, page: _Page) -> Look:
    at, scene = page.mosaic.places(), page.scene
    if page.as_one or len(page.names) == 1:
        kinds = (WHOLE, FLAT) if page.as_one else (FREEDOMS, FREEDOMS[:2])
        whole, flat = (
            regional_maps(image, matches, scene, page.as_one, kind, at)[0].cpu() for kind in kinds
        )
        return Look(whole, flat=_needed({EVERYWHERE: flat}, {EVERYWHERE: whole}))
    content, style = _whole_masks(scene)
    one = replace(scene, content_masks=content, style_masks=style)
    found = []
    for together, apart in ((WHOLE, FREEDOMS), (FLAT, FREEDOMS[:2])):
        every = regional_maps(image, matches, scene, False, apart, at).cpu()
        common = regional_maps(image, None, one, True, together, at)[0].cpu()
        found.append({**dict(zip(page.names, every, strict=True)), EVERYWHERE: common})
    maps, colors = found
    needed = _needed(colors, maps)
    return Look(maps.pop(EVERYWHERE), maps, flat=needed)


def _needed(flat: dict[str, Tensor], maps: dict[str, Tensor]) -> dict[str, Tensor]:
    """The flat maps of those that read the height."""
    return {name: one for name, one in flat.items() if maps[name][list(HEIGHT)].any()}


def _whole_masks(scene: Scene) -> tuple[Tensor, Tensor]:
    """Masks of one region over all of a scene's content, and over its style."""
    found = whole(image_size(scene.content), image_size(scene.style), weight=scene.weights[1])
    return found.content.to(scene.content), found.style.to(scene.style)


def _thumbnail(look: Look, photo: Photo) -> bytes:
    return png_of([thumbnail(x, 120) for x in (_small(photo), look.changed(_small(photo)))])


def _small(photo: Photo) -> Tensor:
    return fitted_image(photo.image, 240, 1)
