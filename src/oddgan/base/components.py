"""Components of a score: the standard ones that most methods share, and those that follow from others."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.networks import Judgement
from oddgan.priors import Prior
from oddgan.scores import (
    critic_cross_entropy,
    empirical_mode,
    empirical_tail,
    feature_matching,
    latent_error,
    latent_norm,
    latent_norm_deviation,
)
from oddgan.similarities import L2

# One value per sample (n,), or what computes it, if that costs more than looking at what is there.
Component = Tensor | Callable[[], Tensor]


class ScoreParts(NamedTuple):
    """What a method says of n rows, from one pass.

    Parameters
    ----------
    components : the parts of the score by name, (n,) each, higher = more anomalous; a function without arguments where
        computing one costs more than looking at what is there: it is called if the part is wanted.
    reconstruction : the rows as the model can draw them, (n, ...), or a function that draws them; None if it can't.
    """

    components: Mapping[str, Component]
    reconstruction: Component | None = None


CHI = ("latent_norm_signed", "latent_norm_absolute", "latent_norm_tail")
EMPIRICAL = ("latent_norm_empirical_signed", "latent_norm_empirical_absolute", "latent_norm_empirical_tail")


def standard_components(
    x: Tensor,
    *,
    y: Tensor | None = None,
    z: Tensor | None = None,
    critic: Callable[[Tensor], Judgement] | None = None,
    encoder: Callable[[Tensor], Tensor] | None = None,
    prior: Prior | None = None,
) -> dict[str, Component]:
    """The usual components, as far as what is given allows them; none is computed before it is asked for.

    `residual` mean (x - y)²; `features` mean |f(x) - f(y)| in the critic; `critic` -D(x); `critic_cross_entropy`
    -log σ(D(y)); `latent_norm` ‖z‖; `latent` mean (z - E(y))²; `prior_nll` -log p(z). A method replaces those that its
    paper defines in another way.

    Parameters
    ----------
    x : samples, (n, ...).
    y : their reconstructions, of the same shape.
    z : their codes, (n, m).
    critic : judges samples; `functools.cache` of a network, where a method asks it for the same things.
    encoder : samples to codes (n, m).
    prior : the distribution that codes are meant to have.
    """
    found: dict[str, Component] = {}
    if critic is not None:
        judge = cache(critic)
        found["critic"] = lambda: -judge(x).logit
    if y is not None:
        found["residual"] = lambda: L2()(x, y)
    if critic is not None and y is not None:
        found["features"] = lambda: feature_matching(judge(x).features, judge(y).features)
        found["critic_cross_entropy"] = lambda: critic_cross_entropy(judge(y).logit)
    if z is not None:
        found["latent_norm"] = lambda: latent_norm(z)
    if z is not None and prior is not None:
        found["prior_nll"] = lambda: -prior.log_density(z)
    if z is not None and y is not None and encoder is not None:
        found["latent"] = lambda: latent_error(z, encoder(y))
    return found


@dataclass(frozen=True)
class Derived:
    """Components that follow from others, and from what those were for the calibration rows.

    `critic_centred` is `critic` with its mean over the calibration rows taken off, mean D - D(x): the level of a
    critic's logits drifts while it trains (Schlegl et al., 2019, the baseline of f-AnoGAN). `latent_norm` is compared
    with the χ distribution, where codes are meant to be normal, be it on a shell, and there is a `prior_nll`, as
    `latent_norm_signed`, `_absolute` and `_tail` (see `oddgan.scores.latent_norm_deviation`), and with the calibration
    rows' norms, as `latent_norm_empirical_signed`, `_absolute` and `_tail`.

    Parameters
    ----------
    dim : size of the latent space if the prior is N(0, I), or that on a shell, and otherwise None.
    """

    dim: int | None

    def sources(self, names: Collection[str]) -> dict[str, str]:
        """Which components follow from which of these."""
        norms = (*(CHI if self.dim and "prior_nll" in names else ()), *EMPIRICAL)
        found = {"critic_centred": "critic"} | dict.fromkeys(norms, "latent_norm")
        return {name: source for name, source in found.items() if source in names}

    def __call__(self, found: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The components (n,) that follow from those found.

        Parameters
        ----------
        found : components of rows, (n,) each.
        reference : all components of the calibration rows.
        """
        names = [name for name, source in self.sources(reference.keys()).items() if source in found]
        return {name: self._derive(name, found, reference) for name in names}

    def _derive(self, name: str, found: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> np.ndarray:
        if name == "critic_centred":
            return np.asarray(found["critic"] - reference["critic"].mean())
        norm, known = torch.from_numpy(found["latent_norm"]), reference["latent_norm"]
        form = cast(Literal["signed", "absolute", "tail"], name.rpartition("_")[2])
        if name == "latent_norm_empirical_tail":
            value = empirical_tail(norm, np.sort(known))
        else:
            mode = empirical_mode(known) if name in EMPIRICAL else None
            value = latent_norm_deviation(norm, self.dim or 1, form, mode)
        return value.numpy()


def evaluated(
    parts: ScoreParts, n: int, wanted: Collection[str] | None, derived: Derived, owner: str
) -> dict[str, Tensor]:
    """The wanted components of n rows, (n,) each, float64, or what they follow from; None wants all.

    Raises
    ------
    InputError
        If a wanted component is not among them, or is not (n,); the message lists those that are.
    """
    if not isinstance(parts, ScoreParts) or not isinstance(parts.components, Mapping):
        raise InputError(
            f"The score of {owner} is a {type(parts).__name__}, but must be ScoreParts(components by name)."
        )
    components = parts.components
    sources = {name: name for name in components} | derived.sources(components.keys())
    if missing := sorted(set(wanted or ()) - sources.keys()):
        raise InputError(f"{owner} has no component {', '.join(missing)}: it has {', '.join(sorted(sources))}.")
    chosen = components.keys() if wanted is None else {sources[name] for name in wanted}
    given = ((name, components[name]) for name in sorted(chosen))
    values = {name: value() if callable(value) else value for name, value in given}
    for name, value in values.items():
        if not isinstance(value, Tensor) or value.shape != (n,):
            found = f"is a {type(value).__name__} of shape {tuple(np.shape(value))}"
            raise InputError(
                f"The component {name} of {owner} {found}, but must be a tensor ({n},): a value for each row."
            )
    return {name: value.double() for name, value in values.items()}
