"""The network for other programs: ONNX and TorchScript, with any height and width."""

import io
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from photostyle.errors import OptionError
from photostyle.feedforward.network import LEAST_SIDE
from photostyle.feedforward.style_model import StyleInfo, StyleModel
from photostyle.images.saving import atomic_path

#: By format: suffix, and the packages that it needs.
EXPORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "onnx": (".onnx", ("onnx", "onnxscript")),
    "torchscript": (".pt", ()),
}
#: The lowest set of ONNX operators that the exporter writes.
OPSET = 18
#: Sizes (height, width) at which an exported network is compared with its original.
CHECK_SIZES = ((64, 48), (17, 31), (83, 50))

Run = Callable[[Tensor], Tensor]


def export(model: StyleModel, path: Path, form: str) -> None:
    """Writes the network: input "image", output "result", both N×3×H×W in [0, 1], from
    `LEAST_SIDE` pixels a side, any N.

    Args:
        form: one of `EXPORTS`.

    Raises:
        OptionError: a package that the format needs is not installed.
        OutputError: the place cannot be written.
    """
    needs(form)
    example = torch.rand(2, 3, 40, 52, generator=torch.Generator().manual_seed(0))
    data = {"onnx": _onnx, "torchscript": _torchscript}[form](model, example)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def needs(form: str) -> None:
    """Raises OptionError where a package that the format needs is not installed."""
    _, needed = EXPORTS[form]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise OptionError(
            f"--format {form} needs the package{'s' * (len(missing) > 1)} {' and '.join(missing)}; "
            "install photostyle with its extra: pip install 'photostyle[export]'."
        )


def is_export(path: Path) -> bool:
    """Whether a file is a network that `export` wrote: our facts lie uncompressed in it."""
    try:
        return b"style_sha256" in path.read_bytes()
    except OSError:
        return False


def _onnx(model: StyleModel, example: Tensor) -> bytes:
    import onnx  # an extra

    any_size = torch.export.Dim.DYNAMIC
    with _quiet():
        program = torch.onnx.export(
            model.network,
            (example,),
            input_names=["image"],
            output_names=["result"],
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=({0: any_size, 2: any_size, 3: any_size},),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    for key, value in facts(model.info).items():
        proto.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString())


def _torchscript(model: StyleModel, example: Tensor) -> bytes:
    file = io.BytesIO()
    with _quiet():
        traced = torch.jit.trace(model.network, example, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, file, _extra_files=facts(model.info))
    return file.getvalue()


def facts(info: StyleInfo) -> dict[str, str]:
    """What an export says of where it came from."""
    return {
        "style": info.style,
        "style_sha256": info.style_sha256,
        "training": json.dumps(info.config.to_dict()),
        "least_side": str(LEAST_SIDE),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters talk about themselves."""
    with warnings.catch_warnings(action="ignore"):
        yield


def opened(path: Path, form: str) -> Run | None:
    """The exported network as a function of N×3×H×W images; None where its runtime is missing."""
    if form == "torchscript":
        with _quiet():
            module: Run = torch.jit.load(path)  # type: ignore[no-untyped-call]
        return module
    run = opened_onnx(path)
    return None if run is None else lambda images: run({"image": images})


def opened_onnx(path: Path) -> Callable[[Mapping[str, Tensor]], Tensor] | None:
    """The same for inputs by their names."""
    if find_spec("onnxruntime") is None:
        return None
    import onnxruntime  # an extra

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(inputs: Mapping[str, Tensor]) -> Tensor:
        return torch.from_numpy(session.run(None, {n: x.numpy() for n, x in inputs.items()})[0])

    return run


@torch.inference_mode()
def difference(
    model: StyleModel, run: Run, sizes: Sequence[tuple[int, int]] = CHECK_SIZES
) -> float:
    """The largest difference between an exported network and the original on random pictures of
    these sizes, in units of the [0, 1] image."""
    generator = torch.Generator().manual_seed(1)
    found = 0.0
    for height, width in sizes:
        images = torch.rand(1, 3, height, width, generator=generator)
        found = max(found, (run(images) - model.network(images)).abs().max().item())
    return found
