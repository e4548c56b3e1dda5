"""Training: it lowers the objective, and goes on from a checkpoint to the last bit."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from photostyle.config.training import TrainingConfig
from photostyle.errors import ModelError, OptionError, OutputError, SolveError
from photostyle.feedforward.checkpoint import checkpoint_path
from photostyle.feedforward.distributed import Processes
from photostyle.feedforward.session import LATEST, Due, Session, begin, losses_path, preview_path
from photostyle.feedforward.style_model import load_model
from photostyle.feedforward.training import learning_rate, mixed_precision
from photostyle.runtime.device import fast_bfloat16
from tests.feedforward.test_style_model import rewritten

ALONE = Processes(0, 1, torch.device("cpu"))
CONFIG = TrainingConfig().with_options(
    {
        "size": 32, "batch": 2, "steps": 6, "width": 0.1, "blocks": 1, "encoder": "builtin",
        "style_layers": ("relu1_1", "relu2_1"), "content_layers": ("relu2_1",), "workers": 0,
        "style_size": 48, "log_every": 2, "preview_every": 0, "device": "cpu",
    }
)  # fmt: skip


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "style.png"
    torch.manual_seed(1)
    stripes = (torch.rand(40, 60, 3) * 80 + 160 * (torch.arange(60) % 8 < 4)[None, :, None]).byte()
    Image.fromarray(stripes.numpy()).save(path)
    return path


def session(style: Path, out: str = "net.safetensors", *, resume: bool = False, **options):
    config = CONFIG.with_options(options)
    return begin(style, None, style.parent / out, config, ALONE, resume=resume)


def stopped(made: Session, step: int) -> None:
    """Runs until after that step, as Ctrl-C would end it."""

    def listen(now) -> None:
        if now.step == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.run(listen)


def test_training_lowers_the_objective_and_leaves_its_files(style: Path) -> None:
    steps = []
    made = session(style, steps=30, learning_rate=5e-3, preview_every=15, log_every=10)
    made.run(steps.append)
    first, last = (sum(s.total for s in part) / 5 for part in (steps[:5], steps[-5:]))
    assert last < 0.8 * first
    assert [step.step for step in steps] == list(range(1, 31))
    for step in steps:
        assert sum(step.terms.values()) == pytest.approx(step.total, rel=1e-5)
    assert load_model(made.out).info.steps == 30
    assert preview_path(made.out).is_file()
    rows = losses_path(made.out).read_text().splitlines()
    assert rows[0] == "step,total,content,style,tv"
    assert [row.split(",")[0] for row in rows[1:]] == ["1", "10", "20", "30"]
    assert not checkpoint_path(made.out).exists()


@pytest.mark.parametrize(
    "options",
    [{}, {"norm": "batch"}, {"optimizer": "adam"}, {"precision": "mixed"}],
    ids=lambda options: "-".join(options.values()) or "usual",
)
def test_resumed_training_ends_with_the_same_file(style: Path, options: dict[str, str]) -> None:
    session(style, "whole.safetensors", **options).run(lambda _: None)
    stopped(session(style, **options), 3)
    assert not (style.parent / "net.safetensors").exists()
    torch.rand(5)  # another random state than the one that was left
    stopped(session(style, resume=True, **options), 4)
    session(style, resume=True, **options).run(lambda _: None)
    whole, parts = (style.parent / f"{name}.safetensors" for name in ("whole", "net"))
    one, other = load_file(parts), load_file(whole)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert load_model(parts).info == load_model(whole).info
    assert losses_path(parts).read_text() == losses_path(whole).read_text()


def test_first_steps_are_adams(style: Path) -> None:
    """Against Adam's first step written from its formula: every weight moves by the rate, along
    the gradient's sign."""
    made = session(style, steps=1, learning_rate=1e-3, optimizer="adam")
    before = {n: p.detach().clone() for n, p in made.state.network.named_parameters()}
    made.run(lambda _: None)
    for name, parameter in made.state.network.named_parameters():
        gradient = parameter.grad
        expected = before[name] - 1e-3 * gradient / (gradient.abs() + 1e-8)
        assert torch.allclose(parameter, expected, atol=1e-6)


