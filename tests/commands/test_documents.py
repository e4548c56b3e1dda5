"""Whatever TOML, JSON, YAML and CSV files hold: read as meant, or refused in one sentence."""

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from photostyle.cli import main
from photostyle.documents import MOST_BYTES, csv_text, json_text, parse_json
from photostyle.jobs.axes import known_names

QUICK = "--preset color --segmenter none --device cpu"
ALL = ", ".join(known_names())  # a sentence may list all options
BOTH = "content: c.png, style: s.png"


def put(name: str, content: str | bytes) -> None:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def refused(capsys: pytest.CaptureFixture[str], words: str) -> list[str]:
    """The lines of a refusal, each of them a sentence of bearable length."""
    assert main(words.split()) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert lines[0].startswith("photostyle: ")
    for line in lines:
        assert line.endswith((".", "?"))
        assert len(line.replace(ALL, "")) < 900
        assert line.isprintable()
    return lines


DIGITS, DEEP = "9" * 5000, 100_000
CONFIGS: dict[str, tuple[str, str | bytes]] = {
    "deep.toml": ("too deep", "a = " + "[" * DEEP),
    "deeper.toml": ("too deep", "a" + ".a" * 200_000 + " = 1"),
    "deep-value.toml": ("too deep", "[image]\nsize" + ".a" * 900 + " = 1"),
    "digits.toml": ("too many digits", f"[image]\nsize = {DIGITS}"),
    "hex.toml": ("many digits", "[image]\nsize = 0x" + "f" * 50_000),
    "hex-float.toml": ("finite", "[objective]\nstyle_weight = 0x" + "f" * 50_000),
    "large.toml": ("at most", "[image]\nsize = 99999999999999999999"),
    "large-float.toml": ("finite", f"[objective]\nstyle_weight = 1{'0' * 400}"),
    "infinite.toml": ("finite", "[objective]\nstyle_weight = 1e999"),
    "nan.toml": ("finite", "[objective]\nstyle_weight = nan"),
    "date.toml": ("whole number", "[image]\nsize = 1979-05-27"),
    "twice.toml": ("not well-formed", "preset = 'color'\npreset = 'dpst'"),
    "bytes.toml": ("not UTF-8", bytes(range(256))),
    "zeros.toml": ("not well-formed", b"\0\0\0"),
    "zero.toml": ("some words", '[encoder]\nencoder = "a\\u0000b"'),
    "latin.toml": ("not UTF-8", "# é".encode("latin-1")),
    "utf16-unmarked.toml": ("not well-formed", "preset = 'color'".encode("utf-16-le")),
    "deep.json": ("too deep", "[" * DEEP),
    "deep-value.json": ("too deep", '{"image": {"size": ' + "[" * 90 + "]" * 90 + "}}"),
    "digits.json": ("too many digits", f'{{"image": {{"size": {DIGITS}}}}}'),
    "nan.json": ("finite", '{"objective": {"style_weight": NaN}}'),
    "infinite.json": ("finite", '{"objective": {"style_weight": 1e999}}'),
    "twice.json": ("'preset' is there twice", '{"preset": "color", "preset": "dpst"}'),
    "list.json": ("table of options", "[1]"),
    "word.json": ("table of options", '"word"'),
    "null.json": ("table of options", "null"),
    "empty.json": ("not well-formed", ""),
    "stage.json": ("table of options", '{"image": [1]}'),
    "solves.json": ("list of tables", '{"optimize": {"solves": [[]]}}'),
    "preset.json": ("some words", '{"preset": ["color"]}'),
    "long.json": ("some words", f'{{"preset": "{"x" * DEEP}"}}'),
    "long-name.json": ("is no stage", f'{{"{"k" * DEEP}": 1}}'),
    "escapes.json": ("is no stage", '{"a\\n\\u001b[2J": 1}'),
    "surrogate.json": ("is no stage", '{"\\ud800": {}}'),
    "true.json": ("whole number", '{"image": {"size": true}}'),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations_that_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    says, content = CONFIGS[name]
    put(name, content)
    (line,) = refused(capsys, f"config --config {name}")
    assert line.startswith(f"photostyle: --config {name}: ")
    assert says in line


def test_a_configuration_of_the_kinds_that_end_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("huge.toml", "wb") as file:
        file.truncate(MOST_BYTES + 1)
    for name in ("huge.toml", "/dev/zero", ".", "no.toml"):
        assert len(refused(capsys, f"config --config {name}")) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_configurations_as_editors_save_them(
    folder: Path, capsys: pytest.CaptureFixture[str], encoding: str, end: str
) -> None:
    """Windows' own shell writes UTF-16 for `photostyle config > mine.toml`."""
    put("mine.toml", end.join(["# é", 'preset = "color"', "[image]", "size = 64"]).encode(encoding))
    assert main(["config", "--config", "mine.toml"]) == 0
    assert "size = 64" in capsys.readouterr().out


YAMLS: dict[str, tuple[str, str | bytes]] = {
    "nested too deep": ("flow", "[" * 1_000_000),
    "nested too deep ": ("block", "- " * 1_000_000),
    "neither jobs nor defaults": ("bomb", "a: &a [x, x]\nb: &b [*a, *a]\njobs: *b"),
    "this job has no content": ("alias", "- &a {size: 64}\n- *a"),
    "a job is a table": ("itself", "&a [*a]"),
    "a job is a table ": ("tag", "- !!python/object/apply:os.system ['x']"),
    "must be a whole number": ("date", f"- {{{BOTH}, size: 2020-01-01}}"),
    "must be a finite number": ("nan", f"- {{{BOTH}, style_weight: nan}}"),
    "at most": ("exponent", f"- {{{BOTH}, size: 1e308}}"),
    "must be a whole number ": ("digits", f"- {{{BOTH}, size: {DIGITS}}}"),
    "a name must be a word": ("merge", f"- {{{BOTH}, <<: {{a: 1}}}}"),
    "size is there twice": ("twice", f"- {{{BOTH}, size: 64, size: 65}}"),
    "no UTF-8 text": ("bytes", bytes(range(256))),
    "control characters": ("zero", f'- {{{BOTH}, name: "a\\0b"}}'),
    "control characters ": ("raw", b"- {content: a\0b}"),
    "another document": ("two", f"- {{{BOTH}}}\n---\n- a"),
    "a jobs file is a list": ("word", "hello"),
    "no such file": ("home", "- {content: ~nobody-here/x.png, style: s.png}"),
    "no such file ": ("device", "- {content: /dev/zero, style: s.png}"),
    "cannot be read": ("long", f"- {{content: {'x' * 9000}, style: s.png}}"),
    "is too long": ("name", f"- {{{BOTH}, name: {'x' * 900}}}"),
}


@pytest.mark.parametrize("says", YAMLS)
def test_jobs_that_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], says: str) -> None:
    name, content = YAMLS[says]
    put(f"{name}.yaml", content)
    lines = refused(capsys, f"batch {name}.yaml {QUICK} --out out")
    assert any(says.strip() in line for line in lines)
    assert not Path("out").exists()


