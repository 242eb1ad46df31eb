"""An autoregressive density of codes: each value's distribution given those before it."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from oddgan.networks.base import whole
from oddgan.networks.blocks.layers import Network, finish


class MaskedLinear(nn.Linear):
    """A linear layer over m positions in which a position sees only earlier ones, and itself where told so.

    Positions have several channels each; a row holds them position by position, (n, m·channels).

    Parameters
    ----------
    positions : number of positions m.
    before, after : channels of a position in the input and in the output.
    itself : whether a position sees itself; False in the first layer (mask A), True in the others (mask B).
    """

    mask: Tensor

    def __init__(self, positions: int, before: int, after: int, *, itself: bool) -> None:
        super().__init__(positions * before, positions * after)
        sees = torch.ones(positions, positions).tril(0 if itself else -1)
        self.register_buffer("mask", torch.kron(sees, torch.ones(after, before)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, m·before) to (n, m·after)."""
        return functional.linear(x, self.weight * self.mask, self.bias)

    def masked(self) -> nn.Linear:
        """A plain layer with the masked weights, for a network that learns no more."""
        layer = nn.Linear(self.in_features, self.out_features, device="meta")  # draws no random weights
        layer.weight = nn.Parameter((self.weight * self.mask).detach())
        layer.bias = self.bias
        return layer


class Autoregressive(Network):
    """The negative log-likelihood of codes in (0, 1)^m, cut into bins: -Σ_i log p(bin of z_i | z_1..z_i-1).

    Each conditional is a categorical distribution over bins of equal width. Masked fully connected layers with leaky
    ReLU give all of them in one pass. Values beyond (0, 1) count to the outermost bins. A code's gradient comes from
    the conditions alone: the bin that a value falls in has none.

    D. Abati, A. Porrello, S. Calderara, R. Cucchiara: Latent Space Autoregression for Novelty Detection, CVPR 2019;
    masks as in M. Germain et al.: MADE: Masked Autoencoder for Distribution Estimation, ICML 2015.

    Parameters
    ----------
    dim : length m of a code, at least 1.
    channels : channels of a position in each hidden layer; at least one layer.
    bins : number of bins, at least 2.
    """

    def __init__(self, dim: int, *, channels: tuple[int, ...] = (32, 32, 32, 32), bins: int = 100) -> None:
        super().__init__("default")
        whole(dim=dim)
        whole(len=len(channels))
        for width in channels:
            whole(channels=width)
        whole(2, bins=bins)
        self.dim, self.bins = dim, bins
        layers: list[nn.Module] = []
        for before, after in pairwise((1, *channels, bins)):
            layers += [MaskedLinear(dim, before, after, itself=bool(layers)), nn.LeakyReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        finish(self)

    def logits(self, z: Tensor) -> Tensor:
        """Return the conditionals' logits (n, m, bins) of codes (n, m)."""
        y: Tensor = self.layers(z)
        return y.view(len(z), self.dim, self.bins)

    def forward(self, z: Tensor) -> Tensor:
        """Return -log p(z), (n,), of codes (n, m)."""
        index = (z.detach() * self.bins).long().clamp(0, self.bins - 1)
        chosen = self.logits(z).log_softmax(dim=2).gather(2, index[:, :, None])
        return -chosen.flatten(1).sum(dim=1)
