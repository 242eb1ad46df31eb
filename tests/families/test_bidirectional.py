"""Settings and moving averages of bidirectional GANs."""

import numpy as np
import pytest
import torch

from oddgan import EGBAD, InputError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ema": 1.0}, r"ema must lie in \[0, 1\), or be None for no average, not 1.0"),
        ({"latent_dim": 0}, "latent_dim must be a whole number of at least 1, not 0"),
    ],
)
def test_wrong_settings_are_refused_before_training(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EGBAD(**wrong).fit(np.zeros((4, 3)))


def test_the_average_scores() -> None:
    # A decay of 0 follows the last weights, as no average does; one near 1 stays behind them.
    rows, settings = np.random.default_rng(0).normal(size=(20, 3)), EGBAD.tiny | {"random_state": 0, "epochs": 5}
    none, nought, long = (EGBAD(**settings | {"ema": e}).fit(rows) for e in (None, 0.0, 0.999))
    a, b, c = (d.networks_["encoder"].layers[0].weight for d in (none, nought, long))
    torch.testing.assert_close(a, b)
    assert not torch.allclose(a, c)
