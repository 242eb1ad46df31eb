"""Each detector with a critic takes stabilisers: they change training, and a score is still about one row."""

import numpy as np
import pytest

from oddgan import InputError, load
from oddgan.families import NeuralDetector
from oddgan.training import (
    CriticEnsemble,
    CriticWarmUp,
    FeatureMatching,
    InstanceNoise,
    LabelSmoothing,
    MinibatchDiscrimination,
    MinibatchStdDev,
    Penalised,
    TwoTimescale,
)

from .cases import NEURAL, differences, make, normals, observe

MANY = (
    TwoTimescale(), CriticWarmUp(steps=2), MinibatchDiscrimination(n_kernels=3, dim=2), MinibatchStdDev(),
    CriticEnsemble(), FeatureMatching(), Penalised(every=2), LabelSmoothing(), InstanceNoise(),
)  # fmt: skip
ADVERSARIAL = {name: cls for name, cls in NEURAL.items() if hasattr(cls, "objective")}
# What must be set for a critic to be there.
BESIDE = {"WAIC": {"members": "critic"}}


def taken(cls, X):
    """A detector fitted with all stabilisers but those that its class refuses."""
    left = list(MANY)
    while True:
        try:
            return make(cls, stabilisers=tuple(left), batch_size=4, **BESIDE.get(cls.__name__, {})).fit(X)
        except InputError as error:
            left.remove(next(one for one in left if str(error).startswith(type(one).__name__)))


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_with_a_critic(name, tmp_path):
    cls, X, new = ADVERSARIAL[name], normals("table", 12), normals("table", 9, seed=1)
    detector = taken(cls, X)
    assert len(detector.stabilisers) >= 5
    scores = detector.anomaly_score(new)
    assert np.array_equal(detector.anomaly_score(new[3:4]), scores[3:4])
    assert np.array_equal(detector.anomaly_score(new[::-1]), scores[::-1])
    again = load(detector.save(tmp_path / "model"))
    assert again.stabilisers == detector.stabilisers
    assert differences(observe(again, new), observe(detector, new) | {"losses": observe(again, new)["losses"]}) == []


@pytest.mark.parametrize("one", MANY, ids=lambda one: type(one).__name__)
def test_each_changes_training(one):
    # AAE takes all of them: its critic gives probabilities, and its encoder has to fool it.
    X, new = normals("table", 12), normals("table", 9, seed=1)
    plain, other = (make(NEURAL["AAE"], batch_size=4, stabilisers=s).fit(X) for s in ((), (one,)))
    assert not np.array_equal(plain.anomaly_score(new), other.anomaly_score(new))


@pytest.mark.parametrize("name", NEURAL)
def test_without_a_critic(name):
    if name in ADVERSARIAL and name != "WAIC":
        pytest.skip("has a critic: test_with_a_critic")
    with pytest.raises(InputError, match=f"{name} trains none as it is set"):
        make(NEURAL[name], stabilisers=(TwoTimescale(),)).fit(normals("table", 12))


@pytest.mark.parametrize("given", [TwoTimescale(), (3,), "TwoTimescale"], ids=str)
def test_what_is_no_tuple_of_stabilisers(given):
    with pytest.raises(InputError, match=r"AAE got stabilisers=.*takes tuple\[Stabiliser, \.\.\.\]"):
        make(NEURAL["AAE"], stabilisers=given).fit(normals("table", 12))


def test_none_by_default():
    assert all(cls().stabilisers == () for cls in NEURAL.values())
    assert issubclass(NEURAL["AAE"], NeuralDetector)
