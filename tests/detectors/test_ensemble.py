import numpy as np
import pytest
from sklearn.base import clone

from oddgan import KDE, KNN, PCA, AutoEncoder, Ensemble, FAnoGAN, InputError, MeanDistance, ModelError, load
from oddgan.networks import MLP
from oddgan.scaling import Identity, Standard
from oddgan.scores import Maximum, WeightedSum
from oddgan.training import Callback, Checkpoints, Privacy, Selection

X = np.random.default_rng(0).normal(size=(40, 4))
NEW = np.random.default_rng(1).normal(size=(9, 4)) * 2
SMALL = AutoEncoder(backbone=MLP(hidden=(8,)), latent_dim=2, epochs=2, batch_size=10)
MIXED = (SMALL, KNN(n_neighbors=2))


@pytest.fixture
def gan():
    return FAnoGAN(backbone=MLP(hidden=(8,)), latent_dim=2, epochs=1, encoder_epochs=1)


class Log(Callback):
    """Notes what it is told; stops training after a number of steps."""

    def __init__(self, steps=10**9):
        self.begun, self.ended, self.phases, self.left = 0, 0, [], steps

    def fit_started(self, method, rows):
        self.begun += 1

    def fit_ended(self, seconds):
        self.ended += 1

    def phase_started(self, state):
        self.phases.append(state.index)

    def iteration_ended(self, state):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_the_score_is_the_mean_of_standardised_scores():
    # Distances to the mean 2 of 0, 1 and 5 are 2, 1 and 3: mean 2, standard deviation sqrt(2/3). 9 is 7 away.
    rows = np.array([[0.0], [1.0], [5.0]])
    one = Ensemble(detectors=(MeanDistance(scaling=Identity()),), n_members=1).fit(rows)
    assert one.component_names_ == ("meandistance_1",)
    assert one.anomaly_score(np.array([[9.0]])) == pytest.approx(5 / np.sqrt(2 / 3))
    both = Ensemble(detectors=(MeanDistance(), KNN(n_neighbors=2)), n_members=1).fit(X)
    alone = [member.fit(X) for member in (MeanDistance(), KNN(n_neighbors=2))]
    known, new = ([d.anomaly_score(rows) for d in alone] for rows in (X, NEW))
    expected = np.mean([(s - k.mean()) / k.std() for s, k in zip(new, known, strict=True)], axis=0)
    np.testing.assert_allclose(both.anomaly_score(NEW), expected)


def test_members_are_what_they_would_be_alone():
    ensemble = Ensemble(detectors=MIXED, n_members=2, random_state=0, slots=7).fit(X)
    assert ensemble.component_names_ == ("autoencoder_1", "autoencoder_2", "knn_1", "knn_2")
    found = ensemble.score_components(NEW)
    for name, member in zip(ensemble.component_names_, ensemble.members_, strict=True):
        again = clone(member).fit(X)
        assert np.array_equal(again.anomaly_score(NEW), found[name])
        assert getattr(again, "history_", []) == [] or len(again.history_) == len(member.history_)
        assert [r.phase_index for r in getattr(member, "history_", [])] in ([], [0, 0])
    assert not np.array_equal(found["autoencoder_1"], found["autoencoder_2"])
    assert np.array_equal(found["knn_1"], found["knn_2"])
    assert [r.phase_index for r in ensemble.history_] == [0, 0, 1, 1]
    other = Ensemble(detectors=MIXED, n_members=2, random_state=1, slots=7).fit(X)
    assert not np.array_equal(other.anomaly_score(NEW), ensemble.anomaly_score(NEW))


def test_each_member_sees_its_own_share_of_the_rows():
    members = Ensemble(detectors=(KNN(n_neighbors=1),), n_members=3, subsample=0.5, random_state=0).fit(X).members_
    seen = [{tuple(row) for row in m.estimators_["neighbors"]._fit_X.round(9)} for m in members]
    assert {len(rows) for rows in seen} == {20}
    assert len({frozenset(rows) for rows in seen}) == 3


def test_members_learn_the_same_elsewhere():
    settings = {"detectors": MIXED, "n_members": 2, "subsample": 0.8, "random_state": 0}
    here, there = (Ensemble(**settings, n_jobs=n).fit(X) for n in (1, 2))
    assert np.array_equal(here.anomaly_score(NEW), there.anomaly_score(NEW))
    assert [(r.phase_index, r.losses) for r in here.history_] == [(r.phase_index, r.losses) for r in there.history_]
    assert [len(m.history_) for m in there.members_[:2]] == [2, 2]


def test_callbacks_hear_of_one_training_and_of_the_phases_of_all():
    log = Log()
    Ensemble(detectors=(SMALL,), n_members=3, random_state=0).fit(X, callbacks=[log])
    assert (log.begun, log.ended, log.phases) == (1, 1, [0, 1, 2])


