import pytest
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks import ALOCC_CRITIC, NAE_28, OCGAN_64, Pooled, prepare

CONVOLUTIONS = nn.Conv2d | nn.ConvTranspose2d


def layers(network):
    """In and out channels and kernel of each convolution, in order."""
    return [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in network.modules() if isinstance(m, CONVOLUTIONS)]


def kinds(network):
    return [type(m).__name__ for m in network.modules() if not list(m.children())]


def test_the_encoder_of_nae_for_mnist():
    encoder = NAE_28.encoder((1, 28, 28), 32, output="sphere")
    # 28 px: 26, 24, pooled 12, 10, 8, pooled 4, then a 4 x 4 kernel sees all.
    assert layers(encoder) == [(1, 32, 3), (32, 64, 3), (64, 64, 3), (64, 128, 3), (128, 1024, 4), (1024, 32, 1)]
    pair = [*2 * ["Conv2d", "ReLU"], "MaxPool2d"]
    assert kinds(encoder) == [*2 * pair, "Conv2d", "ReLU", "Conv2d", "Flatten", "Sphere"]


def test_the_decoder_of_nae_for_mnist():
    decoder = NAE_28.decoder(32, (1, 28, 28), output="sigmoid")
    assert layers(decoder) == [(32, 128, 4), (128, 64, 3), (64, 64, 3), (64, 32, 3), (32, 1, 3)]
    level = ["ReLU", "Upsample", "ConvTranspose2d", "ReLU", "ConvTranspose2d"]
    assert kinds(decoder) == ["Unflatten", "ConvTranspose2d", *2 * level, "Sigmoid"]
    sizes = [m.size for m in decoder.modules() if isinstance(m, nn.Upsample)]
    assert sizes == [(8, 8), (24, 24)]  # twice the 4 and 12 px before
    assert decoder(torch.randn(2, 32)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize("shape", [(1, 16, 17), (3, 33, 28), (2, 40)])
def test_other_shapes(shape):
    torch.manual_seed(0)
    backbone = Pooled(width=4, hidden=8)
    encoder, decoder, critic = backbone.encoder(shape, 3), backbone.decoder(3, shape), backbone.critic(shape)
    x = torch.randn(2, *shape)
    assert decoder(encoder(x)).shape == x.shape
    assert critic(x).logit.shape == (2,)
    torch.testing.assert_close(prepare(encoder)(x), encoder.eval()(x), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(prepare(decoder)(encoder(x)), decoder.eval()(encoder(x)), atol=1e-5, rtol=1e-4)


def test_what_the_levels_use_up_is_refused():
    Pooled(depth=1).check((1, 8, 8))
    with pytest.raises(InputError, match="each of its levels cuts off 4 and halves"):
        Pooled().check((1, 8, 8))
    with pytest.raises(InputError, match="hidden must be a whole number"):
        Pooled(hidden=0)


def test_networks_of_ocgan_and_alocc():
    assert layers(OCGAN_64.encoder((3, 64, 64), 16)) == [(3, 64, 5), (64, 128, 5), (128, 256, 5), (256, 16, 8)]
    latent = [m.out_features for m in OCGAN_64.critic((16,)).modules() if isinstance(m, nn.Linear)]
    assert latent == [128, 64, 32, 16, 1]
    critic = ALOCC_CRITIC.critic((3, 32, 32))
    assert layers(critic) == [(3, 64, 5), (64, 128, 5), (128, 256, 5), (256, 512, 5), (512, 1, 2)]
