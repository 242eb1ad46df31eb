"""DP-SGD: clipped gradients of single rows, with noise, for the players that see rows."""

import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from scipy.stats import binom
from torch import Tensor, nn

from oddgan._core.errors import InputError, TrainingError
from oddgan.training.batches import Source
from oddgan.training.engine import Engine
from oddgan.training.privacy.budget import Privacy, Release
from oddgan.training.protocol import Clock, Phase
from oddgan.training.seeds import Randomness, device_of
from oddgan.training.state import State

_BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_AT_ONCE = 2**24  # numbers that gradients of single rows may take up together
_TRIES = 20  # steps after which every player has had an update, e.g. a generator after its critic's
_OVERFULL = 1e-12  # the probability of a batch that loses rows as it is larger than all batches are made


@dataclass(frozen=True)
class Spent:
    """The guarantee of a private training: its weights are (ε, δ)-private.

    Parameters
    ----------
    epsilon, delta : ε >= 0, and δ in (0, 1).
    noise_multiplier, max_grad_norm : σ and C.
    sample_rate : the probability that a row took part in a step.
    steps : all of them, over all phases.
    players : who learned from noisy gradients; the others saw no rows.
    """

    epsilon: float
    delta: float
    noise_multiplier: float
    max_grad_norm: float
    sample_rate: float
    steps: int
    players: tuple[str, ...]

    def __str__(self) -> str:
        """The guarantee in a sentence."""
        return (
            f"The weights are ({self.epsilon:.4g}, {self.delta:g})-differentially private in whether any one row "
            "counts; scaling, threshold and the stored calibration scores are not covered."
        )


def watchers(phase: Phase, networks: nn.ModuleDict, shape: Sequence[int]) -> tuple[str, ...]:
    """Return the players whose losses depend on rows, after a look at steps with invented rows.

    A step is taken with the same weights and draws but other rows: whose loss changes, sees rows. Nothing is left of
    these steps.

    Parameters
    ----------
    phase : what is to be trained.
    networks : all networks by name.
    shape : of a sample.

    Raises
    ------
    InputError
        If a loss is about the batch as a whole or mixes rows, if a network that sees rows has batch normalisation, or
        if a step keeps something of the rows.
    """
    device = device_of(networks)
    trained = {name for player in phase.players.values() for name in player.networks}
    for name, network in networks.items():
        network.train(name in trained).requires_grad_(name in trained)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        x = torch.rand(4, *shape, device=device)
        all_other, one_other = 1 - x, torch.cat([1 - x[:1], x[1:]])
        found: set[str] = set()
        for i in range(_TRIES):
            clock = Clock(i, 0, 1, _TRIES)
            plain, changed, first = (_try(phase, networks, rows, clock) for rows in (x, all_other, one_other))
            for (player, loss), (_, other), (_, single) in zip(plain.losses, changed.losses, first.losses, strict=True):
                if loss.shape == other.shape and _same(loss, other):
                    continue
                found.add(player)
                _refuse_batch_norm(phase, networks, player)
                if loss.ndim == 0 or len(loss) != len(x) or not _same(loss[1:], single[1:]):
                    raise InputError(
                        f"Private training bounds what one row can change, but the loss of {player!r} mixes rows, or "
                        "is about the batch as a whole: take a loss that is a value for each row."
                    )
            if any(not _same(kept, changed.kept[name]) for name, kept in plain.kept.items()):
                raise InputError(
                    f"Private training can't protect what phase {phase.name!r} keeps of the rows beside its updates, "
                    "e.g. running statistics: take networks and settings without it."
                )
    return tuple(player for player in phase.players if player in found)


@dataclass(frozen=True)
class _Tried:
    losses: list[tuple[str, Tensor]]
    kept: Mapping[str, Tensor]


def _try(phase: Phase, networks: nn.ModuleDict, x: Tensor, clock: Clock) -> _Tried:
    """The losses of a step that updates nobody, and what the step itself has changed."""
    before = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    device = x.device
    randomness = Randomness.now(device)
    losses = [(player, loss.detach().clone()) for player, loss in phase.step(x, clock)]
    kept = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    networks.load_state_dict(before)
    randomness.put(device)
    return _Tried(losses, kept)


def _same(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True)


def _refuse_batch_norm(phase: Phase, networks: nn.ModuleDict, player: str) -> None:
    for name in phase.players[player].networks:
        if any(isinstance(module, _BATCH_NORM) for module in networks[name].modules()):
            raise InputError(
                f"Private training can't protect {name!r}, as batch normalisation mixes rows: take networks without "
                "it, e.g. backbone=ConvLadder(norm='group', critic_norm='group'), or MLP(norm='none') for tables."
            )


