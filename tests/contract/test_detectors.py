"""The checks of `oddgan.testing` on every detector that is listed, without naming one."""

import pytest

from .cases import CHECKS


@pytest.mark.parametrize("check", [pytest.param(check, id=f"{name}-{check}") for name, check in CHECKS])
def test_check(check):
    check()
