"""Pairing two label maps: which region of the style each region of the content takes after.

Regions pair by name, or as `--correspond` says. What has no partner joins the region nearest in
meaning, where the names have one, else in colour and height; what is too small for statistics
counts as absent. Every such decision is kept with its reason: `describe` is the mask doctor's
table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.config.options import parts_of, plain, quoted
from photostyle.errors import MaskError, OptionError
from photostyle.images.picture import PROPORTION_TOLERANCE, same_proportions, to_array
from photostyle.matting.guided import GuidedFilter
from photostyle.segmentation.masks import LabelMap, Masks, Region, whole

Array = NDArray[Any]

LEAST_STYLE_SHARE = 0.002
"""Share of the style below which a label has too few pixels for statistics and counts as absent."""

LEAST_CONTENT_SHARE = 1e-4
"""Share of the content below which a label is absorbed by the region most like it."""

POSITION_WEIGHT = 50.0
"""What the whole height of the picture counts for in `_similar`, in CIELAB units: as much as the
step from mid-grey to white."""

EDGE_EPSILON, EDGE_CUT = 1e-3, 0.03
"""Regularisation of the filter that softens edges, and the value below which a mask is zero."""


@dataclass(frozen=True)
class Rules:
    """How labels find their partners.

    Attributes:
        correspond: content label → style label, in place of the equal name.
        near: label → labels that mean nearly the same, nearest first.
        softness: pixels, at a long side of 512, over which edges are softened along the image.
    """

    correspond: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, Sequence[str]] = field(default_factory=dict)
    softness: float = 0.0


@dataclass(frozen=True)
class _Host:
    """Where a label without a partner goes, and why."""

    name: str
    why: str
    warning: str


def parse_correspond(text: str) -> dict[str, str]:
    """{content label: style label} of words such as "tower=building,lake=water".

    Raises:
        OptionError: a part that is no such pair, or a content label that is named twice.
    """
    pairs: dict[str, str] = {}
    for word in parts_of(text):
        mine, *rest = map(plain, parts_of(word, "="))
        theirs = "=".join(rest)
        if not (mine and theirs):
            raise OptionError(
                f'--correspond {text}: {word!r} is no pair; write "tower=building", with '
                "the content's region first."
            )
        if mine in pairs:
            raise OptionError(f"--correspond {text}: {mine!r} is there twice.")
        pairs[mine] = theirs
    return pairs


def pair(
    content_map: LabelMap,
    style_map: LabelMap,
    content: Tensor,
    style: Tensor,
    rules: Rules | None = None,
) -> Masks:
    """Pair two label maps.

    Args:
        content_map, style_map: labels, brought to the images' sizes by nearest neighbour.
        content, style: the images 1×3×H×W, RGB in [0, 1].
        rules: see `Rules`.

    Returns:
        The masks. A content label that has less than `LEAST_STYLE_SHARE` of the style, or of the
        content less than `LEAST_CONTENT_SHARE`, is merged into a paired one. A style label that
        the content lacks joins one that means nearly the same; where there is none it is in no
        region, as its pixels would falsify any other's statistics. If no label has a partner,
        everything is one region "all".

    Raises:
        MaskError: a map's proportions are not its image's, within `PROPORTION_TOLERANCE`.
        OptionError: `correspond` names a label that is not there.
    """
    rules = rules or Rules()
    notes = (*content_map.notes, *style_map.notes)
    ids = _fit(content_map, content, "content"), _fit(style_map, style, "style")
    shares = _shares(ids[0], content_map.names), _shares(ids[1], style_map.names)
    _check_correspond(rules.correspond, *shares)
    target = {n: rules.correspond.get(n, n) for n in shares[0]}
    sound = [n for n in shares[0] if _large_enough(n, target[n], *shares)]
    if not sound:
        return whole(content.shape[-2:], style.shape[-2:], (*notes, _nothing_shared(*shares)))
    hosts = _hosts(content, ids[0], content_map.names, shares, target, sound, rules)
    guests = _guests(shares, [target[n] for n in sound], rules)
    # A region is what takes after one label of the style.
    regions = {theirs: i for i, theirs in enumerate(dict.fromkeys(target[n] for n in sound))}
    index = (
        {n: regions[target[hosts[n].name if n in hosts else n]] for n in shares[0]},
        regions | {n: regions[guest.name] for n, guest in guests.items()},
    )
    maps, images = (content_map, style_map), (content, style)
    masks = [
        _softened(_one_hot(i, m.names, of, len(regions)), image, rules.softness)
        for i, m, of, image in zip(ids, maps, index, images, strict=True)
    ]
    found = _regions(masks, regions, index[0], (sound, target), hosts, guests)
    decisions = [host.warning for host in (*hosts.values(), *guests.values())]
    return Masks(masks[0], masks[1], found, (*notes, *decisions, *_unused(shares, index[1])))


def describe(masks: Masks) -> list[str]:
    """The regions as lines of a table: name, share of content and style, labels merged into it.

    A last line tells how much of the style is in no region, if any is.
    """
    unused = 1.0 - sum(region.style_share for region in masks.regions)
    rows = [("region", "content", "style", "")]
    for region in masks.regions:
        why = region.why or ("",) * len(region.merged)
        parts = [f"{n} ({w})" if w else n for n, w in zip(region.merged, why, strict=True)]
        merged = f"with {', '.join(parts)}" if parts else ""
        shares = (_percent(region.content_share), _percent(region.style_share))
        rows.append((region.name, *shares, merged))
    if unused > 0.5e-3:
        rows.append(("(unpaired)", "–", _percent(unused), ""))
    width = max(len(row[0]) for row in rows)
    return [f"{a:<{width}}  {b:>7}  {c:>6}  {d}".rstrip() for a, b, c, d in rows]


def check_proportions(labels: LabelMap, size: Sequence[int], role: str) -> None:
    """Raise MaskError unless the map has the proportions of its picture of (height, width)."""
    (h, w), (height, width) = labels.ids.shape, size
    if not same_proportions((h, w), size):
        raise MaskError(
            f"{labels.source} is {w}×{h} pixels and the {role} {width}×{height}: "
            f"a mask must have its picture's proportions, within {PROPORTION_TOLERANCE:.0%}."
        )


def _regions(
    masks: Sequence[Tensor],
    regions: Mapping[str, int],
    content_index: Mapping[str, int],
    paired: tuple[list[str], dict[str, str]],
    hosts: Mapping[str, _Host],
    guests: Mapping[str, _Host],
) -> tuple[Region, ...]:
    """The regions with their shares, names and what went into them."""
    sound, target = paired
    found = []
    for theirs, i in regions.items():
        takers = [n for n in sound if target[n] == theirs]
        name = theirs if theirs in takers else takers[0]
        merged = {n: f"corresponds to the style's {theirs}" for n in takers if n != name}
        merged |= {n: host.why for n, host in hosts.items() if content_index[n] == i}
        merged |= {f"the style's {n}": g.why for n, g in guests.items() if g.name == theirs}
        mine, its = (float(mask[i].mean(dtype=torch.float64)) for mask in masks)
        found.append(Region(name, mine, its, tuple(merged), tuple(merged.values())))
    return tuple(found)


def _large_enough(mine: str, theirs: str, here: dict[str, float], there: dict[str, float]) -> bool:
    return there.get(theirs, 0.0) >= LEAST_STYLE_SHARE and here[mine] >= LEAST_CONTENT_SHARE


def _check_correspond(
    correspond: Mapping[str, str], here: dict[str, float], there: dict[str, float]
) -> None:
    for mine, theirs in correspond.items():
        for name, known, role in ((mine, here, "content"), (theirs, there, "style")):
            if name not in known:
                raise OptionError(
                    f"--correspond {mine}={theirs}: the {role} has no region {name!r}; it has "
                    f"{_listed(known)}."
                )


def _fit(labels: LabelMap, image: Tensor, role: str) -> NDArray[np.int32]:
    """The map's ids at its image's size, nearest neighbour (pixel centres on pixel centres)."""
    (h, w), (height, width) = labels.ids.shape, image.shape[-2:]
    if (h, w) == (height, width):
        return labels.ids
    check_proportions(labels, (height, width), role)
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
    shares: tuple[dict[str, float], dict[str, float]],
    target: dict[str, str],
    sound: list[str],
    rules: Rules,
) -> dict[str, _Host]:
    """For each content label that is not paired, the paired label that it joins."""
    here, there = shares
    orphans = [name for name in here if name not in sound]
    if not orphans:
        return {}
    looks = dict(zip(names, _looks(content, ids, len(names)), strict=True))
    hosts = {}
    for orphan in orphans:
        lack = _lack(here[orphan], there.get(target[orphan]))
        meant = next((n for n in rules.near.get(orphan, ()) if n in sound), None)
        host = meant or _similar(orphan, sound, looks)
        how = "nearest in meaning" if meant else "most like it"
        joins = f'joins "{host}", the region {how}.'
        hosts[orphan] = _Host(
            host, f"{lack}; {how}",
            f'The content\'s "{orphan}" ({_percent(here[orphan])} of it) {lack} and {joins}',
        )  # fmt: skip
    return hosts


def _guests(
    shares: tuple[dict[str, float], dict[str, float]], targets: list[str], rules: Rules
) -> dict[str, _Host]:
    """For each style label that no content label takes after, the one that means nearly the same,
    if there is one."""
    guests = {}
    for name, share in shares[1].items():
        host = next((n for n in rules.near.get(name, ()) if n in targets), None)
        if name not in targets and host and share >= LEAST_STYLE_SHARE:
            guests[name] = _Host(
                host, "not in the content; nearest in meaning",
                f'The style\'s "{name}" ({_percent(share)} of it) is not in the content and joins '
                f'"{host}", the region nearest in meaning.',
            )  # fmt: skip
    return guests


def _looks(content: Tensor, ids: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Per label: mean L, a, b (CIELAB, L in [0, 100]) and mean row, × `POSITION_WEIGHT` / height.

    Shape count×4; a label without pixels has zeros.
    """
    height, width = ids.shape
    lab = cv2.cvtColor(to_array(content), cv2.COLOR_RGB2LAB)
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
    ids: NDArray[np.int32], names: tuple[str, ...], index: Mapping[str, int], count: int
) -> Tensor:
    """K×H×W float32 masks; a label that `index` lacks is in none."""
    region = np.array([index.get(name, -1) for name in names])[ids]  # (H, W)
    return torch.from_numpy(np.stack([region == k for k in range(count)]).astype(np.float32))


