"""Style pictures: how many go with which options, and their size."""

import pytest
import torch

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.errors import OptionError
from photostyle.objective.styles import check_styles, resized_style


def test_several_styles_go_with_gatys() -> None:
    check_styles(3, preset("gatys"))
    check_styles(2, preset("gatys").with_options({"style_blend": [0.7, 0.3]}))
    check_styles(1, preset("mrf"))


@pytest.mark.parametrize(
    ("count", "config", "says"),
    [
        (0, preset("gatys"), "no picture"),
        (2, Config(), "init color takes one"),
        (2, Config().with_options({"init": "noise"}), "swd_weight takes one"),
        (2, preset("mrf"), "style_term mrf takes one"),
        (2, preset("gatys").with_options({"style_blend": [1.0]}), "each of the 2"),
        (2, preset("gatys").with_options({"style_blend": [0.0, 0.0]}), "not all of them 0"),
    ],
)
def test_what_does_not_go_together_is_named(count: int, config: Config, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        check_styles(count, config)


@pytest.mark.parametrize(
    ("scale", "expected"), [(1.0, (50, 200)), (0.5, (25, 100)), (2.0, (100, 400))]
)
def test_style_takes_a_share_of_the_contents_long_side(
    scale: float, expected: tuple[int, int]
) -> None:
    out = resized_style(torch.rand(1, 3, 40, 160), torch.rand(1, 3, 200, 90), scale, least=8)
    assert tuple(out.shape[2:]) == expected


def test_narrow_style_keeps_its_least_side() -> None:
    out = resized_style(torch.rand(1, 3, 20, 400), torch.rand(1, 3, 100, 100), 1.0, least=48)
    assert tuple(out.shape[2:]) == (48, 960)
