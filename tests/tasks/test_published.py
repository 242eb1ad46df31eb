"""The settings of papers and their released code."""

import pytest

from oddgan.detectors import classes
from oddgan.options import UsageError
from oddgan.parameters.types import check_types
from oddgan.tasks.published import published, published_as
from oddgan.tasks.settings import published_settings

SETTINGS = [(name, key) for name, cls in classes().items() for key in published(cls)]
SHAPES = {
    "arrhythmia": (274,), "KDD99": (121,), "MNIST": (1, 28, 28), "CIFAR-10": (3, 32, 32), "MIT-BIH": (1, 320),
    "OCT": (1, 64, 64), "paper": (1, 64, 64), "released code": (3, 64, 64),
}  # fmt: skip


@pytest.mark.parametrize(("name", "key"), SETTINGS)
def test_they_suit_the_data_that_they_were_made_for(name, key):
    assert published(classes()[name])[key].source
    detector = classes()[name](**published_settings(name, key))
    check_types(detector)
    detector.shape_ = SHAPES[key]
    detector.scaling_ = detector.scaling
    detector._check()


def test_what_defaults_differ_in_is_there():
    egbad = published_settings("egbad", "mnist")
    assert (egbad["optimiser"].lr, egbad["batch_size"], egbad["latent_dim"]) == (1e-5, 100, 200)
    assert published_settings("FAnoGAN", "OCT")["n_critic"] == 5


@pytest.mark.parametrize(
    ("method", "message"), [("EGBAD", "Known: KDD99, MNIST"), ("KDE", "No published settings of KDE are known")]
)
def test_unknown_ones_are_refused(method, message):
    with pytest.raises(UsageError, match=message):
        published_as(classes()[method], "other")
