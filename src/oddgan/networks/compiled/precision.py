"""Mixed precision: networks that compute in bfloat16 by autocast while they train."""

from typing import Any

import torch
from torch import Tensor, nn


class HalfPrecision(nn.Module):
    """A network whose products are computed in bfloat16 by autocast; what it returns is in float32.

    Weights, their gradients and the optimiser's state stay as they are, and so does everything around networks:
    losses, norms of penalties, similarities, priors.

    Parameters
    ----------
    network : takes and returns tensors (n, ...), or named tuples of them.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.training = network.training

    def forward(self, *inputs: Tensor) -> Any:
        """Map inputs as the network does, but for rounding."""
        with torch.autocast(inputs[0].device.type, torch.bfloat16):
            y = self.network(*inputs)
        return at_least_float32(y) if isinstance(y, Tensor) else type(y)(*map(at_least_float32, y))


def at_least_float32(x: Tensor) -> Tensor:
    """Return x (n, ...) in float32 where it is in bfloat16, else as it is."""
    return x.float() if x.dtype == torch.bfloat16 else x
