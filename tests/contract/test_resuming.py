"""Every detector that trains can be interrupted anywhere, gone on with to the last bit, and trained on."""

import numpy as np
import pytest

from oddgan.training import Callback, Checkpoints

from .cases import NEURAL, differences, make, normals, observe


class StoppedError(Exception):
    pass


class Interrupt(Callback):
    """Stops training after a number of steps, over all phases."""

    def __init__(self, steps):
        self.left = steps

    def iteration_ended(self, state):
        self.left -= 1
        if self.left < 0:
            raise StoppedError


def settings(name):
    return {"batch_size": 7, "epochs": 1 if name in {"LSA", "ARAE"} else 2}


@pytest.mark.parametrize("name", NEURAL)
def test_an_interrupted_fit_ends_as_a_whole_one(name, tmp_path):
    cls, X = NEURAL[name], normals(NEURAL[name].card.kinds[0], 25)
    whole = make(cls, **settings(name)).fit(X)
    steps = len(whole.history_) * 3 + 3  # at least so many, with the three batches of a pass
    rng = np.random.default_rng(sum(map(ord, name)))
    keep = Checkpoints(tmp_path / "kept", steps=2)
    for done in sorted(rng.choice(steps, 2, replace=False)):
        try:
            made = make(cls, **settings(name)).fit(X, callbacks=[keep, Interrupt(done)])
        except StoppedError:
            made = None
        keep = Checkpoints(tmp_path / "kept", steps=2, resume=True)
    made = made or make(cls, **settings(name)).fit(X, callbacks=[keep])
    assert differences(observe(whole, X[:5]), observe(made, X[:5])) == []


@pytest.mark.parametrize("name", NEURAL)
def test_training_goes_on(name):
    cls, kind = NEURAL[name], NEURAL[name].card.kinds[0]
    X, new = normals(kind, 24), normals(kind, 16, seed=5) + 1
    first, second = (make(cls, **settings(name)).fit(X) for _ in range(2))
    before = observe(first, new)
    for detector in (first, second):
        assert detector.partial_fit(new, epochs=1) is detector
    assert differences(observe(first, new), observe(second, new)) == []
    assert differences(before, observe(first, new))
    changes = first.changes_
    assert changes.rows == 16
    assert changes.threshold == (float(before["threshold"]), first.threshold_)
    assert changes.flagged[1] <= 0.1 + 1 / 16  # the threshold is that of the new rows
    assert any(share > 0 for share in changes.weights.values())
    assert len(first.history_) == len(make(cls, **settings(name)).fit(X).history_) + changes.epochs
