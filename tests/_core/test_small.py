"""Docstrings, hyperparameters, extras, errors."""

import inspect

import pytest

from oddgan import InputError, MissingExtraError, OddganError
from oddgan._core.docstrings import parameter_docs
from oddgan._core.errors import ModelError, TrainingError
from oddgan._core.extras import load_extra
from oddgan._core.hyperparameters import hyperparameters


@hyperparameters
class Base:
    """A base.

    Parameters
    ----------
    low, high : ends of the interval.
    n : how many
        of them, >= 1.

    Raises
    ------
    ValueError
        n : is not read as a parameter here.
    """

    low: float = 0.0
    high: float = 1.0
    n: int = 1


@hyperparameters
class Derived(Base):
    """A derived class.

    Parameters
    ----------
    n : another meaning.
    extra : new.
    """

    n: int = 2
    extra: str = "a"


def test_parameter_docs():
    assert parameter_docs(Base) == {
        "low": "ends of the interval.", "high": "ends of the interval.", "n": "how many of them, >= 1."
    }  # fmt: skip
    assert parameter_docs(Derived) == parameter_docs(Base) | {"n": "another meaning.", "extra": "new."}


def test_no_docs():
    assert parameter_docs(type("Bare", (), {})) == {}


def test_constructor_takes_keywords_and_stores():
    assert list(inspect.signature(Derived).parameters) == ["low", "high", "n", "extra"]
    assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(Derived).parameters.values())
    assert (Derived().n, Base().n, Derived(n=5).n) == (2, 1, 5)
    with pytest.raises(TypeError):
        Derived(1.0)
    # Estimators are compared and hashed by identity, as scikit-learn does.
    assert Derived() != Derived()
    assert len({Derived(), Derived()}) == 2


def test_missing_extra_gives_the_command():
    with pytest.raises(MissingExtraError, match=r"needs notthere, .* pip install 'oddgan\[ecg\]'") as caught:
        load_extra("notthere.submodule", "ecg")
    assert isinstance(caught.value, ImportError)


def test_extra_is_imported():
    assert load_extra("json.decoder", "ecg").JSONDecoder


def test_errors_are_what_python_expects():
    assert issubclass(InputError, ValueError)
    assert issubclass(ModelError, ValueError)
    assert issubclass(TrainingError, RuntimeError)
    assert all(issubclass(e, OddganError) for e in (InputError, ModelError, TrainingError, MissingExtraError))
