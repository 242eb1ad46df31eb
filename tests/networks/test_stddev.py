"""The deviation within a batch, as a channel of the critic."""

import pytest
import torch

from oddgan.networks import MinibatchStdDev


def test_deviation_by_hand() -> None:
    # Two places: deviations of (1, 3) and (0, 4) are 1 and 2, mean 1.5; of (5, 5) and (2, 8) 0 and 3, mean 1.5;
    # the third group differs: (0, 8) and (0, 0), 4 and 0, mean 2.
    x = torch.tensor([[1, 0], [3, 4], [5, 2], [5, 8], [0, 0], [8, 0.0]])
    layer = MinibatchStdDev(group=2)
    y = layer(x[:, None])
    assert y.shape == (6, 2, 2)
    assert torch.equal(y[:, 0], x)
    # a value that does not vary counts as √10⁻⁸
    expected = torch.tensor([1.5, 1.5, 1.5 + 5e-5, 1.5 + 5e-5, 2 + 5e-5, 2 + 5e-5])
    assert torch.allclose(y[:, 1], expected[:, None].expand(6, 2), rtol=0, atol=1e-6)


def test_rows_of_tables_get_a_column() -> None:
    y = MinibatchStdDev(group=2)(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    assert torch.allclose(y, torch.tensor([[1, 0, 1.5], [3, 4, 1.5]]))


@pytest.mark.parametrize(
    ("n", "sizes"), [(1, [1]), (3, [3]), (4, [4]), (7, [7]), (8, [4, 4]), (10, [5, 5]), (13, [5, 4, 4])]
)
def test_groups_are_whole_and_hold_all_rows(n: int, sizes: list[int]) -> None:
    x = torch.randn(n, 3, 5, generator=torch.Generator().manual_seed(0))
    found = MinibatchStdDev(group=4)(x)[:, 3, 0]
    expected = [((part.var(0, correction=0) + 1e-8).sqrt().mean(), len(part)) for part in x.split(sizes)]
    assert torch.allclose(found, torch.cat([value.expand(count) for value, count in expected]), atol=1e-6)


def test_a_collapsed_batch_shows() -> None:
    layer = MinibatchStdDev()
    same = torch.randn(1, 2, 4, 4).expand(8, 2, 4, 4)
    assert layer(same)[:, 2].max() < 2e-4
    assert layer(torch.randn(8, 2, 4, 4))[:, 2].min() > 0.3


def test_scoring_sees_the_average_of_training_and_no_neighbour() -> None:
    torch.manual_seed(0)
    layer = MinibatchStdDev(group=2)
    batches = [torch.randn(6, 3, 4) * scale for scale in (1, 2, 3)]
    seen = torch.stack([layer(x)[:, 3, 0].mean() for x in batches])
    layer.eval()
    x = torch.randn(5, 3, 4)
    y = layer(x)
    assert torch.allclose(y[:, 3], seen.mean()), "of all passes, while they are few"
    assert torch.equal(layer(x[2:3])[0], y[2])
    assert layer.passes == 3, "scoring adds nothing"
    again = MinibatchStdDev(group=2).eval()
    again.load_state_dict(layer.state_dict())
    assert torch.equal(again(x), y)


def test_the_average_forgets_what_is_long_ago() -> None:
    layer = MinibatchStdDev(group=2)
    wide, narrow = torch.tensor([[-8.0], [8.0]]), torch.tensor([[-1.0], [1.0]])
    layer(wide)
    for _ in range(99):
        layer(narrow)
    assert layer.average.item() == pytest.approx((8 + 99) / 100, rel=1e-4)
    for _ in range(100):
        layer(narrow)
    # After a hundred passes each further one has a weight of 1 %.
    assert layer.average.item() == pytest.approx(1 + 0.07 * 0.99**100, rel=1e-4)
