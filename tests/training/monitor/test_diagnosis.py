"""Each rule on numbers on both sides of its threshold."""

import pytest
import torch

from oddgan import InputError
from oddgan._core.monitoring import Diversity, Gradients, Judged, Watched
from oddgan.training import SGD, Adam
from oddgan.training.monitor import FAILURES, Thresholds
from oddgan.training.monitor.diagnosis import Story, symptoms
from oddgan.training.monitor.remedies import NAMES, REMEDIES, Case

HEALTHY = {
    "losses": {"critic": 1.3, "generator": 0.8},
    "gradients": {"critic": Gradients(1.0, 0.1), "generator": Gradients(0.5, 0.1)},
    "critics": {"critic": Judged(0.5, 0.3, 0.9)},
    "samples": Diversity(0.8, 0.9, 1.0),
}


def told(*changes, epochs=10, game=True, steps=300):
    """What is said of healthy epochs with these changes, the last of which goes on to the end."""
    records = []
    for epoch in range(1, epochs + 1):
        change = changes[min(epoch, len(changes)) - 1] if changes else {}
        seen = HEALTHY | change if game else HEALTHY | {"critics": {}} | change
        records.append(Watched("play", 0, epoch, **seen))
    story = Story(
        epochs,
        critics={"critic": "critic"} if game else {},
        sizes=(256, 256),
        first={"critic": 1.0, "generator": 0.5},
        steps=steps,
        records=records,
    )
    return [(s.failure, s.player) for s in symptoms(story, Thresholds())]


def gradients(norm=1.0, depth=0.1):
    return {"gradients": {"critic": Gradients(1.0, 0.1), "generator": Gradients(norm, depth)}}


def wins(loss=0.01, separation=1.0, generator=0.8):
    return {"losses": {"critic": loss, "generator": generator}, "critics": {"critic": Judged(separation, 9.0, 0.9)}}


def samples(*values):
    return {"samples": Diversity(*values)}


def test_nothing_to_say():
    assert told() == []
    assert told(game=False) == []
    assert told(wins() | gradients(1e-9), epochs=2) == [], "too few epochs to judge by"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (gradients(5001.0), [("exploding", "generator")]),
        (gradients(4999.0), []),
        (gradients(0.9e-4), [("vanishing", "generator")]),
        (gradients(1.1e-4), []),
        (gradients(depth=0.9e-5), [("vanishing", "generator")]),
        (gradients(depth=1.1e-5), []),
        (gradients(0.0), [("vanishing", "generator")]),
        ({"critics": {"critic": Judged(0.0, 0.0, 0.9e-4)}}, [("blind critic", "critic")]),
        ({"critics": {"critic": Judged(0.0, 0.0, 1.1e-4)}}, []),
        ({"critics": {"critic": Judged(1.0, 1e-6, 0.9e-4)}}, []),  # little, but it tells them apart
        (samples(0.28, 0.29, 1.0), [("collapse", "")]),
        (samples(0.31, 0.9, 1.0), []),
        (samples(0.2, 0.05, 1.0), []),  # beside the data, not on few of them
        (samples(0.2, 0.15, 1.0), []),
        (samples(0.5, 0.5, 0.09), [("collapse", "")]),
        (samples(0.5, 0.5, 0.11), []),
    ],
)
def test_thresholds(now, expected):
    assert told(gradients(1.0), now) == expected


def test_saturation_needs_a_critic_that_wins_and_somebody_who_loses():
    starved = gradients(0.024)
    assert told({}, wins() | starved) == [("saturation", "critic")]
    assert told({}, wins() | gradients(0.026)) == []
    assert told({}, wins(loss=0.06) | starved) == []
    assert told({}, wins(separation=0.97) | starved) == []
    assert told({}, wins(loss=-0.01) | starved) == [], "a Wasserstein loss is below 0 where the critic is good"
    assert told({}, wins(generator=4.9)) == [("saturation", "critic")]
    assert told({}, wins(generator=4.7)) == []
    assert told({}, wins() | samples(0.1, 0.0, 1.0)) == [("saturation", "critic")]


