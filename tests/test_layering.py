"""The architecture, read from the imports: a package imports only from packages on lines above its
own, and within a package a file only from files on lines above its own."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "photostyle"

#: Top to bottom; rooms on one line do not import each other.
ROOMS = """
errors brief
places
documents kinds
config images
beside
runtime
matting
films
segmentation encoders
color
objective smoothness
feedforward metrics faults
universal
optimize
finish inputs
views
result
loading
pipeline
looks
jobs
api
web
commands
cli
__main__
""".splitlines()

#: The files of each package; slashes part the lines.
FILES = {
    "config": "options / rendering solves universal / stages / config / presets training / files"
    " / keywords",
    "images": "exif formats.avifboxes formats.jxlheader formats.table frames icc photoshop"
    " refusals xmp / formats.oiio spaces"
    " / colorimetry ocio / scene"
    " / containers listing profiles / formats.attributes formats.stored hashing"
    " / formats.pillow"
    " / formats.gainmap / formats.avif formats.heif formats.jpeg formats.jxl formats.netpbm"
    " formats.png formats.raw formats.tiff formats.vfx formats.webp"
    " / decoding"
    " / picture / encoding given heat photograph / saving / curves facts sheets shown",
    "runtime": "device memory pages peaks steps stopping streams / progress watching / updates",
    "films": "containers colours working / shots tensors turning / reading / encoding glancing"
    " / writing / restyling",
    "matting": "fused grid guided laplacian / maps product",
    "segmentation": "masks shapes speckle"
    " / fitting labels polygons renders scene semantic superpixels"
    " / arrays cluster mattes pairing palettes / ids / formats preview / segmenter",
    "encoders": "base download registry / builtin cache vgg / normalize untrained weights / fetch",
    "color": "beyond grain lab likes lut spills terms / prior tabled silhouettes"
    " / regional transfer / fitting preserve / matching",
    "objective": "drift losses patches styles tiling wasserstein"
    " / terms / content_term patch_term style_term / objective / features",
    "feedforward": "batch descent network scenes / data distributed marks style_model tiling"
    " / applying export training / checkpoint working / session",
    "universal": "latents reversible transfers / decoders wavelets / flow / files objectives"
    " photoreal styling / exporting session starting",
    "optimize": "canvas lbfgs start / loop tiles / solving",
    "finish": "backdrop keeping lights postprocess rarity shadows / distil / delivery finishing",
    "looks": "drawn encodings lattice mosaic provenance / lut / formats.reading"
    " / formats.cube formats.hald formats.ocio formats.xmp / formats.registry tables / look"
    " / following keyed pairs passages regions shown / exporting film fitting",
    "jobs": "axes comparing jobs jobsfile leaking methods verdicts / executors report stylejob"
    " / campaign cluster / estimate outputs sweep / batch chains looking photographs renders",
    "api": "anystyle files regions running"
    " / batches exporting filming judging looking many methods networks rivals styling"
    " telling",
    "web": "limits refusing / folder guard store turning workshop / pictures state"
    " / delivering session solving / asking exporting looking many regions sweeping"
    " / routes tasks / results / server",
    "commands": "helping / arguments / compare_fast compare_leak compare_methods config export"
    " info report running segment serve train weights"
    " / apply batch compare look_tables post render run sweep / look",
}


#: All rooms from top to bottom.
IN_ORDER = " ".join(ROOMS).split()


def ranks() -> dict[str, tuple[int, int]]:
    """(line of the package, line within it) of every module."""
    found = {}
    for line, rooms in enumerate(ROOMS):
        for room in rooms.split():
            if room not in FILES:
                found[room] = line, 0
                continue
            for row, files in enumerate(FILES[room].split("/")):
                found |= {f"{room}.{name}": (line, row) for name in files.split()}
    return found


RANK = ranks()
SETTINGS = {f"config.{name}" for name in FILES["config"].split() if name not in ("/", "options")}
#: Everything above the objective takes plain arguments.
PLAIN = [n for n in RANK if RANK[n] < RANK["objective.objective"] and n not in SETTINGS] + [
    "feedforward.network", "feedforward.scenes", "feedforward.descent", "feedforward.tiling",
    "optimize.canvas", "finish.shadows", "finish.rarity",
]  # fmt: skip
#: What reads settings in a package above the objective's, as it is their use of a stage.
READS = {"objective.styles", "runtime.progress", "finish.delivery"}


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


def above(name: str, other: str) -> bool:
    """Whether `name` may import `other`: in one package by its files, else by the packages."""
    (line, row), (its_line, its_row) = RANK[name], RANK[other]
    if name.split(".")[0] == other.split(".")[0]:
        return its_row < row
    return its_line < line


def test_every_module_has_its_line() -> None:
    assert set(modules()) == set(RANK)


@pytest.mark.parametrize("name", sorted(RANK))
def test_imports_point_upwards(name: str) -> None:
    assert not {other for other in imports(modules()[name]) if not above(name, other)}


@pytest.mark.parametrize("name", [name for name in PLAIN if name not in READS])
def test_no_config_above_the_objective(name: str) -> None:
    assert not imports(modules()[name]) & SETTINGS


@pytest.mark.parametrize("package", sorted(FILES))
def test_a_package_says_what_its_stage_takes_and_gives(package: str) -> None:
    tree = ast.parse((PACKAGE / package / "__init__.py").read_text(encoding="utf-8"))
    assert len(ast.get_docstring(tree) or "") > 60


def test_the_readme_lists_the_folders_in_their_order() -> None:
    text = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)
    assert listed == [room for room in IN_ORDER if room in FILES]
    assert set(listed) == {p.parent.name for p in PACKAGE.glob("*/__init__.py")}


@pytest.mark.parametrize("statement", ["import photostyle", "import photostyle.cli"])
def test_import_loads_no_torch(statement: str) -> None:
    code = f"{statement}, sys; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
