"""One pass gives what four calls give."""

import numpy as np
import pytest

from oddgan.detectors import PCA, VAE, AnoGAN, AutoEncoder, FAnoGAN, GANomaly, IForest

X = np.random.default_rng(0).normal(size=(70, 6))


@pytest.mark.parametrize("cls", [AnoGAN, AutoEncoder, FAnoGAN, GANomaly, PCA, VAE])
def test_explain_agrees_with_the_single_calls(cls):
    detector = cls(**cls.tiny, random_state=0).fit(X)
    found = detector.explain(X)
    np.testing.assert_array_equal(found.score, detector.anomaly_score(X))
    np.testing.assert_array_equal(found.reconstruction, detector.reconstruct(X))
    np.testing.assert_array_equal(found.map, detector.anomaly_map(X))
    components = detector.score_components(X, extra="all")
    assert found.components.keys() == components.keys()
    for name, values in components.items():
        np.testing.assert_array_equal(found.components[name], values)


def test_a_method_that_draws_nothing_explains_by_its_components():
    detector = IForest(**IForest.tiny, random_state=0).fit(X)
    found = detector.explain(X)
    np.testing.assert_array_equal(found.score, detector.anomaly_score(X))
    assert found.reconstruction is None
    assert found.map is None


@pytest.mark.parametrize(
    ("cls", "passes"),
    [
        (FAnoGAN, {"generator": 1, "encoder": 2, "critic": 2}),
        (GANomaly, {"encoder": 1, "decoder": 1, "reencoder": 1, "discriminator": 2}),
    ],
)
def test_no_network_sees_a_row_twice_for_the_same_purpose(cls, passes):
    """f-AnoGAN's encoder sees x and x̂, as do both methods' critics; all else runs once."""
    detector = cls(**cls.tiny, random_state=0).fit(X)
    seen = dict.fromkeys(passes, 0)
    for name in passes:

        def count(*_, name=name):
            seen[name] += 1

        detector.networks_.prepared(name).register_forward_hook(count)
    detector.explain(X[:64])
    assert seen == passes
