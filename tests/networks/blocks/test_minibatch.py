"""Statistics of a batch beside a critic's head: by hand, and constant when scoring."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from oddgan.networks import MLP, ConvLadder, Pooled, prepare
from oddgan.networks.blocks.minibatch import Beside, MinibatchSimilarity, MinibatchStdDev, input_length, tell


def test_similarity_by_hand():
    layer = MinibatchSimilarity(2, kernels=1, dim=2)
    layer.tensor.weight.data = torch.eye(2)
    o = layer.of_batch(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))
    # L1 distances: 0-1 is 1, 0-2 is 2, 1-2 is 3; a sample's own term is left out.
    expected = [math.exp(-1) + math.exp(-2), math.exp(-1) + math.exp(-3), math.exp(-2) + math.exp(-3)]
    assert torch.allclose(o[:, 0], torch.tensor(expected))


def test_similarity_of_a_collapsed_batch():
    assert torch.allclose(MinibatchSimilarity(3, kernels=4, dim=2).of_batch(torch.ones(5, 3)), torch.full((5, 4), 4.0))


def test_kernels_are_separate():
    layer = MinibatchSimilarity(2, kernels=2, dim=1)
    layer.tensor.weight.data = torch.eye(2)
    o = layer.of_batch(torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
    assert torch.allclose(o, torch.tensor([[1.0, math.exp(-1)], [1.0, math.exp(-1)]]))


def test_a_collapsed_batch_has_a_finite_gradient():
    h = torch.ones(4, 3, requires_grad=True)
    MinibatchStdDev().of_batch(h).sum().backward()
    assert torch.isfinite(h.grad).all()


@pytest.mark.parametrize("shape", [(6,), (3, 4), (3, 2, 2)])
def test_forward_adds_channels(shape):
    h = torch.randn(5, *shape)
    y = MinibatchStdDev()(h)
    assert y.shape == (5, shape[0] + 1, *shape[1:])
    assert torch.equal(y[:, :-1], h)
    assert len(y[:, -1].unique()) == 1


def test_average_is_what_training_saw():
    layer = MinibatchStdDev()
    seen = [layer.measure(scale * torch.randn(8, 3)).mean() for scale in (1.0, 2.0, 3.0)]
    assert torch.allclose(layer.average[0], torch.stack(seen).mean())
    layer.eval()
    before = layer.average.clone()
    assert torch.equal(layer.measure(torch.randn(7, 3)), before.expand(7, 1))
    assert torch.equal(layer.average, before)
    assert layer.passes == 3


CRITICS = {
    "table": (MLP(hidden=(8,)), (5,), ()),
    "codes": (MLP(hidden=(8,), spectral_norm=True), (5,), ((3,),)),
    "series": (ConvLadder(width=4), (2, 16), ()),
    "image": (ConvLadder(width=4), (1, 16, 16), ()),
    "pair": (ConvLadder(width=4), (1, 16, 16), ((3,),)),
    "pooled": (Pooled(width=4, depth=1, hidden=6), (1, 16, 16), ()),
}


@pytest.mark.parametrize("name", CRITICS)
def test_told_critics(name):
    backbone, shape, others = CRITICS[name]
    critic = tell(backbone.critic(shape, *others), partial(MinibatchSimilarity, kernels=3, dim=2))
    inputs = [torch.randn(9, *each) for each in (shape, *others)]
    for _ in range(3):
        critic(*inputs)
    plain, whole = critic(*inputs).features, critic.eval()(*inputs)
    assert whole.features.shape == plain.shape
    alone = critic(*(x[2:3] for x in inputs))
    assert torch.allclose(alone.logit, whole.logit[2:3], atol=1e-5)
    assert torch.allclose(prepare(critic)(*inputs).logit, whole.logit, atol=1e-5)
    critic.train()
    assert not torch.allclose(critic(*(x[:2] for x in inputs)).logit, whole.logit[:2], atol=1e-5)


def test_a_linear_head_beside_is_one_on_both():
    head, statistic = nn.Linear(4, 1), MinibatchStdDev()
    beside, h = Beside(head, statistic), torch.randn(6, 4)
    both = nn.Linear(5, 1)
    both.weight.data, both.bias.data = torch.cat([head.weight, beside.weight.weight], 1).data, head.bias.data
    assert torch.allclose(beside(h), both(statistic(h)), atol=1e-6)


def test_two_statistics_fold():
    critic = MLP(hidden=(4,), bias=False).critic((3,))
    assert input_length(critic.head) == 4
    for _ in range(2):
        tell(critic, lambda _: MinibatchStdDev())
    x = torch.randn(8, 3)
    critic(x)
    assert torch.allclose(prepare(critic)(x).logit, critic.eval()(x).logit, atol=1e-6)


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
