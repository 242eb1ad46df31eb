import math

import numpy as np
import pytest
import torch
from scipy import stats

from oddgan.scores import Average, Fisher, Maximum, RankAverage, Standardisation

NORMALS = {"a": np.array([3.0, 1.0, 2.0, 2.0]), "b": np.array([10.0, 20.0, 30.0, 40.0])}
NEW = {
    "a": torch.tensor([0.0, 2.0, 2.5, 9.0], dtype=torch.float64),
    "b": torch.tensor([0.0, 20.0, 99.0, 25.0], dtype=torch.float64),
}


def test_ranks_by_hand():
    # Shares below, equal ones half: 0, 2/4, 3/4, 1 for a; 0, 1.5/4, 1, 2/4 for b.
    found = RankAverage().fit(NORMALS)(NEW)
    assert found.tolist() == pytest.approx([0, (0.5 + 0.375) / 2, (0.75 + 1) / 2, (1 + 0.5) / 2])


def test_ranks_of_the_held_out_rows_themselves_are_spread_evenly():
    values = np.random.default_rng(0).permutation(np.arange(50.0))
    found = RankAverage().fit({"a": values})({"a": torch.from_numpy(values)})
    assert found.sort().values.tolist() == pytest.approx([(i + 0.5) / 50 for i in range(50)])


def test_maximum_by_hand():
    part = Maximum(standardisation=Standardisation("minmax")).fit(NORMALS)
    # (a - 1) / 2 and (b - 10) / 30.
    assert part(NEW).tolist() == pytest.approx([-1 / 3, 0.5, 89 / 30, 4])


def test_average_by_hand():
    part = Average(standardisation=Standardisation("minmax")).fit(NORMALS)
    # (a - 1) / 2 and (b - 10) / 30: -1/2, 1/2, 3/4, 4 and -1/3, 1/3, 89/30, 1/2.
    assert part(NEW).tolist() == pytest.approx([-5 / 12, 5 / 12, (3 / 4 + 89 / 30) / 2, 9 / 4])


def test_fisher_by_hand():
    # p = (1 + #{r >= s}) / 5: 5, 4, 2, 1 fifths for a, and 5, 4, 1, 3 for b.
    one_sided = Fisher(two_sided=False).fit(NORMALS)(NEW)
    high = np.array([[5, 4, 2, 1], [5, 4, 1, 3]]) / 5
    assert one_sided.numpy() == pytest.approx(-2 * np.log(high).sum(axis=0))
    # (1 + #{r <= s}) / 5: 1, 4, 4, 5 fifths for a, and 1, 3, 5, 3 for b; twice the smaller one, at most 1.
    low = np.array([[1, 4, 4, 5], [1, 3, 5, 3]]) / 5
    two_sided = np.minimum(1, 2 * np.minimum(high, low))
    assert Fisher().fit(NORMALS)(NEW).numpy() == pytest.approx(-2 * np.log(two_sided).sum(axis=0))


def test_two_sides_count_low_values_and_one_does_not():
    low = {"a": torch.tensor([-100.0]), "b": torch.tensor([-100.0])}
    assert Fisher(two_sided=False).fit(NORMALS)(low).item() == 0
    assert Fisher().fit(NORMALS)(low).item() == pytest.approx(-4 * math.log(2 / 5))


def test_fisher_of_independent_components_is_chi_squared():
    rng = np.random.default_rng(0)
    normals, new = ({k: rng.normal(size=20_000) for k in "abc"} for _ in range(2))
    found = Fisher().fit(normals)({k: torch.from_numpy(v) for k, v in new.items()})
    assert stats.kstest(found.numpy(), stats.chi2(6).cdf).statistic < 0.015  # 1.36 / √20000 is 0.01
