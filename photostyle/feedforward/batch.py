"""The objective over a batch: the same terms, each picture with a content of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from photostyle.objective.content_term import ContentTerm
from photostyle.objective.objective import Objective, Term


class BatchObjective:
    """Means over N pictures of the terms of an objective.

    The style's targets are made once, by the objective; the content's are those of each picture.

    Args:
        objective: of a scene without masks whose content has the pictures' size, with no term that
            belongs to that content itself (swd, drift, photoreal, or style in damped regions).
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        sources = [term.source for term in objective.terms]
        layers = [name for x in sources if isinstance(x, ContentTerm) for name in x.layers]
        self._content_layers = tuple(dict.fromkeys(layers))
        self.names = [term.name for term in objective.terms]

    def __call__(self, images: Tensor, contents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Total and weighted terms, scalars, of N×3×H×W pictures and their contents."""
        features = self._encoded(images, self.objective.layers)
        with torch.no_grad():
            targets = self._encoded(contents, self._content_layers)
        # Sums over a map's positions need more digits than mixed precision leaves them.
        with torch.autocast(images.device.type, enabled=False):
            pairs = [
                self._of_one(images[n : n + 1].float(), _item(features, n), _item(targets, n))
                for n in range(len(images))
            ]
        total = torch.stack([total for total, _ in pairs]).mean()
        return total, {
            name: torch.stack([terms[name] for _, terms in pairs]).mean() for name in self.names
        }

    def _encoded(self, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        encoder = self.objective.encoder
        if encoder is None or not layers:
            return {}
        return {name: maps.float() for name, maps in encoder(images, layers).items()}

    def _of_one(
        self, image: Tensor, features: Mapping[str, Tensor], targets: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        own = Objective(self.objective.encoder, [_aimed(t, targets) for t in self.objective.terms])
        gathered = [term.gather(layer, features[layer], None) for term, layer in own.wanted]
        return own.weighed(image, gathered)


def _item(features: Mapping[str, Tensor], n: int) -> dict[str, Tensor]:
    return {name: maps[n : n + 1] for name, maps in features.items()}


def _aimed(term: Term, targets: Mapping[str, Tensor]) -> Term:
    source = term.source
    if not isinstance(source, ContentTerm):
        return term
    return replace(term, source=source.aimed_at({name: targets[name] for name in source.layers}))
