"""What a sweep varies: words to values."""

import pytest

from photostyle.errors import OptionError
from photostyle.jobs.axes import combinations, parse_axis, parse_setting, spaced, value_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("photoreal_weight=1e2,1e3", (100.0, 1000.0)),
        ("--photoreal-weight=5", (5.0,)),
        ("photoreal_weight=1e2..1e7:log6", (1e2, 1e3, 1e4, 1e5, 1e6, 1e7)),
        ("style_weight=0..1:lin5", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("size=100..400:lin4", (100, 200, 300, 400)),
        ("seed=1e3,2", (1000, 2)),
        ("preset=color,photoreal", ("color", "photoreal")),
        ("content_layers=relu4_2,relu3_1+relu4_2", (("relu4_2",), ("relu3_1", "relu4_2"))),
        ("content_mask=../m.png,none", ("../m.png", None)),
        ("iterations=none,3", (None, 3)),
        ("encoder=builtin,../a b/é.pth", ("builtin", "../a b/é.pth")),
    ],
)
def test_values(text: str, values: tuple[object, ...]) -> None:
    assert parse_axis(text).values == values


def test_labels_are_short_and_exact() -> None:
    axis = parse_axis("photoreal_weight=1e-7..1e7:log3")
    assert axis.labels == ("1e-7", "1", "1e7")
    assert parse_axis("style_weight=1e2..1e7:log6").labels == (
        "100", "1000", "1e4", "1e5", "1e6", "1e7")  # fmt: skip
    uneven = parse_axis("photoreal_weight=1..10:log4")
    assert [value_of("photoreal_weight", label) for label in uneven.labels] == list(uneven.values)


def test_spaced_matches_numpy() -> None:
    np = pytest.importorskip("numpy")
    assert spaced(3.0, 7e5, 9, "log") == pytest.approx(np.geomspace(3, 7e5, 9), rel=1e-11)
    assert spaced(-3.0, 7e5, 9, "lin") == pytest.approx(np.linspace(-3, 7e5, 9), rel=1e-11)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("photoreal_wieght=1,2", "did you mean photoreal_weight"),
        ("photoreal_weight", "NAME=VALUES"),
        ("photoreal_weight=", "NAME=VALUES"),
        ("photoreal_weight=1,heavy", "'heavy'"),
        ("photoreal_weight=1,1.0", "the same"),
        ("photoreal_weight=0..10:log4", "above 0"),
        ("photoreal_weight=1..10:log1", "at least two"),
        ("photoreal_weight=1..10", "log6"),
        ("photoreal_weight=1..nan:lin3", "finite"),
        ("size=10.5,20", "a whole number"),
        ("size=100..200:lin4", "a whole number"),
    ],
)
def test_refusals(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says) as error:
        parse_axis(text)
    assert "grid" in str(error.value)
    assert not str(error.value).endswith("?.")


def test_setting_keeps_commas() -> None:
    assert parse_setting("strength=0.8,blue=0.5") == ("strength", "0.8,blue=0.5")
    assert parse_setting("style_layers=relu1_1,relu2_1") == ("style_layers", ("relu1_1", "relu2_1"))
    with pytest.raises(OptionError, match="--set size: write NAME=VALUE"):
        parse_setting("size")


def test_combinations() -> None:
    a, b = parse_axis("seed=1,2"), parse_axis("size=64,128,256")
    assert combinations([a, b], zipped=False) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert combinations([a, parse_axis("size=64,128")], zipped=True) == [(0, 0), (1, 1)]
    with pytest.raises(OptionError, match="seed 2, size 3"):
        combinations([a, b], zipped=True)
    with pytest.raises(OptionError, match="given twice"):
        combinations([a, a], zipped=False)
    with pytest.raises(OptionError, match="1000000 cells"):
        combinations([parse_axis(f"{n}=0..1:lin100") for n in
                      ("tv_weight", "style_weight", "content_weight")], zipped=False)  # fmt: skip
