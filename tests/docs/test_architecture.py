"""The page about the architecture names what there is, and stays one page."""

import re
import tomllib

from .conftest import DOCS, ROOT

TEXT = (DOCS / "dev" / "architecture.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "src" / "oddgan"


def test_it_is_one_page():
    assert len(TEXT.split()) < 600


def test_its_paths_exist():
    paths = re.findall(r"`([\w./]+(?:/|\.(?:py|toml|md)))`", TEXT)
    assert len(paths) > 30
    missing = [p for p in paths if not any((root / p).exists() for root in (ROOT, PACKAGE))]
    assert not missing


def test_the_picture_has_every_folder_in_the_order_of_the_layers():
    picture = TEXT.partition("```text\n")[2].partition("```")[0]
    drawn = [name for line in picture.splitlines() for name in re.split(r" {3,}", line)[0].split()]
    folders = {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert sorted(drawn) == sorted(folders)
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contract if c["type"] == "layers")
    place = {name: i for i, layer in enumerate(layers) for name in re.findall(r"\w+", layer)}
    assert [place[name] for name in drawn] == sorted(place[name] for name in drawn)
