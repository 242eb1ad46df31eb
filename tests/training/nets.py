"""A small DCGAN and the step that trains it."""

import torch
from torch import nn
from torch.nn import functional

from oddgan.training import Adam, Phase, Player, Update

LATENT = 3
ADAM = Adam(lr=1e-3)


def rows(n=37):
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(5))


def dcgan():
    """Generator and discriminator for (1, 8, 8), with batch norm in both."""
    generator = nn.Sequential(
        nn.Linear(LATENT, 32), nn.Unflatten(1, (8, 2, 2)), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(32, 1), nn.Flatten(0),
    )  # fmt: skip
    return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


def adversarial(networks):
    """The step of a DCGAN as a method writes it; losses per sample."""

    def step(x, _clock):
        G, D = networks["generator"], networks["discriminator"]
        fake = G(torch.randn(len(x), LATENT))
        yield Update("discriminator", functional.softplus(-D(x)) + functional.softplus(D(fake.detach())))
        yield Update("generator", functional.softplus(-D(fake)))

    return step


def game(networks, epochs=2, optimiser=ADAM, **players):
    """A phase in which both play."""
    both = {name: Player((name,), optimiser) for name in ("discriminator", "generator")}
    return Phase(adversarial(networks), both | players, epochs)


def line(value=1.0):
    """One network of one weight: small enough to follow by hand."""
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, value)
    return nn.ModuleDict({"net": net})
