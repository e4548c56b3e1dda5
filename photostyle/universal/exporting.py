"""A network for any style for other programs: content and style in, picture out, as ONNX."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from photostyle.errors import OptionError
from photostyle.feedforward.export import OPSET, facts, needs, opened_onnx
from photostyle.images.saving import atomic_path
from photostyle.universal.files import UniversalModel
from photostyle.universal.flow import Fixed, FlowNetwork
from photostyle.universal.latents import Transform
from photostyle.universal.transfers import adain

#: Sizes (height, width) of content and style at which an export is compared with its original.
CHECKS = (((64, 48), (32, 80)), ((33, 50), (64, 64)), ((80, 81), (47, 35)))


class OnePass(nn.Module):
    """What is exported: N×3×H×W contents and N×3×h×w styles, in [0, 1], to N×3×H×W pictures.

    The transfer is AdaIN, as ONNX has no eigenvectors; inverses are computed beforehand.
    """

    def __init__(self, model: UniversalModel) -> None:
        super().__init__()
        network = model.network
        self.parts: nn.Module = network
        self.transforms: list[Transform] = []
        if isinstance(network, FlowNetwork):
            fixed = Fixed(network)
            self.parts, self.transforms = fixed, [fixed]
        else:
            # In an attribute of its own, so that the encoder's weights are exported too.
            self.encoder = network.encoder
            self.transforms = [*network.transforms()]

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """See the class."""
        for transform in self.transforms:
            own, its = transform.encode(content), transform.encode(style)
            content = transform.decode(own.moved(adain(own.maps, its.maps))).clamp(0.0, 1.0)
        return content


def export_universal(model: UniversalModel, path: Path, form: str) -> None:
    """Writes the network: inputs "content" and "style", output "result", any sizes.

    Raises:
        OptionError: a format other than ONNX, or a package that it needs is not installed.
        OutputError: the place cannot be written.
    """
    if form != "onnx":
        raise OptionError(f"--format {form}: a network for any style is exported as onnx alone.")
    needs(form)
    import onnx  # an extra

    generator = torch.Generator().manual_seed(0)
    example = tuple(torch.rand(1, 3, *size, generator=generator) for size in ((48, 64), (80, 56)))
    sizes = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings(action="ignore"), torch.no_grad():
        program = torch.onnx.export(
            OnePass(model).eval(), example, input_names=["content", "style"],
            output_names=["result"], opset_version=OPSET, dynamo=True,
            dynamic_shapes=({2: sizes, 3: sizes}, {2: sizes, 3: sizes}),
            external_data=False, verbose=False,
        )  # fmt: skip
    assert program is not None
    proto = program.model_proto
    for key, value in facts(model.info).items():
        proto.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(proto)
    with atomic_path(path) as temporary:
        temporary.write_bytes(bytes(proto.SerializeToString()))


@torch.inference_mode()
def difference_universal(model: UniversalModel, path: Path) -> float | None:
    """The largest difference between an export and its original, in units of the [0, 1] image;
    None where no runtime is installed to tell."""
    run = opened_onnx(path)
    if run is None:
        return None
    generator, plain, found = torch.Generator().manual_seed(1), OnePass(model).eval(), 0.0
    for sizes in CHECKS:
        content, style = (torch.rand(1, 3, *size, generator=generator) for size in sizes)
        made = run({"content": content, "style": style})
        found = max(found, (made - plain(content, style)).abs().max().item())
    return found
