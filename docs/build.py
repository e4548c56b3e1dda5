"""The reference of the Python library, as pages of HTML.

python docs/build.py [--out build/docs]

Fails where a public name has no docstring.
"""

import argparse
import inspect
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import photostyle
from photostyle.config.config import Config, Staged, options
from photostyle.config.keywords import Options, RenderOptions, SegmentationOptions, TrainingOptions
from photostyle.config.training import WITHOUT, TrainingConfig

#: The configuration whose fields each class of keywords has.
KEYWORDS: dict[Any, type[Staged]] = {
    Options: Config,
    RenderOptions: Config,
    SegmentationOptions: Config,
    TrainingOptions: TrainingConfig,
}


def undocumented(module: ModuleType) -> Iterator[str]:
    """The public names of a module, and of its classes, that have no docstring."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isfunction(value) and not inspect.getdoc(value):
            yield name
        if inspect.isclass(value):
            yield from _of_class(name, value)


def _of_class(name: str, cls: type) -> Iterator[str]:
    made = f"{cls.__name__}("  # what `dataclass` writes where there is nothing
    if not cls.__doc__ or cls.__doc__.startswith(made):
        yield name
    for member, value in vars(cls).items():
        kinds = (staticmethod, classmethod, property)
        if member.startswith("_") or not (inspect.isfunction(value) or isinstance(value, kinds)):
            continue
        if not inspect.getdoc(getattr(cls, member)):
            yield f"{name}.{member}"


def describe_options() -> None:
    """Gives the classes of keywords the sentences of the fields that they stand for."""
    for typed, config in KEYWORDS.items():
        base, lines = config(), [inspect.getdoc(typed) or "", ""]
        without = WITHOUT if config is TrainingConfig else ()
        for stage, f, _ in options(config):
            if f.name in typed.__annotations__ and f.name not in without:
                default = getattr(getattr(base, stage), f.name)
                shown = "" if default is None else f" Default: `{default!r}`."
                lines.append(f"- `{f.name}`: {f.metadata['help']}{shown}")
        typed.__doc__ = "\n".join(lines)


def build(out: Path) -> None:
    """Writes the pages."""
    import pdoc

    describe_options()
    for name in photostyle.__all__:  # pdoc sees only what has been loaded
        setattr(photostyle, name, getattr(photostyle, name))
    pdoc.render.configure(docformat="google")
    # Keywords of all stages together: a TypedDict does not tell from which base a key comes.
    warnings.filterwarnings("ignore", "Cannot determine where")
    pdoc.pdoc("photostyle", "!photostyle.", output_directory=out)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/docs"))
    arguments = parser.parse_args()
    if missing := list(undocumented(photostyle)):
        print(f"No docstring: {', '.join(missing)}.", file=sys.stderr)
        return 1
    build(arguments.out)
    print(arguments.out / "photostyle.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
