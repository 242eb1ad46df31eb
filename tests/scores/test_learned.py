"""What every composition that learns promises."""

import copy
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oddgan import scores
from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.scores import (
    SVM,
    Average,
    Fisher,
    GridSearch,
    Logistic,
    Maximum,
    Mixture,
    OneClass,
    RankAverage,
    Standardisation,
)

KNOWN = {name: getattr(scores, name) for name in scores.__all__ if isinstance(getattr(scores, name), type)}
NAMES = ("features", "norm", "residual")
ALL = [
    GridSearch(step=0.25),
    GridSearch(step=0.25, metric="auroc"),
    SVM(),
    SVM(kernel="linear"),
    Logistic(),
    Average(),
    Maximum(),
    RankAverage(),
    Fisher(),
    Fisher(two_sided=False),
    OneClass(),
    Mixture(),
]
MONOTONE = [GridSearch(step=0.25), Average(), Maximum(), RankAverage(), Fisher(two_sided=False)]


def values(n, seed, shift=0.0):
    """Components of n rows, by name, on very different scales."""
    drawn = np.random.default_rng(seed).normal(shift, 1.0, size=(n, 3)) * [100.0, 1.0, 0.01]
    return dict(zip(NAMES, drawn.T, strict=True))


NORMALS = values(60, 0)
LABELLED = (
    {k: np.concatenate([v, values(30, 2, shift=1.5)[k]]) for k, v in values(50, 1).items()},
    np.arange(80) >= 50,
)
NEW = {k: torch.from_numpy(v) for k, v in values(137, 3, shift=0.5).items()}


def fitted(composition):
    return composition.fit(NORMALS, LABELLED)


def each(compositions):
    return pytest.mark.parametrize("composition", compositions, ids=lambda c: type(c).__name__)


parts = each(ALL)


@parts
def test_a_row_is_scored_the_same_alone_shuffled_and_in_any_part(composition):
    part = fitted(composition)
    whole = part(NEW)
    assert whole.shape == (137,)
    assert whole.dtype == torch.float64
    assert whole.isfinite().all()
    order = torch.randperm(137, generator=torch.Generator().manual_seed(0))
    assert torch.equal(part({k: v[order] for k, v in NEW.items()}), whole[order])
    for start, end in [(i, i + 1) for i in range(137)] + [(0, 2), (3, 10), (50, 131)]:
        assert torch.equal(part({k: v[start:end] for k, v in NEW.items()}), whole[start:end])


@parts
def test_a_fitted_part_is_stored_and_built_again(composition):
    part = fitted(composition)
    arrays = {}
    spec = json.loads(json.dumps(to_spec(part, arrays, "composition"), allow_nan=False))
    assert all(array.flags.c_contiguous for array in arrays.values())
    again = from_spec(spec, KNOWN, {k: np.array(v) for k, v in arrays.items()})
    assert again == part == copy.deepcopy(part)
    assert hash(again) == hash(part)
    assert torch.equal(again(NEW), part(NEW))
    assert part != composition
    assert composition == type(composition)(**vars(composition))


@parts
def test_different_rows_make_different_parts(composition):
    other = composition.fit(values(60, 7), (values(80, 8), np.arange(80) >= 50))
    assert other != fitted(composition)
    assert fitted(composition) == fitted(composition)


@parts
def test_all_components_are_taken_unless_some_are_named(composition):
    assert composition.uses == ()
    assert fitted(composition).uses == NAMES
    some = type(composition)(**vars(composition) | {"components": ("residual", "norm")})
    assert fitted(some).uses == ("residual", "norm")
    assert torch.equal(fitted(some)(NEW), fitted(some)({k: v for k, v in NEW.items() if k != "features"}))


@parts
def test_refitting_forgets(composition):
    first = composition.fit(values(60, 7), (values(80, 8), np.arange(80) >= 50))
    assert first.fit(NORMALS, LABELLED) == fitted(composition)


