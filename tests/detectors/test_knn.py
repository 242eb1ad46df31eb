import numpy as np
import pytest
from scipy.spatial.distance import cdist

from oddgan import InputError
from oddgan.detectors import KNN
from oddgan.scaling import Identity

RNG = np.random.default_rng(0)
RAW = {"scaling": Identity(), "random_state": 0}
LINE = [[0.0], [1.0], [3.0], [10.0]]


@pytest.mark.parametrize(("method", "expected"), [("largest", 3.0), ("mean", 2.0), ("squares", 1 + 4 + 9)])
def test_score_by_hand(method, expected):
    # From -0 to the rows 1, 2 and 3 away: of (1, 2, 3, 11) the three smallest.
    detector = KNN(**RAW, n_neighbors=3, method=method).fit([[1.0], [2.0], [3.0], [11.0]])
    assert detector.score_components([[0.0]])["distance"] == pytest.approx(expected)


@pytest.mark.parametrize("d", [3, 30])
def test_against_all_distances(d):
    # In few dimensions scikit-learn searches a tree, in many it compares all.
    rows, new = RNG.normal(size=(50, d)).astype(np.float32), RNG.normal(size=(20, d)).astype(np.float32)
    found = KNN(**RAW, n_neighbors=4).fit(rows).anomaly_score(new)
    np.testing.assert_allclose(found, np.sort(cdist(new, rows), axis=1)[:, 3], rtol=1e-6)


def test_a_training_row_is_its_own_neighbour():
    assert not KNN(**RAW, n_neighbors=1).fit(LINE).anomaly_score(LINE).any()
    np.testing.assert_allclose(KNN(**RAW, n_neighbors=2).fit(LINE).anomaly_score(LINE), [1, 1, 2, 7])


def test_too_few_rows():
    with pytest.raises(InputError, match="4 rows have no 5 nearest neighbours: lower n_neighbors"):
        KNN().fit(LINE)


@pytest.mark.parametrize("wrong", [{"n_neighbors": 0}, {"method": "median"}])
def test_wrong_settings(wrong):
    with pytest.raises(InputError, match="n_neighbors must be at least 1 and method one of largest, mean, squares"):
        KNN(**wrong).fit(LINE)
