"""The architecture, read from the imports: every file imports only from lines above its own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "photostyle"

# Top to bottom; modules on one line do not import each other.
LAYERS = """
errors
files
options
stages
config
presets trainconfig
configfile
device profiles memory
decoding
images
saving
matting
guided
segmentation.masks
segmentation.labels segmentation.polygons segmentation.superpixels segmentation.pairing
segmentation.formats segmentation.cluster segmentation.semantic
segmentation.segmenter segmentation.preview
encoders.base
encoders.registry encoders.vgg encoders.builtin
encoders.cache encoders.download encoders.normalize
encoders.weights
encoders.fetch
lab
lut
color
losses wasserstein drift
tiling patches
terms
feedforward.network feedforward.scenes feedforward.descent
feedforward.tiling
grid render
shadows rarity
canvas
objective
start
preserve styles
optimize
features
feedforward.batch
postprocess
finishing
metrics
delivery
sheets
feedforward.data feedforward.distributed feedforward.video feedforward.style_model
feedforward.training feedforward.applying feedforward.export feedforward.comparing
feedforward.checkpoint
feedforward.session
result
watching loading
solving
pipeline
progress
axes
jobs
jobsfile
stylejob
executors
campaign
sweep
chains
batch
cluster estimate
report
commands.arguments
commands.running
commands.run commands.render commands.config commands.weights commands.sweep commands.batch
commands.post commands.report commands.compare commands.segment
commands.train commands.apply commands.export commands.compare_fast
cli
__main__
""".splitlines()
RANK = {name: rank for rank, line in enumerate(LAYERS) for name in line.split()}
SETTINGS = ("stages", "config", "presets", "configfile", "trainconfig")
#: Everything above the objective takes plain arguments.
PLAIN = [name for name in RANK if RANK[name] < RANK["objective"] and name not in SETTINGS]


def modules() -> dict[str, Path]:
    files = (p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py")
    return {".".join(p.relative_to(PACKAGE).with_suffix("").parts): p for p in files}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    inside = {name.removeprefix("photostyle.") for name in found if name.startswith("photostyle.")}
    return inside & set(RANK)


def test_every_module_has_its_line() -> None:
    assert set(modules()) == set(RANK)


@pytest.mark.parametrize("name", sorted(RANK))
def test_imports_point_upwards(name: str) -> None:
    wrong = {other for other in imports(modules()[name]) if RANK[other] >= RANK[name]}
    assert not wrong


@pytest.mark.parametrize("name", PLAIN)
def test_no_config_above_the_objective(name: str) -> None:
    assert not imports(modules()[name]) & set(SETTINGS)


@pytest.mark.parametrize("statement", ["import photostyle", "import photostyle.cli"])
def test_import_loads_no_torch(statement: str) -> None:
    code = f"{statement}, sys; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
