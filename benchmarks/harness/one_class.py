"""One class of labelled images is normal in turn, the whole test part is scored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.bench import Bench
from harness.records import Entry
from oddgan.data import Split


@dataclass(frozen=True)
class Images:
    """Labelled images in a training and a test part.

    Parameters
    ----------
    data : the set's name.
    cases : the classes that are normal in turn, by name.
    x_train, y_train, x_test, y_test : images (n, c, h, w) and labels (n,).
    """

    data: str
    cases: Mapping[str, int]
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def held_out(self, cases: Mapping[str, int]) -> "Images":
        """The training part alone, its last fifth held out, with other classes, to choose settings by."""
        cut = len(self.x_train) * 4 // 5
        x, y = self.x_train, self.y_train
        return Images(self.data, cases, x[:cut], y[:cut], x[cut:], y[cut:])

    def few(self) -> "Images":
        """The first 2000 training and 300 test images with one case, for a quick run."""
        first = dict(list(self.cases.items())[:1])
        return Images(self.data, first, self.x_train[:2000], self.y_train[:2000], self.x_test[:300], self.y_test[:300])

    def split(self, case: str) -> Split:
        """Train on one class of the training part, test on the whole test part."""
        label = self.cases[case]
        return Split("OC-std", self.x_train[self.y_train == label], self.x_test, self.y_test != label)


def run(bench: Bench, images: Images, entries: Iterable[Entry], others: Mapping[str, int]) -> None:
    """Run what is not measured yet.

    Parameters
    ----------
    bench : with the option --held-out.
    images : of both parts.
    entries : the methods.
    others : the classes that a run on held-out images has instead.
    """
    if bench.held_out:
        images = images.held_out(others)
    if bench.quick:
        images = images.few()
    for case, entry, seed in bench.missing(images.cases, entries):
        found = entry.measure(case, images.data, images.split(case), seed)
        bench.add(*found.quality(), *found.alone(), found.fit())
    bench.finish()
