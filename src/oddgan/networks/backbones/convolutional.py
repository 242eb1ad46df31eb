"""Base classes of convolutional backbones: encoders, decoders and critics of series and images from levels of maps."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import get_args

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.backbones.mlp import MLP
from oddgan.networks.base import Backbone, CodeOutput, Init, Norm, SampleOutput, one_of, whole
from oddgan.networks.blocks.critics import Critic, JointCritic, join, only_last
from oddgan.networks.blocks.layers import Chain, Layers, Sides, code_output, finish, sample_output

# A map is halved until its sides are below this, by number of axes: 4 to 7 px (DCGAN ends at 4), 8 to 15 time points
# (BeatGAN ends at 10). A series that is shorter from the start is halved once.
HALVE_FROM = {1: 16, 2: 8}
SHORTEST_SERIES = 4
SMALLEST_IMAGE, LARGEST_IMAGE = 8, 128


class Maps(Backbone):
    """Base of backbones of series and images: networks from layers that lead to the smallest map, and back from it.

    Attributes have the meaning that they have in `Convolutional`.
    """

    norm: Norm
    critic_norm: Norm
    feature_layer: int
    spectral_norm: bool
    init: Init
    codes: MLP

    @abstractmethod
    def _levels(self, sides: Sides) -> list[Sides]:
        """Return the sides of each level, from the sample's to the smallest map's."""

    @abstractmethod
    def _analysis(self, channels: int, levels: list[Sides], out: int, norm: Norm) -> tuple[Layers, Layers]:
        """Return layers from (n, channels, *levels[0]) to the features, and from there to (n, out)."""

    @abstractmethod
    def _synthesis(self, dim: int, levels: list[Sides], channels: int) -> Layers:
        """Return layers from codes (n, dim) to samples (n, channels, *levels[0])."""

    @abstractmethod
    def _activation(self) -> nn.Module:
        """Return the activation of encoder and critic."""

    @abstractmethod
    def _meeting(self) -> tuple[int, bool]:
        """Return the width of the layer in which samples meet codes in a critic, and whether it has biases."""

    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out)."""
        self.check(shape)
        whole(out=out)
        trunk, head = self._analysis(shape[0], self._levels(shape[1:]), out, self.norm)
        return finish(Chain([*trunk, *head, *code_output(output)], self.init), spectral=self.spectral_norm)

    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from codes (n, dim) to samples (n, *shape)."""
        self.check(shape)
        whole(dim=dim)
        layers = self._synthesis(dim, self._levels(shape[1:]), shape[0])
        return finish(Chain([*layers, *sample_output(output)], self.init))

    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from samples (n, *shape), joined with others, to a Judgement.

        Others of the same sides are joined along the channels. With codes among them, the features are a layer on the
        last map and the codes' branch; without, they are the map of `feature_layer`. Codes `(m,)` alone are judged by
        `codes`.
        """
        if len(shape) == 1:
            mlp = self.codes.with_spectral_norm() if self.spectral_norm else self.codes
            return mlp.critic(shape, *others)
        joined, code_length = join(shape, others)
        self.check(joined)
        meeting, bias = self._meeting()
        out = meeting if code_length else 1
        trunk, head = self._analysis(joined[0], self._levels(joined[1:]), out, self.critic_norm)
        if not code_length:
            alone = Critic(trunk, nn.Sequential(*head), self.init, self.feature_layer)
            return finish(alone, spectral=self.spectral_norm)
        only_last(self.feature_layer)
        branch = [*self.codes.critic_body(code_length), nn.Linear(self.codes.hidden[-1], out, bias=bias)]
        last = [self._activation(), nn.Linear(out, 1, bias=bias)]
        critic = JointCritic([*trunk, *head], branch, last, self.init, (joined, (code_length,)))
        return finish(critic, spectral=self.spectral_norm)


@dataclass(frozen=True, kw_only=True)
class Convolutional(Maps):
    """Base of the convolutional backbones: series `(c, t)` with t of at least 4, images `(c, h, w)` of 8 to 128 px.

    Each level halves the sides, until 4 to 7 px or 8 to 15 time points are left; a shorter side stops halving first.

    Parameters
    ----------
    width : channels of the first level; each further level has twice as many, at least 1.
    max_width : most channels of a level, at least `width`.
    depth : number of levels, at least 1; None chooses it from the shape, as described above.
    norm : normalisation in encoder and decoder: "batch", "layer" (over channels and axes), "group" (of 16), "none".
    critic_norm : normalisation in the critic; "batch" is wrong under a gradient penalty.
    feature_layer : which map of a critic is its features: 0 the last one below the head, 1 the one before it, and so
        on; critics of samples with codes have only 0.
    spectral_norm : whether encoder and critic divide each weight by its largest singular value.
    init : how weights start: "dcgan" (normal, 0.02), "xavier" or "he" (both normal), torch's "default", or "equalised":
        normal, 1, and scaled to "he" whenever they are used (Karras et al., 2018), which wants a larger learning rate.
        Without normalisation take "he": a critic that starts with another is nearly flat.
    codes : critics of codes alone, and the branch for codes in a critic that judges samples with codes.
    """

    width: int = 64
    max_width: int = 512
    depth: int | None = None
    norm: Norm = "batch"
    critic_norm: Norm = "batch"
    feature_layer: int = 0
    spectral_norm: bool = False
    init: Init = "dcgan"
    codes: MLP = field(default=MLP(hidden=(512,)))

    def __post_init__(self) -> None:
        whole(width=self.width)
        whole(0, feature_layer=self.feature_layer)
        whole(self.width, max_width=self.max_width)
        if self.depth is not None:
            whole(depth=self.depth)
        one_of(get_args(Norm), norm=self.norm, critic_norm=self.critic_norm)
        one_of(get_args(Init), init=self.init)

    @abstractmethod
    def _halved(self, side: int) -> int:
        """Return the next level's side."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError unless the shape is a series or an image of a size that these networks take."""
        refused = f"{type(self).__name__} can't serve samples of shape {shape}: "
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise InputError(refused + "it takes series (c, t) and images (c, h, w) with at least one channel.")
        sides = shape[1:]
        if len(sides) == 1 and sides[0] < SHORTEST_SERIES:
            raise InputError(refused + f"series need at least {SHORTEST_SERIES} time points; take longer windows.")
        if len(sides) == 2 and not SMALLEST_IMAGE <= min(sides) <= max(sides) <= LARGEST_IMAGE:
            raise InputError(
                refused + f"images need {SMALLEST_IMAGE} to {LARGEST_IMAGE} px per side; resize them or cut patches."
            )
        deepest = min(sides).bit_length() - 1
        if self.depth is not None and self.depth > deepest:
            raise InputError(refused + f"depth={self.depth} halves its sides too often; use at most {deepest}.")

    def _meeting(self) -> tuple[int, bool]:
        return 16 * self.width, True  # 1024 at width 64, as in EGBAD and ALAD

    def _levels(self, sides: Sides) -> list[Sides]:
        levels = [sides]
        if self.depth is not None:
            for _ in range(self.depth):
                levels.append(tuple(self._halved(s) for s in levels[-1]))
            return levels
        limit = min(HALVE_FROM[len(sides)], max(sides))
        while max(levels[-1]) >= limit:
            levels.append(tuple(self._halved(s) if s >= limit else s for s in levels[-1]))
        return levels

    def _widths(self, count: int) -> list[int]:
        """Return the channels of `count` levels."""
        return [min(self.width * 2**i, self.max_width) for i in range(count)]
