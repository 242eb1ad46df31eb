import json
from dataclasses import dataclass

import numpy as np
import pytest

from oddgan import InputError
from oddgan._core.errors import ModelError
from oddgan._core.parts import arguments, build, from_spec, is_part, to_spec


@dataclass(frozen=True)
class Inner:
    a: float = 1.0
    table: np.ndarray | None = None


@dataclass(frozen=True)
class Outer:
    inner: Inner
    names: tuple[str, ...] = ("x",)


@dataclass(frozen=True, init=False)
class Keywords:
    """A part whose constructor differs from its fields."""

    pairs: tuple[tuple[str, float], ...]

    def __init__(self, **weights):
        object.__setattr__(self, "pairs", tuple(weights.items()))

    def arguments(self):
        return dict(self.pairs)


KNOWN = {"Inner": Inner, "Outer": Outer, "Keywords": Keywords}


def round_trip(value):
    arrays = {}
    spec = json.loads(json.dumps(to_spec(value, arrays, "key")))
    return from_spec(spec, KNOWN, arrays)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.1, "text", (1, 2), ("a", (1.5, None)), {"a": (1,)}, Inner(), Outer(Inner(2.0), ("y", "z")),
     Keywords(a=1.0, b=2.0), (Inner(), Keywords())],
    ids=str,
)  # fmt: skip
def test_round_trip(value):
    assert round_trip(value) == value


def test_arrays_lie_beside():
    arrays = {}
    spec = to_spec(Outer(Inner(1.0, np.array([0.1, 0.2]))), arrays, "scaling")
    assert spec["inner"]["table"] == {"array": "scaling.inner.table"}
    assert list(arrays) == ["scaling.inner.table"]
    assert from_spec(spec, KNOWN, arrays).inner.table.tolist() == [0.1, 0.2]


def test_numpy_scalars_become_numbers():
    assert type(round_trip(np.float64(0.5))) is float
    assert type(round_trip(np.int64(3))) is int


def test_what_is_a_part():
    assert is_part(Inner())
    assert not is_part(Inner)
    assert not is_part(3)
    assert arguments(Keywords(a=1.0)) == {"a": 1.0}
    assert arguments(Inner(2.0)) == {"a": 2.0, "table": None}


def test_what_cannot_be_stored():
    with pytest.raises(InputError, match=r"optimiser\.1 is <object.*can't be stored"):
        to_spec((1, object()), {}, "optimiser")


def test_errors_name_what_is_known():
    with pytest.raises(ModelError, match=r"Unknown part 'Innr'\. Did you mean Inner\?"):
        from_spec({"type": "Innr"}, KNOWN, {})
    with pytest.raises(ModelError, match=r"Inner can't be built from \['b'\]: it takes a, table"):
        build("inner", {"b": 1}, KNOWN)
    with pytest.raises(ModelError, match=r"lacks the array 'scaling\.centre'"):
        from_spec({"type": "Inner", "table": {"array": "scaling.centre"}}, KNOWN, {})
