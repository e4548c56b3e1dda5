"""A photograph, a look that bends it smoothly and readers of tables that are not ours."""

from pathlib import Path

import av
import numpy as np
import PyOpenColorIO as ocio
import torch
from av.filter import Graph
from PIL import Image

CITY = Path(__file__).parents[2] / "examples" / "city.jpg"


def photograph() -> torch.Tensor:
    """3×H×W in [0, 1]: the example's city with black, white and the pure colours in a corner."""
    with Image.open(CITY) as picture:
        pixels = np.array(picture.resize((160, 120)), np.float32) / 255
    pixels[:2, :8] = np.indices((2, 2, 2), np.float32).reshape(3, -1).T
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def evening(rgb: torch.Tensor) -> torch.Tensor:
    """An S of contrast, warm lights, cold shadows, turned colours."""
    r, g, b = rgb
    bright = 0.3 * r + 0.6 * g + 0.1 * b
    curve = bright * bright * (3 - 2 * bright)
    warm = 0.1 * torch.sin(3 * bright - 1.5)
    red = 0.1 + 0.6 * r + 0.2 * curve + warm
    green = 0.02 + 0.55 * g + 0.25 * curve + 0.12 * r * b
    blue = 0.1 + 0.7 * b + 0.05 * r * g - 0.9 * warm
    return torch.stack([red, green, blue])


def by_ffmpeg(
    rgb: torch.Tensor, name: str, arguments: str, plate: Path | None = None
) -> np.ndarray:
    """3×H×W through a filter of libavfilter at 16 bits, as float64 in [0, 1]."""
    frames = [frame_of(rgb.numpy())]
    if plate is not None:
        frames += av.open(str(plate)).decode(video=0)
    graph = Graph()
    node = graph.add(name, arguments)
    sources = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format,
                                time_base="1/25") for frame in frames]  # fmt: skip
    for index, source in enumerate(sources):
        source.link_to(node, 0, index)
    form, sink = graph.add("format", "rgb48le"), graph.add("buffersink")
    node.link_to(form)
    form.link_to(sink)
    graph.configure()
    for source, frame in zip(sources, frames, strict=True):
        frame.pts = 0
        source.push(frame)
        source.push(None)
    return graph.pull().to_ndarray().transpose(2, 0, 1) / 65535


def frame_of(rgb: np.ndarray) -> av.VideoFrame:
    levels = np.rint(rgb.transpose(1, 2, 0) * 65535).astype(np.uint16)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(levels), format="rgb48le")


def by_ocio(values: torch.Tensor, path: Path, best: bool = False) -> np.ndarray:
    """3×… through OpenColorIO, trilinearly or tetrahedrally (`best`)."""
    ocio.ClearAllCaches()
    how = ocio.INTERP_TETRAHEDRAL if best else ocio.INTERP_LINEAR
    steps = ocio.Config.CreateRaw().getProcessor(ocio.FileTransform(str(path), interpolation=how))
    pixels = np.ascontiguousarray(values.reshape(3, -1).numpy().T, np.float32)
    steps.getDefaultCPUProcessor().applyRGB(pixels)
    return pixels.T.reshape(values.shape).astype(np.float64)
