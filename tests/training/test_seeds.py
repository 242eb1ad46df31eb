import numpy as np
import pytest
import torch

from oddgan.training import generator, seeded


def test_generator():
    assert generator(3).randint(10**6) == np.random.RandomState(3).randint(10**6)
    assert generator(np.int64(3)).randint(10**6) == np.random.RandomState(3).randint(10**6)
    own = np.random.RandomState(5)
    assert generator(own) is own


def test_none_is_fresh_and_not_the_global_generator():
    np.random.seed(0)  # noqa: NPY002
    state = np.random.get_state()[1].tobytes()  # noqa: NPY002
    assert generator(None).randint(2**31 - 1) != generator(None).randint(2**31 - 1)
    assert np.random.get_state()[1].tobytes() == state  # noqa: NPY002


@pytest.mark.parametrize("error", [None, ValueError])
def test_seeded_puts_the_global_generator_back(error):
    before, of_numpy = torch.get_rng_state(), np.random.get_state()[1].tobytes()  # noqa: NPY002
    drawn = []
    for _ in range(2):
        try:
            with seeded(7, torch.device("cpu")):
                drawn.append((*torch.rand(3).tolist(), np.random.rand()))  # noqa: NPY002
                if error:
                    raise error
        except ValueError:
            pass
    assert drawn[0] == drawn[1]
    assert np.random.get_state()[1].tobytes() == of_numpy  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before)
