"""`photostyle export`: a trained style for other programs."""

import argparse
from typing import Any

from photostyle.commands.arguments import FAILED, add_command
from photostyle.places import expanded

FORMATS = ("onnx", "torchscript")


def register(commands: Any) -> None:
    parser = add_command(
        commands, "export", "write a trained style as ONNX or TorchScript", _export
    )
    parser.add_argument(
        "--model", required=True, type=expanded, help="network, from photostyle train"
    )
    parser.add_argument("--format", required=True, choices=FORMATS)
    parser.add_argument("--out", type=expanded, help="file to write (default: beside the network)")


def _export(arguments: argparse.Namespace) -> int:
    from photostyle.api.exporting import export

    made = export(arguments.model, arguments.out, format=arguments.format)
    if made.difference is None:
        print(f"{made.path} (not checked, as onnxruntime is not installed)")
    else:
        print(f"{made.path} (differs by at most {made.difference:.1e} from the network, at any "
              "size)")  # fmt: skip
    return 0 if made.faithful else FAILED
