import numpy as np
import pytest

from oddgan import InputError
from oddgan.detectors import PCA
from oddgan.scaling import Identity

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(80, 5)) * [5, 3, 1, 0.3, 0.1]).astype(np.float32)
RAW = {"scaling": Identity(), "random_state": 0}


def test_residual_by_hand():
    # All rows lie on the first axis, around (1, 2): what is off it counts, squared.
    detector = PCA(**RAW, n_components=1).fit([[0.0, 2.0], [1.0, 2.0], [2.0, 2.0]])
    np.testing.assert_allclose(detector.anomaly_score([[7.0, 2.0], [7.0, 5.0]]), [0, 9], atol=1e-12)
    np.testing.assert_allclose(detector.reconstruct([[7.0, 5.0]]), [[7, 2]], atol=1e-12)
    np.testing.assert_allclose(detector.anomaly_map([[7.0, 5.0]]), [[0, 3]], atol=1e-12)


def test_against_the_singular_vectors():
    rows = X.astype(float)
    centred = rows - rows.mean(axis=0)
    rest = np.linalg.svd(centred)[2][2:]
    np.testing.assert_allclose(
        PCA(**RAW, n_components=2).fit(X).score_components(X)["residual"],
        ((centred @ rest.T) ** 2).sum(axis=1),
        rtol=1e-6,
    )


def test_share_of_the_variance():
    variance = np.linalg.eigvalsh(np.cov(X.astype(float).T))[::-1]
    share = variance.cumsum() / variance.sum()
    for wanted in (0.5, 0.9, 0.999):
        subspace = PCA(**RAW, n_components=wanted).fit(X).estimators_["subspace"]
        assert subspace.n_components_ == (share < wanted).sum() + 1


def test_a_share_leaves_a_residual():
    square = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    assert PCA(**RAW, n_components=0.99).fit(square).estimators_["subspace"].n_components_ == 1
    assert PCA(**RAW, n_components=2).fit(square).anomaly_score(square) == pytest.approx(0)  # as asked


def test_more_components_leave_less():
    few, many = (PCA(**RAW, n_components=k).fit(X).anomaly_score(X) for k in (1, 4))
    assert (many <= few).all()


def test_images():
    images = RNG.uniform(size=(20, 2, 8, 8))
    detector = PCA(random_state=0).fit(images)  # fewer rows than values
    assert detector.reconstruct(images).shape == images.shape
    assert detector.anomaly_map(images).shape == (20, 8, 8)


@pytest.mark.parametrize(
    ("n_components", "message"),
    [
        (0, "a whole number of at least 1 or a share"),
        (1.5, "a whole number of at least 1 or a share"),
        (6, "80 rows of 5 values have no 6 principal components: lower n_components"),
    ],
)
def test_wrong_settings(n_components, message):
    with pytest.raises(InputError, match=message):
        PCA(n_components=n_components).fit(X)


def test_a_single_column():
    with pytest.raises(InputError, match="no residual of a single value per sample"):
        PCA().fit(X[:, :1])
