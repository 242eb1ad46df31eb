"""Coverage, density and spread of samples against data, in a fixed random projection."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from oddgan._core.monitoring import Diversity
from oddgan.networks import at_rest
from oddgan.training.seeds import seeded

NEIGHBOURS = 5
DIMENSIONS = 32


def embed(x: Tensor, dimensions: int = DIMENSIONS) -> Tensor:
    """Project samples (n, ...) to (n, at most `dimensions`) by a random matrix that is always the same.

    Entries are normal with variance 1 / `dimensions`, so that distances are kept on average (Johnson & Lindenstrauss,
    1984); flat samples that are no longer than that stay as they are. Naeem et al. (2020) find random embeddings as
    telling as trained ones where the data are unlike natural images. The critic's features would move with each step
    and say nothing once it is blind, and some critics judge pairs or codes.
    """
    flat = x.flatten(1).float()
    d = flat.shape[1]
    if d <= dimensions:
        return flat
    matrix = torch.randn(d, dimensions, generator=torch.Generator().manual_seed(0), device="cpu")
    projected: Tensor = flat @ (matrix / dimensions**0.5).to(flat)
    return projected


def diversity(rows: Tensor, samples: Tensor, k: int = NEIGHBOURS) -> Diversity:
    r"""Compare samples with rows, both embedded, (n, p) and (m, p).

    With :math:`B_i` the ball around row i that reaches to its k-th nearest other row,

    .. math:: \text{coverage} = \frac1n \sum_i 1[\exists j: y_j \in B_i], \quad
        \text{density} = \frac{1}{k m} \sum_j \sum_i 1[y_j \in B_i], \quad
        \text{spread} = \sqrt{\frac{\overline{\|y - \bar y\|^2}}{\overline{\|x - \bar x\|^2}}}

    Samples on a few modes have a high density and a low coverage; samples that are all alike have a low spread; samples
    beside the data have neither density nor coverage.

    References
    ----------
    M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo: Reliable Fidelity and Diversity Metrics for Generative Models, ICML
    2020, https://arxiv.org/abs/2002.09797, equations 3 and 4, and k = 5.
    """
    k = min(k, len(rows) - 1)
    radius = torch.cdist(rows, rows).kthvalue(k + 1, dim=1).values  # the nearest is the row itself
    inside = torch.cdist(rows, samples) <= radius[:, None]
    spread = (around(samples) / around(rows).clamp(min=1e-12)).item()
    coverage, density = inside.any(dim=1).float().mean().item(), inside.float().sum().item() / (k * len(samples))
    return Diversity(coverage, density, spread)


def around(x: Tensor) -> Tensor:
    """Return the root mean square distance () of points (n, p) from their mean."""
    return (x - x.mean(dim=0)).square().sum(dim=1).mean().sqrt()


def expected_coverage(n: int, m: int, k: int = NEIGHBOURS) -> float:
    """Return the coverage of n rows that m fresh rows of the same distribution have on average (Naeem et al., lemma 2).

    >>> round(expected_coverage(10_000, 10_000), 3)
    0.969
    """
    missed = 1.0
    for i in range(1, k + 1):
        missed *= (n - i) / (m + n - i)
    return 1 - missed


@contextlib.contextmanager
def quiet(networks: nn.ModuleDict, device: torch.device) -> Iterator[None]:
    """Put the networks into evaluation mode and seed torch; everything is as it was after the block.

    The dictionary itself stays in training mode: detectors look there whether to use copies made for scoring.
    """
    with at_rest(*networks.values()), seeded(0, device), torch.no_grad():
        yield
