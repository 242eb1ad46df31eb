"""Progressive growing of GANs: networks that start at a few pixels and grow to the size of the samples."""

import math
from dataclasses import dataclass, field

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.mlp import MLP
from oddgan.networks.base import Backbone, CodeOutput, SampleOutput, whole
from oddgan.networks.blocks.critics import Critic, JointCritic, join
from oddgan.networks.blocks.layers import CONV, Chain, Sides, Sphere, code_output, finish, sample_output
from oddgan.networks.blocks.minibatch import MinibatchStdDev
from oddgan.networks.blocks.progressive import Drawing, PixelNorm, Reading, Shape, Timetable

SMALLEST, LARGEST_IMAGE = 4, 1024


@dataclass(frozen=True, kw_only=True)
class Progressive(Backbone):
    """Networks that grow while they train, level by level, for series of 4 points or more and images of 4 to 1024 px.

    Training starts with samples of 4 to 7 pixels or points a side. When it has gone on for a while, a level of twice
    the sides fades in: its output is mixed with that of the level before, enlarged, with a weight that rises from 0 to
    1. So on up to the samples' own size. A phase grows if a critic of samples learns in it; all networks of this kind
    that learn in it grow together, and what the step gets are samples of the level's resolution. Other phases, and
    scoring, have the whole networks.

    Decoder: a linear layer to the smallest map, then for each level repetition and two 3 x 3 convolutions, each with
    leaky ReLU and normalised pixel by pixel. Encoder and critic: two 3 x 3 convolutions a level, then the mean of
    pairs; on the smallest map a 3 x 3 convolution and two linear layers. 1 x 1 convolutions lead from and to samples at
    each level. Critics see how much the samples of a training batch differ (`MinibatchStdDev`); when scoring, that is a
    constant. A critic's features are the smallest map, before that layer. Weights are equalised.

    Differences from the paper: (1) Samples keep their full size throughout, repeated up to it and averaged down from
    it, so that no method needs to know of growth. A gradient penalty therefore measures distances between samples of
    full size at each level; in the paper, the distance between two small images is smaller. (2) Any side is served:
    halving rounds up; an odd side's last pixel is no mean of two. (3) All layers have the gain √2; the released
    code has 1 in the last ones. (4) Codes keep their length, unless `sphere` says otherwise; the prior `Sphere` draws
    them as the paper does. As pixel norm makes decoders all but blind to that length, what is read from it, like
    `latent_norm` and `prior_nll`, means little here. (5) Batches have one size, and optimisers one learning rate, at
    all levels.

    T. Karras, T. Aila, S. Laine, J. Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and
    Variation, 2018, https://arxiv.org/abs/1710.10196.

    Parameters
    ----------
    width : channels of the samples' own level; each smaller one has twice as many, at least 1.
    max_width : most channels of a level, at least `width`.
    slope : slope of the leaky ReLU below zero, 0 or more.
    group : samples of a batch that the critic compares, at least 2.
    sphere : whether decoders put codes on the sphere of radius √m first.
    grow : whether networks grow; without, they have all their levels from the start.
    shares : epochs of the levels relative to each other, from the smallest level on, above 0; the last number holds for
        all further levels. Every stage has at least one epoch.
    fade : share of a level's epochs in which it fades in, in [0, 1); the smallest level has no such stage, and its
        other epochs only.
    spectral_norm : whether encoder and critic divide each weight by its largest singular value.
    codes : critics of codes alone, and the branch for codes in a critic that judges samples with codes.
    """

    width: int = 64
    max_width: int = 512
    slope: float = 0.2
    group: int = 4
    sphere: bool = False
    grow: bool = True
    shares: tuple[float, ...] = (1.0,)
    fade: float = 0.5
    spectral_norm: bool = False
    codes: MLP = field(default=MLP(hidden=(512,)))

    def __post_init__(self) -> None:
        whole(width=self.width)
        whole(self.width, max_width=self.max_width)
        whole(2, group=self.group)
        if not (self.slope >= 0 and 0 <= self.fade < 1):
            raise InputError(f"slope={self.slope} must be 0 or more, and fade={self.fade} in [0, 1).")
        if not self.shares or not all(0 < share < math.inf for share in self.shares):
            raise InputError(f"shares must name finite numbers above 0, e.g. (1.0, 2.0), not {self.shares}.")

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError unless the shape is a series or an image of a size that can be grown to."""
        refused = f"{type(self).__name__} can't serve samples of shape {shape}: "
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise InputError(refused + "it takes series (c, t) and images (c, h, w) with at least one channel.")
        if len(shape) == 2 and shape[1] < SMALLEST:
            raise InputError(refused + f"series need at least {SMALLEST} time points; take longer windows.")
        if len(shape) == 3 and not SMALLEST <= min(shape[1:]) <= max(shape[1:]) <= LARGEST_IMAGE:
            raise InputError(refused + f"images need {SMALLEST} to {LARGEST_IMAGE} px per side; resize or pad them.")

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out)."""
        self.check(shape)
        whole(out=out)
        layers = [self._reading(shape), *self._last(shape[1:], out), *code_output(output)]
        return finish(Chain(layers, "equalised"), spectral=self.spectral_norm)

    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from codes (n, dim) to samples (n, *shape)."""
        self.check(shape)
        whole(dim=dim)
        levels, widths = self._levels(shape[1:])
        axes, first = len(shape) - 1, widths[0]
        layers: list[nn.Module] = [Sphere()] if self.sphere else []
        layers += [nn.Linear(dim, first * math.prod(levels[0])), nn.Unflatten(1, (first, *levels[0]))]
        layers += [nn.LeakyReLU(self.slope), PixelNorm(), CONV[axes](first, first, 3, padding=1)]
        layers += [nn.LeakyReLU(self.slope), PixelNorm()]
        layers.append(Drawing(shape[0], (levels, widths), self.slope, self._timetable, sample_output(output)))
        return finish(Chain(layers, "equalised"))

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from samples (n, *shape), joined with others, to a Judgement.

        Others of the same sides are joined along the channels. With codes among them, the features are a layer as wide
        as the smallest map on samples' and codes' branches. Codes `(m,)` alone are judged by `codes`.
        """
        if len(shape) == 1:
            mlp = self.codes.with_spectral_norm() if self.spectral_norm else self.codes
            return mlp.critic(shape, *others)
        joined, code_length = join(shape, others)
        self.check(joined)
        trunk, variety = self._reading(joined), MinibatchStdDev(self.group)
        if not code_length:
            head = nn.Sequential(variety, *self._last(joined[1:], 1, extra=1))
            return finish(Critic([trunk], head, "equalised"), spectral=self.spectral_norm)
        out = self._levels(joined[1:])[1][0]
        samples = [trunk, variety, *self._last(joined[1:], out, extra=1)]
        branch = [*self.codes.critic_body(code_length), nn.Linear(self.codes.hidden[-1], out)]
        last = [nn.LeakyReLU(self.slope), nn.Linear(out, 1)]
        return finish(
            JointCritic(samples, branch, last, "equalised", (joined, (code_length,))), spectral=self.spectral_norm
        )

    def _reading(self, shape: tuple[int, ...]) -> Reading:
        return Reading(shape[0], self._levels(shape[1:]), self.slope, self._timetable)

    @property
    def _timetable(self) -> Timetable | None:
        return Timetable(self.shares, self.fade) if self.grow else None

    def _last(self, sides: Sides, out: int, extra: int = 0) -> list[nn.Module]:
        """Return the layers from the smallest map, with extra channels, to (n, out)."""
        (small, *_), (width, *_) = self._levels(sides)
        layers = [CONV[len(sides)](width + extra, width, 3, padding=1), nn.LeakyReLU(self.slope), nn.Flatten()]
        return [*layers, nn.Linear(width * math.prod(small), width), nn.LeakyReLU(self.slope), nn.Linear(width, out)]

    def _levels(self, sides: Sides) -> Shape:
        """Return the sides and the channels of each level, from the smallest on."""
        levels = [sides]
        while max(levels[0]) >= 2 * SMALLEST:
            levels.insert(0, tuple(math.ceil(s / 2) if s >= 2 * SMALLEST else s for s in levels[0]))
        return levels, [min(self.width * 2**i, self.max_width) for i in reversed(range(len(levels)))]
