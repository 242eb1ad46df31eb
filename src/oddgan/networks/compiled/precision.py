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
    network : takes and returns tensors (n, ...), or tuples of them.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.training = network.training

    def forward(self, *inputs: Tensor) -> Any:
        """Map inputs as the network does, but for rounding."""
        with torch.autocast(inputs[0].device.type, torch.bfloat16):
            return _widened(self.network(*inputs))


def at_least_float32(x: Tensor) -> Tensor:
    """Return x (n, ...) in float32 where it is in bfloat16, else as it is."""
    return x.float() if x.dtype == torch.bfloat16 else x


def _widened(y: Any) -> Any:
    if isinstance(y, Tensor):
        return at_least_float32(y)
    values = map(_widened, y)
    return type(y)(*values) if hasattr(y, "_fields") else tuple(values)