def test_what_follows_has_no_sentence_of_its_own():
    assert told({}, wins() | gradients(1e-6) | samples(0.1, 0.5, 0.05)) == [("saturation", "critic")]
    assert told({}, gradients(1e9) | samples(0.1, 0.5, 0.05)) == [("exploding", "generator")]


def test_patience():
    for epochs, expected in ((3, []), (4, [("saturation", "critic")])):
        assert told({}, wins() | gradients(0.01), epochs=epochs) == expected


def test_gradients_of_what_is_learned_may_vanish():
    done = {"losses": {"critic": 1.3, "generator": 0.8 * 0.009}}
    assert told({}, gradients(1e-5) | done) == []


def test_samples_are_judged_late_or_after_a_fall():
    early, collapsed = [{}] * 3, samples(0.05, 0.5, 0.3)
    assert told(collapsed, epochs=10) == [("collapse", "")]
    fresh = [collapsed] * 8
    records = [Watched("p", 0, i + 1, **HEALTHY | c) for i, c in enumerate(fresh)]
    story = Story(20, {"critic": "critic"}, (256, 256), steps=300, records=records)
    assert symptoms(story, Thresholds()) == [], "epoch 8 of 20 is early"
    story.records = [Watched("p", 0, i + 1, **HEALTHY | c) for i, c in enumerate([*early, *fresh])]
    assert [s.failure for s in symptoms(story, Thresholds())] == ["collapse"], "they have been better"


def test_a_few_steps_are_no_collapse():
    collapsed = samples(0.05, 0.5, 0.3)
    assert told(collapsed, steps=299) == []
    assert told(collapsed, steps=300) == [("collapse", "")]


def test_samples_that_get_better_are_left_alone():
    rising = [samples(0.02 * i, 0.5, 0.5) for i in range(1, 11)]
    assert told(*rising) == []


def test_without_a_game_nobody_collapses():
    assert told(samples(0.05, 0.5, 0.05), game=False) == []


def test_swinging_samples():
    angle = torch.arange(40, dtype=torch.float64)
    path = torch.stack([angle.cos(), angle.sin()], dim=1)
    records = [Watched("p", 0, i + 1, **HEALTHY) for i in range(40)]
    for scale, expected in ((3.9, ["oscillation"]), (4.1, [])):  # a circle of radius 1 against a quarter of the spread
        story = Story(60, {"critic": "critic"}, (256, 256), scale=scale, records=records, path=list(path))
        assert [s.failure for s in symptoms(story, Thresholds())] == expected


def test_swinging_losses_where_there_are_no_samples():
    for size, expected in ((0.5, [("oscillation", "")]), (0.2, [])):
        swing = [{"samples": None, "losses": {"critic": 1.0, "generator": 1 + size * (-1) ** i}} for i in range(30)]
        assert told(*swing, epochs=30) == expected


def test_thresholds_are_above_zero():
    with pytest.raises(InputError, match=r"above 0, but got \{'depth': 0\}"):
        Thresholds(depth=0)


@pytest.mark.parametrize("failure", FAILURES)
def test_remedies_are_settings(failure):
    alone = REMEDIES[failure](Case("VAE", Adam(lr=0.02)))
    game = REMEDIES[failure](Case("AnoGAN", SGD(lr=0.02), (0.02, 0.01)))
    assert "VAE(" in alone
    assert "AnoGAN(" in game
    assert "=" in alone
    assert NAMES[failure]
    assert "None" not in game


def test_remedies_go_by_the_rates_that_there_are():
    assert "critic=0.005, generator=0.01" in REMEDIES["saturation"](Case("AnoGAN", Adam(lr=0.02), (0.02, 0.01)))
    assert "optimiser=SGD(lr=0.002)" in REMEDIES["exploding"](Case("VAE", SGD(lr=0.02)))
