"""Several critics in the place of one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from oddgan.networks.base import Judgement
from oddgan.networks.blocks.critics import Critic, JointCritic


class SeveralCritics(nn.Module):
    """Critics of the same inputs: the mean of their logits, and their features side by side.

    Parameters
    ----------
    critics : at least one, with features that differ in nothing but their channels.
    """

    def __init__(self, critics: Sequence[nn.Module]) -> None:
        super().__init__()
        self.critics = nn.ModuleList(critics)
        self._only: int | None = None

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge inputs (n, ...): logit (n,), features (n, k, ...)."""
        asked = self.critics if self._only is None else [self.critics[self._only]]
        judged = [critic(x, *others) for critic in asked]
        logit = torch.stack([one.logit for one in judged]).mean(0)
        return Judgement(logit, torch.cat([one.features for one in judged], 1))

    @contextmanager
    def only(self, index: int) -> Iterator[None]:
        """For a while, ask one of the critics alone."""
        self._only = index
        try:
            yield
        finally:
            self._only = None


def is_critic(module: nn.Module) -> bool:
    """Whether a network is a critic: it returns a Judgement."""
    return isinstance(module, Critic | JointCritic | SeveralCritics)


def members(critic: nn.Module) -> tuple[nn.Module, ...]:
    """Return the critics that judge: the ones inside `SeveralCritics`, or the critic itself."""
    return tuple(critic.critics) if isinstance(critic, SeveralCritics) else (critic,)
