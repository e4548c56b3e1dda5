"""What commands import, in a new process: no more than they need."""

import subprocess
import sys

import pytest

#: Loaded by what uses them and by nothing else; the first takes seconds.
HEAVY = (
    "segmentation_models_pytorch", "huggingface_hub", "torchvision", "onnx", "ray", "av",
    "scipy.cluster", "scipy.linalg", "scipy.ndimage", "scipy.sparse", "scipy.spatial",
)  # fmt: skip
CHECK = """
import sys
for name in sys.argv[1].split(","):
    __import__(name)
print(*(name for name in sys.argv[2].split(",") if name in sys.modules))
"""


def loaded(modules: str, among: tuple[str, ...]) -> set[str]:
    words = [sys.executable, "-c", CHECK, modules, ",".join(among)]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("commands", "needed"),
    [(("run", "batch", "sweep", "render"), set()), (("look", "train", "apply"), {"av"})],
    ids=["photographs", "films"],
)
def test_commands_import_what_they_need(commands: tuple[str, ...], needed: set[str]) -> None:
    """Both lists, of the command line's modules and of those behind them."""
    behind = {"run": "styling", "look": "looking", "batch": "many", "train": "networks"}
    modules = [f"photostyle.commands.{name}" for name in commands]
    modules += [f"photostyle.api.{behind[name]}" for name in commands if name in behind]
    assert loaded(",".join(modules), HEAVY) <= needed


def test_a_run_with_masks_loads_no_clustering() -> None:
    """Nor the network's library or the hub's client, with no network on this machine."""
    code = """
import sys, numpy as np
from photostyle import stylize
made = np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)
halves = np.repeat([0, 1], 30)[:, None].repeat(60, 1).astype(np.uint8)
stylize(made, made[::-1], sys.argv[1], size=48, iterations=1, device="cpu",
        content_mask=halves, style_mask=halves)
print(*(name for name in sys.argv[2].split(",") if name in sys.modules))
"""
    unused = (
        "segmentation_models_pytorch",
        "huggingface_hub",
        "torchvision",
        "scipy.cluster",
        "av",
    )
    words = [sys.executable, "-c", code, "photoreal-fast", ",".join(unused)]
    made = subprocess.run(words, capture_output=True, text=True, check=True)
    assert made.stdout.split() == []
