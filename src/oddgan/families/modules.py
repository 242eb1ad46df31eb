"""A detector's trained networks, with copies of them that are prepared for scoring."""

from itertools import chain

import torch
from torch import Tensor, nn

from oddgan.networks import prepare

_Mark = tuple[tuple[int, int], ...]


class Networks(nn.ModuleDict):
    """Networks by name: the trained truth. Copies for scoring are made when they are first asked for.

    A copy is made anew once its network is another one, or its weights have changed in place (writing to a tensor's
    `.data` can't be noticed). Copies are not part of the state dict, which is all that is stored.
    """

    def __init__(self, networks: dict[str, nn.Module]) -> None:
        super().__init__(networks)
        self.same_bits: dict[tuple[object, ...], bool] = {}  # whether large passes change no bit, see `base.scoring`
        self._copies: dict[tuple[str, torch.dtype], tuple[nn.Module, list[Tensor], _Mark, nn.Module]] = {}

    def prepared(self, name: str, dtype: torch.dtype | None = None) -> nn.Module:
        """Return a network's frozen copy that computes the same faster, see `oddgan.networks.prepare`.

        Parameters
        ----------
        name : which network.
        dtype : what to compute in; None takes that of the weights.
        """
        network = self[name]
        wanted = dtype or next((p.dtype for p in network.parameters()), torch.float32)
        held = self._copies.get((name, wanted))
        if held is not None and held[0] is network and held[2] == _mark(held[1]):
            return held[3]
        tensors = list(chain(network.parameters(), network.buffers()))
        with torch.inference_mode(mode=False):  # a search may want gradients later
            copy = prepare(network, dtype=wanted)
        self._copies[name, wanted] = network, tensors, _mark(tensors), copy
        return copy

    def lay_out(self, layout: torch.memory_format) -> None:
        """Store the weights of convolutions on images channels-last, or contiguous as state dicts need them.

        Convolutions whose weights are channels-last make such maps and need not convert them; results differ by
        rounding.
        """
        for weight in self.parameters():
            if weight.ndim == 4:
                weight.data = torch.empty_like(weight, memory_format=layout).copy_(weight.detach())

    def copies(self) -> dict[tuple[str, torch.dtype], nn.Module]:
        """Return the copies that there are, by the name of the network and what they compute in."""
        return {key: held[3] for key, held in self._copies.items()}


def _mark(tensors: list[Tensor]) -> _Mark:
    """Return what changes when a tensor is written to or gets other memory."""
    return tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)
