"""Where time goes: stages that exclude each other, and counted operations."""

import time

import pytest
import torch
from torch import nn

from oddgan.data import Options
from oddgan.networks import ConvLadder
from oddgan.tasks import FitSpec, ProfileSpec, fit, profile
from oddgan.tasks.profile import Stopwatch, count_flops, measure_machine

TINY = {"epochs": 1, "latent_dim": 4, "backbone": {"image": {"width": 4}}}


class Clock:
    """A clock that moves when it is told to; a busy machine does not change what it shows."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def spend(self, seconds):
        self.now += seconds


def test_a_stage_inside_another_does_not_count_twice(monkeypatch):
    clock, watch = Clock(monkeypatch), Stopwatch()
    with watch.stage("outer"):
        clock.spend(1)
        with watch.stage("inner"):
            clock.spend(4)
        clock.spend(2)
    assert (watch.stages["outer"].seconds, watch.stages["inner"].seconds) == (3, 4)
    assert watch.seconds == 7


def test_a_stage_may_end_after_one_that_began_later_goes_on(monkeypatch):
    clock, watch = Clock(monkeypatch), Stopwatch()
    watch.start("first")
    watch.start("second")
    watch.stop("first")
    clock.spend(1)
    watch.stop("second")
    assert (watch.stages["first"].seconds, watch.stages["second"].seconds) == (0, 1)


def test_operations_are_counted_by_hand():
    """A linear layer from 3 to 5 multiplies and adds 15 times; so does its gradient to the input."""
    layer = nn.Linear(3, 5).requires_grad_(requires_grad=False)
    assert count_flops(layer, [(3,)], gradient=False) == 2 * 15
    assert count_flops(layer, [(3,)], gradient=True) == 2 * 15


def test_operations_of_a_critic_are_those_of_both_results():
    critic = ConvLadder(width=4).critic((1, 8, 8)).eval().requires_grad_(requires_grad=False)
    # C(4,2,1) from 1 to 4 channels on a map of 4 x 4, then C(4) to one value
    assert count_flops(critic, [(1, 8, 8)], gradient=False) == 2 * (16 * 4 * 16 + 4 * 16)
    assert count_flops(critic, [(1, 8, 8)], gradient=True) == 2 * (16 * 4 * 16 + 4 * 16)


def test_the_machine_has_a_speed():
    peak = measure_machine()
    assert min(peak.fp32, peak.bf16, peak.bandwidth) > 1e8
    assert peak.threads == torch.get_num_threads()


@pytest.mark.parametrize("method", ["anogan", "f-anogan", "iforest", "pca"])
def test_stages_of_a_detector(method, tmp_path):
    searches = {"inversion": {"type": "LatentSearch", "n_max": 3}, "n_seed": 1} if method == "anogan" else {}
    flat = {"backbone": {"image": {"hidden": [8]}}} if method == "anogan" else {}
    settings = TINY | flat | searches if "anogan" in method else {}
    spec = FitSpec(
        method=method, source="builtin:digits", options=Options(normal=3), settings=settings, out=tmp_path / "model"
    )
    fit(spec)
    found = profile(ProfileSpec(model=tmp_path / "model", source="builtin:digits", rows=20))
    stages = {stage.name: stage for stage in found.stages}
    assert found.rows == 20
    assert found.seconds == pytest.approx(sum(stage.seconds for stage in found.stages))
    assert {"scaling", "checking the rows", "components, apart from networks"} <= stages.keys()
    networks = {name for name in stages if name.endswith((": forward", ": gradient"))}
    assert ("search, apart from networks" in stages) == ("anogan" in method)
    if method == "anogan":
        # 3 steps: a gradient before each, and one look at the end
        assert stages["generator: gradient"].calls == 3
        assert {"critic: forward", "generator: forward"} < networks
    elif method == "f-anogan":
        assert networks == {f"{name}: forward" for name in ("critic", "encoder", "generator")}
    else:
        assert not networks
    assert (found.floor > 0) == bool(networks)
    assert all(stage.floor > 0 and stage.flops > 0 for name, stage in stages.items() if name in networks)


def test_profiling_leaves_the_detector_as_it_was(trained):
    before = set(vars(trained.detector))
    profile(ProfileSpec(model=trained.model, source="builtin:digits", rows=5))
    assert set(vars(trained.detector)) == before


def test_members_of_an_ensemble_are_stages(tmp_path):
    settings = {"detectors": [{"type": "PCA"}, {"type": "KNN"}], "n_members": 1}
    fit(FitSpec(method="ensemble", source="builtin:breast-cancer", settings=settings, out=tmp_path / "model"))
    result = profile(ProfileSpec(model=tmp_path / "model", source="builtin:breast-cancer", rows=20))
    assert {"member pca_1", "member knn_1"} <= {stage.name for stage in result.stages}
    assert {stage.calls for stage in result.stages if stage.name.startswith("member")} == {1}
