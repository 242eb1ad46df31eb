"""What the training loop costs: a DCGAN trained by oddgan and by a loop written by hand, equal to the last bit."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness import Bench, Setup, cpu_rounds, mnist
from oddgan import AnoGAN
from oddgan.inversion import LatentSearch
from oddgan.networks import DCGAN_32
from oddgan.objectives import NonSaturating
from oddgan.training import Adam

LATENT, BATCH = 64, 64


def detector_for(epochs: int) -> AnoGAN:
    """AnoGAN, whose search is cut to one step, so that the training of its GAN is what is measured."""
    return AnoGAN(
        latent_dim=LATENT,
        epochs=epochs,
        batch_size=BATCH,
        backbone=DCGAN_32,
        objective=NonSaturating(),
        optimiser=Adam(),
        inversion=LatentSearch(n_max=1),
        calibration_size=1,
        random_state=0,
    )


def by_oddgan(x: np.ndarray, epochs: int) -> dict[str, Tensor]:
    """Train AnoGAN's GAN."""
    return dict(detector_for(epochs).fit(x).networks_.state_dict())


def by_hand(x: np.ndarray, epochs: int) -> dict[str, Tensor]:
    """The same in plain PyTorch: the code of a tutorial, with the same draws in the same order."""
    shape = x.shape[1:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.RandomState(0).randint(2**31 - 1)))
        data = torch.from_numpy(((x - 127.5) * (1 / 127.5)).astype(np.float32))
        generator, critic = DCGAN_32.decoder(LATENT, shape, output="tanh"), DCGAN_32.critic(shape)
        for net in (generator, critic):
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        torch.randn(1, LATENT)  # the search's start is drawn here
        critic_optimiser = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.5, 0.999))
        generator_optimiser = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for _ in range(epochs):
            for index in torch.randperm(len(data)).tensor_split(-(-len(data) // BATCH)):
                _step(data[index], generator, critic, generator_optimiser, critic_optimiser)
    return {f"generator.{k}": v for k, v in generator.state_dict().items()} | {
        f"critic.{k}": v for k, v in critic.state_dict().items()
    }


def _step(
    real: Tensor, generator: nn.Module, critic: nn.Module, g_adam: torch.optim.Adam, c_adam: torch.optim.Adam
) -> None:
    fake = generator(torch.randn(len(real), LATENT))
    loss = (functional.softplus(-critic(real).logit) + functional.softplus(critic(fake.detach()).logit)).mean()
    c_adam.zero_grad()
    torch.autograd.backward(loss)
    c_adam.step()
    loss = functional.softplus(-critic(fake).logit).mean()
    g_adam.zero_grad()
    torch.autograd.backward(loss)
    g_adam.step()


def main() -> None:
    """Compare weights, then time both, interleaved."""
    bench = Bench("loop", __doc__, resume=False)
    x = mnist()["x_train"][:1024]
    x[0, 0, 0, 0], x[0, 0, 0, 1] = 0, 255  # the range that scaling learns
    ours, theirs = by_oddgan(x, 1), by_hand(x, 1)
    different = [k for k, v in theirs.items() if not torch.equal(v, ours[k])]
    seconds = cpu_rounds({"ours": lambda: by_oddgan(x, 1), "hand": lambda: by_hand(x, 1)}, 1 if bench.quick else 7)
    median = {name: float(np.median(taken)) for name, taken in seconds.items()}
    setup = Setup("DCGAN-32, 1024 images, 1 epoch", "oddgan", "MNIST", "training only", {}, seed=0)
    bench.add(
        replace(setup, method="hand-written loop").record("epoch", median["hand"], "CPU s"),
        setup.record("epoch", median["ours"], "CPU s", baseline=median["hand"]),
        setup.record("tensors that differ", len(different), "tensors"),
    )
    bench.finish()


if __name__ == "__main__":
    main()
