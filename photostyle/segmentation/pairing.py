"""Pairing two label maps: which region of the style each region of the content takes after.

Regions pair by name, or as `--correspond` says. What has no partner joins the region nearest in
meaning, where the names have one, else in colour and height; what is too small for statistics
counts as absent. Every such decision is kept with its reason: `describe` is the mask doctor's
table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.config.options import parts_of, plain, quoted
from photostyle.errors import MaskError, OptionError
from photostyle.places import as_seen
from photostyle.segmentation.fitting import (
    fitted_ids,
    looks,
    region_masks,
    shares_of_labels,
    softened,
    weight_plane,
)
from photostyle.segmentation.masks import LabelMap, Masks, Region, Weights, counted, whole

Array = NDArray[Any]

LEAST_STYLE_SHARE = 0.002
"""Share of the style below which a label has too few pixels for statistics and counts as absent."""

LEAST_CONTENT_SHARE = 1e-4
"""Share of the content below which a label is absorbed by the region most like it."""


@dataclass(frozen=True)
class Rules:
    """How labels find their partners.

    Attributes:
        correspond: content label → style label, in place of the equal name.
        near: label → labels that mean nearly the same, nearest first.
        softness: pixels, at a long side of 512, over which edges are softened along the image.
        drawn: somebody drew the labels, so that a pair without any in common is a mistake.
    """

    correspond: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, Sequence[str]] = field(default_factory=dict)
    softness: float = 0.0
    drawn: bool = False


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
    for word in parts_of(as_seen(text)):
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
    weights: Weights = (None, None),
) -> Masks:
    """Pair two label maps.

    Args:
        content_map, style_map: labels, brought to the images' sizes by nearest neighbour.
        content, style: the images 1×3×H×W, RGB in [0, 1].
        rules: see `Rules`.
        weights: of both images; what of the style has none is in no region.

    Returns:
        The masks. A content label that has less than `LEAST_STYLE_SHARE` of the style, or of the
        content less than `LEAST_CONTENT_SHARE`, is merged into a paired one. A style label that
        the content lacks joins one that means nearly the same; where there is none it is in no
        region, as its pixels would falsify any other's statistics. If no label has a partner,
        everything is one region "all".

    Raises:
        MaskError: a map of other proportions than its image, or drawn ones with nothing in common.
        OptionError: `correspond` names a label that is not there.
    """
    rules = rules or Rules()
    mine = _side(content_map, content, "content", weights[0])
    its = _side(style_map, style, "style", weights[1])
    shares = mine.shares, its.shares
    _check_correspond(rules.correspond, *shares)
    target = {n: rules.correspond.get(n, n) for n in mine.shares}
    sound = [n for n in mine.shares if _large_enough(n, target[n], *shares)]
    if not sound:
        return _unpaired(mine, its, rules, weights[1])
    hosts = _hosts(mine, its.shares, target, sound, rules)
    guests = _guests(shares, [target[n] for n in sound], rules)
    # A region is what takes after one label of the style.
    regions = {theirs: i for i, theirs in enumerate(dict.fromkeys(target[n] for n in sound))}
    index = {n: regions[target[hosts[n].name if n in hosts else n]] for n in mine.shares}
    partners = regions | {n: regions[guest.name] for n, guest in guests.items()}
    masks = (
        mine.masks(index, len(regions), rules.softness, whole=True),
        its.masks(partners, len(regions), rules.softness, whole=False),
    )
    found = _regions(masks, (mine, its), regions, index, (sound, target), hosts, guests)
    decisions = [host.warning for host in (*hosts.values(), *guests.values())]
    notes = (*content_map.notes, *style_map.notes, *decisions, *_unused(shares, partners))
    return Masks(masks[0], counted(masks[1], weights[1]), found, tuple(dict.fromkeys(notes)))


@dataclass(frozen=True)
class _Side:
    """One of the two pictures: its labels, H×W ids and weights at its size, and their shares."""

    labels: LabelMap
    image: Tensor
    ids: NDArray[np.int32]
    weight: Array | None
    shares: dict[str, float]

    def masks(
        self, index: Mapping[str, int], count: int, softness: float, *, whole: bool
    ) -> Tensor:
        found = region_masks(self.ids, self.labels, index, count, whole=whole)
        return softened(found, self.image, softness)


def _side(labels: LabelMap, image: Tensor, role: str, weight: Tensor | None) -> _Side:
    plane = weight_plane(weight)
    ids = fitted_ids(labels, image, role, plane)
    return _Side(labels, image, ids, plane, shares_of_labels(ids, labels.names, plane))


def _unpaired(mine: _Side, its: _Side, rules: Rules, weight: Tensor | None) -> Masks:
    """One region, as nothing pairs; refused where somebody drew the labels."""
    if not rules.drawn:
        notes = *mine.labels.notes, *its.labels.notes, _nothing_shared(mine.shares, its.shares)
        return whole(mine.ids.shape, its.ids.shape, notes, weight)
    files = [
        f"{side.labels.source} "
        f"({', '.join(f'{quoted(n)} {_percent(x)}' for n, x in side.shares.items())})"
        for side in (mine, its)
    ]
    large = " large enough to be paired" if set(mine.shares) & set(its.shares) else ""
    example = "=".join(quoted(next(iter(side.shares))) for side in (mine, its))
    raise MaskError(
        f"{files[0]} and {files[1]} have no label in common{large}; draw both with the same "
        f"colours or names, or pair them, such as --correspond {example}."
    )


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


def _regions(
    masks: Sequence[Tensor],
    sides: Sequence[_Side],
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
        areas = [sides[0].shares[n] for n in merged]
        joined = {n: g for n, g in guests.items() if g.name == theirs}
        merged |= {f"the style's {n}": guest.why for n, guest in joined.items()}
        areas += [sides[1].shares[n] for n in joined]
        mine, its = (
            float(mask[i].mean(dtype=torch.float64)) if side.weight is None
            else float(np.average(mask[i].numpy(), weights=side.weight))
            for mask, side in zip(masks, sides, strict=True)
        )  # fmt: skip
        told = tuple(merged), tuple(merged.values()), tuple(areas)
        found.append(Region(name, mine, its, *told))
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


def _hosts(
    content: _Side,
    there: dict[str, float],
    target: dict[str, str],
    sound: list[str],
    rules: Rules,
) -> dict[str, _Host]:
    """For each content label that is not paired, the paired label that it joins."""
    here, names = content.shares, content.labels.names
    orphans = [name for name in here if name not in sound]
    if not orphans:
        return {}
    means = looks(content.image, content.ids, content.weight, len(names))
    seen = dict(zip(names, means, strict=True))
    hosts = {}
    for orphan in orphans:
        lack = _lack(here[orphan], there.get(target[orphan]))
        meant = next((n for n in rules.near.get(orphan, ()) if n in sound), None)
        host = meant or _similar(orphan, sound, seen)
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


def _similar(orphan: str, paired: list[str], looks: dict[str, NDArray[np.float64]]) -> str:
    """The paired label nearest in mean colour and mean height in the content.

    Distance of `fitting.looks`: Euclidean, the first of equals.
    """
    return min(paired, key=lambda name: float(np.linalg.norm(looks[name] - looks[orphan])))


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
