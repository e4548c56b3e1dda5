"""The network against the optimisation, under one objective."""

import math

import pytest
import torch

from photostyle.config.training import TrainingConfig
from photostyle.encoders.builtin import BankEncoder
from photostyle.feedforward.style_model import StyleInfo, StyleModel
from photostyle.feedforward.training import style_objective
from photostyle.jobs import comparing
from photostyle.jobs.comparing import (
    Comparison,
    Run,
    compare_with_gatys,
    content_objective,
    optimised,
    table,
    timed,
    times,
)
from photostyle.segmentation.scene import Scene
from tests.feedforward.test_network import network
from tests.feedforward.test_style_model import thumbnail

CONFIG = TrainingConfig().with_options(
    {"style_layers": ("relu1_1", "relu2_1"), "content_layers": ("relu2_1",), "size": 40}
)


def test_same_objective_as_in_training() -> None:
    torch.manual_seed(0)
    style, content = torch.rand(1, 3, 48, 48), torch.rand(1, 3, 40, 40)
    encoder = BankEncoder()
    info = StyleInfo("s.png", "", thumbnail(style), encoder.name, encoder.fingerprint, CONFIG)
    model = StyleModel(network().eval(), info)
    told = []
    found = compare_with_gatys(
        model, encoder, style, content, "one",
        iterations=[3, 8], seed=0, progress=told.append,
    )  # fmt: skip
    training = style_objective(style, encoder, CONFIG)
    with torch.no_grad():
        expected, _ = training(model.network(content), content)
        noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(0))
        start, _ = training(noise, content)
    assert found.network.total == pytest.approx(expected.item(), rel=1e-4)
    assert len(told) == 8
    assert found.gatys[8].total < found.gatys[3].total < start.item()
    assert found.gatys[3].seconds < found.gatys[8].seconds
    assert told == list(range(1, 9))
    runs = {n: run.total for n, run in optimised(noise, single(style, content), 8, "wolfe")}
    assert runs[3] == pytest.approx(found.gatys[3].total, rel=1e-4)
    lower = [n for n, total in runs.items() if total <= found.network.total]
    assert found.equal == (lower[0] if lower else None)


def single(style: torch.Tensor, content: torch.Tensor):
    masks = [x.new_ones(1, *x.shape[2:]) for x in (content, style)]
    return content_objective(Scene(content, style, *masks), BankEncoder(), CONFIG)


@pytest.mark.parametrize("search", ["wolfe", "plain"])
def test_pictures_are_clipped_and_counted_as_they_are(search: str) -> None:
    torch.manual_seed(1)
    style, content = torch.rand(1, 3, 48, 48).round(), torch.rand(1, 3, 40, 40)
    objective = single(style, content)
    runs = list(optimised(torch.rand(1, 3, 40, 40), objective, 6, search))
    assert [count for count, _ in runs] == [1, 2, 3, 4, 5, 6]
    for _, run in runs:
        assert run.image.min() >= 0
        assert run.image.max() <= 1
        assert run.total == pytest.approx(objective(run.image)[0].item(), rel=1e-5)
    assert runs[-1][1].total < runs[0][1].total


def test_table_has_the_figures() -> None:
    picture = torch.rand(1, 3, 30, 40)
    runs = {50: Run(picture, 9.0, 2.0), 100: Run(picture, 7.0, 4.0)}
    one = Comparison("3", picture, Run(picture, 8.0, 0.01), runs, 70)
    never = Comparison("7", picture, Run(picture, 5.0, 0.01), runs, None)
    lines = table([one, never])
    assert lines[2] == (
        "| 3 | 40×30 | 8 in 10 ms | 9 in 2 s | 7 in 4 s | 70 iterations | 200×, 400× |"
    )
    assert "| more than 100 iterations |" in lines[3]
    assert table([never])[-1] == (
        "median: the network equals more than 100 iterations; the least is more than 100"
    )
    assert table([one])[-1] == "median: the network equals 70 iterations; the least is 70"


def test_paper_figures_agree_with_their_own_ratios() -> None:
    """About 1060×, 1026× and 1042× for 500 iterations."""
    text = "\n".join(times([], "here"))
    for ratio in (1057, 1097, 1021):
        assert f"{ratio}×" in text
    for gatys100, gatys300, gatys500, _ in comparing.PAPER.values():
        assert math.isclose(5 * gatys100, gatys500, rel_tol=2e-3)
        assert math.isclose(5 / 3 * gatys300, gatys500, rel_tol=2e-3)


def test_times_stand_beside_the_papers_size_by_size() -> None:
    def one(size: int, network: float, gatys: float) -> Comparison:
        picture = torch.rand(1, 3, 2, size)
        runs = {50: Run(picture, 9.0, gatys / 2), 100: Run(picture, 7.0, gatys)}
        return Comparison("x", picture, Run(picture, 8.0, network), runs, 70)

    lines = times([one(256, 0.01, 2.0), one(256, 0.02, 4.0), one(512, 0.1, 30.0)], "here")
    assert lines[1].startswith("| side | on | Gatys 50 | Gatys 100 | Gatys 300 | Gatys 500 |")
    assert lines[3] == (
        "| 256² | GeForce GTX Titan X (paper) |  | 3.17 s | 9.52 s | 15.9 s | 15 ms | "
        "211×, 635×, 1057× |"
    )
    assert lines[6] == "| 256 | here | 1.5 s | 3 s |  |  | 15 ms | 100×, 200× |"
    assert lines[7] == "| 512 | here | 15 s | 30 s |  |  | 0.1 s | 150×, 300× |"


def test_timed_gives_a_median(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0, 50, 60, 61, 70, 74, 80, 82, 90, 95, 100, 103])  # 50 does not count
    monkeypatch.setattr(comparing.time, "perf_counter", lambda: next(now))
    result, seconds = timed(lambda: torch.ones(3), torch.device("cpu"))
    assert torch.equal(result, torch.ones(3))
    assert seconds == 3  # of 1, 4, 2, 5, 3
