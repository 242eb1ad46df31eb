import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddgan import InputError
from oddgan.scaling import AutoScaling, Identity, MinMax, Scaling, Standard

# Two samples, two channels, two steps: each number is told apart by hand.
SERIES = np.array([[[0.0, 2.0], [10.0, 30.0]], [[4.0, 2.0], [20.0, 50.0]]])
LEARNED = [scaling(per=per) for scaling in (MinMax, Standard) for per in ("feature", "channel", "all")]


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        # feature: position (0, 0) runs from 0 to 4, (0, 1) is constant, (1, 0) from 10 to 20, (1, 1) from 30 to 50
        ("feature", [[[-1, 0], [-1, -1]], [[1, 0], [1, 1]]]),
        # channel: 0 to 4 and 10 to 50
        ("channel", [[[-1, 0], [-1, 0]], [[1, 0], [-0.5, 1]]]),
        # all: 0 to 50
        ("all", [[[-1, -0.92], [-0.6, 0.2]], [[-0.84, -0.92], [-0.2, 1]]]),
    ],
)
def test_min_max_by_hand(per, expected):
    scaled = MinMax(per=per).fit([SERIES])(SERIES)
    assert scaled == pytest.approx(np.array(expected), abs=1e-6)
    assert scaled.dtype == np.float32


@pytest.mark.parametrize(
    ("per", "mean", "deviation"),
    [
        ("feature", [[2, 2], [15, 40]], [[2, 0], [5, 10]]),
        # channel 0: 0, 2, 4, 2: mean 2, variance 2; channel 1: 10, 30, 20, 50: mean 27.5, variance 218.75
        ("channel", [[2], [27.5]], [[2**0.5], [218.75**0.5]]),
        ("all", [[14.75]], [[SERIES.std()]]),
    ],
)
def test_standard_by_hand(per, mean, deviation):
    fitted = Standard(per=per).fit([SERIES])
    assert np.broadcast_to(fitted.centre, np.shape(mean)) == pytest.approx(np.array(mean))
    assert np.broadcast_to(fitted.spread, np.shape(deviation)) == pytest.approx(np.array(deviation))


@pytest.mark.parametrize("scaling", LEARNED, ids=str)
@given(seed=st.integers(0, 2**16), cut=st.integers(1, 11), shape=st.sampled_from([(3,), (2, 5), (2, 3, 4)]))
def test_chunks_equal_the_whole(scaling, seed, cut, shape):
    X = 5 + 3 * np.random.default_rng(seed).normal(size=(12, *shape))
    whole, parts = scaling.fit([X]), scaling.fit([X[:cut], X[cut:]])
    assert parts.centre == pytest.approx(whole.centre, rel=1e-12)
    assert parts.spread == pytest.approx(whole.spread, rel=1e-12)


@pytest.mark.parametrize("scaling", [*LEARNED, Identity(), MinMax(low=0.0)], ids=str)
def test_there_and_back(scaling):
    fitted = scaling.fit([SERIES])
    assert fitted.backward(fitted(SERIES)) == pytest.approx(SERIES, rel=1e-6, abs=1e-5)
    assert fitted.backward(fitted(SERIES)).dtype == np.float64


@pytest.mark.parametrize("scaling", LEARNED, ids=str)
def test_training_data_fill_their_range(scaling):
    X = np.random.default_rng(0).normal(size=(50, 2, 4))
    scaled = scaling.fit([X])(X)
    if scaling.range:
        assert (scaled.min(), scaled.max()) == pytest.approx(scaling.range, abs=1e-6)
    else:
        assert scaled.mean() == pytest.approx(0, abs=1e-6)
        assert scaled.std() == pytest.approx(1, abs=1e-6)


def test_new_values_are_not_clipped():
    assert MinMax().fit([np.array([[0.0], [2.0]])])(np.array([[5.0]])).item() == 4


def test_range_is_the_interval():
    assert MinMax().range == (-1, 1)
    assert MinMax(low=0.0).range == (0, 1)
    assert Standard().range is None
    X = np.array([[2.0], [4.0]])
    assert MinMax(low=0.0, high=3.0).fit([X])(X).ravel().tolist() == [0, 3]


@pytest.mark.parametrize("scaling", [MinMax(), Standard()], ids=str)
@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e9, -1e-9])
def test_constants_become_zero_and_come_back(scaling, value):
    X = np.column_stack([np.full(30, value), np.arange(30.0)])
    fitted = scaling.fit([X[:7], X[7:]])
    assert fitted.constant == 1
    assert (fitted(X)[:, 0] == 0).all()
    assert fitted.backward(fitted(X))[:, 0] == pytest.approx(X[:, 0])
    # A value that was never seen stays silent rather than infinite.
    assert np.isfinite(fitted(np.array([[value + 1, 0.0]]))).all()


def test_bytes_are_scaled_without_overflow():
    X = np.array([[[[0, 255]]], [[[128, 3]]]], dtype=np.uint8)
    fitted = MinMax(per="all").fit([X])
    assert fitted(X).ravel() == pytest.approx([-1, 1, 128 / 127.5 - 1, 3 / 127.5 - 1], abs=1e-6)
    assert fitted.backward(fitted(X)) == pytest.approx(X, abs=1e-4)
    assert Standard(per="all").fit([X]).centre.item() == 96.5
    assert MinMax().fit([np.array([[False], [True]])])(np.array([[True]])).item() == 1


def test_fitting_leaves_the_original_alone():
    scaling = MinMax()
    fitted = scaling.fit([SERIES])
    assert scaling == MinMax()
    assert scaling.centre is None
    assert isinstance(fitted, MinMax)


def test_identity():
    fitted = Identity().fit([SERIES])
    assert (fitted(SERIES) == SERIES).all()
    assert (fitted.constant, fitted.range) == (0, None)


@pytest.mark.parametrize(
    ("shape", "choice"),
    [((5,), Standard(per="feature")), ((2, 9), MinMax(per="channel")), ((3, 8, 8), MinMax(per="all"))],
)
def test_auto_chooses_by_kind(shape, choice):
    assert AutoScaling().choose(shape) == choice


def test_errors():
    with pytest.raises(InputError, match=r"AutoScaling\(\)\.choose\(shape\)"):
        AutoScaling().fit([SERIES])
    for scaling in (MinMax(), Standard()):
        with pytest.raises(InputError, match="no rows"):
            scaling.fit([])
        for use in (scaling, scaling.backward):
            with pytest.raises(InputError, match=f"{type(scaling).__name__} has not been fitted"):
                use(SERIES)
    with pytest.raises(InputError, match=r"low < high.*low=1"):
        MinMax(low=1.0, high=1.0).fit([SERIES])
    with pytest.raises(InputError, match="per is 'row': use 'feature', 'channel' or 'all'"):
        Standard(per="row").fit([SERIES])
    assert issubclass(Identity, Scaling)
