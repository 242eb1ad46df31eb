import pytest
import torch

from oddgan import InputError
from oddgan.training import TimeWarp

T = 320
RAMP = torch.arange(float(T)).expand(50, 1, T)
ALWAYS = TimeWarp(share=1.0)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_published_numbers_at_320():
    # Of a ramp, a doubled step shows as a half (or, before a dropped step, too), a dropped one is missing.
    for row in ALWAYS(RAMP)[:, 0]:
        left, right = row[:140], row[140:]
        for side, lowest, highest in ((left, 0, 139), (right, 140, 319)):
            halves = side[side % 1 == 0.5]
            assert len(halves) == 7
            whole = side[side % 1 == 0]
            assert len(set(whole.tolist())) == len(whole) == len(side) - 7
            assert lowest <= whole.min() <= whole.max() <= highest
        assert row[-1] == T - 1


def test_length_and_order_of_steps_stay():
    warped = ALWAYS(RAMP)
    assert warped.shape == RAMP.shape
    assert (warped.diff(dim=2) > 0).all()


def test_a_doubled_step_is_followed_by_the_mean_with_its_successor():
    # Sides of 2 steps, one dropped and one doubled: of 0 1 | 2 3 | 4 the sides become 0 ½ or 1 1½, 2 2½ or 3 3½.
    five = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0]).expand(100, 1, 5)
    seen = {tuple(row[0].tolist()) for row in TimeWarp(pivot=0.5, share=1.0)(five)}
    assert seen == {(*a, *b, 4.0) for a in ((0.0, 0.5), (1.0, 1.5)) for b in ((2.0, 2.5), (3.0, 3.5))}


def test_channels_are_warped_together():
    x = torch.randn(20, 1, 64)
    warped = ALWAYS(torch.cat([x, 2 * x], dim=1))
    torch.testing.assert_close(2 * warped[:, 0], warped[:, 1])
    assert not torch.equal(warped[:, 0], x[:, 0])


def test_share_of_rows():
    rows = torch.arange(64.0).expand(4000, 1, 64)
    changed = (TimeWarp(share=0.25)(rows) != rows).any(dim=2).float().mean().item()
    # Standard deviation sqrt(0.25 · 0.75 / 4000) = 0.007; five of them.
    assert changed == pytest.approx(0.25, abs=0.035)


def test_nothing_left_of_a_pivot_at_the_start():
    warped = TimeWarp(pivot=0.0, share=1.0)(RAMP)
    assert (warped % 1 == 0.5).sum(dim=2).unique().tolist() == [7]


def test_the_seed_decides():
    torch.manual_seed(3)
    first = ALWAYS(RAMP)
    torch.manual_seed(3)
    assert torch.equal(first, ALWAYS(RAMP))


@pytest.mark.parametrize("settings", [{"steps": 0.0}, {"steps": 1.0}, {"pivot": -0.1}, {"pivot": 1.1}, {"share": 0.0}])
def test_what_makes_no_sense_is_refused(settings):
    with pytest.raises(InputError, match="TimeWarp takes steps"):
        TimeWarp(**settings)


def test_only_series_are_warped():
    with pytest.raises(InputError, match="takes series"):
        TimeWarp()(torch.zeros(2, 3))
