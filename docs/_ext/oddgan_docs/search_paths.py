"""An example of search paths through a latent space of two dimensions, with a generator that is a formula."""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from oddgan.inversion import JointSearch
from oddgan.networks import private
from oddgan.priors import Gaussian
from oddgan.report.latent import latent_chart
from oddgan.similarities import L2
from oddgan_docs.plots import figure
from oddgan_docs.results import part

T = torch.linspace(-4, 4, 64)
SAMPLES = {
    "one bump, as the generator draws them": 1.3 * torch.exp(-(T - 1.0).square()),
    "two bumps, an anomaly": torch.exp(-(T - 1.5).square()) + torch.exp(-(T + 1.5).square()),
}
STARTS = torch.tensor([[-1.2, -0.8], [-0.9, 1.0], [0.0, 0.8], [0.3, -0.9], [1.8, -0.6], [2.2, 0.9]])


class Bump(nn.Module):
    """A series with one bump: z is its place and the logarithm of its height."""

    def forward(self, z: Tensor) -> Tensor:
        return z[:, 1:].exp() * torch.exp(-(T - z[:, :1]).square())


def paths() -> Tensor:
    """Where the search passed: (samples, starts, steps + 1, 2)."""
    search = JointSearch(steps=40, lr=0.1, theta="frozen")
    return search.trace(torch.stack(list(SAMPLES.values())), partial(private, Bump()), Gaussian(), L2(), STARTS)


@part("figure-search-paths", "")
def example(_: Path) -> str:
    """The paths for a normal sample and for an anomaly."""
    chart = latent_chart(dict(zip(SAMPLES, paths().double().numpy(), strict=True)))
    caption = (
        "Six starts, 40 steps each. For one bump all paths meet where nothing is left over; for two, each path "
        "ends at one of them, and the other is left."
    )
    return figure("search-paths", [chart], f"{caption} {chart.caption}")
