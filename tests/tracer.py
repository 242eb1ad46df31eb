"""Follow a row through the code: how many files a task visits, and how often it moves from one to another.

`python tests/tracer.py` prints the table; `tests/test_tracer.py` keeps its numbers from growing.
"""

import contextlib
import io
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import numpy as np

import oddgan
from oddgan.base import Detector
from oddgan.data import Options, read, select_normal
from oddgan.detectors import classes

SOURCE = Path(oddgan.__file__).parent
ROWS = np.random.RandomState(0).rand(80, 6)
METHODS = ("AnoGAN", "GANomaly", "KNN")


class Trace(NamedTuple):
    """What a task visited.

    Parameters
    ----------
    files : the files of oddgan in which a function was called, in the order of the calls.
    """

    files: tuple[str, ...]

    @property
    def visited(self) -> int:
        """How many different files."""
        return len(set(self.files))

    @property
    def moves(self) -> int:
        """How often a call was in another file than the one before."""
        return sum(a != b for a, b in zip(self.files, self.files[1:], strict=False))


class _Stop(BaseException):
    """The end of what is traced."""


def trace(task: Callable[[], object], until: tuple[str, str] | None = None) -> Trace:
    """Run a task, to its end or `until` a function of a file is called, and tell which files it visited."""
    root, found = f"{SOURCE}/", list[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(root) or code.co_name == "<module>":
            return
        found.append(code.co_filename.removeprefix(root))
        if until == (found[-1], code.co_name):
            sys.setprofile(None)
            raise _Stop

    sys.setprofile(note)
    try:
        task()
    except _Stop:
        pass
    finally:
        sys.setprofile(None)
    return Trace(tuple(found))


def fit_to_first_loss(name: str) -> Trace:
    """A fit up to its first loss, or to its end where there is none."""
    tiny(name).fit(ROWS)  # what is imported or cached once is no part of it
    detector = tiny(name)
    return trace(lambda: detector.fit(ROWS), ("training/engine.py", "backward"))


def score(name: str) -> Trace:
    """The score of one row."""
    detector = tiny(name).fit(ROWS)
    detector.anomaly_score(ROWS[:1])
    return trace(lambda: detector.anomaly_score(ROWS[:1]))


def csv_to_tensor() -> Trace:
    """A csv file with labels, read to the network input of its normal rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = _csv(Path(folder))
        detector = tiny("GANomaly").fit(ROWS)

        def task() -> object:
            normal, _ = select_normal(read(path, Options(label="label")), "good")
            return detector._prepare(normal.x)

        task()
        return trace(task)


def command_line_fit() -> Trace:
    """`oddgan fit knn data.csv`, with a model and a report."""
    from oddgan.cli.main import main  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = _csv(Path(folder))

        def task(out: str) -> None:
            with contextlib.suppress(SystemExit):
                main(f"fit knn {path} --label label --normal good --out {folder}/{out} --quiet".split())

        task("first")
        return trace(lambda: task("second"))


def methods_of(cls: type) -> int:
    """How many methods and properties a class has, inherited ones included, special ones not."""
    kinds = (property, classmethod, staticmethod)
    names = {
        name
        for base in cls.__mro__
        for name, value in vars(base).items()
        if not name.startswith("__") and (isinstance(value, kinds) or type(value).__name__ in _FUNCTIONS)
    }
    return len(names)


_FUNCTIONS = {"function", "_AvailableIfDescriptor", "RequestMethod", "_HTMLDocumentationLinkMixin"}


def tiny(name: str) -> Detector:
    """A detector that is fitted in an instant."""
    cls = classes()[name]
    return cls(**cls.tiny, random_state=0)


def _csv(folder: Path) -> Path:
    path = folder / "data.csv"
    labels = ["good"] * 70 + ["bad"] * 10
    rows = (",".join(f"{value:.4f}" for value in row) + f",{label}" for row, label in zip(ROWS, labels, strict=True))
    path.write_text("\n".join(["a,b,c,d,e,f,label", *rows]) + "\n", encoding="utf-8")
    return path


def table() -> dict[str, Trace]:
    """The traces of all tasks by name."""
    warnings.simplefilter("ignore")
    found = {f"{name}: fit to first loss": fit_to_first_loss(name) for name in METHODS}
    found |= {f"{name}: score of one row": score(name) for name in METHODS}
    return found | {"csv to tensor": csv_to_tensor(), "oddgan fit": command_line_fit()}


if __name__ == "__main__":
    for what, seen in table().items():
        print(f"{what:28} {seen.visited:4} files {seen.moves:5} moves")
    for one in METHODS:
        own = [base for base in classes()[one].__mro__[1:] if base.__module__.startswith("oddgan")]
        print(f"{one}: {methods_of(classes()[one])} methods, {len(own)} classes of oddgan above")
    sources = sorted(SOURCE.rglob("*.py"))
    print(f"{len(sources)} files in {len({path.parent for path in sources})} folders")
