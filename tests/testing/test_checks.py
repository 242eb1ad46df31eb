"""`check_detector`: a detector that keeps the contract passes, and one that breaks it is caught by the right check."""

import pytest

from oddgan import AutoEncoder
from oddgan.base import Detector
from oddgan.testing import check_detector, detector_checks

from .detectors import BROKEN, HasNoPaper, LosesWhatItLearned, Mahalanobis, Nearest


@pytest.mark.parametrize("cls", [Nearest, Mahalanobis], ids=lambda cls: cls.__name__)
def test_a_detector_that_keeps_the_contract_passes(cls):
    check_detector(cls)


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_promise_is_caught_by_name(cls):
    checks = {check.name: check for check in detector_checks(cls)}
    with pytest.raises(AssertionError) as found:
        checks[BROKEN[cls]]()
    assert str(found.value).startswith(f"{cls.__name__} fails {BROKEN[cls]}: ")
    assert isinstance(found.value.__cause__, AssertionError), "the detector crashed instead"


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (type("Other", (), {}), r"^Other is no detector: build it on a family, or on oddgan\.base\.Detector\.$"),
        (type("Bare", (Detector,), {}), r"^Bare lacks _learn, _score\.$"),
        (type("Without", (Nearest,), {"card": None}), r"^Without needs card: ClassVar\[Card\] = .* card is None\.$"),
        (type("Settings", (Nearest,), {"tiny": 3}), r"^tiny of Settings must be settings by name, but is 3\.$"),
    ],
    ids=["no detector", "abstract", "no card", "tiny"],
)
def test_what_can_not_be_tested_is_refused(cls, message):
    with pytest.raises(AssertionError, match=message):
        check_detector(cls)


def test_what_loading_loses_is_named():
    checks = {check.name: check for check in detector_checks(LosesWhatItLearned)}
    with pytest.raises(AssertionError, match=r"Loading loses spread_: what `fit` learns is an array in `learned_`"):
        checks["loading_gives_an_equal_detector[table]"]()


def test_the_first_failure_is_raised():
    with pytest.raises(AssertionError, match=r"HasNoPaper fails card_is_complete\[table\]: The card names .* title is"):
        check_detector(HasNoPaper)


def test_an_instance_is_tested_on_its_own_settings():
    subject = next(detector_checks(AutoEncoder(latent_dim=3, epochs=1))).subject
    assert (subject.make().latent_dim, subject.make().epochs, subject.make().random_state) == (3, 1, 0)
    assert next(detector_checks(AutoEncoder)).subject.make().latent_dim == AutoEncoder.tiny["latent_dim"]


def test_a_check_can_be_left_out_with_a_reason():
    name = "parameter_has_an_effect[power]"
    assert name in {check.name for check in detector_checks(Nearest)}
    assert name not in {check.name for check in detector_checks(Nearest, skip={name: "why"})}
    with pytest.raises(ValueError, match=r"skip names no_such_check\[table\], which Nearest has no checks for"):
        list(detector_checks(Nearest, skip={"no_such_check[table]": "why"}))


def test_names_are_ids():
    names = [check.name for check in detector_checks(AutoEncoder)]
    assert len(set(names)) == len(names)
    assert str(next(detector_checks(AutoEncoder))) == names[0] == "card_is_complete[table]"
