"""A WGAN-GP's training cycle by the loop that people write, and by ours with each measure on or off."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from oddgan import AnoGAN
from oddgan.families.modules import Networks
from oddgan.inversion import LatentSearch
from oddgan.networks import ConvLadder, Logits, SampleOutput
from oddgan.networks.compiled.layers import overlap_add
from oddgan.objectives import WGANGP, GradientPenalty
from oddgan.training import Adam, Callback, State

SHAPE = (1, 32, 32)
LATENT, BATCH, CRITICS = 64, 64, 5
NET = ConvLadder(width=64, critic_norm="none", init="he")
SEARCHLESS: dict[str, Any] = {
    "inversion": LatentSearch(n_max=1), "calibration_size": 1, "batch_size": BATCH, "random_state": 0,
}  # fmt: skip


# -- the plain loop
def plain_cycles(x: Tensor, seed: int, *, half: bool = False) -> Callable[[], object]:
    """One cycle of the loop that people write, to be called again and again."""
    torch.manual_seed(seed)
    generator, critic = NET.decoder(LATENT, SHAPE, output="tanh"), NET.critic(SHAPE)
    g_adam, c_adam = (torch.optim.Adam(n.parameters(), lr=1e-4, betas=(0.0, 0.9)) for n in (generator, critic))

    def cast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=half)

    def critic_step(real: Tensor) -> None:
        with cast():
            fake = generator(torch.randn(len(real), LATENT)).detach()
            share = torch.rand(len(real), 1, 1, 1)
            between = (share * real + (1 - share) * fake).requires_grad_()
            loss = (critic(fake).logit - critic(real).logit).mean()
            logit = critic(between).logit
        (slope,) = torch.autograd.grad(logit.sum(), between, create_graph=True)
        loss = loss + 10 * (slope.float().flatten(1).norm(dim=1) - 1).square().mean()
        c_adam.zero_grad()
        torch.autograd.backward(loss)
        c_adam.step()

    def cycle() -> None:
        for real in torch.split(x, BATCH):
            critic_step(real)
        with cast():
            loss = -critic(generator(torch.randn(BATCH, LATENT))).logit.mean()
        g_adam.zero_grad()
        torch.autograd.backward(loss)
        g_adam.step()

    return cycle


# -- ours, with measures switched off
class OneByOne(Adam):
    """Adam as torch runs it on a CPU by itself."""

    def __call__(self, parameters: Any) -> torch.optim.Optimizer:
        """Build torch's Adam."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=self.betas, foreach=False)


class Fused(Adam):
    """Adam in torch's fused kernel, which the library leaves alone; see `oddgan.training.optimisers`."""

    def __call__(self, parameters: Any) -> torch.optim.Optimizer:
        """Build torch's Adam."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=self.betas, fused=True)


class LastByFold(nn.Module):
    """A generator's last layer as a matrix product and overlap-add, with gradients."""

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, k, 2h, 2w)."""
        y = overlap_add(x, self.layer.weight.flatten(1), (32, 32), (4, 4), (2, 2), (1, 1))
        return y if self.layer.bias is None else y + self.layer.bias.view(1, -1, 1, 1)


@dataclass(frozen=True, kw_only=True)
class FoldedLadder(ConvLadder):
    """The ladder with such a last layer in its decoder."""

    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build the decoder."""
        network = super().decoder(dim, shape, output=output)
        layers: Any = network.layers
        layers[-2] = LastByFold(layers[-2])
        return network


@dataclass(frozen=True)
class Measures:
    """What our loop does; all of it by default.

    Parameters
    ----------
    chain : slopes of the critic are written out, not differentiated.
    together : the critic judges real and generated samples in one pass.
    layout : weights are stored channels-last.
    adam : how weights are updated.
    fold : the generator's last layer is a matrix product.
    precision : what networks compute in.
    """

    chain: bool = True
    together: bool = True
    layout: bool = True
    adam: type[Adam] = Adam
    fold: bool = False
    precision: Literal["fp32", "bf16"] = "fp32"

    @contextmanager
    def switched(self) -> Iterator[None]:
        """Switch off what no argument switches off."""
        with ExitStack() as stack:
            if not self.together:
                stack.enter_context(
                    patch.object(Logits, "both", lambda judge, a, b: (judge.critic(a), judge.critic(b)))
                )
            if not self.layout:
                stack.enter_context(patch.object(Networks, "lay_out", lambda *_: None))
            yield

    def detector(self, backbone: ConvLadder, **settings: Any) -> AnoGAN:
        """The GAN of a detector whose search is cut to one step, so that training is what is measured."""
        return AnoGAN(
            backbone=FoldedLadder(**vars(backbone)) if self.fold else backbone,
            objective=WGANGP(regulariser=GradientPenalty(gradient="auto" if self.chain else "double")),
            precision=self.precision,
            **SEARCHLESS
            | {
                "latent_dim": LATENT,
                "n_critic": CRITICS,
                "epochs": 1,
                "optimiser": self.adam(lr=1e-4, betas=(0.0, 0.9)),
            }
            | settings,
        )


class Cycles(Callback):
    """Processor seconds of each cycle."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.last = 0.0

    def phase_started(self, state: State) -> None:
        """Start the clock."""
        self.last = time.process_time()

    def iteration_ended(self, state: State) -> None:
        """Take the time at the end of each cycle."""
        if (state.clock.iteration + 1) % CRITICS == 0:
            self.seconds.append(-self.last + (now := time.process_time()))
            self.last = now


NONE = Measures(chain=False, together=False, layout=False, adam=OneByOne)
OURS = {
    "as it is": Measures(),
    "as it is, bf16": Measures(precision="bf16"),
    "without measures": NONE,
    "only the chain": replace(NONE, chain=True),
    "only channels-last": replace(NONE, layout=True),
    "only one pass": replace(NONE, together=True),
    "only foreach": replace(NONE, adam=Adam),
    "only fused Adam": replace(NONE, adam=Fused),
    "only the last layer by fold": replace(NONE, fold=True),
    "bf16 without measures": replace(NONE, precision="bf16"),
    "as it is, bf16, and the last layer by fold": Measures(precision="bf16", fold=True),
}


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's base class has no types
    """Counts operations by PyTorch's formulas; its own counter can't see gradients of gradients."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute, and count."""
        out = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func._overloadpacket):
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def operations(*runs: Callable[[], object]) -> list[int]:
    """Operations of each run."""
    counts = []
    for run in runs:
        with Operations() as counter:  # type: ignore[no-untyped-call]
            run()
        counts.append(counter.total)
    return counts
