import numpy as np
import pytest

from oddgan import InputError
from oddgan.scaling import AutoContrast, AutoScaling, ContrastNormalisation

# Samples of four pixels. The first has mean 1 and deviations -1, 1, -1, 1; the second is twice as bright and has three
# times the contrast of the first, the third has mean 1 and deviations -1, -1, -1, 3 (mean absolute deviation 1.5).
IMAGES = np.array([[0.0, 2, 0, 2], [-1, 5, -1, 5], [0, 0, 0, 4]]).reshape(3, 1, 2, 2)
NORMALISED = np.array([[-1, 1, -1, 1], [-1, 1, -1, 1], [-2 / 3, -2 / 3, -2 / 3, 2]])


def test_by_hand():
    # All values run from -1 to 2, which becomes 0 to 1.
    scaled = ContrastNormalisation().fit([IMAGES])(IMAGES)
    assert scaled.reshape(3, 4) == pytest.approx((NORMALISED + 1) / 3, abs=1e-6)
    assert scaled.dtype == np.float32
    other = ContrastNormalisation(low=-1.0).fit([IMAGES])(IMAGES)
    assert other == pytest.approx(2 * scaled - 1, abs=1e-6)


def test_back_has_mean_brightness_and_contrast_and_the_same_normalised_values():
    fitted = ContrastNormalisation().fit([IMAGES])
    assert fitted.level == pytest.approx((1 + 2 + 1) / 3)
    assert fitted.contrast == pytest.approx((1 + 3 + 1.5) / 3)
    back = fitted.backward(fitted(IMAGES))
    assert back.mean(axis=(1, 2, 3)) == pytest.approx(np.full(3, fitted.level), abs=1e-5)
    assert fitted(back) == pytest.approx(fitted(IMAGES), abs=1e-5)


def test_brightness_and_contrast_do_not_matter():
    fitted = ContrastNormalisation().fit([IMAGES])
    assert fitted(8 * IMAGES + 3) == pytest.approx(fitted(IMAGES), abs=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_a_sample_without_contrast_is_all_zeros_before_it_is_mapped(value):
    fitted = ContrastNormalisation().fit([IMAGES])
    assert fitted(np.full((1, 1, 2, 2), value)) == pytest.approx(np.full((1, 1, 2, 2), 1 / 3))  # 0 within [-1, 2]


@pytest.mark.parametrize("power", [-1000, 1000])
def test_any_power_of_two_gives_the_same_input(power):
    scaled = np.ldexp(IMAGES, power)
    fitted = ContrastNormalisation().fit([scaled])
    assert np.array_equal(fitted(scaled), ContrastNormalisation().fit([IMAGES])(IMAGES))
    assert fitted.level == np.ldexp(4 / 3, power)


def test_chunks_equal_the_whole():
    whole, parts = (ContrastNormalisation().fit(chunks) for chunks in ([IMAGES], [IMAGES[:1], IMAGES[1:]]))
    assert (whole.centre, whole.spread) == (parts.centre, parts.spread)
    assert (whole.level, whole.contrast) == pytest.approx((parts.level, parts.contrast))


def test_it_must_be_fitted():
    for use in (ContrastNormalisation(), ContrastNormalisation().backward):
        with pytest.raises(InputError, match="has not been fitted"):
            use(IMAGES)
    with pytest.raises(InputError, match="no rows"):
        ContrastNormalisation().fit([])


def test_auto_contrast_differs_for_images_only():
    assert AutoContrast().choose((1, 8, 8)) == ContrastNormalisation()
    for shape in ((5,), (2, 16)):
        assert AutoContrast().choose(shape) == AutoScaling().choose(shape)


@pytest.mark.parametrize("value", [1e12, -1e30, 1.7e308])
def test_the_size_of_a_huge_value_is_not_lost(value):
    """One value that is huge for the training rows stays beyond the limit; rows beside it keep their bits."""
    x = np.random.default_rng(0).random((9, 1, 4, 4))
    fitted = ContrastNormalisation().fit([x])
    odd = x[:2].copy()
    odd[1, 0, 2, 2] = value
    found = fitted(odd)
    assert np.isfinite(found).all()
    assert np.abs(found[1]).max() > fitted.limit
    assert np.array_equal(found[0], fitted(x[:1])[0])
