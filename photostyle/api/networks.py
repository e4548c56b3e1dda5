"""`train`, `apply`, `export`: a network for one style."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, Unpack, overload

from photostyle.api.files import picture_file
from photostyle.brief import Brief
from photostyle.config.keywords import TrainingOptions, with_keywords
from photostyle.config.training import WITHOUT, TrainingConfig
from photostyle.errors import ImageError, OptionError, OutputError
from photostyle.feedforward.applying import Job, plan, styled
from photostyle.feedforward.checkpoint import checkpoint_path
from photostyle.feedforward.distributed import joined
from photostyle.feedforward.export import EXPORTS, difference, opened
from photostyle.feedforward.export import export as write_export
from photostyle.feedforward.session import Session, begin
from photostyle.feedforward.style_model import StyleModel, load_model
from photostyle.feedforward.tiling import usual_memory
from photostyle.feedforward.working import Applied, FileListener, apply_files
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.saving import check_place
from photostyle.images.shown import Picture
from photostyle.runtime.device import resolve_device
from photostyle.runtime.steps import TrainStep
from photostyle.runtime.updates import Progress, Update, Watched

PathLike = str | os.PathLike[str]

#: Largest difference of an exported network from the original that passes, in the [0, 1] image.
TOLERANCE = 1 / 255


@dataclass(frozen=True)
class Training(Brief):
    """What a training left.

    Attributes:
        network: its file, which is there unless it was interrupted; fit for `apply`.
        steps: that are done. kept: those that the checkpoint has, 0 without one.
        notes: sentences for the user.
        interrupted: stopped early; `resume=True` goes on from the checkpoint.
        leads: whether this process is the one that talks, of several.
    """

    network: Path
    steps: int
    kept: int = 0
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    leads: bool = True

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished training lies."""
        return checkpoint_path(self.network)


class TrainingWatcher(Protocol):
    """Is told of a training; what `step` raises stops it."""

    def note(self, sentence: str) -> None:
        """Something for the user."""

    def step(self, step: TrainStep) -> None:
        """A step is done."""


def train(
    style: PictureLike,
    data: PathLike | None = None,
    *,
    out: PathLike,
    resume: bool = False,
    config: TrainingConfig | None = None,
    progress: Progress = False,
    watch: Callable[[Session], AbstractContextManager[TrainingWatcher]] | None = None,
    **options: Unpack[TrainingOptions],
) -> Training:
    """A feed-forward network for one style, which `apply` applies in milliseconds.

    Args:
        style: painting or photograph to learn, in any form; see `stylize`.
        data: folder of pictures to learn on, searched to the bottom; without it, generated scenes.
        out: the network's file, .safetensors; checkpoint, previews and losses lie beside it.
        resume: go on from the checkpoint there.
        config, options: of the training, such as `steps=2000`, `size=128`, `content_weight=60`.
        progress: True for a bar, or a function of an `Update`.
        watch: a watcher of the session, in place of `progress`.

    Raises:
        InputError: an input, option or checkpoint that cannot be used.
        SolveError: the objective or a weight is not finite.
        OutputError: a file cannot be written.
    """
    own = ("data", "out", "resume", "config", "progress")
    chosen = with_keywords(config or TrainingConfig(), options, own, without=WITHOUT)
    path = Path(out)
    if path.suffix.lower() != ".safetensors":
        raise OutputError(f"--out {path} should end in .safetensors.")
    learnt = picture_file(style, path.parent, "The style")
    check_place(path, [learnt])
    with joined(resolve_device(chosen.train.device)) as processes:
        session = begin(
            learnt, None if data is None else Path(data), path, chosen, processes, resume=resume
        )
        return _trained(session, watch or _watcher(progress))


def _watcher(progress: Progress) -> Callable[[Session], AbstractContextManager[TrainingWatcher]]:
    return lambda session: _Told(progress if session.processes.leads else False)


class _Told(Watched):
    """A training's watcher for a `progress` function or bar."""

    def __enter__(self) -> "_Told":
        return self

    def note(self, sentence: str) -> None:
        self.teller.tell(Update("train", sentence))

    def step(self, step: TrainStep) -> None:
        self.teller.trained(step)


def _trained(
    session: Session, watch: Callable[[Session], AbstractContextManager[TrainingWatcher]]
) -> Training:
    state, notes, stopped = session.state, list(session.notes), False
    with watch(session) as watcher:
        for note in notes:
            watcher.note(note)
        try:
            session.run(watcher.step)
        except KeyboardInterrupt:
            stopped = True
        if not stopped and (skipped := session.skipped()):
            notes.append(skipped)
            watcher.note(skipped)
    return Training(
        session.out, state.step, state.kept, tuple(notes), stopped, session.processes.leads
    )


