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
        # the constant gets the median of the others, 2, 5 and 10, but at most 1: series have units of their own
        ("feature", [[2, 2], [15, 40]], [[2, 1], [5, 10]]),
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


@pytest.mark.parametrize("scaling", [MinMax(), MinMax(low=1.0, high=3.0), Standard()], ids=str)
@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e9, -1e-9])
def test_constants_become_the_middle_and_come_back(scaling, value):
    X = np.column_stack([np.full(30, value), np.arange(30.0)])
    fitted = scaling.fit([X[:7], X[7:]])
    assert fitted.constant == 1
    middle = sum(scaling.range) / 2 if scaling.range else 0.0
    assert fitted(X)[:, 0] == pytest.approx(middle, abs=1e-6)
    assert fitted.backward(fitted(X))[:, 0] == pytest.approx(X[:, 0])


@pytest.mark.parametrize("scaling", [MinMax(), Standard()], ids=str)
@pytest.mark.parametrize(
    ("value", "others", "step", "scaled"),
    [
        # One other column, standard deviation and half range 0.01: a step of 0.01 is one spread.
        (5.0, 0.01, 0.01, 1.0),
        # Where others are in the thousands, a flag that is set still counts as 1.
        (0.0, 5000.0, 1.0, 1.0),
        # A millionth of 1e9 is 1000: what single precision rounds off does not look like a change.
        (1e9, 1.0, 1000.0, 1.0),
        # The same at any size of numbers.
        (0.0, 1e-290, 1e-290, 1.0),
        (1e290, 1e290, 1e284, 1.0),
    ],
)
def test_a_change_of_a_constant_shows(scaling, value, others, step, scaled):
    X = np.column_stack([np.full(4, value), others * np.array([-1.0, 1, -1, 1])])
    fitted = scaling.fit([X])
    assert fitted(X)[:, 0] == pytest.approx(0, abs=1e-9)
    assert fitted(np.array([[value + step, 0.0]]))[0, 0] == pytest.approx(scaled, rel=1e-5)


def test_constant_pixels_get_the_spread_of_the_others():
    # Brightness has one unit: a border pixel that turns from 0 to 255 is as far out as any that does.
    X = np.zeros((8, 1, 2, 2))
    X[:, 0, 0, 0] = X[:, 0, 1, 1] = np.tile([0.0, 200.0], 4)
    for scaling in (Standard(), MinMax()):
        fitted = scaling.fit([X])
        assert fitted.constant == 2
        assert (fitted.spread == 100).all()


def test_all_constant():
    for value, spread in ((0.0, 1.0), (3e-200, 3e-200), (7.0, 1.0)):
        fitted = Standard().fit([np.full((5, 3), value)])
        assert fitted.spread == pytest.approx(np.full(3, spread))
        assert fitted.constant == 3


def test_models_that_map_constants_to_zero_still_do():
    old = Standard(centre=np.array([2.0, 1.0]), spread=np.array([0.0, 2.0]))
    assert old(np.array([[9.0, 5.0], [1e308, 1.0], [-1e308, -3.0]])).tolist() == [[0, 2], [0, 0], [0, -2]]
    assert old.constant == 1


@pytest.mark.parametrize("scaling", LEARNED, ids=str)
@pytest.mark.parametrize("power", [-1000, -600, 0, 600, 1000])
def test_any_power_of_two_gives_the_same_input(scaling, power):
    X = np.random.default_rng(0).normal(size=(30, 2, 4))
    expected = scaling.fit([X])(X)
    scaled = np.ldexp(X, power)
    parts = scaling.fit([scaled[:10], scaled[10:]])
    assert np.array_equal(scaling.fit([scaled])(scaled), expected)
    assert parts(scaled) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert parts.constant == 0


def test_a_large_offset_leaves_the_rest():
    x = np.random.default_rng(0).normal(size=2000)
    fitted = Standard().fit([(1e12 + x)[:1000, None], (1e12 + x)[1000:, None]])
    # Numbers near 1e12 are 1.2e-4 apart.
    assert fitted.spread.item() == pytest.approx(x.std(), rel=1e-3)
    assert fitted.centre.item() - 1e12 == pytest.approx(x.mean(), abs=1e-3)


@pytest.mark.parametrize("scaling", [*LEARNED, Identity()], ids=str)
def test_input_is_finite_and_in_order(scaling):
    fitted = scaling.fit([np.random.default_rng(0).normal(size=(20, 1, 3))])
    sizes = np.array([1.0, 1e3, 1e7, 1e16, 1e38, 1e39, 1e160, 1e308])
    for sign in (1, -1):
        found = sign * fitted(sign * np.tile(sizes[:, None, None], (1, 1, 3)))
        assert np.isfinite(found**2).all()  # a square in single precision
        assert (np.diff(found[:, 0, 0]) > 0).all()
    largest = np.finfo(float).max
    wide = scaling.fit([np.array([[[-largest] * 3], [[largest] * 3]])])
    assert np.isfinite(wide(np.array([[[largest] * 3], [[-largest] * 3]]))).all()


def test_input_is_compressed_by_its_logarithm():
    fitted = Standard(centre=np.zeros(1), spread=np.ones(1))
    assert fitted(np.array([[1e6]])).item() == 1e6
    assert fitted(np.array([[-1e8]])).item() == pytest.approx(-1e6 * (1 + np.log(100)))
    assert Identity().fit([])(np.array([[1e14]])).item() == pytest.approx(1e14)


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