def test_schedule() -> None:
    config = replace(CONFIG.train, steps=100, learning_rate=1e-3)
    assert learning_rate(config, 0) == 1e-3
    assert learning_rate(config, 50) == pytest.approx(0.505e-3)
    assert learning_rate(config, 99) < 2e-5
    assert learning_rate(replace(config, schedule="constant"), 99) == 1e-3


def test_precision() -> None:
    auto, cpu = CONFIG.train, torch.device("cpu")
    assert mixed_precision(auto, cpu) == fast_bfloat16(cpu)
    assert not mixed_precision(auto, torch.device("meta"))
    assert mixed_precision(replace(auto, precision="mixed"), cpu)
    assert not mixed_precision(replace(auto, precision="float32"), cpu)


def test_mixed_precision_trains_alike(style: Path) -> None:
    totals = {}
    for precision in ("float32", "mixed"):
        steps = []
        session(style, f"{precision}.safetensors", precision=precision, steps=5).run(steps.append)
        totals[precision] = [step.total for step in steps]
    assert totals["mixed"] == pytest.approx(totals["float32"], rel=0.03)
    assert totals["mixed"] != totals["float32"]


def test_objective_that_is_not_finite_keeps_the_checkpoint(style: Path) -> None:
    made = session(style, checkpoint_every=2)

    def spoil(now) -> None:
        if now.step == 3:
            with torch.no_grad():
                made.state.network.output.bias.fill_(float("nan"))

    with pytest.raises(SolveError, match="not finite at step 4; train anew with a smaller"):
        made.run(spoil)
    assert checkpoint_path(made.out).exists()
    assert session(style, resume=True).state.step == 2


@pytest.mark.parametrize("step", [4, 6])
def test_weights_that_are_not_finite_are_never_kept(style: Path, step: int) -> None:
    """At a checkpoint, and at the last step."""
    made = session(style, checkpoint_every=2)
    moves = made.state.descent.step

    def spoil(rate: float) -> None:
        moves(rate)
        if made.state.step == step - 1:
            with torch.no_grad():
                made.state.network.output.bias[0] = float("inf")

    made.state.descent.step = spoil
    with pytest.raises(SolveError, match=f"A weight is not finite after step {step}"):
        made.run(lambda _: None)
    assert not made.out.exists()
    assert session(style, resume=True).state.step == step - 2


def test_an_interruption_within_a_step_keeps_the_last_checkpoint(style: Path) -> None:
    made = session(style, checkpoint_every=2)
    moves = made.state.descent.step

    def interrupted(rate: float) -> None:
        moves(rate)
        if made.state.step == 3:
            raise KeyboardInterrupt

    made.state.descent.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        made.run(lambda _: None)
    assert made.state.kept == 2
    session(style, resume=True).run(lambda _: None)
    session(style, "whole.safetensors").run(lambda _: None)
    one, other = (load_file(style.parent / f"{n}.safetensors") for n in ("net", "whole"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_without_any_weight_there_is_nothing_to_learn(style: Path) -> None:
    with pytest.raises(OptionError, match="All weights are 0"):
        session(style, content_weight=0.0, style_weight=0.0, tv_weight=0.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"style_weight": 3.0}, "style_weight 100.0, not style_weight 3.0"),
        ({"steps": 11}, "steps 6, not steps 11; give the same again, or remove the file"),
        ({"norm": "batch"}, "norm instance, not norm batch"),
        ({"scenes": 1.0}, "no scenes, not scenes 1.0"),
    ],
)
def test_another_training_is_not_resumed(style: Path, options, says: str) -> None:
    stopped(session(style), 2)
    with pytest.raises(ModelError, match=says):
        session(style, resume=True, **options)


def test_incidental_options_may_change(style: Path) -> None:
    stopped(session(style), 2)
    assert session(style, resume=True, log_every=5, workers=1).state.step == 2


