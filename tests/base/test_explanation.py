"""One pass gives what four calls give, and every column or channel has its contribution."""

import numpy as np
import pytest

from oddgan.base.explanation import scores_without_each
from oddgan.detectors import (
    GMM,
    KDE,
    KNN,
    OCSVM,
    PCA,
    VAE,
    AnoGAN,
    AutoEncoder,
    Ensemble,
    FAnoGAN,
    GANomaly,
    IForest,
)
from oddgan.scaling import Identity, MinMax, Standard

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


@pytest.mark.parametrize("cls", [AnoGAN, AutoEncoder, PCA])
def test_residuals_are_the_contributions_of_a_reconstruction(cls):
    found = cls(**cls.tiny, random_state=0).fit(X).explain(X)
    assert found.contributions is found.map


def test_a_series_has_the_mean_residual_of_each_channel():
    series = np.random.default_rng(0).normal(size=(20, 2, 8))
    detector = PCA(random_state=0, scaling=Identity()).fit(series)
    found = detector.explain(series)
    residual = np.abs(series - detector.reconstruct(series))
    assert found.contributions == pytest.approx(residual.mean(axis=2), abs=1e-6)  # rows are scaled in float32
    assert found.map == pytest.approx(residual.mean(axis=1), abs=1e-6)


def test_left_out_columns_by_hand():
    """The neighbour of (3, 4) is (1, 0), at √20. Of (0, 4) it is (0, 0), at 4, and of (3, 0) it is (1, 0), at 2."""
    detector = KNN(n_neighbors=1, scaling=Identity()).fit([[0.0, 0.0], [1.0, 0.0]])
    found = detector.explain([[3.0, 4.0], [0.0, 2.0]])
    assert found.contributions == pytest.approx(np.array([[20**0.5 - 4, 20**0.5 - 2], [0, 2]]), abs=1e-6)
    assert found.map is found.contributions
    assert found.reconstruction is None


@pytest.mark.parametrize(
    ("scaling", "centre"), [(Standard(), 3.0), (MinMax(), 5.0), (MinMax(low=0.0), 5.0), (Identity(), 0.0)]
)
def test_the_centre_follows_from_the_scaling(scaling, centre):
    """The mean of 0, 0, 2, 10, the middle of their range, or zero: a column with that value contributes nothing."""
    rows = np.array([[0.0, 1], [0, 2], [2, 3], [10, 4]])
    detector = KNN(n_neighbors=2, scaling=scaling).fit(rows)
    contributions = detector.explain([[centre, 9.0]]).contributions
    assert contributions[0, 0] == 0
    assert contributions[0, 1] > 0
    changed = detector.anomaly_score([[7.0, 9.0]]) - detector.anomaly_score([[centre, 9.0]])
    assert detector.explain([[7.0, 9.0]]).contributions[0, 0] == changed


def test_an_ensemble_leaves_columns_out_of_its_own_score():
    """A distance has no residuals, so those of the other member can't be meant; the members saw all rows."""
    detector = Ensemble(detectors=(KNN(), PCA()), n_members=1, random_state=0).fit(X)
    without = X.copy()
    without[:, 2] = X[:, 2].mean()
    found = detector.explain(X)
    expected = detector.anomaly_score(X) - detector.anomaly_score(without)
    assert found.contributions[:, 2] == pytest.approx(expected, abs=1e-6)
    residuals = Ensemble(detectors=(PCA(),), n_members=2, random_state=0).fit(X).explain(X)
    assert residuals.contributions == pytest.approx(PCA().fit(X).explain(X).contributions)


@pytest.mark.parametrize("cls", [GMM, KDE, KNN, IForest, OCSVM])
def test_the_column_that_is_wrong_contributes_most(cls):
    rows = X[:10].copy()
    rows[np.arange(10), np.arange(10) % 6] += 30.0
    found = cls(random_state=0).fit(X).explain(rows)
    assert np.array_equal(found.contributions.argmax(axis=1), np.arange(10) % 6)


@pytest.mark.parametrize("shape", [(5, 1000), (3, 4), (4000, 3), (3, 2, 5)])
def test_blocks_of_rows_and_columns_give_what_single_columns_give(shape):
    """A thousand columns are replaced in blocks of 524, and 4000 rows are looked at 1365 at a time."""
    rows, centre = np.random.default_rng(0).normal(size=shape), np.random.default_rng(1).normal(size=shape[1:])
    found = scores_without_each(lambda x: (x.reshape(len(x), -1) ** 3).sum(axis=1), rows, centre)
    assert found.shape == shape[:2]
    for j in (0, shape[1] // 2, shape[1] - 1):
        without = rows.copy()
        without[:, j] = centre[j]
        assert np.array_equal(found[:, j], (without.reshape(len(rows), -1) ** 3).sum(axis=1))


def test_integers_are_replaced_by_fractions():
    rows = np.array([[1, 5], [2, 6], [4, 6], [2, 8]])
    assert np.array_equal(
        KNN(n_neighbors=1).fit(rows).explain(rows + 1).contributions,
        KNN(n_neighbors=1).fit(rows.astype(float)).explain(rows + 1.0).contributions,
    )


def test_images_have_maps_and_no_contributions():
    images = np.random.default_rng(0).normal(size=(12, 1, 8, 8))
    assert KNN().fit(images).explain(images).contributions is None
    found = PCA().fit(images).explain(images)
    assert found.contributions is None
    assert found.map.shape == (12, 8, 8)


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
