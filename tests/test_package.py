"""The package from outside: its names, its version, and its examples."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

import oddgan

ROOT = Path(__file__).parents[1]
MODULES = [m.name for m in pkgutil.walk_packages(oddgan.__path__, "oddgan.") if m.name != "oddgan.__main__"]


def examples():
    found = []
    for name in MODULES:
        module = importlib.import_module(name)
        found += [test for test in doctest.DocTestFinder().find(module, name) if test.examples]
    return found


EXAMPLES = examples()


def test_there_are_examples():
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_examples_run(example):
    torch.manual_seed(0)
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert oddgan.__version__ == project["version"]


def test_detectors_are_names_of_the_package():
    from oddgan import detectors  # noqa: PLC0415

    for name, cls in detectors.classes().items():
        assert getattr(oddgan, name) is cls
    assert oddgan.load is detectors.load
    assert {*detectors.__all__, "Detector", "as_pyod", "load", "InputError", "__version__"} <= set(dir(oddgan))
    assert dir(oddgan) == sorted(set(dir(oddgan)))


@pytest.mark.parametrize("name", oddgan.__all__)
def test_public_names_exist(name):
    assert getattr(oddgan, name)


def test_unknown_name():
    with pytest.raises(AttributeError, match=r"oddgan has no 'AnoGANN': `oddgan methods` lists the detectors"):
        oddgan.AnoGANN  # noqa: B018
    with pytest.raises(ImportError):
        from oddgan import AnoGANN  # noqa: F401, PLC0415
    assert not hasattr(oddgan, "__wrapped__")


def test_base_may_be_imported_first():
    path = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}\n"
    code = f"{path}import oddgan.base\nfrom oddgan import AutoEncoder, priors\nprint(AutoEncoder.card.name)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert run.stdout == "AutoEncoder\n", run.stderr


@pytest.mark.parametrize("name", [m for m in MODULES if not m.rpartition(".")[2].startswith("_")])
def test_public_names_of_folders_exist(name):
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", []):
        assert hasattr(module, public), public
