"""Paired region masks: their contract, their resampling, and the pairing of two label maps.

A label map says which named region each pixel belongs to. `pair` matches the regions of a content
and a style map by name and yields `Masks`, the form that every later stage reads; a picture
without masks is one region that covers everything, so no later stage asks whether there are any.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.errors import MaskError

SUM_TOLERANCE = 1e-4
"""How far from 1 the regions of a pixel may sum before `Masks` refuses them."""

LEAST_STYLE_SHARE = 0.002
"""Share of the style below which a label has too few pixels for statistics and counts as absent."""

PROPORTION_TOLERANCE = 0.02
"""Relative difference of width : height that a label map may have to its picture."""

POSITION_WEIGHT = 50.0
"""What the whole height of the picture counts for in `_similar`, in CIELAB units: as much as the
step from mid-grey to white."""


@dataclass(frozen=True)
class Region:
    """One paired region.

    `content_share` and `style_share` are its shares of the two pictures' areas, in [0, 1].
    `merged` names the content labels that were folded in because the style lacked them.
    """

    name: str
    content_share: float
    style_share: float
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Masks:
    """Soft masks of the paired regions, in the order of `regions`.

    `content` is K×H×W and `style` K×h×w, float32 in [0, 1], on any device. Over K the content
    sums to 1 at every pixel. The style sums to 1 or less: a style label that the content lacks
    belongs to no region, because its pixels would falsify the statistics of any other.
    Raises MaskError where that does not hold.
    """

    content: Tensor
    style: Tensor
    regions: tuple[Region, ...]
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({region.name for region in self.regions}) != len(self.regions) or not self.regions:
            raise MaskError("masks need at least one region, and every region a name of its own.")
        _check_stack(self.content, len(self.regions), "content")
        _check_stack(self.style, len(self.regions), "style")
        content_sum, style_sum = self.content.sum(0), self.style.sum(0)
        if (content_sum - 1).abs().max() > SUM_TOLERANCE:
            raise MaskError("the content masks must sum to 1 at every pixel.")
        if style_sum.max() > 1 + SUM_TOLERANCE:
            raise MaskError("the style masks must sum to at most 1 at every pixel.")


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Which region each pixel belongs to: `names[ids[y, x]]`.

    `ids` is H×W int32 with values in 0 … len(names) - 1; not every name has to occur. `source`
    is what messages call the map, usually its file. Raises MaskError where that does not hold.
    """

    ids: NDArray[np.int32]
    names: tuple[str, ...]
    source: str = field(default="the label map")

    def __post_init__(self) -> None:
        if self.ids.ndim != 2 or self.ids.dtype != np.int32 or self.ids.size == 0:
            raise MaskError(f"{self.source} must be height×width int32 with at least one pixel.")
        if len(set(self.names)) != len(self.names):
            raise MaskError(f"{self.source} must give every label a name of its own.")
        if self.ids.min() < 0 or self.ids.max() >= len(self.names):
            raise MaskError(f"{self.source} must use ids from 0 to {len(self.names) - 1} only.")


def whole(content_hw: Sequence[int], style_hw: Sequence[int]) -> Masks:
    """The unmasked case: one region "all" over both pictures, given as (height, width)."""
    return _one_region(content_hw, style_hw, ())


def resize_masks(masks: Tensor, hw: Sequence[int]) -> Tensor:
    """Resample masks K×H×W to K×h×w by the exact area average, on the device they are on.

    Each output pixel is the mean of the input over its own footprint, fractions of pixels
    included, so what sums to 1 (or less) still does, at every ratio and in both directions, and
    no pixel loses its region. float32 in [0, 1].
    """
    if tuple(masks.shape[-2:]) == tuple(hw):
        return masks
    if min(hw) < 1:
        raise MaskError(f"masks cannot be resized to {hw[1]}×{hw[0]} pixels.")
    # Running sums need float64, which not every device has; region by region they stay small.
    planes = [_area_rows(_area_rows(m.detach().cpu(), hw[0]).T, hw[1]).T for m in masks]
    return torch.stack(planes).clamp(0, 1).to(masks.device, torch.float32)  # (K, h, w)


