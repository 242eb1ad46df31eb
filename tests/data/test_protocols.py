import numpy as np
import pytest

from oddgan import InputError
from oddgan.data import PROTOCOLS, from_arrays, one_class

N_TRAIN, N_TEST = 100, 40
TRAIN = from_arrays(np.arange(N_TRAIN)[:, None], np.arange(N_TRAIN) % 10)
TEST = from_arrays(1000 + np.arange(N_TEST)[:, None], np.arange(N_TEST) % 10)


def ids(x):
    """Each sample is its own number; it ends in its label."""
    return x[:, 0].astype(int)


def test_oc_std_trains_on_one_class_and_tests_on_the_whole_test_part():
    split = one_class(TRAIN, TEST, 3)
    assert split.protocol == "OC-std"
    assert ids(split.x_train).tolist() == list(range(3, N_TRAIN, 10))
    assert (split.x_test == TEST.x).all()
    assert (split.is_anomaly == (TEST.y != 3)).all()


def test_oc_5000_tests_on_5000_random_items():
    test = from_arrays(np.arange(6000)[:, None], np.arange(6000) % 10)
    split = one_class(TRAIN, test, 3, "oc5000", seed=1)
    assert (split.protocol, len(set(ids(split.x_test)))) == ("OC-5000", 5000)
    assert (split.is_anomaly == (ids(split.x_test) % 10 != 3)).all()
    assert ids(split.x_train).tolist() == list(range(3, N_TRAIN, 10))
    other = one_class(TRAIN, test, 3, "OC-5000", seed=2)
    assert set(ids(split.x_test)) != set(ids(other.x_test))
    with pytest.raises(InputError, match="needs 5000 test items, but there are 40"):
        one_class(TRAIN, TEST, 3, "OC-5000")


@pytest.mark.parametrize(("share", "anomalies"), [(0.5, 3), (0.75, 9), (0.25, 1)])
def test_p1_pools_and_trains_on_80_percent_of_the_class(share, anomalies):
    split = one_class(TRAIN, TEST, "3", "P1-80/20", anomalous_share=share)
    normals = ids(split.x_test)[~split.is_anomaly]
    assert len(split.x_train) == 11  # 80% of 10 + 4, rounded
    assert len(normals) == 3
    assert sorted([*ids(split.x_train), *normals]) == [*range(3, N_TRAIN, 10), *range(1003, 1040, 10)]
    assert split.is_anomaly.sum() == anomalies
    assert (split.is_anomaly == (ids(split.x_test) % 10 != 3)).all()


@pytest.mark.parametrize("share", [0, 1, -0.5])
def test_the_share_of_anomalies_is_a_share(share):
    with pytest.raises(InputError, match=r"expected a number above 0 and below 1"):
        one_class(TRAIN, TEST, 3, "P1-80/20", anomalous_share=share)


def test_too_large_a_share_of_anomalies():
    with pytest.raises(InputError, match="needs 297 anomalies, but there are 126"):
        one_class(TRAIN, TEST, 3, "P1-80/20", anomalous_share=0.99)


def test_loo_makes_one_class_the_anomaly():
    split = one_class(TRAIN, TEST, 3, "LOO")
    assert len(split.x_train) == round(0.8 * 126)  # of the 140 pooled samples 126 are normal
    assert not (ids(split.x_train) % 10 == 3).any()
    assert split.is_anomaly.sum() == 14
    assert (split.is_anomaly == (ids(split.x_test) % 10 == 3)).all()
    assert len(set(ids(split.x_train)) | set(ids(split.x_test))) == 140


@pytest.mark.parametrize("protocol", ["P1-80/20", "LOO"])
def test_the_seed_decides(protocol):
    first, again, other = (one_class(TRAIN, TEST, 3, protocol, seed=s) for s in (0, 0, 1))
    assert (first.x_train == again.x_train).all()
    assert (first.x_test == again.x_test).all()
    assert (first.x_train != other.x_train).any()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_class_that_is_not_there(protocol):
    with pytest.raises(InputError, match=r"No row has the label 11; the labels are 0 \(10 rows\)"):
        one_class(TRAIN, TEST, 11, protocol)


def test_an_unknown_protocol():
    with pytest.raises(InputError, match=r"Unknown protocol 'OC-50'\..*Known: LOO, OC-5000, OC-std, P1-80/20"):
        one_class(TRAIN, TEST, 3, "OC-50")


def test_labels_are_needed():
    with pytest.raises(InputError, match="need labels in the training part and in the test part"):
        one_class(TRAIN, from_arrays(TEST.x), 3)
