"""Observers of training steps: gradient norms and critics' logits."""

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from oddgan._core.monitoring import Gradients, Judged
from oddgan.networks import Judgement, Listener

_LARGEST = torch.finfo(torch.float32).max  # stands for what is not finite, so that JSON can hold it


class Looks:
    """Collects gradient norms and logits of an epoch; the device is read only by `first`, `gradients` and `judged`.

    Parameters
    ----------
    every : of so many updates of a player in an epoch, the first is looked at.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._updates: dict[str, int] = {}
        self._norms: dict[str, list[tuple[Tensor, list[list[float]]]]] = {}
        self._heard: dict[str, list[Tensor]] = {}
        self._pairs: dict[str, list[tuple[Tensor, Tensor]]] = {}
        self._handles: list[RemovableHandle] = []

    def listen(self, networks: nn.ModuleDict, names: Iterable[str]) -> None:
        """Record the logits of those of the networks that are critics."""
        own = dict.fromkeys(names)
        self._handles = [networks[name].register_forward_hook(Listener(partial(self._hear, name))) for name in own]

    def _hear(self, name: str, judgement: Judgement) -> None:
        self._heard.setdefault(name, []).append(judgement.logit.detach())

    def stop(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def start_epoch(self) -> None:
        """Forget the epoch before."""
        self._updates, self._norms, self._pairs, self._heard = {}, {}, {}, {}

    def update(self, player: str, networks: nn.ModuleDict, names: Sequence[str]) -> None:
        """Record an update whose gradients are computed.

        Of what a critic says before its own update, the first two calls count: all methods here judge the real samples
        first and the generated ones next, or both in one call; penalties come later. Which is which does not matter.

        Parameters
        ----------
        player : whose update it is.
        networks : all.
        names : the player's own.
        """
        number = self._updates.get(player, 0)
        self._updates[player] = number + 1
        heard, self._heard = self._heard, {}
        if number % self.every:
            return
        for name in names:
            if pair := _kinds(heard.get(name, [])):
                self._pairs.setdefault(name, []).append(pair)
        weights = [[w for w in networks[name].parameters() if w.grad is not None] for name in names]
        gradients = [w.grad for own in weights for w in own if w.grad is not None]
        if gradients:
            # A matrix counts by the root mean square of its gradient; vectors (biases, norms) by none.
            scales = [[w.numel() ** -0.5 if w.ndim > 1 else 0.0 for w in own] for own in weights]
            self._norms.setdefault(player, []).append((torch.stack(torch._foreach_norm(gradients)), scales))

    def first(self) -> dict[str, float]:
        """Return the norm over all weights of each player's first update of the epoch."""
        return {player: _summary(*looks[0])[0] for player, looks in self._norms.items()}

    def gradients(self) -> dict[str, Gradients]:
        """Return the epoch's gradients by player."""
        found = {}
        for player, looks in self._norms.items():
            totals, depths = zip(*(_summary(norms, scales) for norms, scales in looks), strict=True)
            found[player] = Gradients(_median(totals), _median(depths))
        return found

    def judged(self) -> dict[str, Judged]:
        """Return what the epoch's critics said, by network."""
        found = {}
        for name, pairs in self._pairs.items():
            parts = torch.tensor([judge(first, second) for first, second in pairs], dtype=torch.float64)
            found[name] = Judged(*parts.mean(dim=0).tolist())
        return found


def _kinds(calls: Sequence[Tensor]) -> tuple[Tensor, Tensor] | None:
    """Return the logits of the two kinds of samples: of the first two calls, or the halves of one for both."""
    if not calls:
        return None
    first, together = calls[0], len(calls) == 1 or len(calls[0]) == 2 * len(calls[1])
    if not together:
        return first, calls[1]
    return None if len(first) % 2 else (first[: len(first) // 2], first[len(first) // 2 :])


def _summary(norms: Tensor, scales: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the norm over all weights, and the least depth among the networks."""
    norms = torch.nan_to_num(norms.double(), nan=_LARGEST, posinf=_LARGEST)
    values, depths = iter(norms.tolist()), [1.0]
    for own in scales:
        matrices = [value * scale for scale, value in zip(own, values, strict=False) if scale]
        if matrices and max(matrices) > 0:
            depths.append(min(matrices) / max(matrices))
    return float(torch.linalg.vector_norm(norms)), min(depths)


def _median(values: Sequence[float]) -> float:
    return float(torch.tensor(values, dtype=torch.float64).median())


def judge(first: Tensor, second: Tensor) -> tuple[float, float, float]:
    """Return separation, gap and variation of the logits (n,) and (m,) of two kinds of samples, see `Judged`."""
    a, b = first.double().flatten(), second.double().flatten()
    above, ties = (a[:, None] > b).double().mean(), (a[:, None] == b).double().mean()
    both = torch.cat([a, b])
    size = both.square().mean().sqrt()
    variation = torch.where(size > 0, both.std(correction=0) / size, 0.0)
    separation, gap, spread = torch.stack(
        [(2 * above + ties - 1).abs(), (a.mean() - b.mean()).abs(), variation]
    ).tolist()
    return separation, gap, spread
