import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import ALOCC_REFINER, Refiner, prepare


@pytest.mark.parametrize("shape", [(5,), (2, 16), (2, 17), (1, 8, 8), (1, 28, 28), (3, 13, 18)])
def test_results_have_the_shape_of_samples(shape):
    torch.manual_seed(0)
    refiner, x = Refiner(widths=(8, 16, 32))(shape, output="tanh").eval(), torch.randn(3, *shape)
    assert refiner(x).shape == x.shape
    assert refiner(x).abs().max() <= 1
    torch.testing.assert_close(prepare(refiner)(x), refiner(x), atol=1e-5, rtol=1e-4)


def test_the_network_of_the_paper():
    refiner = ALOCC_REFINER((3, 32, 32), output="tanh")
    layers = [m for m in refiner.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    channels = [(m.in_channels, m.out_channels) for m in layers]
    assert channels == [(3, 64), (64, 128), (128, 256), (256, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    assert {(m.kernel_size, m.stride) for m in layers} == {((5, 5), (2, 2))}
    # No layer but the last goes without batch norm, and none pools.
    kinds = [type(m).__name__ for m in refiner.modules() if not list(m.children())]
    down, up = ["Conv2d", "BatchNorm2d", "LeakyReLU"], ["ConvTranspose2d", "BatchNorm2d", "ReLU"]
    assert kinds == [*4 * down, *3 * up, "ConvTranspose2d", "Tanh"]


def test_there_is_no_code():
    # The map in the middle of a 32 px image has 2 x 2 places of 512 channels, which is more than one channel's pixels.
    inner = ALOCC_REFINER((1, 32, 32)).layers[:12]
    assert inner(torch.randn(2, 1, 32, 32)).shape == (2, 512, 2, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": ()}, "at least one width"),
        ({"widths": (0,)}, "widths must be a whole number of at least 1"),
        ({"kernel": 4}, "kernel=4 must be odd"),
        ({"slope": -0.1}, r"slope=-0\.1 0 or more"),
        ({"norm": "instance"}, "norm must be one of"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Refiner(**settings)


def test_strange_shapes_are_refused():
    with pytest.raises(InputError, match=r"can't serve samples of shape \(1, 2, 3, 4\)"):
        Refiner()((1, 2, 3, 4))
