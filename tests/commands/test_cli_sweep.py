"""`sweep`, `batch`, `post`, `report` and `compare` as the command line offers them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from photostyle.cli import main
from photostyle.images.picture import load_image
from photostyle.images.saving import save_image
from photostyle.jobs.jobs import Folder

FAST = ["--preset", "photoreal-fast", "--size", "64", "--iterations", "2", "--device", "cpu"]
PAIR = ["--content", "content.png", "--style", "style.png"]
GRID = ["--grid", "swd_weight=1,100", "--grid", "drift_weight=0.1,1,10"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    generator = torch.Generator().manual_seed(3)
    for name in ("content", "style"):
        save_image(tmp_path / f"{name}.png", torch.rand(1, 3, 60, 64, generator=generator))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_sweep_resume_and_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sweep", *PAIR, *GRID, *FAST, "--out", "out"]
    assert main([*command, "--plan"]) == 0
    assert "6 jobs, 0 of them done, 6 to do" in capsys.readouterr().out
    assert not (folder / "out").exists()
    assert main(command) == 0
    shown = capsys.readouterr()
    assert "6 jobs: 6 done now, 0 done before, 0 failed" in shown.out
    assert "[6/6] swd_weight=100,drift_weight=10: " in shown.err
    assert "left" in shown.err
    before = files(folder)
    assert main(command) == 0
    assert "6 jobs: 0 done now, 6 done before" in capsys.readouterr().out
    assert files(folder) == before
    assert main([*command, "--plan"]) == 0
    assert "6 of them done, 0 to do" in capsys.readouterr().out
    (folder / "out" / "sheet.png").unlink()
    (folder / "out" / "swd_weight=1,drift_weight=1.png").unlink()
    assert main(["report", "out"]) == 0
    assert (folder / "out" / "sheet.png").exists()
    assert main(command) == 0
    assert "6 jobs: 1 done now, 5 done before" in capsys.readouterr().out
    same = {p: d for p, d in files(folder).items() if p.suffix in (".png", ".csv")}
    changed = {p.name for p, d in same.items() if before[p] != d}
    # Its manifest, inside the picture, tells the seconds that this run took.
    assert changed <= {"swd_weight=1,drift_weight=1.png", "scores.csv"}


def test_a_failed_cell_gives_exit_code_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sweep", *PAIR, *FAST, "--grid", "strength=1,sky=0.5", "--out", "out"]
    assert main(command) == 1
    shown = capsys.readouterr()
    assert "2 jobs: 1 done now, 0 done before, 1 failed" in shown.out
    assert "there is no region 'sky'" in shown.err.splitlines()[-1]
    assert "failed" in (folder / "out" / "scores.csv").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("sweep --content content.png --style style.png --out out", "--grid is missing"),
        ("sweep --content no.png --style style.png --grid seed=1,2 --out out", "no.png"),
        ("sweep --style style.png --grid seed=1,2 --out out", "--content is missing"),
        (f"sweep {' '.join(PAIR)} --grid seed=1,2 --out style.png", "style.png"),
        (f"sweep {' '.join(PAIR)} --grid seed=1,-2 --out out", "--seed"),
        (f"sweep {' '.join(PAIR)} --grid preset=color,disco --out out", "disco"),
        (f"sweep {' '.join(PAIR)} --grid seed=1,2 --jobs 0 --out out", "--jobs 0"),
        (f"sweep {' '.join(PAIR)} --grid seed=1,2 --address x --out out", "--executor ray"),
        (f"sweep {' '.join(PAIR)} --grid seed=1,2 --gpus 1 --out out", "--executor ray"),
        (f"sweep {' '.join(PAIR)} --grid seed=1,2 --gpus -1 --out out", "0 or more"),
        (f"sweep {' '.join(PAIR)} --grid seed=1,2 --jobs 2 --executor ray --out out", "--jobs"),
        (f"sweep {' '.join(PAIR)} --grid strength=0,2 --out out", "no number from 0 to 1"),
        (f"sweep {' '.join(PAIR)} --grid content_mask=a.png,b.png --out out", "--style-mask is"),
        ("batch content.png --out out", "ends in .yaml or .csv"),
        ("post guided no.png --out out", "no.png does not exist"),
        ("post guided content.png --content no --out out", "--content no does not exist"),
        ("batch --out out", "a jobs file, or --pairs"),
        ("batch no.yaml --out out", "no.yaml cannot be read"),
        ("batch --pairs . --out out", "no pictures in content/"),
        ("post blur content.png --out out", "no operation 'blur'"),
        ("post guided content.png --out out", "give it with --content"),
        ("post median content.png --then medain --out out", "did you mean median"),
        ("post median content.png --out .", "is one of the inputs"),
        ("report .", "holds no jobs"),
        ("compare content.png --content content.png --style no.png", "no.png"),
    ],
)
def test_refusals(folder: Path, capsys: pytest.CaptureFixture[str], words: str, says: str) -> None:
    before = files(folder)
    assert main(words.split()) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert says in lines[0]
    assert files(folder) == before


def test_a_malformed_jobs_file_runs_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "jobs.yaml").write_text("- {content: content.png, style: style.png}\n- {x: 3}\n")
    assert main(["batch", "jobs.yaml", "--out", "out"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("photostyle: jobs.yaml:2: ")
    assert lines[-1] == "Nothing was run."
    assert not (folder / "out").exists()


def test_ray_that_is_not_installed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["sweep", *PAIR, *FAST, *GRID, "--executor", "ray", "--out", "out"]) == 2
    assert "pip install 'photostyle[cluster]'" in capsys.readouterr().err


def test_batch_post_and_compare(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ("name,content,style,swd_weight", "ä b,content.png,style.png,1",
            "sub/c,content.png,style.png,9")  # fmt: skip
    (folder / "jobs.csv").write_text("\n".join(rows))
    assert main(["batch", "jobs.csv", *FAST, "--format", "tif", "--out", "out"]) == 0
    assert (folder / "out" / "sub" / "c.tif").exists()
    post = ["post", "guided:radius=8", "out", "--then", "bilateral:d=9,sigma_color=0.1"]
    assert main([*post, "--out", "soft"]) == 0  # the content is known from the manifest
    assert "2 jobs: 2 done now" in capsys.readouterr().out
    result, soft = (load_image(folder / d / "ä b.tif").image for d in ("out", "soft"))
    assert not torch.equal(result, soft)
    assert main([*post, "--out", "soft"]) == 0
    assert "0 done now, 2 done before" in capsys.readouterr().out
    assert main(["compare", "out/ä b.tif", "soft/ä b.tif", *PAIR, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    home = Folder(folder / "out")
    records = [home.record(path.stem) for path in (home.path / "jobs").glob("*.json")]
    record = next(r for r in records if r and r["name"] == "ä b")
    for name, value in record["scores"].items():
        assert scores["out/ä b.tif"][name] == pytest.approx(value, abs=0.02)
    assert scores["(content)"]["structure"] > 0.99
    assert main(["compare", "out/ä b.tif", *PAIR]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["structure", "edges", "ΔE", "style", "gain", "stain"]
    assert len(lines) == 3


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from photostyle.cli import main\n"
        "try: main(['sweep', '--help'])\n"
        "except SystemExit: sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
