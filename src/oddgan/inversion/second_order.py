"""Second-order optimisers of a latent search (L-BFGS, Levenberg-Marquardt), each row of z by itself."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from oddgan._core.checks import positive
from oddgan._core.errors import InputError
from oddgan.inversion.optimisers import LatentOptimiser, Seen, State

ARMIJO = 1e-4  # the decrease that a step must reach, as a share of what the slope promises (Nocedal and Wright, 3.1)
GIVE_UP = 10  # trials in a row that are not accepted, until the history is forgotten
TINY = 1e-30
LEAST, MOST = 1e-9, 1e9  # the range of the damping


@dataclass(frozen=True)
class _Monotone(LatentOptimiser):
    """Base of optimisers that keep the `best` point so far, its `loss` and `gradient`; an infinite loss before any."""

    monotone: ClassVar[bool] = True

    def start(self, z: Tensor) -> State:
        """Return a state with no point seen."""
        loss = torch.full((len(z),), torch.inf, dtype=z.dtype, device=z.device)
        return {"best": z.clone(), "loss": loss, "gradient": torch.zeros_like(z)}

    def answer(self, state: State, z: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Return the better of the best point so far and the last one."""
        better = loss < state["loss"]
        return torch.where(better[:, None], z, state["best"]), torch.where(better, loss, state["loss"])

    @staticmethod
    def _accept(state: State, accepted: Tensor, z: Tensor, seen: Seen) -> None:
        state["best"] = torch.where(accepted[:, None], z, state["best"])
        state["loss"] = torch.where(accepted, seen.loss, state["loss"])
        state["gradient"] = torch.where(accepted[:, None], seen.gradient, state["gradient"])


@dataclass(frozen=True)
class LatentLBFGS(_Monotone):
    """L-BFGS with a backtracking line search, batched: each row has its own history, direction and step size.

    A row's step of the search is one trial: it is accepted if the loss falls by the Armijo rule, else the next trial
    goes less far along the same direction, by quadratic interpolation. (Nocedal and Wright: Numerical Optimization,
    2006, algorithms 3.1 and 7.4.)

    Parameters
    ----------
    lr : length of the first step of each row, above 0.
    history : pairs of steps and gradient changes that are kept, >= 1.
    """

    lr: float = 0.1
    history: int = 10

    def __post_init__(self) -> None:
        positive(self, lr=self.lr)
        if self.history < 1:
            raise InputError(f"LatentLBFGS got history={self.history}: give a whole number above 0.")

    def start(self, z: Tensor) -> State:
        """Return an empty history, (k, h, m) for h pairs."""
        pairs = torch.zeros(len(z), self.history, z.shape[1], dtype=z.dtype, device=z.device)
        size = torch.ones(len(z), dtype=z.dtype, device=z.device)
        weights = torch.zeros(len(z), self.history, dtype=z.dtype, device=z.device)
        return super().start(z) | {"s": pairs, "y": pairs.clone(), "rho": weights, "size": size, "tries": 0 * size}

    def step(self, state: State, z: Tensor, seen: Seen, rate: Tensor) -> Tensor:
        """Return the next trial, (k, m)."""
        first = state["loss"].isinf()
        direction = self._direction(state)
        slope = (direction * state["gradient"]).sum(1)
        size, fall = state["size"], state["loss"] - seen.loss
        accepted = first | (fall >= -ARMIJO * size * slope)
        self._remember(state, accepted & ~first, z - state["best"], seen.gradient - state["gradient"])
        # The parabola through the last loss, its slope and this loss has its lowest point here.
        shorter = -slope * size.square() / (2 * (-fall - size * slope)).clamp(min=TINY)
        shorter = shorter.nan_to_num(0.0).clamp(min=0.1 * size).minimum(0.5 * size)
        self._accept(state, accepted, z, seen)
        state["tries"] = torch.where(accepted, 0.0, state["tries"] + 1)
        lost = state["tries"] >= GIVE_UP
        state["tries"] = torch.where(lost, 0.0, state["tries"])
        state["rho"] = torch.where(lost[:, None], 0.0, state["rho"])
        # With an empty history the direction is the bare gradient, and the first move along it has length lr.
        bare = (state["rho"] == 0).all(1)
        length = torch.linalg.vector_norm(state["gradient"], dim=1).clamp(min=TINY)
        fresh = torch.where(bare, self.lr * rate.to(z.dtype) / length, 1.0)
        state["size"] = torch.where(accepted | lost, fresh, shorter)
        return state["best"] + state["size"][:, None] * self._direction(state)

    @staticmethod
    def _remember(state: State, accepted: Tensor, s: Tensor, y: Tensor) -> None:
        """Push a pair where it was accepted and its curvature is positive."""
        curvature = (s * y).sum(1)
        push = accepted & (curvature > 1e-10 * y.square().sum(1)) & (curvature > TINY)
        newest = {"s": s[:, None], "y": y[:, None], "rho": (1 / curvature.clamp(min=TINY))[:, None]}
        for name, value in newest.items():
            old = state[name]
            where = push.view(-1, *[1] * (old.ndim - 1))
            state[name] = torch.where(where, torch.cat([old[:, 1:], value], dim=1), old)

    def _direction(self, state: State) -> Tensor:
        """Return -H g by the two-loop recursion; an empty place of the history has rho = 0 and does nothing."""
        q, s, y, rho = state["gradient"].clone(), state["s"], state["y"], state["rho"]
        alphas = [torch.empty(0)] * self.history
        for i in reversed(range(self.history)):
            alphas[i] = rho[:, i] * (s[:, i] * q).sum(1)
            q = q - alphas[i][:, None] * y[:, i]
        newest = (s[:, -1] * y[:, -1]).sum(1) / y[:, -1].square().sum(1).clamp(min=TINY)
        q = q * torch.where(rho[:, -1] > 0, newest, 1.0)[:, None]
        for i in range(self.history):
            beta = rho[:, i] * (y[:, i] * q).sum(1)
            q = q + s[:, i] * (alphas[i] - beta)[:, None]
        return -q


