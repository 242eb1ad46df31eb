"""Classes of other packages: a stranger's detector and part are saved and loaded, or refused in one sentence."""

from dataclasses import dataclass

import numpy as np
import pytest

from oddgan import Ensemble, IForest, InputError, ModelError, load
from oddgan.similarities import L1, Similarity
from testing.detectors import KNN, Mahalanobis, Nearest, Worst, WorstAutoEncoder

X = np.random.default_rng(0).normal(size=(30, 4))


@dataclass(frozen=True)
class Elsewhere(Similarity):
    """A part that the detector's module does not know."""

    def _compare(self, x, y):
        return (x - y).abs().flatten(1).amax(dim=1)


@dataclass
class Loose:
    """No part, as it is not frozen."""


OTHER_L1 = type("L1", (Elsewhere,), {"__module__": "mine"})


def worst(similarity):
    return WorstAutoEncoder(**WorstAutoEncoder.tiny, similarity=similarity, random_state=0).fit(X)


def test_a_detector_is_loaded_by_its_class(tmp_path):
    detector = Nearest(power=2.0).fit(X)
    again = load(detector.save(tmp_path / "model"), classes=(Nearest,))
    assert type(again) is Nearest
    assert again.power == 2.0
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))


def test_without_its_class_a_sentence_says_how(tmp_path):
    folder = Nearest().fit(X).save(tmp_path / "model")
    with pytest.raises(ModelError, match=r"holds a 'Nearest', which is not known here: if it is yours, name its class"):
        load(folder)


def test_members_of_an_ensemble_are_loaded_by_their_class(tmp_path):
    detector = Ensemble(detectors=(Nearest(), IForest(n_trees=10)), n_members=2, random_state=0).fit(X)
    folder = detector.save(tmp_path / "model")
    again = load(folder, classes=[Nearest])
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))
    with pytest.raises(ModelError, match="Nearest"):
        load(folder)


def test_parts_of_the_detector_s_module_are_loaded_with_it(tmp_path):
    detector = worst(Worst())
    again = load(detector.save(tmp_path / "model"), classes=(WorstAutoEncoder,))
    assert again.similarity == Worst()
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))


def test_parts_of_the_modules_that_it_builds_on_are_loaded_with_it(tmp_path):
    built = type("Built", (WorstAutoEncoder,), {"__module__": __name__})
    detector = built(**built.tiny, random_state=0, similarity=Worst()).fit(X)
    assert load(detector.save(tmp_path / "model"), classes=(built,)).similarity == Worst()


def test_what_was_learned_is_stored_as_arrays(tmp_path):
    detector = Mahalanobis().fit(X)
    again = load(detector.save(tmp_path / "model"), classes=(Mahalanobis,))
    assert again.learned_.keys() == {"mean", "precision"}
    assert np.array_equal(again.learned_["precision"], detector.learned_["precision"])
    detector.learned_["n"] = 30
    with pytest.raises(InputError, match="learned_ of Mahalanobis must be a dictionary of arrays"):
        detector.save(tmp_path / "other")


def test_parts_from_elsewhere_are_loaded_by_their_class(tmp_path):
    detector = worst(Elsewhere())
    folder = detector.save(tmp_path / "model")
    again = load(folder, classes=(WorstAutoEncoder, Elsewhere))
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))
    with pytest.raises(
        ModelError, match=r"Unknown part 'Elsewhere'.* If it is yours, name its class in classes=\(\.\.\.,\)\."
    ):
        load(folder, classes=(WorstAutoEncoder,))


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ((KNN,), r"classes holds testing\.detectors\.KNN, but another class is called KNN: rename it"),
        (
            (type("L1", (Elsewhere,), {"__module__": "mine"}),),
            r"classes holds mine\.L1, but another class is called L1",
        ),
        ((Nearest, type("Nearest", (Nearest,), {})), "another class is called Nearest"),
        ((Loose,), "but takes detector classes and parts, which are frozen dataclasses"),
        ((3,), "classes holds 3, but takes detector classes and parts"),
    ],
    ids=["detector", "part", "twice", "not frozen", "no class"],
)
def test_classes_that_are_refused(tmp_path, classes, message):
    folder = Nearest().fit(X).save(tmp_path / "model")
    with pytest.raises(InputError, match=message):
        load(folder, classes=classes)


def test_our_own_classes_may_be_named(tmp_path):
    folder = IForest(n_trees=10, random_state=0).fit(X).save(tmp_path / "model")
    assert type(load(folder, classes=(IForest, L1))) is IForest


def test_what_would_be_loaded_as_something_else_is_not_saved(tmp_path):
    with pytest.raises(InputError, match=r"can't be saved: oddgan has another KNN, so call yours something else"):
        KNN().fit(X).save(tmp_path / "model")
    with pytest.raises(InputError, match="can't be saved: oddgan has another L1"):
        worst(OTHER_L1()).save(tmp_path / "model")
    assert not (tmp_path / "model").exists()
