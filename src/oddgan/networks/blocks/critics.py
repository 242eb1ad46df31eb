"""Critics: networks that return a logit and features, over one input or several together."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from oddgan._core.errors import InputError
from oddgan.networks.base import Init, Judgement
from oddgan.networks.blocks.layers import Network, Weighted

_NOISE = 32  # rows of noise to compare the spread of branches by


class Critic(Network):
    """A trunk, one of whose maps is the features, and a head with one output.

    Inputs are joined along their first axis: channels of series and images, columns of codes. A map is what a
    convolution, a linear layer or a residual block gives, with the norm, activation and pooling behind it.
    """

    def __init__(self, trunk: list[nn.Module], head: nn.Module, init: Init, feature_layer: int = 0) -> None:
        super().__init__(init)
        self.trunk = nn.Sequential(*trunk)
        self.head = head
        self.feature_layer = feature_layer
        maps = max(1, len(self._starts()))
        if not feature_layer < maps:
            known = "only the last one, 0" if maps == 1 else f"0 (the last) to {maps - 1} (the first)"
            raise InputError(f"feature_layer={feature_layer} is no map of this critic, which has {known}.")

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge inputs (n, ...): logit (n,), features (n, ...)."""
        lower, upper = self.halves()
        features = lower(torch.cat([x, *others], 1) if others else x)
        return Judgement(self.head(upper(features)).flatten(), features)

    def halves(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Return the trunk up to the features, and the rest of it."""
        if not self.feature_layer:
            return self.trunk, nn.Sequential()
        layers, cut = list(self.trunk), self._starts()[-self.feature_layer]
        return nn.Sequential(*layers[:cut]), nn.Sequential(*layers[cut:])

    def _starts(self) -> list[int]:
        """Return the places in the trunk at which a map's layers begin."""
        return [i for i, layer in enumerate(self.trunk) if any(isinstance(m, Weighted) for m in layer.modules())]


class JointCritic(Network):
    """A critic of samples with codes: a branch for each kind, added up and activated, which gives the features.

    Adding two linear maps is one linear map of both inputs side by side.

    Both branches have an equal say at the start: with DCGAN's weights, many convolutions would hand on a code's part
    ten times as small as the sample's, or the other way round, and what one branch hardly shows is hardly learned. The
    last layer of the codes' branch is scaled until both spread alike over normal noise; under spectral norm and
    equalised learning rates layers have their scale, and nothing is done.

    Parameters
    ----------
    samples, codes : layers of the branches; that for codes ends in a linear layer.
    head : the activation, and the layer behind it.
    init : how weights start.
    shapes : of samples (c, ...) and codes (m,); None leaves the branches as they start.
    """

    def __init__(
        self,
        samples: list[nn.Module],
        codes: list[nn.Module],
        head: list[nn.Module],
        init: Init,
        shapes: tuple[tuple[int, ...], tuple[int]] | None = None,
    ) -> None:
        super().__init__(init)
        self.shapes = shapes
        self.samples = nn.Sequential(*samples)
        self.codes = nn.Sequential(*codes)
        self.activation, self.head = head

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge samples (n, c, ...) with codes (n, m): logit (n,), features (n, k)."""
        samples, codes = part(x, others)
        features = self.activation(self.samples(samples) + self.codes(codes))
        return Judgement(self.head(features).flatten(), features)

    @torch.no_grad()
    def settle(self) -> None:
        """Give both branches the same spread over normal noise."""
        last = self.codes[-1]
        if self.shapes is None or not isinstance(last, nn.Linear) or parametrize.is_parametrized(last):
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            noise = [torch.randn(_NOISE, *shape).to(last.weight.device) for shape in self.shapes]
            # Copies, so that no statistics of the noise stay in the batch norm.
            spreads = [copy.deepcopy(b).train()(x).std(0).mean() for b, x in zip(self.branches, noise, strict=True)]
        ratio = spreads[0] / spreads[1]
        if ratio > 0 and torch.isfinite(ratio):
            for parameter in last.parameters():
                parameter.mul_(ratio)

    @property
    def branches(self) -> tuple[nn.Sequential, nn.Sequential]:
        """The branch for samples, and that for codes."""
        return self.samples, self.codes


class SeveralCritics(nn.Module):
    """Several critics in the place of one: the mean of their logits, and their features side by side.

    Parameters
    ----------
    critics : at least one, with features that differ in nothing but their channels.
    """

    def __init__(self, critics: Sequence[nn.Module]) -> None:
        super().__init__()
        self.critics = nn.ModuleList(critics)

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge inputs (n, ...): logit (n,), features (n, k, ...), and what each critic says."""
        judged = tuple(critic(x, *others) for critic in self.critics)
        logit = torch.stack([one.logit for one in judged]).mean(0)
        return Judgement(logit, torch.cat([one.features for one in judged], 1), judged)


def is_critic(module: nn.Module) -> bool:
    """Whether a network is a critic: it returns a Judgement."""
    return isinstance(module, Critic | JointCritic | SeveralCritics)


def members(critic: nn.Module) -> tuple[nn.Module, ...]:
    """Return the critics that judge: the ones inside `SeveralCritics`, or the critic itself."""
    return tuple(critic.critics) if isinstance(critic, SeveralCritics) else (critic,)


def part(x: Tensor, others: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Split inputs into samples (n, c, ...) and codes (n, m), each joined; beside rows of tables all count as codes."""
    samples = [y for y in others if y.ndim == x.ndim > 2]
    codes = [z for z in others if z.ndim == 2]
    return torch.cat([x, *samples], 1), torch.cat(codes, 1)


def only_last(feature_layer: int) -> None:
    """Refuse another layer of features for critics of samples with codes."""
    if feature_layer:
        raise InputError(
            f"feature_layer={feature_layer} is for critics of samples or codes alone: where both are judged together, "
            "the features are the layer in which they meet, feature_layer=0."
        )


def join(shape: tuple[int, ...], others: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], int]:
    """Return the shape of all samples joined along their channels, and the length of all codes (0 if there are none).

    Raises
    ------
    InputError
        If an input is neither codes `(m,)` nor a sample as large as the first.
    """
    first, codes = shape[0], 0
    for other in others:
        if min(other, default=0) >= 1 and len(other) == len(shape) and other[1:] == shape[1:]:
            first += other[0]
        elif len(other) == 1 and other[0] >= 1:
            codes += other[0]
        else:
            raise InputError(
                f"A critic can't judge inputs of shapes {shape} and {other} together: the samples come first and must "
                "agree in all but their channels; codes have the shape (m,), m at least 1."
            )
    return (first, *shape[1:]), codes
