"""Jobs files: every mistake with its line, before anything runs."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.errors import JobsError
from photostyle.jobs.batch import Batch
from photostyle.jobs.campaign import Plan
from photostyle.jobs.stylejob import StyleJob


def configure(name: str | None, values: Mapping[str, Any]) -> Config:
    return preset(name or "color").with_options(values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("c.png", "s.png", "mit Leer é.png", "日本.jpg"):
        Image.new("RGB", (64, 64), (90, 120, 30)).save(tmp_path / name)
    (tmp_path / "text.png").write_text("no picture")
    return tmp_path


def plan(folder: Path, text: str, name: str = "jobs.yaml") -> Plan:
    (folder / name).write_text(text, encoding="utf-8")
    return Batch(folder / "out", configure).from_file(folder / name)


def refused(folder: Path, text: str, name: str = "jobs.yaml") -> list[str]:
    with pytest.raises(JobsError) as error:
        plan(folder, text, name)
    assert not (folder / "out").exists()
    return str(error.value).replace(str(folder) + "/", "").splitlines()


GOOD = """\
defaults:
  style: s.png
  preset: photoreal-fast
  photoreal_weight: 1e3
jobs:
  - content: c.png
  - {content: "mit Leer é.png", name: Größe é/x, style_weight: 2e2,
     style_layers: [relu1_1, relu2_1]}
  - content: 日本.jpg
    preset: color
    photoreal_weight: 7
    iterations:
"""


def test_defaults_values_and_names(folder: Path) -> None:
    first, second, third = plan(folder, GOOD).jobs
    assert [j.name for j in (first, second, third)] == ["c-s", "Größe é/x", "日本-s"]
    assert first.config.objective.photoreal_weight == 1e3
    assert first.config.preset == "photoreal-fast"
    assert second.config.objective.style_weight == 200
    assert second.config.encoder.style_layers == ("relu1_1", "relu2_1")
    assert third.config.preset == "color"
    assert third.config.objective.photoreal_weight == 7
    assert third.config.optimize.iterations is None
    assert len({j.key for j in (first, second, third)}) == 3


def test_csv_says_the_same(folder: Path) -> None:
    rows = """\
name,content,style,preset,photoreal_weight,style_weight,style_layers,iterations
,c.png,s.png,photoreal-fast,1e3,,,

Größe é/x,"mit Leer é.png",s.png,photoreal-fast,1e3,2e2,relu1_1+relu2_1,
,日本.jpg,s.png,color,7,,,none
"""
    from_csv, from_yaml = plan(folder, rows, "jobs.csv"), plan(folder, GOOD)
    assert [j.key for j in from_csv.jobs] == [j.key for j in from_yaml.jobs]


def test_every_mistake_has_its_line(folder: Path) -> None:
    text = """\
- content: c.png
  style: gone.png
- content: text.png
  style: s.png
  photoreal_wieght: 3
- style: s.png
  size: huge
  seed: -3
  content_mask: c.png
- {content: c.png, style: s.png, name: ../../etc/x}
- {content: c.png, style: s.png, name: twice}
- {content: c.png, style: s.png, name: TWICE}
- {content: c.png, style: s.png, preset: disco}
- nothing
- content: c.png
  style: {a: b}
