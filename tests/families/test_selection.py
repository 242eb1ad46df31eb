import numpy as np
import pytest
import torch

from oddgan import AAE, ALAD, KNN, AnoGAN, AutoEncoder, DeepSVDD, FAnoGAN, GANomaly, InputError, load
from oddgan.families.selection import frechet_distance
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.networks import MLP
from oddgan.training import Adam, Callback, Selection, Selector

SMALL = {"backbone": MLP(hidden=(16,)), "batch_size": 10, "random_state": 0, "latent_dim": 3}
FAST = {"inversion": LatentSearch(n_max=3, optimiser=LatentAdam(lr=0.1))}


def rows(n=80, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(n, 6))


def test_frechet_distance_of_normal_distributions():
    # Closed form in one dimension: (μ1 - μ2)² + (σ1 - σ2)².
    x = np.array([[-1.0], [1.0]])  # variance 2
    assert frechet_distance(x, 3 + 2 * x) == pytest.approx(9 + (np.sqrt(2) - np.sqrt(8)) ** 2)
    rng = np.random.default_rng(0)
    x, turn = rng.normal(size=(500, 3)), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x @ turn, (2 * x) @ turn) == pytest.approx(frechet_distance(x, 2 * x))


def test_the_best_epoch_is_kept():
    # A learning rate this high makes training worse again: what is kept must be the epoch with the least criterion.
    made = AutoEncoder(**SMALL, epochs=12, optimiser=Adam(lr=0.3), selection=Selection()).fit(rows())
    values = [r.criterion for r in made.history_]
    chosen = [r.epoch for r in made.history_ if r.chosen]
    assert chosen == [1 + int(np.argmin(values))]
    assert chosen != [12]


def test_the_criterion_is_that_of_the_kept_weights():
    seen = {}

    class Watch(Callback):
        def epoch_ended(self, state, record):
            seen[record.epoch] = {k: v.clone() for k, v in state.networks.state_dict().items()}

    made = AutoEncoder(**SMALL, epochs=8, optimiser=Adam(lr=0.3), selection=Selection())
    made.fit(rows(), callbacks=[Watch()])
    best = next(r.epoch for r in made.history_ if r.chosen)
    kept = made.networks_.state_dict()
    assert all(torch.equal(kept[k], seen[best][k]) for k in kept)


def test_patience_ends_a_phase():
    looks = iter([3.0, 2.0, 2.5, 2.4, 1.0])
    selector = Selector(Selection(patience=2), lambda: next(looks))
    networks = torch.nn.ModuleDict({"a": torch.nn.Linear(1, 1)})
    ended = []
    for epoch in range(1, 5):
        selector.look(networks, epoch)
        ended.append(selector.exhausted)
    assert ended == [False, False, False, True]
    assert (selector.best, selector.epoch) == (2.0, 2)


def test_every_other_epoch():
    made = AutoEncoder(**SMALL, epochs=5, selection=Selection(every=2)).fit(rows())
    assert [r.criterion is None for r in made.history_] == [True, False, True, False, True]


def test_nothing_is_looked_at_twice_and_no_row_is_trained_on():
    X = rows()
    made = AutoEncoder(**SMALL, epochs=1, selection=Selection(share=0.25)).fit(X)
    plain = AutoEncoder(**SMALL, epochs=1).fit(X)
    assert made.history_[0].losses != plain.history_[0].losses  # 60 rows instead of 80


@pytest.mark.parametrize(
    ("detector", "criterion", "phases"),
    [
        (GANomaly(**SMALL, epochs=2), None, {0}),
        (GANomaly(**SMALL, epochs=2), "latent", {0}),
        (FAnoGAN(**SMALL, epochs=2), "reconstruction", {1}),  # the encoder learns in the second phase
        (FAnoGAN(**SMALL, epochs=2), "features", {0}),
        (FAnoGAN(**SMALL, epochs=2), "critic_gap", {0}),
        (AnoGAN(**SMALL, **FAST, epochs=2), "reconstruction", {0}),
        (ALAD(**SMALL, epochs=2), "features", {0}),
        (AAE(**SMALL, epochs=2), "features", {0}),
    ],
)
def test_criteria_and_the_phases_that_they_judge(detector, criterion, phases):
    detector.selection = Selection(criterion)
    detector.fit(rows())
    judged = {r.phase_index for r in detector.history_ if r.criterion is not None}
    assert judged == phases
    assert all(np.isfinite(r.criterion) for r in detector.history_ if r.phase_index in phases)