def pair(content_map: LabelMap, style_map: LabelMap, content: Tensor, style: Tensor) -> Masks:
    """Pair two label maps by name.

    `content` and `style` are the images 1×3×H×W, RGB in [0, 1]; each map is brought to its image's
    size by nearest neighbour, so the masks are hard. A content label that has less than
    `LEAST_STYLE_SHARE` of the style is merged into the paired label most like it in the content
    (see `_similar`), with a warning. A style label that the content lacks is in no region. If no
    label is in both, everything is one region "all", with a warning.

    Raises MaskError if a map's proportions differ from its image's by more than
    `PROPORTION_TOLERANCE`.
    """
    content_ids = _fit(content_map, content, "content")
    style_ids = _fit(style_map, style, "style")
    content_shares = _shares(content_ids, content_map.names)
    style_shares = _shares(style_ids, style_map.names)
    paired = [n for n in content_shares if style_shares.get(n, 0.0) >= LEAST_STYLE_SHARE]
    if not paired:
        warning = (
            f"The content ({_listed(content_shares)}) and the style ({_listed(style_shares)}) "
            "share no label, so both are used whole."
        )
        return _one_region(content.shape[-2:], style.shape[-2:], (warning,))

    hosts = _hosts(content, content_ids, content_map.names, content_shares, paired)
    content_index = {n: paired.index(hosts.get(n, n)) for n in content_shares}
    style_index = {n: i for i, n in enumerate(paired)}
    content_masks = _one_hot(content_ids, content_map.names, content_index, len(paired))
    style_masks = _one_hot(style_ids, style_map.names, style_index, len(paired))
    regions = tuple(
        Region(
            name,
            float(content_masks[i].mean(dtype=torch.float64)),
            float(style_masks[i].mean(dtype=torch.float64)),
            tuple(orphan for orphan, host in hosts.items() if host == name),
        )
        for i, name in enumerate(paired)
    )
    warnings = _warnings(hosts, content_shares, style_shares)
    return Masks(content_masks, style_masks, regions, warnings)


def describe(masks: Masks) -> list[str]:
    """The regions as lines of a table: name, share of content and style, labels merged into it.

    A last line tells how much of the style is in no region, if any is.
    """
    unused = 1.0 - sum(region.style_share for region in masks.regions)
    rows = [("region", "content", "style", "")]
    for region in masks.regions:
        merged = f"with {', '.join(region.merged)}" if region.merged else ""
        shares = (_percent(region.content_share), _percent(region.style_share))
        rows.append((region.name, *shares, merged))
    if unused > 0.5e-3:
        rows.append(("(unpaired)", "–", _percent(unused), ""))
    width = max(len(row[0]) for row in rows)
    return [f"{a:<{width}}  {b:>7}  {c:>6}  {d}".rstrip() for a, b, c, d in rows]


def _check_stack(masks: Tensor, count: int, role: str) -> None:
    if masks.dtype != torch.float32 or masks.ndim != 3 or masks.shape[0] != count:
        shape = "×".join(str(n) for n in masks.shape)
        raise MaskError(
            f"the {role} masks must be float32, {count}×height×width for {count} regions, "
            f"not {shape} {str(masks.dtype).removeprefix('torch.')}."
        )
    # Written so that NaN fails it too.
    if masks.numel() == 0 or not bool((masks >= 0).all() and (masks <= 1 + SUM_TOLERANCE).all()):
        raise MaskError(f"the {role} masks must have pixels, all with values from 0 to 1.")
    if float(masks.amax(dim=(1, 2)).min()) == 0:
        raise MaskError(f"every region must cover some of the {role}.")


def _one_region(
    content_hw: Sequence[int], style_hw: Sequence[int], warnings: tuple[str, ...]
) -> Masks:
    region = Region("all", 1.0, 1.0)
    return Masks(torch.ones(1, *content_hw), torch.ones(1, *style_hw), (region,), warnings)


def _area_rows(plane: Tensor, size: int) -> Tensor:
    """Area-average the first axis of n×m to size×m (float64): differences of the running sum."""
    plane = plane.to(torch.float64)
    n = plane.shape[0]
    edge = torch.arange(size + 1) * n
    row, rest = edge // size, (edge % size).to(torch.float64) / size
    running = torch.zeros(n + 1, plane.shape[1], dtype=torch.float64)
    torch.cumsum(plane, 0, out=running[1:])
    at_edge = running[row] + rest[:, None] * plane[row.clamp(max=n - 1)]
    return at_edge.diff(dim=0) * (size / n)


