"""Named checks: what is promised, of which detectors, and how a broken promise is reported."""

import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import SkipTest

from oddgan.base import Detector, Notice
from oddgan.testing.subject import Seen, Subject, differences

Function = Callable[[Subject, Any], None]


def main_kind(subject: Subject) -> Iterable[str]:
    """Tables, or the first kind of data on the card."""
    return (subject.kind,)


def every_kind(subject: Subject) -> Iterable[str]:
    """Each kind of data on the card."""
    return subject.kinds


@dataclass(frozen=True)
class Check:
    """One check of one detector: call it.

    Parameters
    ----------
    function : takes the subject and the case.
    subject : the detector under test.
    case : a kind of data, a parameter, or whatever else the function is run over.
    """

    function: Function
    subject: Subject
    case: str

    @property
    def name(self) -> str:
        """E.g. "scores_do_not_depend_on_other_rows[table]"."""
        return f"{self.function.__name__}[{self.case}]"

    def __str__(self) -> str:
        return self.name

    def __call__(self) -> None:
        """Run it.

        Raises
        ------
        AssertionError
            If the detector does not do what the check is named for.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Notice)  # of few training steps
                self.function(self.subject, self.case)
        except SkipTest:  # scikit-learn's word for a check that does not apply
            return
        except Exception as error:
            promise = (inspect.getdoc(self.function) or "").partition("\n")[0]
            detail = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            raise AssertionError(f"{self.subject.cls.__name__} fails {self.name}: {promise} {detail}") from error


REGISTRY: list[tuple[Function, Callable[[Subject], Iterable[str]], type]] = []


def check(over: Callable[[Subject], Iterable[str]] = main_kind, of: type = Detector) -> Callable[[Function], Function]:
    """List a function as a check.

    Parameters
    ----------
    over : the cases that it is run on, by default once.
    of : the family of detectors that it is for.
    """

    def add(function: Function) -> Function:
        REGISTRY.append((function, over, of))
        return function

    return add


def require(condition: object, sentence: str) -> None:
    """Fail with a sentence unless the condition holds; unlike `assert`, under `python -O`, too."""
    if not condition:
        raise AssertionError(sentence)


def require_same(a: Seen, b: Seen, what: str) -> None:
    """Fail unless both detectors look the same to the last bit."""
    different = differences(a, b)
    require(not different, f"{what}: {', '.join(different)} differ.")


@contextmanager
def raises(kind: type[Exception], pattern: str) -> Iterator[None]:
    """Fail unless the block ends with an error of this kind whose message matches."""
    try:
        yield
    except kind as error:
        require(re.search(pattern, str(error)), f"The error should match {pattern!r}, but says: {error}")
    else:
        raise AssertionError(f"No {kind.__name__} that matches {pattern!r} was raised.")
