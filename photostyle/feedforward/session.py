"""A training from its files to its file: what it needs, and what it leaves on the way."""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import Tensor

from photostyle.config.training import TrainingConfig
from photostyle.documents import Unreadable, csv_text, read_text
from photostyle.encoders.base import Encoder
from photostyle.errors import ImageError, ModelError, OptionError, SolveError
from photostyle.feedforward.checkpoint import checkpoint_path, restore_checkpoint, save_checkpoint
from photostyle.feedforward.data import CropStream, Stream, crop_loader, picture_files
from photostyle.feedforward.distributed import Processes
from photostyle.feedforward.network import TransformNetwork
from photostyle.feedforward.style_model import StyleInfo, build_network, save_model, thumbnail
from photostyle.feedforward.tiling import stylised
from photostyle.feedforward.training import (
    REMEDY,
    Learned,
    TrainState,
    new_state,
    style_objective,
    train,
)
from photostyle.images.photograph import seen_photograph
from photostyle.images.picture import Photo, fit_size, image_size, load_image, resize
from photostyle.images.saving import atomic_path
from photostyle.images.sheets import contact_sheet
from photostyle.objective.features import configured_encoder, least_side
from photostyle.places import identity
from photostyle.runtime.device import usable_cores
from photostyle.runtime.steps import TrainStep, reported

#: How the table of losses begins.
LOSSES = ("step", "total")
#: Contents of a preview; crops that the training does not come to.
PREVIEWS = 3
#: Seconds after which a checkpoint is due, however few steps were done since the last.
LATEST = 60.0
#: Processes that read pictures, where nothing is said: half the cores, at most so many.
MOST_WORKERS = 8


@dataclass
class Due:
    """When a checkpoint is due: at every so many steps, and after `LATEST` seconds at the latest.

    Attributes:
        clock: gives seconds. last: when there was one, or when the training began.
    """

    every: int
    clock: Callable[[], float] = time.monotonic
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.clock()

    def at(self, step: int) -> bool:
        """Whether one is due after that step."""
        return step % self.every == 0 or self.late()

    def late(self) -> bool:
        return self.clock() - self.last >= LATEST

    def done(self) -> None:
        self.last = self.clock()


@dataclass(frozen=True)
class Session:
    """A training under way.

    Attributes:
        out: the network's file; the checkpoint, previews and losses lie beside it.
        style: 1×3×h×w, at the size at which it is learned.
        notes: sentences for the user.
    """

    config: TrainingConfig
    info: StyleInfo
    state: TrainState
    objective: Learned
    stream: Stream
    style: Tensor
    files: str
    out: Path
    processes: Processes
    notes: tuple[str, ...]
    due: Due

    def run(self, listen: Callable[[TrainStep], None]) -> None:
        """Trains to the end, telling of every step; then writes the network.

        KeyboardInterrupt, raised by `listen`, writes a checkpoint and goes on to the caller; raised
        anywhere else it leaves the last one, as the state may be that of half a step.

        Raises:
            SolveError: the objective or a weight is not finite.
            OutputError: a file cannot be written; the last checkpoint, if any, is still there.
        """
        options = self.config.train
        loader = crop_loader(
            self.stream,
            first=self.state.step,
            steps=options.steps,
            batch=options.batch,
            workers=_workers(options.workers),
            rank=self.processes.rank,
            processes=self.processes.count,
            pin=self.processes.device.type == "cuda",
        )
        for step in train(self.state, self.objective, loader, options, self.processes):
            self._record(step)
            try:
                listen(step)
            except KeyboardInterrupt:
                self.checkpoint()
                raise
        self.finish()

    def _record(self, step: TrainStep) -> None:
        """What is due after a step."""
        options = self.config.train
        last = step.step == step.steps
        if reported(step, options.log_every):
            self.state.losses.append((step.step, step.total, step.terms))
        if self.due.at(step.step) and not last:
            self.checkpoint()
        if options.preview_every and (step.step % options.preview_every == 0 or last):
            self.preview()

    def checkpoint(self) -> None:
        self._check_finite()
        if self.processes.leads:
            save_checkpoint(checkpoint_path(self.out), self.state, self.info, self.files)
            self._write_losses()
        self.state.kept = self.state.step
        self.due.done()

    def finish(self) -> None:
        """Writes the network, which makes the checkpoint needless."""
        self._check_finite()
        if self.processes.leads:
            info = replace(self.info, steps=self.state.step)
            self.save(info)
            self._write_losses()
            checkpoint_path(self.out).unlink(missing_ok=True)

    def save(self, info: StyleInfo) -> None:
        """Writes the network."""
        assert isinstance(self.state.network, TransformNetwork)
        save_model(self.out, self.state.network, info)

    def _check_finite(self) -> None:
        """A gradient can overflow where the objective does not."""
        if not all(bool(p.isfinite().all()) for p in self.state.network.parameters()):
            raise SolveError(f"A weight is not finite after step {self.state.step}; {REMEDY}")

    def preview(self) -> None:
        """Pictures of the network as it stands."""
        if not self.processes.leads:
            return
        last = self.config.train.steps * self.config.train.batch
        self.state.network.eval()
        crops = [self.stream[number][0][None] for number in range(last, last + PREVIEWS)]
        contact_sheet(self.pictures(crops), preview_path(self.out), height=self.config.train.size)
        self.state.network.train()

    def pictures(self, crops: Sequence[Tensor]) -> list[list[tuple[str, Tensor]]]:
        """The rows of a preview: what the network makes of crops, each 1×C×size×size."""
        assert isinstance(self.state.network, TransformNetwork)
        row = [("style", self.style)]
        for crop in crops:
            result = stylised(self.state.network, crop.to(self.processes.device)).cpu()
            row += [("content", crop), (f"step {self.state.step}", result)]
        return [row]

    def skipped(self) -> str:
        """How many files were not used, in words; empty for none."""
        if not (skipped := self.state.skipped):
            return ""
        counts = Counter(skipped.values())
        reasons = " and ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        return f"{len(skipped)} files skipped: {reasons}, such as {min(skipped)}"

    def _write_losses(self) -> None:
        names = self.objective.names
        rows = [
            [str(step), f"{total:.6g}", *(f"{terms[name]:.6g}" for name in names)]
            for step, total, terms in self.state.losses
        ]
        with atomic_path(losses_path(self.out)) as temporary:
            temporary.write_text(csv_text([[*LOSSES, *names], *rows]), encoding="utf-8")


