"""Components of a score: the standard ones that most methods share, and those that follow from others."""

from collections.abc import Callable, Collection, Mapping
from functools import cache

import numpy as np
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.networks import Judgement
from oddgan.priors import Prior
from oddgan.scores import critic_cross_entropy, feature_matching, latent_error, latent_norm
from oddgan.similarities import L2

# One value per sample (n,), or what computes it, if that costs more than looking at what is there.
Component = Tensor | Callable[[], Tensor]

# Components that follow from another one and from what it was for the calibration rows.
DERIVED = {"critic_centred": "critic"}


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


def evaluated(components: Mapping[str, Component], wanted: Collection[str] | None, owner: str) -> dict[str, Tensor]:
    """The wanted components, (n,) each, float64; None wants all.

    Raises
    ------
    InputError
        If a wanted component is not among them; the message lists those that are.
    """
    chosen = components.keys() if wanted is None else {DERIVED.get(name, name) for name in wanted}
    if missing := sorted(chosen - components.keys()):
        has = sorted([*components, *(name for name, source in DERIVED.items() if source in components)])
        raise InputError(f"{owner} has no component {', '.join(missing)}: it has {', '.join(has)}.")
    values = {name: components[name] for name in sorted(chosen)}
    return {name: (value() if callable(value) else value).double() for name, value in values.items()}


def derived(found: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Components that follow from those found, (n,) each.

    `critic_centred` is `critic` with the mean over the calibration rows taken off, mean D - D(x): the level of a
    critic's logits drifts while it trains (Schlegl et al., 2019, the baseline of f-AnoGAN).

    Parameters
    ----------
    found : components of rows, (n,) each.
    reference : components of the calibration rows.
    """
    return {"critic_centred": found["critic"] - reference["critic"].mean()} if "critic" in found else {}
