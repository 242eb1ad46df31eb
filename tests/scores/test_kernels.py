import math

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, OneClassSVM

from oddgan._core.errors import InputError
from oddgan.scores import SVM, Mixture, OneClass, Standardisation
from oddgan.scores.kernels import BLOCK, ROWS, _sum

RNG = np.random.default_rng(0)
NORMALS = RNG.normal(3, 5, (200, 3))
LABELLED, Y = RNG.normal(3, 5, (300, 3)), np.arange(300) >= 220
LABELLED[Y] += [0, 6, 9]
SCALER = StandardScaler().fit(NORMALS)
NEW = RNG.normal(3, 20, (150, 3))


def named(values):
    return dict(zip("abc", values.T, strict=True))


def score(part, values):
    return part({k: torch.from_numpy(v.copy()) for k, v in named(values).items()}).numpy()


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("arguments", [{}, {"C": 10.0}, {"gamma": 0.3}, {"balanced": True}])
def test_svm_is_scikit_learns(kernel, arguments):
    part = SVM(kernel=kernel, **arguments).fit(named(NORMALS), (named(LABELLED), Y))
    weights = "balanced" if arguments.get("balanced") else None
    others = {k: v for k, v in arguments.items() if k != "balanced"}
    reference = SVC(kernel=kernel, class_weight=weights, **others).fit(SCALER.transform(LABELLED), Y)
    assert score(part, NEW) == pytest.approx(reference.decision_function(SCALER.transform(NEW)), abs=1e-9)
    # Above 0 is what the machine itself calls an anomaly.
    assert ((score(part, LABELLED) > 0) == reference.predict(SCALER.transform(LABELLED))).all()


def test_svm_by_hand():
    # One support vector at 1 with the coefficient 2: 2 exp(-½ (s - 1)²) - ½; standardising changes nothing.
    standard = Standardisation("minmax", centre=(0.0,), scale=(1.0,))
    learned = {"support": np.array([[1.0]]), "dual": np.array([2.0]), "intercept": -0.5, "width": 0.5}
    part = SVM(components=("a",), standardisation=standard, **learned)
    found = part({"a": torch.tensor([1.0, 3.0])}).tolist()
    assert found == pytest.approx([1.5, 2 * math.exp(-2) - 0.5])


def test_an_svm_bends_where_a_line_can_not():
    # Normal rows lie on a ring of components, anomalies within and without.
    angle, radius = RNG.uniform(0, 2 * np.pi, 400), np.where(np.arange(400) < 200, 2.0, RNG.choice([0.5, 3.5], 400))
    rows, y = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), np.arange(400) >= 200
    both = dict(zip("ab", rows.T, strict=True))
    normals = dict(zip("ab", rows[:200].T, strict=True))
    new = {k: torch.from_numpy(v.copy()) for k, v in both.items()}
    correct = {k: np.mean((SVM(kernel=k).fit(normals, (both, y))(new).numpy() > 0) == y) for k in ("rbf", "linear")}
    assert correct["rbf"] > 0.95
    assert correct["linear"] < 0.7


@pytest.mark.parametrize("arguments", [{}, {"nu": 0.5}, {"gamma": 2.0}])
def test_one_class_is_scikit_learns(arguments):
    part = OneClass(**arguments).fit(named(NORMALS))
    reference = OneClassSVM(**{"nu": 0.1} | arguments).fit(SCALER.transform(NORMALS))
    assert score(part, NEW) == pytest.approx(-reference.decision_function(SCALER.transform(NEW)), abs=1e-9)


@pytest.mark.parametrize("n_components", [1, 3])
def test_mixture_is_scikit_learns(n_components):
    part = Mixture(n_components=n_components, seed=4).fit(named(NORMALS))
    reference = GaussianMixture(n_components, random_state=4).fit(SCALER.transform(NORMALS))
    assert score(part, NEW) == pytest.approx(-reference.score_samples(SCALER.transform(NEW)), abs=1e-9)


def test_mixture_of_one_by_hand():
    # Standardised by its own moments, a component is N(0, 1) up to the 1e-6 added to variances: ½ s² + ½ log 2π.
    part = Mixture(n_components=1).fit({"a": np.array([-1.0, 1.0])})
    found = part({"a": torch.tensor([0.0, 2.0])}).tolist()
    assert found == pytest.approx([math.log(2 * math.pi) / 2, 2 + math.log(2 * math.pi) / 2], abs=1e-5)


def test_mixture_finds_the_number_of_clusters():
    centres = np.array([[0.0, 0], [50, 0], [0, 50]])
    rows = (centres[:, None] + RNG.normal(size=(3, 100, 2))).reshape(-1, 2)
    part = Mixture().fit(dict(zip("ab", rows.T, strict=True)))
    assert len(part.means) == 3
    one = Mixture().fit({"a": RNG.normal(size=300)})
    assert len(one.means) == 1


def test_far_out_stays_finite():
    far = np.full((1, 3), 1e6)
    assert np.isfinite(score(Mixture().fit(named(NORMALS)), far)).all()


def test_more_support_vectors_than_a_block():
    # The sum does not know of blocks; and rows are the same alone and among others.
    points, dual = RNG.normal(size=(2 * BLOCK + 3, 2)), RNG.normal(size=2 * BLOCK + 3)
    standard = Standardisation(centre=(0.0, 0.0), scale=(1.0, 1.0))
    part = SVM(components=("a", "b"), standardisation=standard, support=points, dual=dual, width=0.7)
    x = RNG.normal(size=(ROWS + 9, 2))
    expected = np.exp(-0.7 * ((x[:, None] - points) ** 2).sum(axis=2)) @ dual
    rows = {k: torch.from_numpy(v.copy()) for k, v in zip("ab", x.T, strict=True)}
    found = part(rows)
    assert found.numpy() == pytest.approx(expected, abs=1e-9)
    for i in range(0, ROWS + 9, 11):
        assert part({k: v[i : i + 1] for k, v in rows.items()})[0] == found[i]


@pytest.mark.parametrize("j", [1, 2, 3, 7, 8, 13])
def test_sum_by_halves(j):
    values = torch.arange(2.0 * j).reshape(2, j)
    assert _sum(values).tolist() == values.sum(dim=1).tolist()


@pytest.mark.parametrize(
    ("part", "arguments", "message"),
    [
        (SVM, {"kernel": "poly"}, "give rbf or linear"),
        (SVM, {"C": -1.0}, "SVM got C=-1.0: give a finite number above 0"),
        (SVM, {"gamma": "auto"}, "SVM got gamma='auto'"),
        (SVM, {"gamma": 0.0}, "SVM got gamma=0.0"),
        (OneClass, {"nu": 0.0}, "OneClass got nu=0.0"),
        (OneClass, {"gamma": "auto"}, "OneClass got gamma='auto'"),
        (Mixture, {"n_components": 0}, "Mixture got n_components=0"),
    ],
)
def test_refuses(part, arguments, message):
    with pytest.raises(InputError, match=message):
        part(**arguments)


def test_too_few_rows_for_a_mixture():
    with pytest.raises(InputError, match="Mixture got 3 held-out normal rows: give at least 5"):
        Mixture().fit({"a": np.array([1.0, 2.0, 4.0])})


def test_a_scale_needs_values_that_differ():
    clipped = Standardisation(clip=(5.0, 6.0))
    with pytest.raises(InputError, match="OneClass got 200 rows of one value"):
        OneClass(standardisation=clipped).fit(named(NORMALS))
