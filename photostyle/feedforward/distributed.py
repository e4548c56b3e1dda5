"""Several processes under PyTorch's own `torchrun`: who this one is, and the gradients' mean."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from photostyle.errors import DeviceError


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank: from 0. count: 1 when it trains alone.
        device: where this one works.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and tells the user."""
        return self.rank == 0

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network, such that its gradients are the mean over all processes."""
        if self.count == 1:
            return network
        if self.device.type == "cuda":
            shared = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
            return DistributedDataParallel(shared, device_ids=[self.device.index])
        return DistributedDataParallel(network)


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """This process's place among those that `torchrun` started, or alone.

    Args:
        device: that was asked for; each process takes the GPU of its local rank instead of "cuda".
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(0, 1, device)
        return
    if device.type == "cuda":
        rank = int(os.environ["LOCAL_RANK"])
        if rank >= torch.cuda.device_count():
            raise DeviceError(
                f"torchrun started more processes on this machine than it has GPUs, "
                f"{torch.cuda.device_count()}; give --nproc-per-node {torch.cuda.device_count()}."
            )
        device = torch.device("cuda", rank)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), count, device)
    finally:
        dist.destroy_process_group()