- {content: ., style: s.png}
"""
    lines = refused(folder, text)
    expected = [
        ("2", "style gone.png: there is no such file"),
        ("3", "content text.png: this is no picture"),
        ("5", "did you mean photoreal_weight?"),
        ("6", "no content"),
        ("6", "masks come in pairs"),
        ("7", "size is"),
        ("8", "at least 0"),
        ("10", "leave the output folder"),
        ("12", "'TWICE' is there twice"),
        ("13", "disco"),
        ("14", "a table of names"),
        ("14", "no content"),
        ("14", "no style"),
        ("15", "no style"),
        ("16", "one value"),
        ("17", "is a folder"),
    ]
    assert [line.split(":")[1] for line in lines[:-1]] == [n for n, _ in expected]
    assert all(says in line for (_, says), line in zip(expected, lines, strict=False))
    assert not any(line.endswith("?.") for line in lines)
    assert lines[-1] == "Nothing was run."


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- content: [c.png\n  style: s.png\n", 2, "no well-formed YAML"),
        ("- content: c.png\n\tstyle: s.png\n", 2, "no well-formed YAML"),
        ("- content: c.png\n  style: s.png\n  size: 64\n  size: 65\n", 4, "first in line 3"),
        ("jobs:\n- {content: c.png, style: s.png}\njobs: []\n", 3, "first in line 1"),
        ("job:\n- {content: c.png, style: s.png}\n", 1, "no list of jobs"),
        ("jobs: 3\n", 1, "must be a list"),
        ("hello\n", 1, "a list of jobs"),
        ("", 1, "no job"),
        ("- &a {content: c.png, style: s.png}\n- {<<: *a, size: 64}\n", 2, "a name must be a word"),
        ("- content: !!python/object:os.system x\n  style: s.png\n", 1, "no such file"),
        ("[" * 5000 + "]" * 5000, 1, "a table of names"),
    ],
)
def test_malformed_yaml(folder: Path, text: str, line: int, says: str) -> None:
    first = refused(folder, text)[0]
    assert first.startswith(f"jobs.yaml:{line}: ")
    assert says in first


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("content,style,size,size\nc.png,s.png,64,64\n", 1, "'size' is there twice"),
        ("content,style\nc.png,s.png,64\n", 2, "3 cells, the header 2"),
        ('content,style\n"c.png,s.png\n', 2, "no well-formed CSV"),
        ('content,style,name\nc.png,s.png,"a\nb"\nc.png,gone.png,d\n', 2, "control characters"),
        ('content,style,name\nc.png,s.png,"a"\n\nc.png,gone.png,d\n', 4, "gone.png"),
        ("content,style\n", 1, "no job"),
    ],
)
def test_malformed_csv(folder: Path, text: str, line: int, says: str) -> None:
    first = refused(folder, text, "jobs.csv")[0]
    assert first.startswith(f"jobs.csv:{line}: ")
    assert says in first


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "jobs.yaml").write_bytes(b"- content: c.png\n  style: \xff.png\n")
    with pytest.raises(JobsError, match=r"jobs\.yaml:2: this is no UTF-8"):
        Batch(folder / "out", configure).from_file(folder / "jobs.yaml")


def test_other_files_are_refused(folder: Path) -> None:
    assert refused(folder, "[]", "jobs.json") == ["jobs.json: a jobs file ends in .yaml or .csv."]
    with pytest.raises(JobsError, match="cannot be read"):
        Batch(folder / "out", configure).from_file(folder / "no.yaml")


def test_a_name_must_not_follow_a_link_outside(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "link").symlink_to(folder)
    (folder / "jobs.yaml").write_text("- {content: c.png, style: s.png, name: link/c}\n")
    with pytest.raises(JobsError, match="by a link"):
        Batch(folder / "out", configure).from_file(folder / "jobs.yaml")


def test_a_result_must_not_replace_its_input(folder: Path) -> None:
    (folder / "jobs.yaml").write_text("- {content: c.png, style: s.png, name: c}\n")
    with pytest.raises(JobsError, match="replace one of its own inputs"):
        Batch(folder, configure).from_file(folder / "jobs.yaml")


def test_ten_thousand_jobs_and_one_mistake(folder: Path) -> None:
    rows = [
        f"- {{content: c.png, style: s.png, seed: {i % 50}, name: job {i}}}\n"
        for i in range(10_000)
    ]
    began = time.process_time()
    jobs = plan(folder, "".join(rows)).jobs
    assert len({j.name for j in jobs}) == 10_000
    rows[7_654] = "- {content: c.png, style: s.png, sede: 3}\n"
    assert refused(folder, "".join(rows))[0].startswith("jobs.yaml:7655: ")
    assert time.process_time() - began < 60


def test_at_most_twenty_mistakes_are_shown(folder: Path) -> None:
    lines = refused(folder, "- {content: c.png}\n" * 50)
    assert len(lines) == 22
    assert lines[-2] == "jobs.yaml: and 30 more like these."


def pairs(folder: Path) -> list[StyleJob]:
    return list(Batch(folder / "out", configure).from_pairs(folder).jobs)  # type: ignore[arg-type]


def pictures(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(exist_ok=True)
        Image.new("RGB", (64, 64)).save(folder / path)


def test_pairs_by_name(folder: Path) -> None:
    pictures(folder, "content/1.png", "content/a b.png", "style/1.png", "style/a b.png")
    pictures(folder, "content_mask/1.png", "style_mask/1.png")
    first, second = pairs(folder)
    assert (first.name, second.name) == ("1", "a b")
    assert first.style == folder / "style" / "1.png"
    assert first.style_mask is not None
    assert second.content_mask is None
    (folder / "style" / "a b.png").rename(folder / "style" / "c.png")
    with pytest.raises(JobsError, match=r"a b\.png has no partner"):
        pairs(folder)


def test_a_single_style_serves_all_with_its_mask(folder: Path) -> None:
    pictures(folder, "content/1.png", "content/2.png", "style/s.png", "style_mask/s.png")
    pictures(folder, "content_mask/1.png")
    first, second = pairs(folder)
    assert {first.style.name, second.style.name} == {"s.png"}
    assert first.style_mask == folder / "style_mask" / "s.png"
    assert (second.content_mask, second.style_mask) == (None, None)


def test_pairs_leave_nothing_out_unsaid(folder: Path) -> None:
    pictures(folder, "content/1.png", "style/1.png", "content_mask/1.png")
    with pytest.raises(JobsError, match=r"content_mask/1\.png has no partner in style_mask/"):
        pairs(folder)
    pictures(folder, "style_mask/1.png", "content/1.jpg")
    with pytest.raises(JobsError, match=r"content/ has both 1\.jpg and 1\.png"):
        pairs(folder)


def test_a_mistake_in_the_defaults_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    jobs = "".join(f"  - {{content: {n}.png}}\n" for n in range(30))
    path.write_text(f"defaults: {{styl: a.png, photoreal_weight: much}}\njobs:\n{jobs}")
    from photostyle.config.presets import preset
    from photostyle.jobs.batch import Batch

    with pytest.raises(JobsError) as told:
        Batch(tmp_path, lambda name, values: preset("color").with_options(values)).from_file(path)
    lines = str(told.value).splitlines()
    assert sum("styl" in line and "nothing called" in line for line in lines) == 1
    assert sum("much" in line for line in lines) == 1
