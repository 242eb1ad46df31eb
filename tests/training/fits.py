"""What several workers and one process both train, in float64, so that rounding can't hide a mistake."""

import numpy as np
import torch
from torch import distributed as dist

import oddgan
from oddgan.networks import MLP, Auto, ConvLadder, Refiner
from oddgan.objectives import GradientPenalty, NonSaturating
from oddgan.priors import Langevin
from oddgan.similarities import L2
from oddgan.training import Callback, Checkpoints, InstanceNoise, Phase, Player, Update, gathered, is_first

SHORT = Langevin(steps=3)
ROWS, BATCH = 41, 10  # 5 batches of 9 or 8 rows: neither 2 nor 3 workers get equal shares
COMMON = {"epochs": 4, "batch_size": BATCH, "latent_dim": 3, "random_state": 0}  # 20 steps


def rows(*shape, n=ROWS):
    return np.random.default_rng(0).normal(size=(n, *shape))


def nets(**mlp):
    mlp = MLP(**{"hidden": (8,)} | mlp)
    return Auto(table=mlp, series=ConvLadder(width=4, max_width=8), image=ConvLadder(width=4, max_width=8))


TABLE = COMMON | {"backbone": nets()}


class Whole(oddgan.AutoEncoder):
    """One loss for the batch as a whole, made from what all workers have."""

    def _reconstruction(self, x, clock):
        yield Update("autoencoder", gathered(self._similarity()(x, self._reconstruct(x))).std())


class Apart(oddgan.AutoEncoder):
    """One loss for a worker's rows."""

    def _reconstruction(self, x, clock):
        yield Update("autoencoder", self._similarity()(x, self._reconstruct(x)).std())


class Drifting(oddgan.AutoEncoder):
    """Draws as many numbers as a decision about a worker's rows wants."""

    def _reconstruction(self, x, clock):
        torch.rand(20 + int(x[0, 0].abs() * 1000) % 7)
        yield Update("autoencoder", self._similarity()(x, self._reconstruct(x)))


class Shuffling(oddgan.AutoEncoder):
    """Mixes the rows of a batch."""

    def _reconstruction(self, x, clock):
        yield Update("autoencoder", self._similarity()(x, self._reconstruct(x[torch.randperm(len(x))])))


class Broken(oddgan.AutoEncoder):
    """Fails on one worker only."""

    def _reconstruction(self, x, clock):
        if clock.iteration == 3 and dist.get_rank() == 1:
            raise ValueError("row 7 can't be read")
        return super()._reconstruction(x, clock)


class Worst(oddgan.AutoEncoder):
    """Learns from the worst rows of the whole batch."""

    def _phases(self):
        def worst(loss):
            return loss.topk(5).values.square().sum()

        yield Phase(self._reconstruction, {"autoencoder": Player(("encoder", "decoder"), self.optimiser, worst)}, 4)


class Drawing(oddgan.AutoEncoder):
    """Draws in every way that there is."""

    def _reconstruction(self, x, clock):
        n, d = x.shape
        y = self._reconstruct(torch.nn.functional.dropout(x, 0.3))
        noise = torch.randn(n, d) * torch.rand(size=(n, 1)) + torch.randint(5, (n, d)) + torch.randint(-2, 2, (n, 1))
        noise = noise + torch.empty(n, d).exponential_() + torch.rand_like(x) + torch.randn(50).sum()
        noise = noise + torch.normal(x, 2 * torch.ones_like(x)) + torch.bernoulli(torch.sigmoid(x))
        noise = noise + torch.nn.functional.gumbel_softmax(x) + torch.empty(n, d).random_(3) + torch.randperm(70)[0]
        yield Update("autoencoder", self._similarity()(x + noise, y))


class Failing(Callback):
    """A callback that can't go on."""

    def iteration_ended(self, state):
        if state.clock.iteration == 7:
            raise OSError("the disk is full")


