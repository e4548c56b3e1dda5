"""Names with commas and equals signs in the options that name regions."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle.cli import main
from photostyle.config.options import parts_of, plain, quoted
from photostyle.config.rendering import protections, strengths
from photostyle.images.picture import load_image
from photostyle.jobs.axes import parse_axis
from photostyle.segmentation.formats import parse_palette
from photostyle.segmentation.pairing import parse_correspond

NAMES = ["blue", "sky, upper", "a=b", 'the "old" town, north', '5" gun', "räume, oben"]


def test_words_without_quotes_part_as_ever() -> None:
    assert parts_of("0.8, blue=0.5") == ["0.8", "blue=0.5"]
    assert parts_of("tower = building", "=") == ["tower", "building"]
    assert parts_of("") == [""]
    assert strengths("0.8,a=b=0.5") == [(None, 0.8), ("a=b", 0.5)]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_quoted_comes_back(name: str) -> None:
    word = quoted(name)
    assert plain(word) == name
    assert parts_of(f"x, {word} ,y") == ["x", word, "y"]
    assert strengths(f"0.8,{word}=0.5,red=1") == [(None, 0.8), (name, 0.5), ("red", 1.0)]
    assert protections(f"skin,{word}=0.7,{word}") == {"skin": 1.0, name: 1.0}
    assert parse_correspond(f"{word}={word},lake=water") == {name: name, "lake": "water"}
    assert parse_palette(f"{word}=#80c0ff,b=#000") == {name: (128, 192, 255), "b": (0, 0, 0)}


def test_values_with_commas_on_an_axis() -> None:
    axis = parse_axis('strength=1,"0.5,blue=0.2","sky, upper"=0.5')
    assert axis.values == ("1", "0.5,blue=0.2", '"sky, upper"=0.5')


def annotated(folder: Path, name: str) -> None:
    """Content and style with their polygons: an upper and a lower half."""
    rng = np.random.default_rng(1)
    for role, light in (("content", 60), ("style", 140)):
        pixels = rng.integers(light, light + 60, (64, 80, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{role}.png")
        entry = {"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 79, 0, 79, 31, 0, 31]]}
        data = {"images": [{"id": 1, "file_name": f"{role}.png", "width": 80, "height": 64}],
                "categories": [{"id": 1, "name": name}], "annotations": [entry]}  # fmt: skip
        (folder / f"{role}.json").write_text(json.dumps(data))


RUN = ("run --preset color --content content.png --style style.png --content-mask content.json "
       "--style-mask style.json --size 80 --out {} ")  # fmt: skip


@pytest.mark.parametrize("option", ["--strength", "--protect"])
def test_a_region_with_a_comma_is_kept_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    annotated(tmp_path, "sky, upper")
    monkeypatch.chdir(tmp_path)
    words = {"--strength": '"sky, upper"=0', "--protect": '"sky, upper"'}[option]
    assert main([*RUN.format("r.png").split(), option, words]) == 0
    before, after = (load_image(tmp_path / n).image[0] for n in ("content.png", "r.png"))
    assert (after - before)[:, :28].abs().max() < 2 / 255
    assert (after - before)[:, 36:].mean() > 0.1


def test_a_wrong_name_shows_how_the_right_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    annotated(tmp_path, "sky, upper")
    monkeypatch.chdir(tmp_path)
    assert main([*RUN.format("r.png").split(), "--strength", "sky, upper=0"]) == 2
    assert main([*RUN.format("r.png").split(), "--protect", "upper"]) == 2
    assert "there is no 'upper'; there is skin, neutrals, sky, rest, \"sky, upper\"." in (
        capsys.readouterr().err
    )
    assert main([*RUN.format("r.png").split(), "--correspond", '"sky, upper"=lake']) == 2
    assert 'it has rest, "sky, upper".' in capsys.readouterr().err
    assert not (tmp_path / "r.png").exists()
