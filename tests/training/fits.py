"""What several workers and one process both train, in float64, so that rounding can't hide a mistake."""

import numpy as np
import torch

import oddgan
from oddgan.networks import MLP, Auto, ConvLadder, Refiner
from oddgan.objectives import WGANGP, NonSaturating
from oddgan.priors import Langevin
from oddgan.training import Callback, Phase, Player, Update, gathered

SHORT = Langevin(steps=3)
ROWS, BATCH = 41, 10  # 5 batches of 9 or 8 rows: neither 2 nor 3 workers get equal shares


def rows(*shape, n=ROWS):
    return np.random.default_rng(0).normal(size=(n, *shape))


def nets(**mlp):
    mlp = MLP(**{"hidden": (8,)} | mlp)
    return Auto(table=mlp, series=ConvLadder(width=4, max_width=8), image=ConvLadder(width=4, max_width=8))


def doubled(cls):
    """The detector on float64 input."""
    return type(cls.__name__, (cls,), {"_prepare": lambda self, raw: cls._prepare(self, raw).double()})


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
        torch.rand(20 + int(x[0, 0] * 1000) % 7)
        yield Update("autoencoder", self._similarity()(x, self._reconstruct(x)))


class Shuffling(oddgan.AutoEncoder):
    """Mixes the rows of a batch."""

    def _reconstruction(self, x, clock):
        yield Update("autoencoder", self._similarity()(x, self._reconstruct(x[torch.randperm(len(x))])))


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
        noise = noise + torch.nn.functional.gumbel_softmax(x) + torch.empty(n, d).random_(3) + torch.randperm(70).sum()
        yield Update("autoencoder", self._similarity()(x + noise, y))


def detectors():
    """Detectors by name, each with the shape of its rows; together they use whatever training may meet."""
    common = {"epochs": 4, "batch_size": BATCH, "latent_dim": 3, "random_state": 0}
    table = common | {"backbone": nets()}
    series = common | {"backbone": nets()}
    normed = nets(critic_norm="batch", norm="batch", dropout=0.2)
    penalised = WGANGP().regulariser
    return {
        "anogan": (oddgan.AnoGAN(**series), (1, 16)),
        "fanogan": (oddgan.FAnoGAN(**table, n_critic=2, encoder_output="stochastic"), (4,)),
        "penalty through batch norm": (
            oddgan.AnoGAN(**common, backbone=normed, objective=NonSaturating(regulariser=penalised)),
            (4,),
        ),
        "ganomaly": (oddgan.GANomaly(**series, collapse=10.0), (1, 8, 8)),
        "beta-vaegan": (oddgan.BetaVAEGAN(**table, prior_samples=True), (4,)),
        "alad": (oddgan.ALAD(**common, ema=0.9), (4,)),
        "svdd": (oddgan.DeepSVDD(**common, boundary="soft", warm_up=1, pretrain_epochs=1), (4,)),
        "alocc": (
            oddgan.ALOCC(epochs=4, batch_size=BATCH, refiner=Refiner(widths=(4, 8)), stop_below=0.9, random_state=0),
            (1, 8, 8),
        ),
        "nae": (
            oddgan.NAE(**table, pretraining_epochs=1, buffer_size=30, latent_chain=SHORT, sample_chain=SHORT),
            (4,),
        ),
        "whole": (Whole(**table), (4,)),
        "worst": (Worst(**table), (4,)),
        "drawing": (Drawing(**table), (4,)),
    }


class Failing(Callback):
    """A callback that can't go on, e.g. as the disk is full."""

    def iteration_ended(self, state):
        if state.clock.iteration == 2:
            raise OSError("the disk is full")


class Broken(oddgan.AutoEncoder):
    """Fails on one worker only."""

    def _reconstruction(self, x, clock):
        if clock.iteration == 3 and torch.distributed.get_rank() == 1:
            raise ValueError("row 7 can't be read")
        return super()._reconstruction(x, clock)


def refused():
    """Fits that several workers refuse, by name: the detector, its rows and callbacks."""
    common = {"epochs": 4, "batch_size": BATCH, "latent_dim": 3, "random_state": 0, "backbone": nets()}
    first = not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0
    return {
        "apart": (Apart(**common), rows(4), ()),
        "drifting": (Drifting(**common), rows(4), ()),
        "shuffling": (Shuffling(**common), rows(4), ()),
        "other rows": (oddgan.AutoEncoder(**common), rows(4) + (not first), ()),
        "other settings": (oddgan.AutoEncoder(**common | {"epochs": 4 + first}), rows(4), ()),
        "small batches": (oddgan.AutoEncoder(**common | {"batch_size": 2}), rows(4, n=4), ()),
        "callback": (oddgan.AutoEncoder(**common), rows(4), (Failing(),)),
        "broken": (Broken(**common), rows(4), ()),
    }


def trained(detector, shape):
    """The tensors of the trained networks."""
    detector.__class__ = doubled(type(detector))
    torch.set_default_dtype(torch.float64)
    try:
        detector.fit(rows(*shape))
    finally:
        torch.set_default_dtype(torch.float32)
    return {name: tensor.numpy() for name, tensor in detector.networks_.state_dict().items()}
