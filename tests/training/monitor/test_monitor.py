import dataclasses
import json
import warnings

import numpy as np
import pytest
import torch

from oddgan import InputError
from oddgan.base import Notice
from oddgan.detectors import ALAD, AnoGAN, AutoEncoder, DeepSVDD, FAnoGAN, GANomaly
from oddgan.inversion import LatentSearch
from oddgan.networks import MLP, ConvLadder
from oddgan.training import Adam, EventLog, Monitor, Thresholds

X = np.random.default_rng(0).normal(size=(40, 3))
IMAGES = np.random.default_rng(0).uniform(size=(24, 1, 8, 8))
PLAIN = {"inversion": LatentSearch(n_max=1), "calibration_size": 1, "latent_dim": 2, "random_state": 0}
TINY = {"backbone": MLP(hidden=(8,)), "batch_size": 20}


def weights(detector):
    return {name: value.clone() for name, value in detector.networks_.state_dict().items()}


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda: AnoGAN(**PLAIN, epochs=3, batch_size=8, backbone=ConvLadder(width=4, critic_norm="batch")), IMAGES),
        (lambda: AnoGAN(**PLAIN, epochs=3, batch_size=20, backbone=MLP(hidden=(8,), dropout=0.3)), X),
        (lambda: FAnoGAN(latent_dim=2, epochs=2, **TINY, random_state=0), X),
        (lambda: ALAD(latent_dim=2, epochs=2, batch_size=20, random_state=0), X),
        (lambda: DeepSVDD(epochs=2, batch_size=20, random_state=0), X),
    ],
    ids=[
        "batch norm",
        "dropout",
        "both kinds at once, a slope as a chain",
        "spectral norm and a moving average",
        "no samples",
    ],
)
def test_watching_changes_no_bit(make, x):
    monitor = Monitor(rows=10, every=1)
    state = torch.get_rng_state()
    alone, watched = make().fit(x), make().fit(x, callbacks=[monitor])
    assert monitor.records
    a, b = weights(alone), weights(watched)
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(alone.anomaly_score(x), watched.anomaly_score(x))


def test_what_is_recorded():
    monitor = Monitor(rows=20, shown=5)
    detector = AnoGAN(**PLAIN, **TINY, epochs=3).fit(X, callbacks=[monitor])
    assert [(r.phase, r.phase_index, r.epoch) for r in monitor.records] == [("adversarial", 0, i) for i in (1, 2, 3)]
    assert [r.losses for r in monitor.records] == [r.losses for r in detector.history_]
    for record in monitor.records:
        assert set(record.gradients) == {"critic", "generator"}
        assert set(record.critics) == {"critic"}
        assert all(g.norm > 0 and 0 < g.depth <= 1 for g in record.gradients.values())
        assert 0 <= record.samples.coverage <= 1
    assert monitor.snapshots.epoch.tolist() == [1, 2, 3]
    assert monitor.snapshots.samples.shape == (3, 5, 3)
    np.testing.assert_allclose(monitor.snapshots.rows, X[::2][:5], rtol=1e-5)
    assert all(not network._forward_hooks for network in detector.networks_.values())


def test_snapshots_of_a_long_run_are_few_and_end_with_the_last():
    monitor = Monitor(rows=10)
    AnoGAN(**PLAIN, **TINY, epochs=40).fit(X, callbacks=[monitor])
    epochs = monitor.snapshots.epoch
    assert (len(epochs), epochs[0], epochs[-1]) == (6, 1, 40)
    assert np.ptp(np.diff(epochs)) <= 6


def test_without_a_generator_only_gradients():
    monitor = Monitor()
    AutoEncoder(epochs=2, latent_dim=2, random_state=0).fit(X, callbacks=[monitor])
    assert monitor.snapshots is None
    assert all(r.samples is None and not r.critics and r.gradients for r in monitor.records)


def test_a_critic_without_samples():
    monitor = Monitor()
    GANomaly(**TINY, latent_dim=2, epochs=2, random_state=0).fit(X, callbacks=[monitor])
    assert all(r.samples is None and set(r.critics) == {"discriminator"} for r in monitor.records)


def test_several_critics():
    monitor = Monitor(rows=10)
    ALAD(latent_dim=2, epochs=1, batch_size=20, random_state=0).fit(X, callbacks=[monitor])
    (record,) = monitor.records
    assert set(record.critics) == {"critic_xz", "critic_xx", "critic_zz"}


def test_samples_are_left_alone_while_others_train():
    monitor = Monitor(rows=10)
    FAnoGAN(**TINY, latent_dim=2, epochs=2, encoder_epochs=2, n_critic=1, random_state=0).fit(X, callbacks=[monitor])
    assert [r.samples is None for r in monitor.records] == [False, False, True, True]


def run(monitor, **settings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        AutoEncoder(epochs=6, latent_dim=2, random_state=0, **settings).fit(X, callbacks=[monitor])
    return [str(w.message) for w in caught if issubclass(w.category, Notice) and "too few" not in str(w.message)]


def test_a_failure_is_told_once_with_what_to_do(tmp_path):
    monitor = Monitor(log=(log := EventLog(tmp_path / "events.jsonl")))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector = AutoEncoder(epochs=6, latent_dim=2, random_state=0, optimiser=Adam(lr=3.0))
        detector.fit(X, callbacks=[log, monitor])
    (alarm,) = monitor.alarms
    told = [str(w.message) for w in caught if issubclass(w.category, Notice) and "too few" not in str(w.message)]
    assert told == [alarm.text]
    assert alarm.text.startswith("Exploding gradients of 'autoencoder' in phase 'reconstruction', epoch 3: ")
    assert "What to do: take smaller steps, AutoEncoder(optimiser=Adam(lr=0.3))." in alarm.text
    events = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [e["event"] for e in events] == ["fit_started", "phase_started", *["epoch", "monitor"] * 3, "alarm",
                                            *["epoch", "monitor"] * 3, "fit_ended"]  # fmt: skip
    assert {k: v for k, v in events[8].items() if k not in ("event", "time")} == dataclasses.asdict(alarm)
    assert events[3]["gradients"]["autoencoder"]["norm"] == monitor.records[0].gradients["autoencoder"].norm


def test_thresholds_can_be_set():
    assert run(Monitor()) == []
    # Every gradient lies above a billionth of the first.
    assert len(run(Monitor(thresholds=Thresholds(exploded=1e-9)))) == 1


def test_a_second_fit_starts_anew():
    monitor = Monitor()
    run(monitor, optimiser=Adam(lr=3.0))
    run(monitor)
    assert (len(monitor.records), monitor.alarms) == (6, [])


@pytest.mark.parametrize("wrong", [{"rows": 9}, {"every": 0}, {"shown": 0}], ids=str)
def test_wrong_settings(wrong):
    with pytest.raises(InputError, match="Monitor takes rows and looks of at least 10"):
        Monitor(**wrong)


def test_long_phases_are_looked_at_now_and_then():
    monitor = Monitor(rows=20, looks=10)
    made = AnoGAN(epochs=25, batch_size=20, latent_dim=2, backbone=MLP(hidden=(8,)), random_state=0)
    made.fit(np.random.default_rng(0).normal(size=(40, 3)), callbacks=[monitor])
    assert [seen.epoch for seen in monitor.records] == [3, 6, 9, 12, 15, 18, 21, 24, 25]
