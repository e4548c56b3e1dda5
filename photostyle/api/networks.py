"""`train` and `apply`: networks for one style and for any."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Unpack, overload

import torch

from photostyle.api.anystyle import loaded, model_files, stylist_of, universal_model
from photostyle.api.files import picture_file
from photostyle.api.running import results_folder
from photostyle.brief import Brief
from photostyle.config.config import option_files
from photostyle.config.keywords import TrainingOptions, with_keywords
from photostyle.config.training import TRAININGS, WITHOUT, TrainingConfig
from photostyle.errors import ImageError, OptionError, OutputError
from photostyle.feedforward.applying import Job, plan, styled
from photostyle.feedforward.checkpoint import checkpoint_path
from photostyle.feedforward.distributed import joined
from photostyle.feedforward.session import (
    Session,
    begin,
    is_losses,
    losses_path,
    preview_path,
)
from photostyle.feedforward.style_model import StyleModel
from photostyle.feedforward.tiling import usual_memory
from photostyle.feedforward.working import Applied, FileListener, Manner, apply_files
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.photograph import framed, seen_photograph
from photostyle.images.picture import paths_of, shown_only
from photostyle.images.sheets import is_sheet
from photostyle.images.shown import Picture
from photostyle.places import check_not_foreign, check_places, expanded
from photostyle.runtime.device import resolve_device
from photostyle.runtime.steps import TrainStep
from photostyle.runtime.updates import Progress, Update, Watched
from photostyle.universal.files import UniversalModel
from photostyle.universal.session import begin_universal
from photostyle.universal.styling import Stylist

PathLike = str | os.PathLike[str]


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
    style: PictureLike | None = None,
    data: PathLike | None = None,
    *,
    out: PathLike,
    resume: bool = False,
    config: TrainingConfig | None = None,
    progress: Progress = False,
    watch: Callable[[Session], AbstractContextManager[TrainingWatcher]] | None = None,
    **options: Unpack[TrainingOptions],
) -> Training:
    """A feed-forward network for one style, which `apply` applies in milliseconds, or for any.

    Args:
        style: painting or photograph to learn, in any form; see `stylize`. With `method="artflow"`
            a folder of styles; with "decoder" nothing.
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
    if not isinstance(config, TrainingConfig | None):
        raise OptionError(f"config is a {type(config).__name__}; give a TrainingConfig.")
    base = config or TRAININGS.get(options.get("method", "fast"), TrainingConfig())
    chosen = with_keywords(base, options, own, without=WITHOUT)
    path = expanded(out)
    read = [expanded(style)] if isinstance(style, str | os.PathLike) else []
    _check_out(path, [*read, *option_files(chosen).values()])
    folder = None if data is None else expanded(data)
    single = chosen.train.method == "fast"
    if style is None and single:
        raise OptionError("--style is missing: give the painting or photograph to learn.")
    learnt = None if style is None else _styles(style, path.parent, folders=not single)
    with joined(resolve_device(chosen.train.device)) as processes:
        if single and learnt is not None:
            session = begin(learnt, folder, path, chosen, processes, resume=resume)
        else:
            session = begin_universal(learnt, folder, path, chosen, processes, resume=resume)
        return _trained(session, watch or _watcher(progress))


def _styles(style: PictureLike, folder: Path, folders: bool) -> Path:
    """The file of a style that was given in any form, or the folder of styles."""
    if folders and isinstance(style, str | os.PathLike) and expanded(style).is_dir():
        return expanded(style)
    return picture_file(style, folder, "The style")


def _check_out(path: Path, inputs: Sequence[Path]) -> None:
    """Sees to it, before any work, that all that a training leaves can be written, and that
    nothing of the user's is replaced."""
    if path.suffix.lower() != ".safetensors":
        raise OutputError(f"--out {path} should end in .safetensors.")
    preview, losses = preview_path(path), losses_path(path)
    check_places([path, checkpoint_path(path), preview, losses], inputs)
    check_not_foreign(preview, is_sheet)
    check_not_foreign(losses, is_losses)


def _watcher(progress: Progress) -> Callable[[Session], AbstractContextManager[TrainingWatcher]]:
    return lambda session: _Told(progress if session.processes.leads else False)