@pytest.mark.parametrize("done", [1, 8, 11, 16])  # eight steps a member
def test_an_interrupted_fit_ends_as_a_whole_one(tmp_path, done):
    made = Ensemble(detectors=MIXED, n_members=2, random_state=0)
    whole = clone(made).fit(X)
    log = Log(done)
    with pytest.raises(KeyboardInterrupt) if done < 16 else pytest.raises(RuntimeError):
        clone(made).fit(X, callbacks=[Checkpoints(tmp_path / "kept", steps=3), log])
        raise RuntimeError
    assert log.ended == 1
    with pytest.raises(InputError, match="holds checkpoints of a training that has begun"):
        clone(made).fit(X, callbacks=[Checkpoints(tmp_path / "kept", steps=3)])
    more = Log()
    again = clone(made).fit(X, callbacks=[Checkpoints(tmp_path / "kept", steps=3, resume=True), more])
    assert np.array_equal(again.anomaly_score(NEW), whole.anomaly_score(NEW))
    assert [r.losses for r in again.history_] == [r.losses for r in whole.history_]
    assert 10**9 - more.left == 16 - 3 * (done % 8 // 3) - done // 8 * 8  # what was kept is not trained again


def test_any_composition_combines_and_labels_leave_their_mark():
    ensemble = Ensemble(detectors=MIXED, n_members=1, random_state=0, composition=Maximum()).fit(X)
    assert not ensemble.semi_supervised_
    assert ensemble.compose(WeightedSum(knn_1=1.0)).anomaly_score(NEW) == pytest.approx(
        ensemble.members_[1].anomaly_score(NEW)
    )
    chosen = clone(SMALL).set_params(selection=Selection(criterion="auroc"))
    labelled = (np.r_[X[:5], NEW], np.repeat([0, 1], [5, 9]))
    marked = Ensemble(detectors=(chosen,), n_members=1, random_state=0).fit(X, validation=labelled)
    assert marked.semi_supervised_


def test_reconstructions_and_maps_are_means_and_samples_come_from_all():
    ensemble = Ensemble(detectors=(SMALL, PCA()), n_members=1, random_state=0).fit(X)
    told = ensemble.explain(NEW)
    for found, name in ((told.reconstruction, "reconstruct"), (told.map, "anomaly_map")):
        expected = np.mean([getattr(member, name)(NEW) for member in ensemble.members_], axis=0)
        assert np.array_equal(found, expected)
        assert np.array_equal(getattr(ensemble, name)(NEW), expected)
    assert np.array_equal(told.score, ensemble.anomaly_score(NEW))
    assert told.components.keys() == set(ensemble.component_names_)
    assert not hasattr(ensemble, "sample")
    without = Ensemble(detectors=MIXED, n_members=1, random_state=0).fit(X)
    assert not hasattr(without, "reconstruct")
    told = without.explain(NEW)
    assert told.reconstruction is None
    assert told.map is told.contributions


def test_samples_come_from_all_members(gan):
    ensemble = Ensemble(detectors=(gan,), n_members=2, random_state=0).fit(X)
    drawn = ensemble.sample(5, random_state=3)
    assert drawn.shape == (5, 4)
    rng = np.random.RandomState(3)
    assert np.array_equal(drawn[:3], ensemble.members_[0].sample(3, random_state=rng))
    assert np.array_equal(drawn[3:], ensemble.members_[1].sample(2, random_state=rng))
    assert ensemble.sample(1, random_state=3).shape == (1, 4)


def test_progress_counts_the_rows_of_all_members():
    told = []
    ensemble = Ensemble(detectors=MIXED, n_members=2, random_state=0, slots=4).fit(X)
    ensemble.anomaly_score(NEW, report=lambda p: told.append(p.rows))
    assert told == sorted(told)
    assert told[-1] == 9
    assert len(set(told)) >= len(ensemble.members_)  # each member tells at its end at least


def test_an_ensemble_of_ensembles_is_stored_whole(tmp_path):
    inner = Ensemble(detectors=(KDE(bandwidths=(0.5,)), SMALL), n_members=1)
    outer = Ensemble(detectors=(inner, MeanDistance()), n_members=1, random_state=0).fit(X)
    assert outer.component_names_ == ("ensemble_1", "meandistance_1")
    folder = outer.save(tmp_path / "model")
    again = load(folder)
    assert np.array_equal(again.anomaly_score(NEW), outer.anomaly_score(NEW))
    assert again.detectors[0].detectors[0].bandwidths == (0.5,)
    assert (folder / "member-1" / "member-2" / "networks.safetensors").is_file()
    (folder / "member-2" / "detector.json").unlink()
    with pytest.raises(ModelError, match=r"member-2 lacks detector\.json: copy the whole folder"):
        load(folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "no detectors to combine: give some, e.g. detectors="),
        ({"detectors": KDE()}, r"takes tuple\[Detector"),
        ({"detectors": (KDE,)}, r"takes tuple\[Detector"),
        ({"detectors": (KDE(random_state=0),)}, "seeds its members: give random_state to it, not to its KDE"),
        ({"detectors": (KDE(),), "n_members": 0}, "n_members must be a whole number of at least 1"),
        ({"detectors": (KDE(),), "subsample": 0.0}, r"subsample is a share of the rows in \(0, 1\]"),
        ({"detectors": (KDE(),), "n_jobs": 0}, "n_jobs must be at least 1"),
        ({"detectors": (KDE(),), "scaling": Standard()}, "Members scale for themselves"),
    ],
)
def test_what_can_not_be_combined_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Ensemble(**settings).fit(X)


def test_private_members_are_refused(gan):
    private = clone(gan).set_params(privacy=Privacy())
    with pytest.raises(InputError, match="The guarantee of a private FAnoGAN holds for one training"):
        Ensemble(detectors=(private,)).fit(X)