def _fit(labels: LabelMap, image: Tensor, role: str) -> NDArray[np.int32]:
    """The map's ids at its image's size, nearest neighbour (pixel centres on pixel centres)."""
    (h, w), (height, width) = labels.ids.shape, image.shape[-2:]
    if (h, w) == (height, width):
        return labels.ids
    if abs(w * height / (h * width) - 1) > PROPORTION_TOLERANCE:
        raise MaskError(
            f"{labels.source} is {w}×{h} pixels and the {role} {width}×{height}: "
            f"a mask must have its picture's proportions, within {PROPORTION_TOLERANCE:.0%}."
        )
    rows = (2 * np.arange(height) + 1) * h // (2 * height)
    columns = (2 * np.arange(width) + 1) * w // (2 * width)
    ids: NDArray[np.int32] = labels.ids[rows[:, None], columns]  # (height, width)
    return ids


def _shares(ids: NDArray[np.int32], names: tuple[str, ...]) -> dict[str, float]:
    """Share of the picture of each label that occurs, in the order of `names`."""
    counts = np.bincount(ids.ravel(), minlength=len(names))
    return {name: int(n) / ids.size for name, n in zip(names, counts, strict=True) if n}


def _hosts(
    content: Tensor,
    ids: NDArray[np.int32],
    names: tuple[str, ...],
    shares: dict[str, float],
    paired: list[str],
) -> dict[str, str]:
    """For each content label that is not paired, the paired label that it joins."""
    orphans = [name for name in shares if name not in paired]
    if not orphans:
        return {}
    looks = dict(zip(names, _looks(content, ids, len(names)), strict=True))
    return {orphan: _similar(orphan, paired, looks) for orphan in orphans}


def _looks(content: Tensor, ids: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Per label: mean L, a, b (CIELAB, L in [0, 100]) and mean row, × `POSITION_WEIGHT` / height.

    Shape count×4; a label without pixels has zeros.
    """
    height, width = ids.shape
    rgb = content.detach().cpu()[0].permute(1, 2, 0).contiguous().numpy()
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    row = np.repeat(np.arange(height) * (POSITION_WEIGHT / height), width)
    values = [*lab.reshape(-1, 3).T, row]  # four of (H*W,)
    flat = ids.ravel()
    sums = [np.bincount(flat, weights=v, minlength=count) for v in values]
    pixels = np.maximum(np.bincount(flat, minlength=count), 1)
    return np.stack(sums, axis=1) / pixels[:, None]


def _similar(orphan: str, paired: list[str], looks: dict[str, NDArray[np.float64]]) -> str:
    """The paired label nearest in mean colour and mean height in the content.

    Distance: √(ΔL² + Δa² + Δb² + (POSITION_WEIGHT · Δrow / height)²), the first of equals.
    """
    return min(paired, key=lambda name: float(np.linalg.norm(looks[name] - looks[orphan])))


def _one_hot(
    ids: NDArray[np.int32], names: tuple[str, ...], index: dict[str, int], count: int
) -> Tensor:
    """K×H×W float32 masks; a label that `index` lacks is in none."""
    region = np.array([index.get(name, -1) for name in names])[ids]  # (H, W)
    return torch.from_numpy(np.stack([region == k for k in range(count)]).astype(np.float32))


def _warnings(
    hosts: dict[str, str],
    content_shares: dict[str, float],
    style_shares: dict[str, float],
) -> tuple[str, ...]:
    merged = [
        f'The content\'s "{orphan}" ({_percent(content_shares[orphan])} of it) '
        f'{_lack(style_shares.get(orphan))} the style and joins "{host}", the region most like it.'
        for orphan, host in hosts.items()
    ]
    unused = [
        f'The style\'s "{name}" ({_percent(share)} of it) is not in the content and is not used.'
        for name, share in style_shares.items()
        if name not in content_shares and share >= LEAST_STYLE_SHARE
    ]
    return (*merged, *unused)


def _lack(share: float | None) -> str:
    return "is not in" if share is None else f"has only {_percent(share)} of"


def _listed(shares: dict[str, float]) -> str:
    return ", ".join(shares)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 1e-3 else f"{share:.2%}"