class _Told(Watched):
    """A training's watcher for a `progress` function or bar."""

    def __enter__(self) -> _Told:
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
    model: PathLike | StyleModel | UniversalModel,
    *,
    out: None = None,
    device: str = "auto",
    memory: int | None = None,
    style: PictureLike | Sequence[PictureLike] | None = None,
    transfer: str | None = None,
    alpha: float = 1.0,
    style_blend: Sequence[float] | None = None,
) -> Picture: ...
@overload
def apply(
    pictures: PictureLike | Sequence[PictureLike],
    model: PathLike | StyleModel | UniversalModel,
    *,
    out: PathLike,
    device: str = "auto",
    batch: int | None = None,
    memory: int | None = None,
    codec: str = "h264",
    quality: int | None = None,
    progress: Progress = False,
    listener: FileListener | None = None,
    style: PictureLike | Sequence[PictureLike] | None = None,
    transfer: str | None = None,
    alpha: float = 1.0,
    style_blend: Sequence[float] | None = None,
) -> Applied: ...
def apply(
    pictures: PictureLike | Sequence[PictureLike],
    model: PathLike | StyleModel | UniversalModel, *,
    out: PathLike | None = None, device: str = "auto", batch: int | None = None,
    memory: int | None = None, codec: str = "h264", quality: int | None = None,
    progress: Progress = False, listener: FileListener | None = None,
    style: PictureLike | Sequence[PictureLike] | None = None, transfer: str | None = None,
    alpha: float = 1.0, style_blend: Sequence[float] | None = None,
) -> Picture | Applied:  # fmt: skip
    """A trained style on pictures, folders and videos.

    Args:
        pictures: a picture in any form (see `stylize`), or several, or videos, or folders of them.
        model: the network's file, as `train` writes it, or a loaded one.
        out: folder of results; without it the one picture itself comes back.
        device: auto, cpu, cuda, cuda:N or mps.
        batch: pictures of one size, or frames, at once; 8 on a GPU.
        memory: MiB for the network's maps; larger pictures go through in strips, with the same
            result. Without it, half of what is free, on a CPU at most 512.
        codec: of videos, h264, h265, prores or ffv1; where the file's own container does not take
            it, the result is a .mov or .mkv.
        quality: of videos, the constant rate factor of h264 and h265: 0 is lossless, 51 worst;
            17 and 19 without it.
        progress: True for a bar, or a function of an `Update`, told of every file and frame.
        listener: is told in place of `progress`.
        style, style_blend: of a network for any style, one or several with their shares; transfer,
            alpha: likewise, "adain" or "wct", and the share of the change.

    Returns: the picture, or what became of the files. Files that cannot be read are listed there,
        and so are videos that are broken somewhere. Results of before are replaced, other files
        never.

    Raises:
        InputError: a picture, network or option that cannot be used.
        OutputError: a result cannot be written.
    """
    for name, value in (("batch", batch), ("memory", memory)):
        if value is not None and value < 1:
            raise OptionError(f"--{name} is {value}; it must be at least 1.")
    place = resolve_device(device)
    network = _network(model, place, style, transfer, alpha, style_blend)
    room, given = memory * 2**20 if memory else usual_memory(place), listed(pictures)
    if out is None:
        return _applied(network, given, room)
    folder = results_folder(out)
    files = [picture_file(x, folder, "A picture") for x in given]
    jobs = plan(files, folder, codec, model_files(model))
    manner = Manner(batch or (8 if place.type == "cuda" else 1), room, codec, quality)
    with Watched(progress) as watched:
        return apply_files(network, jobs, manner, listener or _FilesTold(watched, len(jobs)))


def _network(
    model: PathLike | StyleModel | UniversalModel, place: torch.device,
    style: PictureLike | Sequence[PictureLike] | None, transfer: str | None, alpha: float,
    blend: Sequence[float] | None,
) -> StyleModel | Stylist:  # fmt: skip
    """The network for one style, or that for any with its styles."""
    if (universal := universal_model(model, place)) is not None:
        return stylist_of(universal, style, place, transfer, alpha, blend)
    if style is not None:
        raise OptionError("--style: this network has its one style; leave the option out.")
    return loaded(model, place)


def _applied(
    network: StyleModel | Stylist, pictures: Sequence[PictureLike], room: int | None
) -> Picture:
    """One picture, in memory."""
    if len(pictures) != 1:
        raise OptionError(f"{len(pictures)} pictures are given; several need a folder, out=.")
    photo = seen_photograph(shown_only(picture_of(pictures[0], "The picture")), "The picture")
    image = framed(styled(network, photo.image, room), photo)
    return Picture(image, photo.metadata, photo.notes, paths_of([photo]))


class _FilesTold:
    """A listener to files for a `progress` function or bar."""

    def __init__(self, watched: Watched, total: int) -> None:
        self._tell, self._done, self._total = watched.teller.tell, 0, total

    def begins(self, job: Job) -> None:
        self._tell(Update(job.source.name))

    def frames(self, job: Job, done: int, expected: int) -> None:
        self._tell(Update(job.source.name, "", done, expected))

    def note(self, sentence: str) -> None:
        self._tell(Update("apply", sentence))

    def ends(self, job: Job, error: ImageError | None, frames: int) -> None:
        self._done += 1
        self._tell(Update(job.source.name, str(error or job.target), self._done, self._total))