@parts
def test_anomalies_score_higher(composition):
    part, y = fitted(composition), np.arange(200) >= 100
    rows = {k: np.concatenate([v, values(100, 10, shift=2.5)[k]]) for k, v in values(100, 9).items()}
    found = part({k: torch.from_numpy(v) for k, v in rows.items()}).numpy()
    assert np.mean(found[y][:, None] > found[~y]) > 0.9


@each([c for c in ALL if not isinstance(c, SVM | OneClass | Mixture)])  # these solvers stop early: rounding counts
def test_units_play_no_part(composition):
    rescaled = [{k: 8.0 * v for k, v in some.items()} for some in (NORMALS, LABELLED[0], NEW)]
    part = composition.fit(rescaled[0], (rescaled[1], LABELLED[1]))
    torch.testing.assert_close(part(rescaled[2]), fitted(composition)(NEW))


@each(MONOTONE)
@given(row=st.lists(st.floats(-300, 300), min_size=3, max_size=3), step=st.floats(0, 100), which=st.integers(0, 2))
@settings(max_examples=50)
def test_a_higher_component_never_lowers_the_score(composition, row, step, which):
    part = fitted(composition)
    higher = [value + step * (i == which) for i, value in enumerate(row)]
    low, high = part(
        {name: torch.tensor(pair, dtype=torch.float64) for name, *pair in zip(NAMES, row, higher, strict=True)}
    )
    assert high >= low


@parts
def test_unfitted_says_so(composition):
    with pytest.raises(InputError, match=f"{type(composition).__name__} has not been fitted: call fit"):
        composition(NEW)


@parts
def test_a_missing_component_is_named(composition):
    with pytest.raises(InputError, match=r"needs the component norm, but there are: features, residual"):
        fitted(composition)({k: v for k, v in NEW.items() if k != "norm"})


@each([c for c in ALL if c.needs_labels])
@pytest.mark.parametrize(
    ("labelled", "message"),
    [
        (None, "learns from labelled rows: give validation rows with labels"),
        ((LABELLED[0], np.zeros(80)), "but all 80 labelled rows are 0"),
        ((LABELLED[0], np.ones(80, dtype=int)), "but all 80 labelled rows are 1"),
        ((LABELLED[0], np.full(80, 2)), "takes 80 labels, 0 for normal rows and 1 for anomalies"),
        ((LABELLED[0], np.ones(79)), "takes 80 labels"),
        ((LABELLED[0], np.array(["a"] * 80)), "takes 80 labels"),
        ((LABELLED[0] | {"norm": np.full(80, np.nan)}, LABELLED[1]), "80 of 80 labelled rows whose component norm"),
    ],
)
def test_labels_are_checked(composition, labelled, message):
    with pytest.raises(InputError, match=message):
        composition.fit(NORMALS, labelled)


def test_zeros_and_ones_are_labels():
    assert Logistic().fit(NORMALS, (LABELLED[0], LABELLED[1].astype(float))) == fitted(Logistic())


def test_needs_labels():
    assert {type(c).__name__ for c in ALL if c.needs_labels} == {"GridSearch", "SVM", "Logistic"}
    assert Maximum().fit(NORMALS) == fitted(Maximum())


@pytest.mark.parametrize("names", ["residual", ["residual"], ("a", "a")])
def test_components_are_different_names(names):
    with pytest.raises(InputError, match="give a tuple of different names"):
        Maximum(components=names)


@pytest.mark.parametrize("normals", [{}, {"a": np.zeros(0)}, {"a": np.zeros(3), "b": np.zeros(4)}])
def test_rows_that_do_not_fit_are_refused(normals):
    with pytest.raises(InputError, match="one value of each component for every row"):
        RankAverage().fit(normals)


@each([c for c in ALL if hasattr(c, "standardisation")])
def test_the_standardisation_counts(composition):
    other = type(composition)(**vars(composition) | {"standardisation": Standardisation("minmax", clip=(0.2, 0.8))})
    assert not torch.equal(fitted(other)(NEW), fitted(composition)(NEW))
