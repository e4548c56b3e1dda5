"""The reference is built, and a public name without docstring fails it."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import photostyle

ROOT = Path(__file__).resolve().parents[1]


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "docs/build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_has_a_docstring() -> None:
    assert not list(builder().undocumented(photostyle))


def test_missing_docstrings_are_found() -> None:
    module = ModuleType("made")
    source = '''
from dataclasses import dataclass
__all__ = ["told", "untold", "Told", "Untold", "CONSTANT"]
CONSTANT = 3
def told():
    """Told."""
def untold(): pass
@dataclass
class Untold:
    number: int
class Told:
    """Told."""
    def said(self):
        """Said."""
    def unsaid(self): pass
    def _private(self): pass
    @property
    def bare(self): return 1
'''
    exec(source, module.__dict__)
    assert list(builder().undocumented(module)) == ["untold", "Told.unsaid", "Told.bare", "Untold"]


def test_pages_name_functions_and_options(tmp_path: Path) -> None:
    script = [sys.executable, "-W", "error::UserWarning", ROOT / "docs/build.py"]
    done = subprocess.run([*script, "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "photostyle.html").read_text(encoding="utf-8")
    for name in photostyle.__all__:
        assert f'id="{name}"' in page, name
    assert "Weight of the photorealism term (Matting Laplacian)" in page