def _softened(masks: Tensor, image: Tensor, softness: float) -> Tensor:
    """The masks with edges that follow the image's (guided filter); their sum stays."""
    if softness <= 0 or (len(masks) == 1 and float(masks.min()) == 1):
        return masks
    radius = max(1, round(softness * max(image.shape[-2:]) / 512))
    guided = GuidedFilter(to_array(image), radius, EDGE_EPSILON)
    covered = masks.sum(0).numpy()
    planes = np.stack([guided(plane) for plane in masks.numpy()])
    planes = ((planes - EDGE_CUT) / (1 - 2 * EDGE_CUT)).clip(0, 1) * covered
    total = planes.sum(axis=0)
    soft = np.where(total > 0.1, planes * (covered / np.maximum(total, 0.1)), masks.numpy())
    return torch.from_numpy(soft.astype(np.float32))


def _unused(
    shares: tuple[dict[str, float], dict[str, float]], index: Mapping[str, int]
) -> tuple[str, ...]:
    return tuple(
        f'The style\'s "{name}" ({_percent(share)} of it) '
        f"{'is not in' if name not in shares[0] else 'has no partner in'} the content and is not "
        "used."
        for name, share in shares[1].items()
        if name not in index and share >= LEAST_STYLE_SHARE
    )


def _lack(mine: float, theirs: float | None) -> str:
    if theirs is None:
        return "is not in the style"
    if theirs < LEAST_STYLE_SHARE:
        return f"has only {_percent(theirs)} of the style"
    return f"is too small ({_percent(mine)})"


def _nothing_shared(here: Mapping[str, float], there: Mapping[str, float]) -> str:
    return (
        f"The content ({_listed(here)}) and the style ({_listed(there)}) share no label, so both "
        "are used whole."
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 1e-3 else f"{share:.2%}"
