"""What all tests share."""

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("oddgan", deadline=None)  # a busy machine is no failure
settings.load_profile("oddgan")


@pytest.fixture(autouse=True)
def _global_state_is_put_back():
    """A test that seeds or draws from torch's global generator must not steer the next one."""
    with torch.random.fork_rng(devices=[]):
        yield
