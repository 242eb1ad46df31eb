"""Test your own detector: `check_detector` runs the checks that oddgan's own detectors pass.

`detector_checks` yields them one by one, e.g. for `pytest.mark.parametrize`. Neither needs pytest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from oddgan.base import Card, Detector
from oddgan.testing import (
    capabilities,
    cards,
    estimators,
    inputs,
    numbers,
    parameters,
    scores,
    storage,
    thresholds,
    training,
)
from oddgan.testing.checks import REGISTRY, Check, require
from oddgan.testing.subject import Subject

__all__ = ["Check", "check_detector", "detector_checks"]

_ORDER = (cards, scores, capabilities, inputs, thresholds, training, storage, numbers, estimators, parameters)


def check_detector(
    detector: type[Detector] | Detector,
    *,
    beside: Mapping[str, Mapping[str, Any]] | None = None,
    skip: Mapping[str, str] | None = None,
) -> None:
    """Run all checks on a detector: scikit-learn's own, scores, training, storage, parameters.

    Parameters
    ----------
    detector : the class, which is tested on the settings in its `tiny`, or an unfitted instance.
    beside : by parameter, the settings with which it has an effect, e.g. `{"nu": {"boundary": "soft"}}`.
    skip : by check, why it does not apply, e.g. `{"parameter_has_an_effect[n_jobs]": "where, not what"}`.

    Raises
    ------
    AssertionError
        At the first check that fails; the message names it.
    """
    for check in detector_checks(detector, beside=beside, skip=skip):
        check()


def detector_checks(
    detector: type[Detector] | Detector,
    *,
    beside: Mapping[str, Mapping[str, Any]] | None = None,
    skip: Mapping[str, str] | None = None,
) -> Iterator[Check]:
    """The checks of `check_detector` one by one, to be called without arguments.

    >>> from oddgan import KNN
    >>> checks = {check.name: check for check in detector_checks(KNN)}
    >>> checks["scores_do_not_depend_on_other_rows[table]"]()

    Parameters
    ----------
    detector, beside, skip : as in `check_detector`.
    """
    _require_testable(detector if isinstance(detector, type) else type(detector))
    subject, left = Subject(detector, beside), dict(skip or {})
    for module in _ORDER:
        for function, over, of in REGISTRY:
            if function.__module__ == module.__name__ and issubclass(subject.cls, of):
                checks = [Check(function, subject, case) for case in over(subject)]
                yield from (check for check in checks if left.pop(check.name, None) is None)
    if left:
        raise ValueError(f"skip names {', '.join(left)}, which {subject.cls.__name__} has no checks for.")


def _require_testable(cls: type) -> None:
    """Fail on what is no detector, or lacks what every check needs."""
    name = cls.__name__
    require(issubclass(cls, Detector), f"{name} is no detector: build it on a family, or on oddgan.base.Detector.")
    missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
    require(not missing, f"{name} lacks {missing}.")
    card, tiny = getattr(cls, "card", None), getattr(cls, "tiny", None)
    require(isinstance(card, Card), f"{name} needs card: ClassVar[Card] = Card(...), but card is {card!r}.")
    require(isinstance(tiny, Mapping), f"tiny of {name} must be settings by name, but is {tiny!r}.")
