"""The stages in order: load, segment, start, Laplacian, targets, optimise, post-process, render.

`stylize` is the whole product in one function; every method is a configuration of it.
"""

from collections.abc import Sequence

from photostyle.color.preserve import prepared, recombined
from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.finish.delivery import Grade, deliver_wide, fitting_metadata, rendered
from photostyle.finish.finishing import finished
from photostyle.images.given import PictureLike
from photostyle.images.photograph import framed
from photostyle.loading import load, segmented, starts
from photostyle.metrics import measured
from photostyle.objective.features import activated, encoder_facts, run_encoder
from photostyle.optimize.solving import optimise
from photostyle.optimize.tiles import tiled
from photostyle.result import Result
from photostyle.runtime.device import resolve_device
from photostyle.runtime.memory import Memory
from photostyle.runtime.watching import Listener, Log, Silent
from photostyle.segmentation.arrays import MaskLike
from photostyle.views import kept_view


def stylize(
    content: PictureLike,
    style: PictureLike | Sequence[PictureLike],
    config: Config | str | None = None, *,
    content_mask: MaskLike | None = None, style_mask: MaskLike | None = None,
    listener: Listener | None = None, start: PictureLike | None = None,
    memory: Memory | None = None,
) -> Result:  # fmt: skip
    """The content photograph with the style's light, colour and mood.

    Args:
        content, style: pictures in any form (images/given.py); several styles as a list.
        config: of all stages, or a preset's name; `photoreal` without it.
        content_mask, style_mask: paired masks in any form (segmentation/arrays.py, formats.py), of
            the first style.
        listener, memory: is told of stages and iterations; keeps what several runs share.
        start: a picture for the solves to begin with in place of `init`'s.

    Returns: the Result; after Ctrl-C in a solve that of its best picture, marked `interrupted`.

    Raises: InputError, an input or option cannot be used; SolveError, no finite objective.
    """
    config = preset(config) if isinstance(config, str) else config or Config()
    log = Log(listener or Silent(), memory or Memory(limit=0))
    device = resolve_device(config.optimize.device)
    with log.stage("load"):
        sources = load(content, style, (content_mask, style_mask), start, config, log.memory)
        log.note("load", *sources.notes)
        loaded_encoder = run_encoder(config, device, log)
    scene, masks, config, network = segmented(sources, config, device, log)
    seen = prepared(scene, keep := config.image.preserve_color)
    encoder = activated(loaded_encoder, seen, config, log)
    colors, first = starts(sources, seen, config, log)
    config = tiled(config, encoder, seen, log)
    image = optimise(first, seen, encoder, config, log)
    facts = encoder_facts(loaded_encoder, encoder)
    del loaded_encoder, encoder  # as large as the rest, and done with
    picture, maps = finished(recombined(image, scene.content, keep), colors, scene, config, log)
    grade = Grade(maps, masks.content, masks.names)
    image = rendered(sources.content, grade, config.render, picture, log)
    scores, image = measured(image, scene, log), framed(image, sources.content)
    return Result(
        image=image, grade=grade, scores=scores, masks=masks, config=config,
        wide=deliver_wide(sources.content, grade, config.render),
        inputs=sources.files(), device=str(device), segmenter_sha256=network,
        metadata=fitting_metadata(sources.content, image, config.render), content=sources.content,
        styles=tuple(kept_view(style.shown) for style in sources.styles),
        **facts, **log.facts(),
    )  # fmt: skip
