"""`photostyle export`: a trained style for other programs."""

import argparse
from typing import Any

from photostyle.commands.arguments import FAILED, add_command
from photostyle.errors import OutputError
from photostyle.places import check_not_foreign, check_place, expanded

FORMATS = {"onnx": ".onnx", "torchscript": ".pt"}
#: Largest difference from the original that passes, in units of the [0, 1] image.
TOLERANCE = 1 / 255


def register(commands: Any) -> None:
    parser = add_command(
        commands, "export", "write a trained style as ONNX or TorchScript", _export
    )
    parser.add_argument(
        "--model", required=True, type=expanded, help="network, from photostyle train"
    )
    parser.add_argument("--format", required=True, choices=tuple(FORMATS))
    parser.add_argument("--out", type=expanded, help="file to write (default: beside the network)")


def _export(arguments: argparse.Namespace) -> int:
    from photostyle.feedforward.export import difference, export, is_export, opened
    from photostyle.feedforward.style_model import load_model

    suffix = FORMATS[arguments.format]
    out = arguments.out or arguments.model.with_suffix(suffix)
    if out.suffix.lower() != suffix:
        raise OutputError(f"--out {out} should end in {suffix}.")
    check_place(out, [arguments.model])
    if arguments.out is None:
        check_not_foreign(out, is_export)
    model = load_model(arguments.model)
    export(model, out, arguments.format)
    run = opened(out, arguments.format)
    if run is None:
        print(f"{out} (not checked, as onnxruntime is not installed)")
        return 0
    found = difference(model, run)
    print(f"{out} (differs by at most {found:.1e} from the network, at any size)")
    return 0 if found <= TOLERANCE else FAILED