def preview_path(out: Path) -> Path:
    return out.with_suffix(".preview.png")


def losses_path(out: Path) -> Path:
    return out.with_suffix(".losses.csv")


def is_losses(path: Path) -> bool:
    """Whether a file is a table of losses that a training wrote."""
    try:
        return read_text(path).startswith(",".join(LOSSES))
    except Unreadable:
        return False


def begin(
    style: Path,
    data: Path | None,
    out: Path,
    config: TrainingConfig,
    processes: Processes,
    *,
    resume: bool,
) -> Session:
    """Everything that a training needs, at its first step or at its checkpoint's.

    Args:
        data: folder of pictures; None for generated scenes alone.
        resume: go on from the checkpoint beside `out`.

    Raises:
        InputError: an input, option, or checkpoint that cannot be used.
    """
    options = config.train
    check_training(out, config, processes, resume)
    photo = seen_photograph(load_image(style), "The style")
    stream, files = crop_stream(data, out, config)
    encoder, notes = configured_encoder(config.encoder, processes.device)
    picture = _style_picture(photo, encoder, config)
    info = StyleInfo(
        os.fsencode(style).decode(errors="replace"),
        photo.sha256,
        thumbnail(photo.image),
        encoder.name,
        encoder.fingerprint,
        config,
    )
    network = build_network(config.network, options.seed).to(processes.device)
    state = new_state(network, options)
    if resume:
        restore_checkpoint(checkpoint_path(out), state, info, files)
    weight = photo.weight_at(image_size(picture))
    objective = style_objective(picture.to(processes.device), encoder, config, weight)
    if not objective.names:
        raise OptionError("All weights are 0; give --content-weight or --style-weight.")
    return Session(
        config, info, state, objective, stream, picture, files, out, processes,
        (*photo.notes, *notes), Due(options.checkpoint_every),
    )  # fmt: skip


def _style_picture(photo: Photo, encoder: Encoder, config: TrainingConfig) -> Tensor:
    """The style at the size at which it is learned, 1×3×h×w.

    Raises:
        InputError: it, or the crops, are too small for the encoder.
    """
    least = least_side(encoder, config.encoder)
    size = fit_size(image_size(photo.image), config.train.style_size)
    if min(size) < least:
        raise ImageError(
            f"--style {photo.path} is {size[1]}×{size[0]} pixels when it is learned; encoder "
            f"{encoder.name} needs at least {least} a side, so give a larger picture or a larger "
            "--style-size."
        )
    if config.train.size < least:
        raise OptionError(
            f"--size {config.train.size} is too small; encoder {encoder.name} needs at least "
            f"{least}."
        )
    return resize(photo.image, size)


def check_training(out: Path, config: TrainingConfig, processes: Processes, resume: bool) -> None:
    """Raises InputError where a training cannot begin, or not go on, at that place."""
    if config.train.batch % processes.count:
        raise OptionError(
            f"--batch {config.train.batch} cannot be shared evenly by {processes.count} processes; "
            "give a multiple of that."
        )
    if config.network.norm == "batch" and processes.count > 1 and processes.device.type == "cpu":
        raise OptionError(
            "--norm batch takes its statistics over all processes, which needs GPUs; give --norm "
            "instance, or train in one process."
        )
    left = checkpoint_path(out)
    if left.exists() and not resume:
        raise ModelError(
            f"{left} holds an unfinished training; give --resume to go on with it, or remove it."
        )
    if out.exists() and not left.exists():
        raise ModelError(
            f"{out} is there already, and its training is finished; give --out another name, or "
            "remove the file to train anew."
        )


def crop_stream(data: Path | None, out: Path, config: TrainingConfig) -> tuple[CropStream, str]:
    """The data, without what the training itself leaves among them, and their fingerprint."""
    options = config.train
    scenes = options.scenes if options.scenes is not None else float(data is None)
    if data is None and scenes < 1.0:
        raise OptionError(f"--scenes {scenes:g}: the rest comes from pictures; give --data FOLDER.")
    own = identity(preview_path(out))
    found = picture_files(data) if data is not None else ()
    files = tuple(path for path in found if identity(path) != own)
    stream = CropStream(files, options.size, options.seed, scenes, options.zoom)
    stream.check()
    digest = hashlib.sha256()
    for path in files:
        name = os.fsencode(path.relative_to(data))  # type: ignore[arg-type]
        digest.update(name + f":{path.stat().st_size}\n".encode())
    return stream, digest.hexdigest()


def _workers(asked: int | None) -> int:
    if asked is not None:
        return asked
    return min(MOST_WORKERS, max(1, usable_cores() // 2))
