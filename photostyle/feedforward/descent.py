"""What moves the network's weights: Adam alone, or Muon on the kernels and Adam on the rest.

Muon gives every kernel's momentum, as the matrix outputs × (inputs · k²), the nearest matrix with
orthonormal rows or columns: directions in which the gradient is small move as far as the others.
Its step is scaled to the root mean square that Adam's has, so both take the same learning rate.

Sources: Kingma and Ba 2015 (arXiv 1412.6980) · Jordan et al. 2024, "Muon: An optimizer for hidden
layers in neural networks" · Liu et al. 2025 (2502.16982), section 2.2, for the scale.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

#: What each optimiser remembers of a parameter.
REMEMBERED = {"adam": ("step", "exp_avg", "exp_avg_sq"), "muon": ("momentum_buffer",)}


class Descent:
    """Both optimisers of a network, as one.

    Args:
        network: with channels-last kernels, on the device where it is trained.
        kind: "adam" or "muon".
    """

    def __init__(self, network: nn.Module, kind: str) -> None:
        parameters = list(network.parameters())
        self._kernels = [p for p in parameters if kind == "muon" and p.ndim == 4]
        # Parameters in the kernels' own memory: what moves them moves the kernels.
        self._matrices = [nn.Parameter(_matrix(kernel.detach())) for kernel in self._kernels]
        for matrix, kernel in zip(self._matrices, self._kernels, strict=True):
            if matrix.data_ptr() != kernel.data_ptr():
                raise ValueError("the network's kernels must be channels-last")
        rest = [p for p in parameters if all(p is not kernel for kernel in self._kernels)]
        self._parts: dict[str, torch.optim.Optimizer] = {"adam": torch.optim.Adam(rest)}
        if self._kernels:
            self._parts["muon"] = torch.optim.Muon(
                self._matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
            )

    def clear(self) -> None:
        """Forgets the gradients."""
        for parameter in (*self._parameters("adam"), *self._kernels):
            parameter.grad = None

    def step(self, rate: float) -> None:
        """Moves all weights along their gradients, at this learning rate."""
        for matrix, kernel in zip(self._matrices, self._kernels, strict=True):
            matrix.grad = None if kernel.grad is None else _matrix(kernel.grad)
        for part in self._parts.values():
            for group in part.param_groups:
                group["lr"] = rate
            part.step()

    def tensors(self) -> dict[str, Tensor]:
        """All that it remembers, by name; nothing before the first step."""
        return {
            f"{name}.{index}.{key}": value
            for name, part in self._parts.items()
            for index, moments in part.state_dict()["state"].items()
            for key, value in moments.items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts it where `tensors` stood, after one step or more.

        Raises:
            KeyError, ValueError: tensors of another network, or not all of them.
        """
        for name, part in self._parts.items():
            for index, parameter in enumerate(self._parameters(name)):
                part.state[parameter] = {
                    key: _restored(tensors[f"{name}.{index}.{key}"], parameter)
                    for key in REMEMBERED[name]
                }

    def _parameters(self, name: str) -> list[Tensor]:
        return [p for group in self._parts[name].param_groups for p in group["params"]]


def _restored(saved: Tensor, parameter: Tensor) -> Tensor:
    """A moment, laid out as its parameter is, like those that the optimisers make themselves."""
    if saved.ndim == 0:
        return saved.clone()
    if saved.shape != parameter.shape:
        raise ValueError(f"a moment of shape {tuple(saved.shape)} for {tuple(parameter.shape)}")
    return torch.empty_like(parameter).copy_(saved)


def _matrix(kernel: Tensor) -> Tensor:
    """outputs×inputs×k×k as outputs×(k·k·inputs); a view of a channels-last kernel."""
    return kernel.permute(0, 2, 3, 1).reshape(len(kernel), -1)
