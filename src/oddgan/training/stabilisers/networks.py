"""Stabilisers that build other critics: ones that see the batch, or several of them."""

import copy
from dataclasses import dataclass
from functools import partial

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import reinitialise
from oddgan.networks.blocks.critics import SeveralCritics
from oddgan.networks.blocks.minibatch import MinibatchSimilarity, tell
from oddgan.networks.blocks.minibatch import MinibatchStdDev as StdDev
from oddgan.training.stabilisers.base import Setting, Stabiliser


@dataclass(frozen=True, kw_only=True)
class MinibatchDiscrimination(Stabiliser):
    r"""The critic sees how near the other samples of a batch are, so that a generator of one sample is found out.

    .. math:: M_i = f(x_i) T, \quad c_b(x_i, x_j) = \exp(-\|M_{i,b} - M_{j,b}\|_1), \quad
        o(x_i)_b = \sum_{j \ne i} c_b(x_i, x_j)

    f are the values that the critic's head takes, T (A × B × C) is learned, and o stands beside f in the head. When
    scoring, o is its average over the training batches, the same for each row; features stay those below it. With a
    gradient penalty the slope at a sample counts what the sample does to the logits of its batch, too: without that
    the path through o would have no bound.

    Parameters
    ----------
    n_kernels : number B of values per sample, at least 1.
    dim : dimension C in which distances are measured, at least 1.

    References
    ----------
    T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen: Improved Techniques for Training GANs, 2016,
    https://arxiv.org/abs/1606.03498, section 3.2. Its sum runs over all j; the term of j = i is 1 and is left out.
    """

    n_kernels: int = 50
    dim: int = 5

    def __post_init__(self) -> None:
        if self.n_kernels < 1 or self.dim < 1:
            raise InputError(
                f"MinibatchDiscrimination got n_kernels={self.n_kernels} and dim={self.dim}: give whole numbers of at "
                "least 1."
            )

    def check(self, setting: Setting) -> None:
        """Serve every critic."""

    def rebuilt(self, critic: nn.Module) -> nn.Module:
        """Put o beside the input of the critic's head."""
        return tell(critic, partial(MinibatchSimilarity, kernels=self.n_kernels, dim=self.dim))


@dataclass(frozen=True, kw_only=True)
class MinibatchStdDev(Stabiliser):
    r"""The critic sees how much the samples of a batch differ, one number: minibatch discrimination without parameters.

    .. math:: s = \frac{1}{A} \sum_a \sqrt{\operatorname{var}_{i \in \text{group}} f(x_i)_a + 10^{-8}}

    s stands beside the values f in the critic's head. When scoring it is its average over the training batches. What
    `MinibatchDiscrimination` says of gradient penalties holds here; the paper trains with one.

    Parameters
    ----------
    group : samples that are compared, at least 2; a batch is cut into groups that are at least as large.

    References
    ----------
    T. Karras, T. Aila, S. Laine, J. Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and
    Variation, 2018, https://arxiv.org/abs/1710.10196, section 3. Groups of 4 are those of the released code (assumed);
    there the map is put before the last convolution, here before the head.
    """

    group: int = 4

    def __post_init__(self) -> None:
        if self.group < 2:
            raise InputError(f"MinibatchStdDev got group={self.group}: give a whole number of at least 2.")

    def check(self, setting: Setting) -> None:
        """Serve every critic."""

    def rebuilt(self, critic: nn.Module) -> nn.Module:
        """Put s beside the input of the critic's head."""
        return tell(critic, lambda _: StdDev(self.group))


@dataclass(frozen=True, kw_only=True)
class CriticEnsemble(Stabiliser):
    r"""Several critics in the place of each, so that fooling one of them is not enough.

    .. math:: L_D = \frac{1}{n} \sum_i L_D(D_i), \quad L_G = \frac{1}{n} \sum_i L_G(D_i)

    Each critic minimises a loss of its own, its penalty included; what stands above is the mean over losses, not the
    loss of mean logits. Where a logit is asked for, as in scores, it is the mean of the critics' logits, and their
    features stand side by side.

    Parameters
    ----------
    n : number of critics, at least 2. They start from different weights and cost n times the one.

    References
    ----------
    I. Durugkar, I. Gemp, S. Mahadevan: Generative Multi-Adversarial Networks, 2017, https://arxiv.org/abs/1611.01673:
    the variant with the arithmetic mean (its λ = 0). Deviations: (1) all critics have one architecture and differ in
    their start alone; (2) each sees all samples, not a share of the batch of its own.
    """

    n: int = 2

    def __post_init__(self) -> None:
        if self.n < 2:
            raise InputError(f"CriticEnsemble got n={self.n}: give a whole number of at least 2.")

    def check(self, setting: Setting) -> None:
        """Serve every critic."""

    def rebuilt(self, critic: nn.Module) -> nn.Module:
        """Put copies with weights of their own beside the critic."""
        copies = [copy.deepcopy(critic) for _ in range(self.n - 1)]
        for one in copies:
            reinitialise(one)
        return SeveralCritics([critic, *copies])