class PrivateEngine(Engine):
    """Noisy sums of clipped gradients for players that see rows; the others learn as they always do.

    A loss may hold a gradient penalty: at a point between row i and its fake it is a function of row i alone, and the
    gradient of row i that is clipped is that of the whole of its loss.

    Parameters
    ----------
    privacy : how much noise.
    phases : what will be trained.
    protected : for each phase, the players that see rows.
    batches : steps of one pass.
    secret : draw noise and rows from a generator of its own, seeded by the operating system, so that nobody who knows
        the seed of the training can take the noise away.
    """

    def __init__(
        self,
        privacy: Privacy,
        phases: Sequence[Phase],
        protected: Sequence[Sequence[str]],
        batches: int,
        *,
        secret: bool,
    ) -> None:
        self.privacy, self.protected = privacy, protected
        self.releases = releases = [
            Release(len(players), 1 / batches, phase.total(batches))
            for phase, players in zip(phases, protected, strict=True)
            if players
        ]
        self.noise = privacy.noise(releases)
        self.spent = privacy.spent(self.noise, releases)
        self.generator: torch.Generator | None = None
        if secret:
            self.generator = torch.Generator()
            self.generator.manual_seed(secrets.randbits(63))
        self._real, self._size, self._expected = 0, 2, 1.0

    def report(self) -> Spent:
        """What the training guarantees once it is over."""
        players = dict.fromkeys(player for phase in self.protected for player in phase)
        rate = max((r.sample_rate for r in self.releases), default=0.0)
        steps = sum(r.steps for r in self.releases)
        given = self.privacy
        return Spent(self.spent, given.delta, self.noise, given.max_grad_norm, rate, steps, tuple(players))

    def batches(self, state: State, source: Source, start: int = 0) -> Iterator[Tensor]:
        """As many batches (k, ...) as ever, each with every row at one probability, filled up by zeros to one size.

        How many rows take part stays hidden: it would tell of a row whether it did, through those who see no rows but
        draw as many fakes.
        """
        parts, n = state.batches, len(source)
        self._expected = n / parts
        self._size = max(2, int(binom.isf(_OVERFULL, n, 1 / parts)))
        draws = [torch.rand(n, generator=self.generator) < 1 / parts for _ in range(parts)]
        return self._filled(source, [draw.nonzero()[:, 0] for draw in draws[start:]])

    def _filled(self, source: Source, order: Sequence[Tensor]) -> Iterator[Tensor]:
        for index in order:
            self._real = min(len(index), self._size)
            x = source.take(torch.cat([index, index.new_zeros(self._size)])[: self._size])
            x[self._real :] = 0.0  # what fills up is no row: its gradients are left out
            yield x

    def backward(self, state: State, player: str, loss: Tensor) -> Tensor | None:
        """Fill a player's gradients from losses (n,) or (); None for a player whose loss must stay private.

        Raises
        ------
        TrainingError
            If a gradient is not finite.
        """
        if player not in self.protected[state.index]:
            return super().backward(state, player, loss)
        weights = list(dict.fromkeys(state.parameters[player]))
        sums = clipped_sums(loss[: self._real], weights, self.privacy.max_grad_norm)
        scale = self.noise * self.privacy.max_grad_norm
        for weight, total in zip(weights, sums, strict=True):
            noise = torch.randn(weight.shape, generator=self.generator, dtype=weight.dtype).to(weight.device)
            weight.grad = (total + scale * noise) / self._expected
            if not weight.grad.isfinite().all():
                raise TrainingError(
                    f"A gradient of {player!r} is not finite at step {state.clock.iteration} of phase "
                    f"{state.phase.name!r}: try a smaller learning rate, and look for extreme values in the data."
                )
        return None


def clipped_sums(loss: Tensor, weights: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Return the sum over rows of each row's gradient, shortened to a length of at most `limit`, by weight.

    Parameters
    ----------
    loss : (n,), entry i a function of row i.
    weights : what to take gradients of.
    limit : the length C that no row's gradient, over all weights, exceeds.
    """
    sums = [torch.zeros_like(weight) for weight in weights]
    if not len(loss):
        return sums
    size = max(1, _AT_ONCE // max(1, sum(weight.numel() for weight in weights)))
    for some in torch.split(torch.arange(len(loss), device=loss.device), size):
        for total, gradients in zip(sums, _clipped(loss, weights, some, limit), strict=True):
            total.add_(gradients.sum(0))
    return sums


def _clipped(loss: Tensor, weights: Sequence[Tensor], some: Tensor, limit: float) -> list[Tensor]:
    """The clipped gradients of some rows: (rows, ...) for each weight."""
    chosen = nn.functional.one_hot(some, len(loss)).to(loss.dtype)
    taken = torch.autograd.grad(loss, weights, chosen, retain_graph=True, is_grads_batched=True, allow_unused=True)
    found = [
        weight.new_zeros(len(some), *weight.shape) if g is None else g for weight, g in zip(weights, taken, strict=True)
    ]
    norms = torch.stack([g.flatten(1).square().sum(1) for g in found]).sum(0).sqrt()
    factors = limit / norms.clamp(min=limit)
    if not math.isfinite(float(norms.sum())):
        factors = factors * math.nan  # one row's infinity must not be lost in the clipping
    return [g * factors.view(-1, *[1] * (g.ndim - 1)) for g in found]
