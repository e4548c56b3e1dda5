"""What a worker can do, by name."""

from collections.abc import Callable
from typing import Any

from photostyle.web import delivering, exporting, looking, pictures, regions, solving, sweeping

TASKS: dict[str, Callable[..., Any]] = {
    "look": pictures.look,
    "full": pictures.full,
    "solve": solving.solve,
    "warm": solving.warm,
    "ready": solving.ready,
    "sweep": sweeping.sweep,
    "find": regions.find,
    "load": regions.load,
    "take": regions.take,
    "give": regions.give,
    "pieces": regions.pieces,
    "export": exporting.export,
    "view": delivering.view,
    "close": delivering.full,
    "protected": delivering.protected,
    "heat": delivering.heat,
    "fit": looking.look,
    "keep": delivering.keep,
    "bundle": delivering.bundle,
    "manifest": delivering.manifest,
    "pack": delivering.pack,
}
