"""Minibatch discrimination and standard deviation: batch statistics beside the features in a critic's head."""

from abc import abstractmethod
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from oddgan.networks.blocks.critics import Critic, JointCritic, members
from oddgan.networks.blocks.layers import Weighted, reinitialise

REMEMBERED = 100  # training passes that the stored average looks back on


class BatchStatistic(nn.Module):
    """Values that each sample gets from its batch while training, and their stored average when scoring.

    In evaluation mode every row gets the same constant, so that its output does not depend on its neighbours: the mean
    over the batches seen in training, of which the last hundred count most.

    Parameters
    ----------
    size : number k of values, at least 1.
    """

    average: Tensor
    passes: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("average", torch.zeros(size))
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))

    @abstractmethod
    def of_batch(self, h: Tensor) -> Tensor:
        """Return the values (n, k) of the samples whose features are h (n, ...)."""

    def measure(self, h: Tensor) -> Tensor:
        """Return the values (n, k) that go with features h (n, ...): of this batch in training, else the average."""
        if not self.training:
            return self.average.expand(len(h), -1)
        values = self.of_batch(h)
        with torch.no_grad():
            self.passes += 1
            self.average.lerp_(values.mean(0), 1 / self.passes.clamp(max=REMEMBERED).to(values.dtype))
        return values

    def forward(self, h: Tensor) -> Tensor:
        """Return features (n, c, ...) with the values as further channels or columns, (n, c + k, ...)."""
        values = self.measure(h)
        return torch.cat([h, values.view(*values.shape, *[1] * (h.ndim - 2)).expand(-1, -1, *h.shape[2:])], 1)


class MinibatchStdDev(BatchStatistic):
    """How much the samples of a group differ: the standard deviation of each feature, averaged, (n, 1).

    Parameters
    ----------
    group : samples that are compared, at least 2; groups are as even as they can be and at least this large, unless the
        batch is smaller.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__(1)
        self.group = group

    def of_batch(self, h: Tensor) -> Tensor:
        """Return one value per sample, the same in a group, (n, 1)."""
        groups = h.flatten(1).tensor_split(max(1, len(h) // self.group))
        # The small constant keeps the root's gradient finite where all agree, as in the released code.
        spread = [(rows.var(0, correction=0) + 1e-8).sqrt().mean().expand(len(rows), 1) for rows in groups]
        return torch.cat(spread)


class MinibatchSimilarity(BatchStatistic):
    """How near the other samples of the batch are, in several learned spaces, (n, kernels).

    Parameters
    ----------
    features : length A of the flattened features, at least 1.
    kernels : number B of spaces, at least 1.
    dim : dimension C of each, at least 1.
    """

    def __init__(self, features: int, kernels: int, dim: int) -> None:
        super().__init__(kernels)
        self.tensor = nn.Linear(features, kernels * dim, bias=False)
        self.dim = dim

    def of_batch(self, h: Tensor) -> Tensor:
        """Return o_i = [Σ_{j≠i} exp(-‖M_ib - M_jb‖₁)]_b, (n, kernels)."""
        m = self.tensor(h.flatten(1)).unflatten(1, (-1, self.dim))
        near = (-(m.unsqueeze(0) - m.unsqueeze(1)).abs().sum(3)).exp()
        others: Tensor = near.sum(0) - 1  # a sample's own distance is 0, its own term 1
        return others


class Beside(nn.Module):
    """A critic's head that also sees a statistic of the batch, added to the logit by weights of its own.

    A linear layer on features and statistic side by side is the sum of one on each.
    """

    def __init__(self, head: nn.Module, statistic: BatchStatistic) -> None:
        super().__init__()
        self.head, self.statistic = head, statistic
        self.weight = nn.Linear(len(statistic.average), 1, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Map features (n, ...) to logits (n, 1)."""
        logits: Tensor = self.head(h) + self.weight(self.statistic.measure(h))
        return logits

    def folded(self) -> nn.Module:
        """Return the head with the constant that evaluation mode adds, in its last bias; this head is used up."""
        head = self.head.folded() if isinstance(self.head, Beside) else self.head
        last = [layer for layer in head.modules() if isinstance(layer, Weighted)][-1]
        shift = self.weight(self.statistic.average).detach()
        last.bias = nn.Parameter(shift if last.bias is None else last.bias + shift)
        return head


def input_length(head: nn.Module) -> int:
    """Return how many values of a sample a critic's head takes: it weighs all of the last map at once."""
    layer = next(layer for layer in head.modules() if isinstance(layer, Weighted))
    return int(layer.weight[0].numel())


def tell(critic: nn.Module, statistic: Callable[[int], BatchStatistic]) -> nn.Module:
    """Give a critic, or each of several, a statistic of the batch beside its head's input; it starts afresh.

    Parameters
    ----------
    critic : built by a backbone; it is changed.
    statistic : makes the statistic, given how many values of a sample the head takes.
    """
    for one in members(critic):
        judge = cast(Critic | JointCritic, one)
        judge.head = Beside(judge.head, statistic(input_length(judge.head)))
        reinitialise(judge)
    return critic
