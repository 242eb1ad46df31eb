import pytest

from oddgan import InputError
from oddgan._core.names import canonical, resolve

KNOWN = ["AnoGAN", "FAnoGAN", "KNN"]


@pytest.mark.parametrize("typed", ["FAnoGAN", "f-anogan", "f_AnoGAN", "F AnoGAN", "fanogan"])
def test_case_and_punctuation_do_not_matter(typed):
    assert resolve(typed, KNOWN, "method") == "FAnoGAN"


def test_canonical_folds_case():
    assert canonical("Straße-1") == "strasse1"


def test_unknown_name_suggests_the_closest_and_lists_all():
    with pytest.raises(
        InputError, match=r"Unknown method 'fanogam'\. Did you mean FAnoGAN\? Known: AnoGAN, FAnoGAN, KNN"
    ):
        resolve("fanogam", KNOWN, "method")
    with pytest.raises(InputError, match=r"Unknown method 'zzz'\. Known"):
        resolve("zzz", KNOWN, "method")
