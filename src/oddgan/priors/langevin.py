"""Langevin dynamics: sampling from a distribution that is known by its energy, with a replay buffer of chains."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from oddgan._core.errors import InputError

Energy = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Langevin:
    r"""Walk down an energy with noise, towards the distribution :math:`p(x) \propto e^{-E(x) / T}`.

    .. math:: x_{k+1} = x_k - \lambda \nabla E(x_k) / T + \sigma_k \varepsilon_k, \quad \varepsilon_k \sim N(0, I)

    Small steps with :math:`\sigma = \sqrt{2\lambda}` lead to p. Less noise leads to a colder, more concentrated
    distribution, as is usual where chains are short.

    Parameters
    ----------
    steps : how many, >= 1.
    step : the step size λ, > 0.
    noise : standard deviation σ of the noise, >= 0; None is √(2λ).
    anneal : whether the noise falls as σ/k from the second step on.
    clip : bound of each entry of the gradient, > 0; None leaves gradients as they are.

    References
    ----------
    M. Welling, Y. W. Teh: Bayesian Learning via Stochastic Gradient Langevin Dynamics, ICML 2011; as a sampler of
    networks: Y. Du, I. Mordatch: Implicit Generation and Modeling with Energy-Based Models, NeurIPS 2019,
    https://arxiv.org/abs/1903.08689.
    """

    steps: int = 10
    step: float = 0.2
    noise: float | None = None
    anneal: bool = False
    clip: float | None = None

    def __post_init__(self) -> None:
        bounded = self.noise is None or 0 <= self.noise < math.inf
        if self.steps < 1 or not 0 < self.step < math.inf or not bounded or (self.clip is not None and self.clip <= 0):
            raise InputError(
                f"Langevin got steps={self.steps}, step={self.step}, noise={self.noise} and clip={self.clip}: give at "
                "least 1 step, a finite step size above 0, no negative noise, and a clip above 0 or None."
            )

    def __call__(
        self, start: Tensor, energy: Energy, *, temperature: float = 1.0, project: Energy | None = None
    ) -> Tensor:
        """Return the ends (n, ...) of n chains, without a graph; no weight gets a gradient.

        Parameters
        ----------
        start : where the chains begin, (n, ...).
        energy : maps points (n, ...) to energies (n,).
        temperature : T, > 0.
        project : brings points (n, ...) back to the support after each step.
        """
        x = start.detach()
        noise = math.sqrt(2 * self.step) if self.noise is None else self.noise
        for k in range(self.steps):
            scale = noise / max(1, k) if self.anneal else noise
            x = x - self.step / temperature * self._slope(x, energy) + scale * torch.randn_like(x)
            x = x if project is None else project(x)
        return x

    def _slope(self, x: Tensor, energy: Energy) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(energy(x).sum(), x)
        return slope if self.clip is None else slope.clamp(-self.clip, self.clip)


class Replay:
    """A replay buffer: the ends of the latest chains, from which others continue, so that short ones become long.

    It is a training's working memory, no part: it is neither fitted nor stored with a model.

    T. Tieleman: Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient, ICML 2008.

    Parameters
    ----------
    capacity : how many ends are kept, >= 1; the oldest go first.
    share : probability that a chain starts from one of them, in [0, 1].
    """

    def __init__(self, capacity: int, share: float) -> None:
        if capacity < 1 or not 0 <= share <= 1:
            raise InputError(
                f"A replay holds at least 1 point and has a share in [0, 1], but got {capacity} and {share}."
            )
        self.capacity, self.share = capacity, share
        self.points: Tensor | None = None

    def starts(self, fresh: Tensor) -> Tensor:
        """Return starts (n, m): each of the fresh ones (n, m), or a kept end in its place."""
        if self.points is None:
            return fresh
        kept = self.points[torch.randint(len(self.points), (len(fresh),), device=fresh.device)]
        chosen = torch.rand(len(fresh), 1, device=fresh.device) < self.share
        return torch.where(chosen, kept, fresh)

    def keep(self, ends: Tensor) -> None:
        """Remember the ends (n, m) of chains."""
        points = ends if self.points is None else torch.cat([self.points, ends])
        self.points = points[-self.capacity :]

    def dump(self) -> dict[str, Tensor]:
        """Return the kept ends, {"points": (k, m)}, if any."""
        return {} if self.points is None else {"points": self.points}

    def load(self, held: Mapping[str, Tensor]) -> None:
        """Keep what `dump` gave, {"points": (k, m)}."""
        self.points = held.get("points")
