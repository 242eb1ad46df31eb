"""Every check runs on every detector that is listed, without naming one."""

import pytest

from .cases import CLASSES, CLASSICAL, KINDS, NEURAL

GROUPS = {"cls": CLASSES, "neural": NEURAL, "classical": CLASSICAL}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`cls`, `neural` and `classical` stand for each detector class; with `kind`, for each kind of data on its card."""
    for fixture, group in GROUPS.items():
        if fixture not in metafunc.fixturenames:
            continue
        if "kind" in metafunc.fixturenames:
            pairs = [(group[name], kind) for name, kind in KINDS if name in group]
            metafunc.parametrize((fixture, "kind"), pairs, ids=[f"{cls.__name__}-{kind}" for cls, kind in pairs])
        else:
            metafunc.parametrize(fixture, group.values(), ids=group.keys())