TABLE = [("name", "content", "style"), ("a,b", "c.png", "s.png"), ("ü", "s.png", "c.png")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_jobs_as_spreadsheets_save_them(folder: Path, separator: str, encoding: str) -> None:
    rows = [separator.join(f'"{c}"' if "," in c else c for c in row) for row in TABLE]
    said = ["sep=|"] if separator == "|" else []
    put("jobs.csv", "\r\n".join([*said, *rows, ""]).encode(encoding))
    assert main(f"batch jobs.csv {QUICK} --out out --plan".split()) == 0
    put("jobs.csv", "\r\n".join([*said, *rows, separator.join(["x", "no.png", "s.png"])]))
    assert main(f"batch jobs.csv {QUICK} --out out".split()) == 2


def test_the_line_of_a_mistake_counts_the_separators_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put("jobs.csv", 'sep=;\r\ncontent;style\r\nc.png;"no.png"\r\n')
    assert refused(capsys, f"batch jobs.csv {QUICK} --out out")[0].endswith(
        "jobs.csv:3: style no.png: there is no such file."
    )


@pytest.mark.parametrize(
    "content", ["content,style\n" + "x" * 200_000, "content,style\n\0,s.png\n", 'sep="\na"b\n']
)
def test_tables_that_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    put("jobs.csv", content)
    refused(capsys, f"batch jobs.csv {QUICK} --out out")


def changed(data: Mapping[str, Any], place: str, value: Any) -> str:
    """The manifest with another value at a place such as "inputs/content/path"."""
    copy = json.loads(json.dumps(data))
    *way, last = place.split("/")
    table = copy
    for name in way:
        table = table[name]
    table[last] = value
    return json.dumps(copy)


def test_manifests_that_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(f"run --content c.png --style s.png {QUICK} --out r.png".split()) == 0
    good = json.loads(Path("r.json").read_text())
    places: dict[str, Any] = {
        "format": [[1]], "inputs": 3, "inputs/content": None, "inputs/content/path": "a\0b",
        "inputs/style/path": "/dev/zero", "inputs/content/sha256": [1], "config": [["a", "b"]],
        "config/image/size": 1e999, "config/preset": "x" * 5000, "encoder": None, "segmenter": [],
        "config/optimize": {"solves": [{"x": 1}]}, "inputs/evil": {"path": "c.png", "sha256": ""},
    }  # fmt: skip
    texts = [changed(good, place, value) for place, value in places.items()]
    texts += ["[" * DEEP, "[]", "3", "null", "", '{"format": 1, "format": 1}']
    capsys.readouterr()
    for text in texts:
        put("m.json", text)
        shutil.copy("r.grade.safetensors", "m.grade.safetensors")
        for command in ("replay", "render"):
            assert len(refused(capsys, f"{command} m.json --out again.png")) == 1, text
    for data in (b"\xef\xbb\xbf" + json.dumps(good).encode(), json.dumps(good).encode("utf-16")):
        put("m.json", data)
        assert main(["render", "m.json", "--out", "again.png"]) == 0


def coco(segmentation: Any) -> str:
    return json.dumps({
        "images": [{"id": 1, "file_name": "c.png", "width": 72, "height": 60}],
        "categories": [{"id": 1, "name": "sky"}],
        "annotations": [{"image_id": 1, "category_id": 1, "segmentation": segmentation}],
    })  # fmt: skip


def test_polygons_that_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [
        "[" * DEEP, "[]", '{"annotations": 3}', '{"annotations": [], "annotations": []}',
        coco([[0, 0, 9, 0, float("nan"), 9]]), coco([[0, 0, 9, 0, 10**400, 9]]),
        coco([[0, 0, 9, 0, float("inf"), 9]]), coco(["abc"]), coco([[0, 0, 1]]),
    ]  # fmt: skip
    for text in texts:
        put("m.json", text)
        assert len(refused(capsys, "segment c.png --content-mask m.json --out regions")) == 1, text
    put("m.json", b"\xef\xbb\xbf" + coco([[0, 0, 72, 0, 72, 30, 0, 30]]).encode())
    assert main(["segment", "c.png", "--content-mask", "m.json", "--out", "regions"]) == 0


@pytest.mark.parametrize(
    "text",
    ["[" * DEEP, "groups = 3", "[groups]\nsky = 3", f"[groups]\nsky = {DIGITS}", "near = 3"],
)
def test_groups_that_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    put("groups.toml", text)
    words = "segment c.png --segmenter semantic --segmenter-groups groups.toml --out regions"
    (line,) = refused(capsys, words)
    assert "--segmenter-groups groups.toml: " in line


@pytest.mark.parametrize(
    "text",
    ["[" * DEEP, "[]", '{"title": 1, "axes": 2, "columns": "x", "jobs": [{}]}',
     '{"title": "", "axes": [], "columns": 0, "jobs": [{"key": 1, "name": 2, "labels": 3, '
     '"files": 4}]}'],
)  # fmt: skip
def test_plans_that_are_none(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    put("plan.json", text)
    assert "holds no jobs" in refused(capsys, "report .")[0]


FORMULAS = {
    "=1+1": "'=1+1", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "-x": "'-x",
    "@sum(1)": "'@sum(1)",
    " =1": "' =1", "\t=1": "'\t=1", "＝1": "'＝1", "-1.5": "-1.5", "+3e4": "+3e4", "a=b": "a=b",
    "": "",
}  # fmt: skip


def test_no_cell_is_a_formula() -> None:
    rows = list(csv.reader(csv_text([list(FORMULAS), [-1.5, 3]]).splitlines()))
    assert rows == [list(FORMULAS.values()), ["-1.5", "3"]]


def test_names_of_jobs_are_no_formulas(folder: Path) -> None:
    head = "name,content,style,strength"
    put("jobs.csv", f"{head}\n=1+1,c.png,s.png,1\n@x,c.png,s.png,0.5\n-1.5,c.png,s.png,0.5\n")
    assert main(f"batch jobs.csv {QUICK} --out out".split()) == 0
    with open("out/scores.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["'=1+1", "'@x", "-1.5"]
    assert [row["job"] for row in rows] == ["'=1+1", "'@x", "-1.5"]
    assert rows[0]["picture"] == "'=1+1.png"
    listed = json.loads(Path("out/scores.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in listed] == ["=1+1", "@x", "-1.5"]


def test_json_keeps_bytes_that_are_no_text() -> None:
    names = ["a\udce9", "\ud800", "é", 'q"\\']
    text = json_text(names)
    assert "é" in text
    assert parse_json(text.encode()) == names