def test_resume_and_begin_are_told_apart(style: Path) -> None:
    with pytest.raises(ModelError, match=r"does not exist, so there is nothing to resume"):
        session(style, resume=True)
    stopped(session(style), 2)
    with pytest.raises(ModelError, match="give resume"):
        session(style)
    checkpoint = checkpoint_path(style.parent / "net.safetensors")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-40])
    with pytest.raises(ModelError, match="damaged"):
        session(style, resume=True)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda t, m: m.update(version="1"), "has version 1"),
        (lambda t, m: m.update(kind="photostyle style network"), "is a photostyle style network"),
        (lambda t, m: t.pop("descent.adam.0.exp_avg"), r"damaged.*descent|damaged.*exp_avg"),
        (lambda t, m: m.update(config=m["config"].replace('"instance"', '"no"')), "damaged"),
    ],
)
def test_other_checkpoints_are_not_resumed(style: Path, spoil, says: str) -> None:
    stopped(session(style), 2)
    rewritten(checkpoint_path(style.parent / "net.safetensors"), spoil)
    with pytest.raises(ModelError, match=says):
        session(style, resume=True)


def test_another_style_or_other_data_is_not_resumed(style: Path) -> None:
    folder = style.parent / "data"
    folder.mkdir()
    Image.new("RGB", (50, 50)).save(folder / "one.png")
    out = style.parent / "net.safetensors"
    made = begin(style, folder, out, CONFIG, ALONE, resume=False)
    stopped(made, 2)
    Image.new("RGB", (50, 50)).save(folder / "two.png")
    with pytest.raises(ModelError, match="another data; give the same pictures"):
        begin(style, folder, out, CONFIG, ALONE, resume=True)
    Image.new("RGB", (70, 50)).save(style)
    with pytest.raises(ModelError, match="another style"):
        begin(style, folder, out, CONFIG, ALONE, resume=True)


def test_a_full_disk_keeps_the_last_checkpoint(
    style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = session(style, checkpoint_every=2)
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if made.state.step > 2:
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        made.run(lambda _: None)
    monkeypatch.undo()
    assert session(style, resume=True).state.step == 2


def test_options_that_do_not_fit(style: Path) -> None:
    with pytest.raises(OptionError, match="data=FOLDER"):
        session(style, scenes=0.5)
    three = Processes(0, 3, torch.device("cpu"))
    with pytest.raises(OptionError, match="batch 2 cannot be shared evenly by 3"):
        begin(style, None, style.parent / "net.safetensors", CONFIG, three, resume=False)
    two = Processes(0, 2, torch.device("cpu"))
    batch = CONFIG.with_options({"norm": "batch"})
    with pytest.raises(OptionError, match="norm batch takes its statistics over all processes"):
        begin(style, None, style.parent / "net.safetensors", batch, two, resume=False)


def test_skipped_files_are_counted(style: Path) -> None:
    folder = style.parent / "data"
    folder.mkdir()
    Image.new("RGB", (50, 50)).save(folder / "a.png")
    Image.new("RGB", (20, 50)).save(folder / "b.png")
    (folder / "c.png").write_text("no picture")
    made = begin(style, folder, style.parent / "net.safetensors", CONFIG, ALONE, resume=False)
    made.run(lambda _: None)
    assert (
        made.skipped() == f"2 files skipped: 1 too small and 1 unreadable, such as {folder}/b.png"
    )


def test_metadata_are_words(style: Path) -> None:
    made = session(style)
    made.run(lambda _: None)
    words = load_model(made.out).info.to_metadata()
    assert json.loads(words["config"])["train"]["steps"] == 6


def test_a_minute_passes_without_a_checkpoint_at_most(style: Path) -> None:
    now, kept = [1000.0], []
    made = session(style, steps=8, checkpoint_every=500)
    made = replace(made, due=Due(500, clock=lambda: now[0]))

    def listen(step) -> None:
        kept.append(made.state.kept)
        now[0] += 25.0  # a step takes so long

    made.run(listen)
    assert kept == [0, 0, 0, 4, 4, 4, 7, 7]  # the clock is at 75 after three steps


def test_checkpoints_by_steps_put_off_those_by_time() -> None:
    now = [0.0]
    due = Due(10, clock=lambda: now[0])
    assert [due.at(step) for step in (9, 10, 11, 20)] == [False, True, False, True]
    now[0] = LATEST
    assert due.at(11)
    due.done()
    now[0] += LATEST - 1
    assert not due.at(11)