@overload
def apply(
    pictures: PictureLike,
    model: PathLike | StyleModel,
    *,
    out: None = None,
    device: str = "auto",
    memory: int | None = None,
) -> Picture: ...
@overload
def apply(
    pictures: PictureLike | Sequence[PictureLike],
    model: PathLike | StyleModel,
    *,
    out: PathLike,
    device: str = "auto",
    batch: int | None = None,
    memory: int | None = None,
    progress: Progress = False,
    listener: FileListener | None = None,
) -> Applied: ...
def apply(
    pictures: PictureLike | Sequence[PictureLike], model: PathLike | StyleModel, *,
    out: PathLike | None = None, device: str = "auto", batch: int | None = None,
    memory: int | None = None, progress: Progress = False, listener: FileListener | None = None,
) -> Picture | Applied:  # fmt: skip
    """A trained style on pictures, folders and videos.

    Args:
        pictures: a picture in any form (see `stylize`), or several, or videos, or folders of them.
        model: the network's file, as `train` writes it, or a loaded one.
        out: folder of results; without it the one picture itself comes back.
        device: auto, cpu, cuda, cuda:N or mps.
        batch: pictures of one size, or frames, at once; 8 on a GPU.
        memory: MiB for the network's maps; larger pictures go through in strips, with the same
            result. Without it, half of what is free.
        progress: True for a bar, or a function of an `Update`, told of every file and frame.
        listener: is told in place of `progress`.

    Returns: the picture, or what became of the files. Files that cannot be read are listed there.

    Raises:
        InputError: a picture, network or option that cannot be used.
        OutputError: a result cannot be written.
    """
    for name, value in (("batch", batch), ("memory", memory)):
        if value is not None and value < 1:
            raise OptionError(f"--{name} is {value}; it must be at least 1.")
    place = resolve_device(device)
    network = model if isinstance(model, StyleModel) else load_model(Path(model), place)
    room = memory * 2**20 if memory else usual_memory(place)
    given = listed(pictures)
    if out is None:
        if len(given) != 1:
            raise OptionError(f"{len(given)} pictures are given; several need a folder, out=.")
        photo = picture_of(given[0], "The picture")
        return Picture(styled(network, photo.image, room), photo.metadata)
    jobs = plan([picture_file(x, Path(out), "A picture") for x in given], Path(out))
    at_once = batch or (8 if place.type == "cuda" else 1)
    with Watched(progress) as watched:
        told = listener or _FilesTold(watched, len(jobs))
        return apply_files(network, jobs, at_once, room, told)


class _FilesTold:
    """A listener to files for a `progress` function or bar."""

    def __init__(self, watched: Watched, total: int) -> None:
        self._tell, self._done, self._total = watched.teller.tell, 0, total

    def begins(self, job: Job) -> None:
        self._tell(Update(job.source.name))

    def frames(self, job: Job, done: int, expected: int) -> None:
        self._tell(Update(job.source.name, "", done, expected))

    def ends(self, job: Job, error: ImageError | None, frames: int) -> None:
        self._done += 1
        self._tell(Update(job.source.name, str(error or job.target), self._done, self._total))


@dataclass(frozen=True)
class Exported(Brief):
    """An exported network.

    Attributes:
        path: its file.
        difference: the largest from the network that it was made of, over several sizes, in units
            of the [0, 1] image; None where no runtime is installed to tell.
    """

    path: Path
    difference: float | None

    @property
    def faithful(self) -> bool:
        """Whether it gives what the network gives, as far as is known."""
        return self.difference is None or self.difference <= TOLERANCE


def export(
    model: PathLike | StyleModel,
    out: PathLike | None = None,
    *,
    format: Literal["onnx", "torchscript"] = "onnx",
) -> Exported:
    """A trained style for other programs, for any height and width.

    Args:
        model: the network's file, as `train` writes it, or a loaded one.
        out: file to write, .onnx or .pt; without it, beside the network's file.
        format: onnx (needs the extra `export`) or torchscript.

    Raises:
        InputError: the network or the format cannot be used, or a package is missing.
        OutputError: the place cannot be written.
    """
    if format not in EXPORTS:
        raise OptionError(f"--format is {format!r}; choose from {', '.join(EXPORTS)}.")
    suffix = EXPORTS[format][0]
    if out is None:
        if isinstance(model, StyleModel):
            raise OptionError(
                f"--out is missing: a loaded network needs a file ending in {suffix}."
            )
        out = Path(model).with_suffix(suffix)
    path = Path(out)
    if path.suffix.lower() != suffix:
        raise OutputError(f"--out {path} should end in {suffix}.")
    network = model if isinstance(model, StyleModel) else load_model(Path(model))
    write_export(network, path, format)
    run = opened(path, format)
    return Exported(path, None if run is None else difference(network, run))
