"""Detectors that an installed package registers: listed without an import, fitted and loaded by name."""

import json
import subprocess
import sys

import pytest

from oddgan import InputError, detectors
from oddgan._core.entry_points import source_of
from oddgan.cli import main

MODULE = '''
from typing import ClassVar
from sklearn.neighbors import NearestNeighbors
from oddgan.base import Card, hyperparameters
from oddgan.families import ClassicalDetector
from oddgan.scores import Composition, WeightedSum

@hyperparameters
class Nearest(ClassicalDetector):
    """Distance to the nearest row.

    Parameters
    ----------
    k : neighbours.
    """

    card: ClassVar[Card] = Card(
        name="Nearest", title="A title", authors="Someone", year=1967, link="https://example.org", summary="near",
    )
    holds: ClassVar = {"neighbors": ("NearestNeighbors",)}
    k: int = 1
    composition: Composition = WeightedSum(distance=1.0)

    def _estimators(self, x, seed):
        return {"neighbors": NearestNeighbors(n_neighbors=self.k).fit(x)}

    def _scores(self, x):
        return {"distance": self.estimators_["neighbors"].kneighbors(x)[0].mean(axis=1)}
'''
CARD = 'card: "C" = Card(name="B", title="t", authors="a", year=2000, link="https://b.org", summary="s")'
FILES = {
    "__init__.py": "import torch\n",  # a listing must not import it
    "nearest.py": MODULE,
    "broken.py": f"import no_such_module\nclass Broken:\n    {CARD}\n",
    "empty.py": "",
    "odd.py": "def (\n",
    "knn.py": f"class KNN:\n    {CARD}\n",
    "lower.py": f"class knn:\n    {CARD}\n",
    "plain.py": f"from oddgan.base import Card\nclass Plain:\n    {CARD}\n",
    "bare.py": f"from oddgan.base import Card, Detector\nclass Bare(Detector):\n    {CARD}\n",
    "text.py": f"class Text:\n    {CARD.replace('2000', repr('2000'))}\n",
    "named.py": f"YEAR = 2000\nclass Named:\n    {CARD.replace('2000', 'YEAR')}\n",
}
POINTS = """[oddgan.detectors]
nearest = strange.nearest:Nearest
broken = strange.broken:Broken
absent = strange.absent:Absent
empty = strange.empty:Empty
odd = strange.odd:Odd
knn = strange.knn:KNN
lower = strange.lower:knn
plain = strange.plain:Plain
bare = strange.bare:Bare
text = strange.text:Text
named = strange.named:Named
whole = strange.nearest
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the path where the package lies as pip installs it."""
    site = tmp_path / "site"
    info = site / "strange-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    (site / "strange").mkdir()
    for name, text in FILES.items():
        (site / "strange" / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    detectors._registered.cache_clear()
    yield site
    detectors._registered.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "strange"]:
        del sys.modules[name]


def test_methods_lists_it_without_torch(site):
    path = [str(site), *(p for p in sys.path if p)]
    code = f"import sys; sys.path[:0] = {path!r}\nimport oddgan.cli\noddgan.cli.main(['methods', '--json'])\n"
    code += "print('torch' in sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert {"Nearest", "AnoGAN"} < {row["class"] for row in json.loads(run.stdout)}
    assert run.stderr.splitlines()[-1] == "False"


@pytest.mark.usefixtures("site")
def test_what_can_not_be_read_is_left_out_with_a_sentence():
    assert {"Nearest", "Broken"} <= detectors.classes().keys()
    assert {"Absent", "Empty", "Odd"}.isdisjoint(detectors.classes())
    names = ("Absent", "Empty", "KNN", "Named", "Odd", "Text", "knn", "strange.nearest")
    sentences = dict(zip(names, detectors.left_out(), strict=True))
    for name, text in sentences.items():
        assert text.startswith(f"The detector {name} of the package strange is left out: ")
        assert text.endswith(".")
    assert "there is no file of a module strange.absent" in sentences["Absent"]
    assert "has no class Empty with a card of literals" in sentences["Empty"]
    assert "another detector is called KNN, of oddgan: rename yours." in sentences["KNN"]
    assert "another detector is called knn, of oddgan: rename yours." in sentences["knn"]
    assert "year of its card is YEAR, but must be a literal" in sentences["Named"]
    assert "Card got year='2000', but takes int" in sentences["Text"]
    assert "its entry point must be module:Class, but has strange.nearest" in sentences["strange.nearest"]
    assert "invalid syntax" in sentences["Odd"]
    with pytest.raises(
        InputError, match=r"Broken can't be imported from strange\.broken: No module named 'no_such_mod"
    ):
        detectors.classes()["Broken"]
    with pytest.raises(InputError, match=r"Plain of strange\.plain is registered, but is no detector"):
        detectors.classes()["Plain"]
    with pytest.raises(InputError, match=r"Bare of strange\.bare lacks _learn, _score"):
        detectors.classes()["Bare"]


@pytest.mark.usefixtures("site")
def test_what_can_not_be_imported_stops_nothing_else():
    assert "Nearest" in detectors.methods()
    assert {"Broken", "Plain", "Bare"}.isdisjoint(detectors.methods())


@pytest.mark.usefixtures("site")
def test_it_is_fitted_and_loaded_by_name(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n" + "\n".join(f"{i % 7},{i % 5}" for i in range(40)), encoding="utf-8")
    fit = ("fit", "nearest", str(tmp_path / "rows.csv"), "--set", "k=2", "--out", str(tmp_path / "model"))
    assert main([*fit, "--runs", str(tmp_path / "runs")]) == 0
    model = detectors.load(tmp_path / "model")
    assert (type(model).__name__, model.k) == ("Nearest", 2)


def test_files_are_found_without_imports(site):
    assert source_of("strange.nearest") == site / "strange" / "nearest.py"
    assert source_of("strange") == site / "strange" / "__init__.py"
    assert source_of("strange.absent") is source_of("no_such_package.x") is source_of("strange.nearest.deeper") is None
    assert "strange" not in sys.modules