def detectors():
    """Detectors by name, each with the shape of its rows; together they use whatever training may meet."""
    normed = nets(critic_norm="batch", norm="batch", dropout=0.2)
    penalised = NonSaturating(regulariser=GradientPenalty())
    short = {"latent_chain": SHORT, "sample_chain": SHORT}
    # A sum over values would make the rounding larger that biases below batch norm learn from.
    ended = {"epochs": 4, "batch_size": BATCH, "refiner": Refiner(widths=(4, 8)), "similarity": L2(), "random_state": 0}
    ended |= {"stop_below": 0.9}
    # 11 batches of 4 or 3 rows, and 3 of 14 or 13: of 3 workers, one or two get a row more than the others.
    few, many = ({"batch_size": size, "epochs": epochs} for size, epochs in ((4, 2), (20, 7)))
    return {
        "batches of 4": (oddgan.BetaVAEGAN(**TABLE | few), (4,)),
        "batches of 14": (oddgan.AnoGAN(**TABLE | many), (4,)),
        "anogan": (oddgan.AnoGAN(**TABLE), (1, 16)),
        "fanogan": (oddgan.FAnoGAN(**TABLE, n_critic=2, encoder_output="stochastic"), (4,)),
        "penalty through batch norm": (oddgan.AnoGAN(**COMMON, backbone=normed, objective=penalised), (4,)),
        "ganomaly": (oddgan.GANomaly(**TABLE, collapse=10.0), (1, 8, 8)),
        "beta-vaegan": (oddgan.BetaVAEGAN(**TABLE, prior_samples=True), (4,)),
        "alad": (oddgan.ALAD(**COMMON, ema=0.9), (4,)),
        "svdd": (oddgan.DeepSVDD(**COMMON, boundary="soft", warm_up=1, pretrain_epochs=1), (4,)),
        "alocc": (oddgan.ALOCC(**ended), (1, 8, 8)),
        "nae": (oddgan.NAE(**TABLE, pretraining_epochs=1, buffer_size=30, **short), (4,)),
        "whole": (Whole(**TABLE), (4,)),
        "worst": (Worst(**TABLE), (4,)),
        "drawing": (Drawing(**TABLE), (4,)),
    }


def refused():
    """Fits that several workers refuse or end, by name: the detector, its rows and callbacks."""
    x, first = rows(4), is_first()
    return {
        "apart": (Apart(**TABLE), x, ()),
        "drifting": (Drifting(**TABLE), x, ()),
        "shuffling": (Shuffling(**TABLE), x, ()),
        "other rows": (oddgan.AutoEncoder(**TABLE), x + (not first), ()),
        "other settings": (oddgan.AutoEncoder(**TABLE | {"epochs": 4 + first}), x, ()),
        "small batches": (oddgan.AutoEncoder(**TABLE | {"batch_size": 2}), x[:4], ()),
        "callback": (oddgan.AutoEncoder(**TABLE), x, (Failing(),)),
        "broken": (Broken(**TABLE), x, ()),
        "stabilisers": (oddgan.AnoGAN(**TABLE, stabilisers=(InstanceNoise(),)), x, ()),
        "processes": (oddgan.WAIC(**TABLE, n_members=2, n_jobs=2), x, ()),
    }


def doubled(detector):
    """The detector on float64 input."""
    cls = type(detector)
    detector.__class__ = type(cls.__name__, (cls,), {"_prepare": lambda self, raw: cls._prepare(self, raw).double()})
    return detector


def trained(detector, shape, callbacks=()):
    """The tensors of the trained networks."""
    torch.set_default_dtype(torch.float64)
    try:
        doubled(detector).fit(rows(*shape), callbacks=callbacks)
    finally:
        torch.set_default_dtype(torch.float32)
    return {name: tensor.numpy() for name, tensor in detector.networks_.state_dict().items()}


def kept(folder, *, resume=False, callbacks=()):
    """The tensors of networks whose training keeps checkpoints."""
    return trained(*detectors()["beta-vaegan"], [Checkpoints(folder, steps=2, resume=resume), *callbacks])
