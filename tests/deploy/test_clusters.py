"""Training on a cluster of Ray, on this machine."""

import os
import threading
import time

import numpy as np
import pytest

from oddgan import AutoEncoder, InputError, TrainingError
from oddgan.deploy import fit_on_ray
from oddgan.networks import MLP


def detector(**settings):
    common = {"latent_dim": 2, "backbone": MLP(hidden=(8,)), "batch_size": 20, "random_state": 0}
    return AutoEncoder(**common | {"epochs": 3} | settings)


def rows():
    return np.random.default_rng(0).normal(size=(60, 4))


class Own(AutoEncoder):
    """A detector that a model's files can't name."""


@pytest.mark.parametrize("settings", [{"num_workers": 0}, {"max_failures": -1}])
def test_wrong_arguments(tmp_path, settings):
    with pytest.raises(InputError, match="fit_on_ray takes num_workers of at least 1"):
        fit_on_ray(detector(), rows(), tmp_path, **settings)


def test_a_seed_is_needed(tmp_path):
    with pytest.raises(InputError, match="an integer as random_state, but got 2, 3 and None"):
        fit_on_ray(detector(random_state=None), rows(), tmp_path)


def test_what_can_not_be_loaded(tmp_path):
    with pytest.raises(InputError, match="Own can't be loaded from its files"):
        fit_on_ray(Own(random_state=0), rows(), tmp_path)


@pytest.fixture
def cluster(monkeypatch):
    """A head and one more node, each with room for two workers."""
    ray, utils = pytest.importorskip("ray"), pytest.importorskip("ray.cluster_utils")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    node = {"num_cpus": 2, "object_store_memory": 100 * 2**20}
    made = utils.Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
    made.add_node(**node)
    paths = os.environ.get("PYTHONPATH", "")
    ray.init(address=made.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.mark.slow
def test_a_node_that_is_lost_is_made_up_for(cluster, tmp_path):
    x = rows()

    class Slow:
        """Rows that take their time, so that the node is lost while training."""

        def __len__(self):
            return len(x)

        def __getitem__(self, i):
            time.sleep(0.01)
            return x[i]

    lost = []

    def lose():
        while not list(tmp_path.glob("checkpoints/step-*")):
            time.sleep(0.5)
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        lost.append(sorted(path.name for path in tmp_path.glob("checkpoints/*")))

    thread = threading.Thread(target=lose, daemon=True)
    thread.start()
    found = fit_on_ray(detector(epochs=80), Slow(), tmp_path)
    thread.join(timeout=10)
    assert any(name.startswith("step-0") for name in lost[0])
    assert "phase-0" not in lost[0]  # training was not over when the node went
    expected = detector(epochs=80).fit(x)
    assert np.allclose(found.anomaly_score(x), expected.anomaly_score(x), rtol=1e-3)


@pytest.mark.slow
def test_an_error_of_a_worker_is_told(cluster, tmp_path):
    del cluster
    with pytest.raises(TrainingError, match="NaN or infinity"):
        fit_on_ray(detector(), np.full((60, 4), np.nan), tmp_path, max_failures=0)
