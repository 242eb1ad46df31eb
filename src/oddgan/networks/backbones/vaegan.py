"""DCGAN's ladder as in the β-VAEGAN: a wide layer before the code, spectral norm inside the critic."""

from dataclasses import dataclass

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from oddgan.networks.backbones.dcgan import ConvLadder
from oddgan.networks.base import CodeOutput, Norm, whole
from oddgan.networks.blocks.layers import CONV, Chain, code_output, finish, normalisation


@dataclass(frozen=True, kw_only=True)
class HeadedLadder(ConvLadder):
    """`ConvLadder` as in the released code of the β-VAEGAN (Lüer et al., 2023), for series and images.

    Encoder: between the last map and the code a convolution of kernel 1 to `head` channels, normalised, leaky ReLU.
    Critic: no normalisation, but spectral norm on all convolutions except the first and the last.

    Parameters
    ----------
    head : channels before the code, at least 1.
    """

    critic_norm: Norm = "none"
    head: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(head=self.head)

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out)."""
        self.check(shape)
        whole(out=out)
        axes, levels = len(shape) - 1, self._levels(shape[1:])
        trunk, _ = self._analysis(shape[0], levels, 1, self.norm)
        narrow = CONV[axes](self._widths(len(levels) - 1)[-1], self.head, 1, bias=self.norm == "none")
        between = [narrow, *normalisation(self.norm, self.head, axes), self._activation()]
        code = [CONV[axes](self.head, out, levels[-1]), nn.Flatten(), *code_output(output)]
        return finish(Chain([*trunk, *between, *code], self.init), spectral=self.spectral_norm)

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from samples (n, *shape), joined with others, to a Judgement."""
        network = super().critic(shape, *others)
        if not self.spectral_norm:  # with it, all weights have it already
            for layer in [m for m in network.modules() if isinstance(m, nn.Conv1d | nn.Conv2d)][1:-1]:
                spectral_norm(layer)
        return network
