"""A small detector, trained once, and a scratch folder as the working directory."""

import pytest

from oddgan.data import Options
from oddgan.tasks import FitSpec, fit

TINY = {"epochs": 1, "latent_dim": 4, "backbone": {"image": {"width": 4}}}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """GANomaly on the digit 3, in a folder that tests may read but not change."""
    place = tmp_path_factory.mktemp("trained")
    spec = FitSpec(
        method="ganomaly",
        source="builtin:digits",
        options=Options(normal=3),
        settings=TINY,
        out=place / "models" / "threes",
        runs=place / "runs",
        command=("oddgan", "fit"),
    )
    return fit(spec)


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Default folders such as `runs` are relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