def test_a_method_that_draws_no_row_again_goes_by_its_score():
    made = DeepSVDD(latent_dim=3, epochs=3, pretrain_epochs=1, selection=Selection(), random_state=0).fit(rows())
    assert [r.criterion is not None for r in made.history_] == [False, True, True, True]


def test_critic_gap_by_hand():
    class Look(Callback):
        def epoch_ended(self, state, record):
            self.networks, self.value = state.networks, record.criterion

    look, X = Look(), rows()
    made = AnoGAN(**SMALL, **FAST, epochs=1, selection=Selection("critic_gap"))
    held = rows(20, seed=3)
    made.fit(X, validation=(held, None), callbacks=[look])
    x = torch.from_numpy(made.scaling_(held))
    real = made.networks_["critic"](x).logit.mean()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fake = made.networks_["critic"](made.networks_["generator"](torch.randn(20, 3))).logit.mean()
    assert look.value == pytest.approx(float(real - fake), abs=1e-6)


def test_looking_changes_nothing_but_the_choice():
    # With its own rows given, a selection that never ends early and takes the last epoch trains the same weights.
    X, held = rows(), rows(20, seed=1)
    seen = {}

    class Last(Callback):
        def epoch_ended(self, state, record):
            seen[record.phase_index, record.epoch] = {k: v.clone() for k, v in state.networks.state_dict().items()}

    FAnoGAN(**SMALL, epochs=2).fit(X, callbacks=[Last()])
    plain = dict(seen)
    FAnoGAN(**SMALL, epochs=2, selection=Selection("features")).fit(X, validation=(held, None), callbacks=[Last()])
    assert all(torch.equal(plain[0, epoch][k], seen[0, epoch][k]) for epoch in (1, 2) for k in plain[0, epoch])


def test_labels_choose_only_where_they_are_given_and_are_marked(tmp_path):
    X, held = rows(), np.r_[rows(20, seed=1), rows(10, seed=2) + 4]
    y = np.repeat([0, 1], [20, 10])
    made = AutoEncoder(**SMALL, epochs=3, selection=Selection("auroc")).fit(X, validation=(held, y))
    assert made.semi_supervised_
    made.save(tmp_path / "m")
    assert load(tmp_path / "m").semi_supervised_
    values = [r.criterion for r in made.history_]
    assert all(0 <= v <= 1 for v in values)
    assert (
        not AutoEncoder(**SMALL, epochs=2, selection=Selection()).fit(X, validation=(held[:20], None)).semi_supervised_
    )


@pytest.mark.parametrize(
    ("detector", "selection", "validation", "message"),
    [
        (
            AutoEncoder(**SMALL),
            Selection("auroc"),
            None,
            'Only the criterion "auroc" looks at labels, and it needs them',
        ),
        (AutoEncoder(**SMALL), Selection(), (rows(4), [0, 1, 0, 1]), 'Only the criterion "auroc" looks at labels'),
        (AutoEncoder(**SMALL), None, (rows(4), None), "validation rows choose among epochs: say by what"),
        (AutoEncoder(**SMALL), Selection("features"), None, "AutoEncoder draws no samples"),
        (DeepSVDD(), Selection("reconstruction"), None, "DeepSVDD draws no row again"),
        (AAE(**SMALL), Selection("critic_gap"), None, "AAE has no critic"),
        (AutoEncoder(**SMALL), Selection("latex"), None, "AutoEncoder has no component latex: it has"),
        (AutoEncoder(**SMALL), Selection(share=0.01), None, "leaves 79 to train on and 1 to choose by"),
        (AutoEncoder(**SMALL), Selection("auroc"), (rows(4), [0, 0, 0, 0]), "or 1 .anomalous., and both of them"),
        (AutoEncoder(**SMALL), Selection("auroc"), rows(4), "validation takes a pair"),
    ],
)
def test_what_cannot_be_judged_is_refused(detector, selection, validation, message):
    detector.selection = selection
    with pytest.raises(InputError, match=message):
        detector.fit(rows(), validation=validation)


def test_nothing_to_choose_among():
    with pytest.raises(InputError, match="KNN is fitted at once: validation has no epochs to choose among"):
        KNN().fit(rows(), validation=(rows(4), None))
    with pytest.raises(InputError, match=r"Selection takes share in \(0, 1\)"):
        Selection(share=1.0)
