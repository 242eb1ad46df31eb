from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oddgan.training import BatchSource, DatasetSource, Plan, TensorSource, run
from oddgan.training.batches import count

from .nets import dcgan, game, rows


@given(n=st.integers(2, 500), batch_size=st.integers(2, 80))
def test_batches_are_even(n, batch_size):
    torch.manual_seed(0)
    batches = [batch.tolist() for batch in TensorSource(torch.arange(n)).epoch(batch_size)]
    sizes = [len(batch) for batch in batches]
    assert len(batches) == count(n, batch_size)
    assert sorted(chain.from_iterable(batches)) == list(range(n))  # each row once
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2  # batch norm fails on one row
    assert max(sizes) <= max(batch_size, 3)
    assert 2 * min(sizes) >= min(n, batch_size)


def test_order_is_new_in_each_pass():
    source = TensorSource(torch.arange(20))
    first, second = (torch.cat(list(source.epoch(8))) for _ in range(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first, torch.arange(20))
    assert len(source) == 20


@pytest.mark.parametrize("workers", [0, 1])
def test_dataset_gives_the_same_batches(workers):
    x = rows(21)
    sources = TensorSource(x), DatasetSource(list(x.numpy()), torch.from_numpy, workers)
    passes = []
    for source in sources:
        torch.manual_seed(3)
        passes.append([batch for _ in range(2) for batch in source.epoch(8)])
        passes[-1].append(torch.rand(3))  # the method's own draws go on from the same state
    assert all(torch.equal(a, b) for a, b in zip(*passes, strict=True))
    assert len(sources[1]) == 21


def test_dataset_trains_the_same_weights():
    x, found = rows(37), []
    for source in (TensorSource(x), DatasetSource(list(x.numpy()), torch.from_numpy)):
        torch.manual_seed(0)
        networks = dcgan()
        run(game(networks), networks, source, Plan(batch_size=16))
        found.append(torch.cat([p.detach().ravel() for p in networks.parameters()]))
    assert torch.equal(*found)


def test_rows_that_are_read_give_the_same_batches():
    x, passes = rows(21), []
    for source in (TensorSource(x), BatchSource(x.numpy(), torch.from_numpy)):
        torch.manual_seed(3)
        batches = source.epoch(8)  # the order is drawn here, not with the first batch
        passes.append([torch.rand(3), *batches, *source.epoch(8, 1), *source.epoch(8, share=(1, 3)), torch.rand(3)])
        passes[-1].append(source.take(torch.tensor([4, 4, 0])))
    assert all(torch.equal(a, b) for a, b in zip(*passes, strict=True))
    assert len(source) == 21


def test_dataset_rows_are_prepared():
    source = DatasetSource([np.array([1.0, 2.0])] * 4, lambda raw: torch.from_numpy(raw) * 10)
    assert next(source.epoch(4)).tolist() == [[10, 20]] * 4
