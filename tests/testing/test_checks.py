"""`check_detector`: a detector that keeps the contract passes, and one that breaks it is caught by the right check."""

import pytest

from oddgan import AutoEncoder
from oddgan.testing import check_detector, detector_checks

from .detectors import BROKEN, HasNoPaper, Nearest


def test_a_detector_that_keeps_the_contract_passes():
    check_detector(Nearest)


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_promise_is_caught_by_name(cls):
    checks = {check.name: check for check in detector_checks(cls)}
    with pytest.raises(AssertionError) as found:
        checks[BROKEN[cls]]()
    assert str(found.value).startswith(f"{cls.__name__} fails {BROKEN[cls]}: ")
    assert isinstance(found.value.__cause__, AssertionError), "the detector crashed instead"


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