@dataclass(frozen=True)
class LatentLM(_Monotone):
    r"""Levenberg-Marquardt for small latent spaces: :math:`(c\,J J^\top + \mu I)\,\delta = -\nabla_z`.

    J is the generator's Jacobian at z, by forward mode, m forward passes for each step. c is the curvature of the loss
    in the sample: exact for squared losses, where this is Gauss-Newton with damping; for others the scalar that makes a
    squared loss with the same gradient along the residual. A trial that does not lower the loss is taken back, and the
    damping μ grows tenfold; else it falls tenfold.

    Parameters
    ----------
    damping : the first μ, as a share of the matrix's mean diagonal, above 0.
    """

    damping: float = 0.1
    needs_jacobian: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self, damping=self.damping)

    def start(self, z: Tensor) -> State:
        """Return the first damping (k,)."""
        k, m = z.shape
        mu = torch.full((k,), self.damping, dtype=z.dtype, device=z.device)
        return super().start(z) | {"mu": mu, "matrix": torch.zeros(k, m, m, dtype=z.dtype, device=z.device)}

    def step(self, state: State, z: Tensor, seen: Seen, rate: Tensor) -> Tensor:
        """Return the next trial, (k, m)."""
        if seen.curvature is None:
            raise InputError("LatentLM needs the generator's Jacobian, which this search does not supply.")
        first, better = state["loss"].isinf(), seen.loss < state["loss"]
        factor = torch.where(better, 0.1, 10.0)
        # Less damping than rounding would leave a matrix of lower rank singular.
        least = max(LEAST, 8 * torch.finfo(z.dtype).eps)
        state["mu"] = torch.where(first, state["mu"], (state["mu"] * factor).clamp(least, MOST))
        state["matrix"] = torch.where(better[:, None, None], seen.curvature, state["matrix"])
        self._accept(state, better, z, seen)
        mean = state["matrix"].diagonal(dim1=1, dim2=2).mean(1)
        damped = state["matrix"] + torch.diag_embed((state["mu"] * mean).clamp(min=TINY)[:, None].expand_as(z))
        step: Tensor = torch.linalg.solve(damped, state["gradient"])
        return state["best"] - rate.to(z.dtype)[:, None] * step
