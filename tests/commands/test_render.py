"""Finished runs delivered again on the command line."""

from pathlib import Path

import numpy as np
import pytest

from tests.commands.scene import photostyle, pixels


def test_finished_run_is_delivered_again_at_any_strength_and_size(finished: Path) -> None:
    folder = finished
    for words in (
        "--out full.png",
        "--strength 0 --out none.png",
        "--strength 0.5 --out half.png",
        "--strength red=0 --out sky.png",
        "--output-size 60 --out small.png",
        "--protect red --out guarded.png",
        "--luminance 0 --color 0 --out both.png",
    ):
        done = photostyle(folder, f"render result.png {words}")
        assert done.returncode == 0, done.stderr
    content, result = pixels(folder / "content.png"), pixels(folder / "result.png")
    full = pixels(folder / "full.png")
    assert np.abs(full - result).max() <= 1  # the maps are kept at half precision
    assert (pixels(folder / "none.png") == content).all()
    in_range = (result > 0) & (result < 255)  # the maps know what clamping hides
    half = np.abs(pixels(folder / "half.png") - (content + result) / 2)
    assert half[in_range].max() <= 2
    assert in_range.mean() > 0.9
    sky = pixels(folder / "sky.png")
    assert (sky[60:] == content[60:]).all()
    assert np.abs(sky[:30] - result[:30]).max() <= 1
    assert np.abs(pixels(folder / "guarded.png") - sky).max() == 0
    assert np.abs(pixels(folder / "both.png") - content).max() <= 1
    assert pixels(folder / "small.png").shape == (45, 60, 3)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--strength 2", "0 to 1"),
        ("--strength green=0.5", "'green'; there is blue, red"),
        ("--output-size 0", "--output-size"),
        ("--protect lake", "'lake'; there is skin, neutrals, sky, blue, red"),
        ("--protect skin=3", "nothing to protect"),
        ("--luminance 2", "--luminance is 2; it must be at most 1"),
        ("--color none", "--color is 'none'; it must be a number"),
        ("--out content.png", "content.png"),
        ("--preset dpst", "--preset"),
    ],
)
def test_bad_delivery_is_refused(finished: Path, words: str, says: str) -> None:
    done = photostyle(finished, f"render result.png --out new.png {words}")
    assert done.returncode == 2
    assert says in done.stderr
    assert not (finished / "new.png").exists()


def test_delivery_without_its_grade_is_refused(finished: Path) -> None:
    (finished / "result.grade.safetensors").write_bytes(b"cut off")
    done = photostyle(finished, "render result.png --out new.png")
    assert done.returncode == 2
    assert "result.grade.safetensors" in done.stderr
