"""Memory maps and datasets are read when needed, with the results of an array."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
import torch

from oddgan import KNN, PCA, AutoEncoder, InputError
from oddgan._core import memmap
from oddgan._core.memmap import Mapped, on_disk
from oddgan.base.fitting import fingerprint
from oddgan.families import sources
from oddgan.inputs.rows import Lazy, chunks, take
from oddgan.inputs.validation import validate
from oddgan.networks import FlatMLP
from oddgan.scaling import Standard
from oddgan.training import BatchSource, Selection, TensorSource

pytestmark = pytest.mark.filterwarnings("ignore::oddgan.base.Notice")
TINY = {"epochs": 1, "latent_dim": 2, "backbone": FlatMLP(hidden=(4,)), "random_state": 0}


@pytest.fixture
def on_file(tmp_path):
    def save(x, mode="r"):
        np.save(tmp_path / "x.npy", x)
        return np.load(tmp_path / "x.npy", mmap_mode=mode)

    return save


def fitted(X, **settings):
    detector = AutoEncoder(**TINY | settings).fit(X)
    weights = torch.cat([w.detach().ravel() for w in detector.networks_.parameters()])
    return detector, weights


def images(n=90):
    return np.random.default_rng(0).random((n, 1, 8, 8), dtype=np.float32)


@pytest.mark.parametrize("staged", [0, 2**28])
@pytest.mark.parametrize(
    ("x", "settings"),
    [
        (images(), {"calibration": 0.2}),
        (images(), {"calibration_size": 20, "selection": Selection()}),
        (images()[:, 0], {"scaling": Standard()}),
        (images()[:, 0, 0].astype(np.float16), {}),
        ((images() * 255).astype(np.uint8), {}),
    ],
    ids=["images", "selection", "series", "table", "bytes"],
)
def test_weights_and_scores_are_those_of_an_array(on_file, monkeypatch, staged, x, settings):
    monkeypatch.setattr(sources, "STAGED", staged)
    monkeypatch.setattr(memmap, "MOST_ROWS", 16)  # many chunks
    there = on_file(x)
    (a, before), (b, after) = fitted(x, **settings), fitted(there, **settings)
    assert torch.equal(before, after)
    assert a.offset_ == b.offset_
    np.testing.assert_array_equal(a.anomaly_score(x), a.anomaly_score(there))
    assert a.shape_ == b.shape_
    assert getattr(a, "n_features_in_", None) == getattr(b, "n_features_in_", None)


def test_the_limit_decides_where_batches_come_from(on_file, monkeypatch):
    rows = Mapped(on_file(images(10)))

    def prepare(raw):
        return torch.from_numpy(raw)

    monkeypatch.setattr(sources, "STAGED", 10 * 64 * 4)
    assert isinstance(sources.source_of(rows, prepare), TensorSource)
    monkeypatch.setattr(sources, "STAGED", 10 * 64 * 4 - 1)
    assert isinstance(sources.source_of(rows, prepare), BatchSource)
    assert isinstance(sources.source_of(images(10), prepare), TensorSource)


@pytest.mark.parametrize("method", [KNN, PCA])
def test_classical_detectors_take_maps(on_file, method):
    x = np.random.default_rng(0).random((50, 6))
    there = on_file(x)
    a, b = method(random_state=0).fit(x), method(random_state=0).fit(there)
    np.testing.assert_array_equal(a.anomaly_score(x), b.anomaly_score(there))


def test_views_of_maps_are_maps(on_file):
    there = on_file(images())
    for view in (there, there[3:], np.asarray(there)[:, 0], np.moveaxis(there, 1, 3)):
        assert on_disk(view)
    assert not on_disk(there[[1, 2]])
    assert not on_disk(np.array(there))
    channels_last = np.moveaxis(there, 1, 3)
    np.testing.assert_array_equal(Mapped(channels_last)[[5, 2]], channels_last[[5, 2]])


def test_rows_of_a_map(on_file):
    x = images()
    rows = Mapped(on_file(x)).take(np.array([7, 3, 3, 80])).take(np.array([3, 0, 1]))
    expected = x[[80, 7, 3]]
    for key in (slice(None), slice(1, 3), slice(None, None, -1), [2, 0], np.array([True, False, True]), -1, 1):
        found = rows[key]
        np.testing.assert_array_equal(found, expected[key])
        assert not on_disk(found)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(np.stack(list(rows)), expected)
    assert (rows.shape, rows.dtype, rows.min(), rows.max()) == (
        expected.shape,
        expected.dtype,
        expected.min(),
        expected.max(),
    )
    doubled = rows.map(lambda raw: raw * 2).astype(np.float64)
    np.testing.assert_array_equal(np.asarray(doubled), (expected * 2).astype(np.float64))
    for wrong in (3, [-4], np.array([True])):
        with pytest.raises(IndexError, match="there are 3 rows"):
            rows[wrong]
    with pytest.raises(TypeError, match="rows are chosen by a number"):
        rows[:, 0]


def test_pages_are_given_back_without_harm(on_file, monkeypatch):
    monkeypatch.setattr(memmap, "_TOUCHED", 1)  # after every reading
    x = images()
    there = on_file(x)
    np.testing.assert_array_equal(np.asarray(Mapped(there)), x)
    private = on_file(x, mode="c")
    private[0] = 7  # lost, if its pages were given back
    assert (Mapped(private)[0] == 7).all()
    assert (Mapped(private)[:1] == 7).all()


class Advised:
    def __init__(self):
        self.times = 0

    def madvise(self, _):
        self.times += 1


def test_pages_are_given_back_by_all_views_together(on_file, monkeypatch):
    rows, advised = Mapped(on_file(images())), Advised()
    monkeypatch.setattr(memmap, "_TOUCHED", 30 * 8 * 8 * 4)
    monkeypatch.setattr(memmap, "_mapping", lambda _: (advised, "r"))
    for start in range(0, 90, 10):  # none of these reads enough by itself
        rows.take(np.arange(start, start + 10)).astype(np.float64)[:]
    assert advised.times == 3
    monkeypatch.setattr(memmap, "_AROUND", 15 * 8 * 8 * 4)
    monkeypatch.setattr(memmap, "_TOGETHER", 2)
    rows[[0, 20, 40, 60]]  # rows that lie alone count for what is mapped around them
    assert advised.times == 5


def test_a_fit_allocates_no_more_than_a_few_chunks(on_file, monkeypatch):
    monkeypatch.setattr(sources, "STAGED", 0)
    x = np.random.default_rng(0).random((15_000, 1, 32, 32), dtype=np.float32)
    there = on_file(x)
    assert x.nbytes > 60e6
    del x
    detector = AutoEncoder(**TINY, batch_size=512, slots=512, calibration=0.2, calibration_size=200)
    detector.fit(there[:50]).anomaly_score(there[:50])  # whatever is imported or built once does not count
    tracemalloc.start()
    detector.fit(there).anomaly_score(there)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # tensors are not counted, but there are none beside batches


@pytest.mark.parametrize("shape", [(40, 5), (40, 2, 9)])
def test_bad_rows_are_named(on_file, monkeypatch, shape):
    monkeypatch.setattr(memmap, "MOST_ROWS", 7)
    x = np.random.default_rng(0).random(shape)
    x[[8, 33]] = np.nan
    for given in (x, on_file(x)):
        with pytest.raises(InputError, match=r"2 of 40 rows hold NaN or infinity \(rows 8, 33\)"):
            AutoEncoder(**TINY).fit(given)


def test_other_bad_input(on_file):
    detector = AutoEncoder(**TINY).fit(on_file(images()))
    with pytest.raises(InputError, match=r"samples of shape \(1, 8, 7\), but this AutoEncoder was fitted on"):
        detector.anomaly_score(on_file(images()[..., :7]))
    with pytest.raises(InputError, match="needs at least 2"):
        AutoEncoder(**TINY).fit(on_file(images(1)))
    with pytest.raises(InputError, match="holds complex64 values"):
        AutoEncoder(**TINY).fit(on_file(images().astype(np.complex64)))


def test_checkpoints_know_the_rows_again(on_file):
    detector, x = AutoEncoder(**TINY), images()
    found = [fingerprint(detector, {"rows": validate(detector, given, reset=True)}) for given in (x, on_file(x))]
    assert found[0] == found[1]
    x[50] = 0
    assert fingerprint(detector, {"rows": x}) != found[0]


class Many:
    """A dataset that gives many samples at once, and counts how often it is asked."""

    def __init__(self, x, short=0):
        self.x, self.short, self.asked = x, short, []

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        self.asked.append([i])
        return self.x[i], "unused"

    def __getitems__(self, index):
        self.asked.append(list(index))
        return [(self.x[i], "unused") for i in index][: len(index) - self.short]


def test_datasets_are_asked_for_many_rows_at_once():
    x, many = images(), Many(images())
    (a, before), (b, after) = fitted(x), fitted(many)
    assert torch.equal(before, after)
    np.testing.assert_array_equal(a.anomaly_score(x), b.anomaly_score(many))
    assert sum(len(asked) == 1 for asked in many.asked) <= 2  # the first sample, for its shape, in fit and in scoring
    some = take(take(Lazy(many), np.arange(10, 30)), np.array([4, 1]))
    np.testing.assert_array_equal(next(chunks(some)), x[[14, 11]])


def test_datasets_that_give_too_few_are_refused():
    with pytest.raises(InputError, match="__getitems__ gives 89 samples for 90 indices"):
        AutoEncoder(**TINY).fit(Many(images(), short=1))


def test_large_rows_make_small_chunks():
    sizes = [len(c) for c in chunks(np.zeros((1000, 3, 32, 32), dtype=np.uint8))]
    assert max(sizes) * 3 * 32 * 32 <= memmap.MOST_VALUES
    assert sum(sizes) == 1000
    assert all(a >= b for a, b in pairwise(sizes))
    assert [len(c) for c in chunks(np.zeros((5000, 20)))] == [4096, 904]
