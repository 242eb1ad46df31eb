"""The way of a row through the code stays as short as it is: `python tests/tracer.py` prints the table."""

import pytest

import tracer
from oddgan.detectors import classes

# Files and moves between them that a task may take. Lower them when it takes fewer; a higher one needs a reason.
LIMITS = {
    "AnoGAN: fit to first loss": (53, 236),  # by default its critic has a penalty
    "GANomaly: fit to first loss": (50, 232),
    "KNN: fit to first loss": (29, 108),
    "AnoGAN: score of one row": (31, 169),  # from four starts
    "GANomaly: score of one row": (22, 64),
    "KNN: score of one row": (15, 38),
    "csv to tensor": (20, 67),
    "oddgan fit": (99, 1303),
}
METHODS = {"AnoGAN": 113, "GANomaly": 99, "KNN": 84}


@pytest.mark.filterwarnings("ignore")
def test_a_row_takes_no_longer_way():
    found = tracer.table()
    assert found.keys() == LIMITS.keys()
    longer = {what: (t.visited, t.moves) for what, t in found.items() if t.visited > LIMITS[what][0]}
    longer |= {what: (t.visited, t.moves) for what, t in found.items() if t.moves > LIMITS[what][1]}
    assert longer == {}


@pytest.mark.parametrize("name", METHODS)
def test_a_detector_inherits_no_more_methods(name):
    assert tracer.methods_of(classes()[name]) <= METHODS[name]


def test_calls_are_followed_until_the_end_that_is_named():
    tracer.tiny("KNN").fit(tracer.ROWS)  # what is cached once is seen by neither of the two
    whole = tracer.trace(lambda: tracer.tiny("KNN").fit(tracer.ROWS))
    begun = tracer.trace(lambda: tracer.tiny("KNN").fit(tracer.ROWS), ("base/detector.py", "_train"))
    assert begun.files == whole.files[: len(begun.files)]
    assert 0 < begun.moves < whole.moves
