"""What every backbone promises, checked for each of them."""

import dataclasses

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from oddgan._core import parts
from oddgan._core.docstrings import parameter_docs
from oddgan._core.errors import InputError
from oddgan.networks import MLP, Auto, Backbone, ConvLadder, FlatMLP, Growing, Judgement, Progressive, ResNet
from oddgan.networks.base import one_of, whole

TABLE, SERIES, IMAGE = (6,), (2, 37), (3, 13, 18)
DIM = 5
CODES = MLP(hidden=(9,))
BACKBONES: dict[str, tuple[Backbone, tuple[int, ...]]] = {
    "mlp": (MLP(hidden=(16, 8)), TABLE),
    "mlp-layer": (MLP(hidden=(16, 8), norm="layer", critic_norm="layer", dropout=0.1), TABLE),
    "mlp-batch": (MLP(hidden=(16, 8), norm="batch", critic_norm="batch"), TABLE),
    "flat-series": (FlatMLP(hidden=(16, 8), activation="sigmoid"), SERIES),
    "flat": (FlatMLP(hidden=(16, 8), norm="layer", critic_norm="layer"), IMAGE),
    "ladder-series": (ConvLadder(width=4, codes=CODES, norm="layer", critic_norm="layer"), SERIES),
    "ladder-batch": (ConvLadder(width=4, codes=CODES), IMAGE),
    "ladder-none": (ConvLadder(width=4, codes=CODES, norm="none", critic_norm="none", init="he", kernel=5), IMAGE),
    "ladder-spectral": (ConvLadder(width=4, codes=CODES, spectral_norm=True, norm="none", critic_norm="none"), IMAGE),
    "resnet-series": (ResNet(width=4, codes=CODES, norm="layer"), SERIES),
    "resnet": (ResNet(width=4, codes=CODES, norm="layer"), IMAGE),
    "resnet-batch": (ResNet(width=4, codes=CODES, critic_norm="batch"), IMAGE),
    "progressive-series": (Progressive(width=4, codes=CODES), SERIES),
    "progressive": (Progressive(width=4, codes=CODES, sphere=True), IMAGE),
    "auto": (Auto(image=ConvLadder(width=4, codes=CODES, norm="layer", critic_norm="none")), IMAGE),
}
KINDS = (MLP, FlatMLP, ConvLadder, ResNet, Progressive, Auto)
each = pytest.mark.parametrize(("backbone", "shape"), BACKBONES.values(), ids=BACKBONES.keys())


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def combinations(shape: tuple[int, ...]) -> list[tuple[tuple[int, ...], ...]]:
    """The inputs that ALAD's three critics and a critic of everything at once judge."""
    return [(shape,), (shape, (DIM,)), (shape, shape), ((DIM,), (DIM,)), (shape, shape, (DIM,), (3,))]


def networks(backbone: Backbone, shape: tuple[int, ...]) -> list[tuple[nn.Module, list[torch.Tensor]]]:
    """Every network that the backbone builds, with inputs for four samples."""
    built = [(backbone.encoder(shape, DIM), [shape]), (backbone.decoder(DIM, shape), [(DIM,)])]
    built += [(backbone.critic(*inputs), list(inputs)) for inputs in combinations(shape)]
    return [(network, [torch.randn(4, *s) for s in shapes]) for network, shapes in built]


@each
def test_shapes(backbone: Backbone, shape: tuple[int, ...]) -> None:
    backbone.check(shape)
    encoder, decoder, *critics = networks(backbone, shape)
    assert encoder[0](*encoder[1]).shape == (4, DIM)
    assert decoder[0](*decoder[1]).shape == (4, *shape)
    for critic, inputs in critics:
        judged = critic(*inputs)
        assert isinstance(judged, Judgement)
        assert judged.logit.shape == (4,)
        assert judged.features.shape[0] == 4
        assert judged.features[0].numel() > 1


@each
def test_output_ranges(backbone: Backbone, shape: tuple[int, ...]) -> None:
    x, z = 100 * torch.randn(64, *shape), 100 * torch.randn(64, DIM)
    encode = {
        kind: backbone.encoder(shape, DIM, output=kind).eval()(x) for kind in ("linear", "tanh", "sigmoid", "sphere")
    }
    assert encode["tanh"].abs().max() <= 1
    assert 0 <= encode["sigmoid"].min() < encode["sigmoid"].max() <= 1
    assert torch.allclose(encode["sphere"].norm(dim=1), torch.tensor(DIM**0.5)), "radius √m, where normal codes lie"
    decode = {kind: backbone.decoder(DIM, shape, output=kind).eval()(z) for kind in ("linear", "tanh", "sigmoid")}
    assert decode["linear"].min() < 0
    assert -1 <= decode["tanh"].min() < 0
    assert 0 <= decode["sigmoid"].min() < decode["sigmoid"].max() <= 1


@each
def test_output_is_a_known_word(backbone: Backbone, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="output must be one of linear, tanh, sigmoid, sphere, not 'softmax'"):
        backbone.encoder(shape, DIM, output="softmax")
    with pytest.raises(InputError, match="output must be one of linear, tanh, sigmoid, not 'sphere'"):
        backbone.decoder(DIM, shape, output="sphere")


@each
def test_code_lengths_are_positive(backbone: Backbone, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="out must be a whole number of at least 1, not 0"):
        backbone.encoder(shape, 0)
    with pytest.raises(InputError, match="dim must be a whole number of at least 1, not -2"):
        backbone.decoder(-2, shape)
    with pytest.raises(InputError):
        backbone.critic((0,), (DIM,))
    with pytest.raises(InputError):
        backbone.critic(shape, (0,))


def idle(network: nn.Module) -> set[nn.Parameter]:
    """What a grown network has left behind: its layers to and from smaller samples."""
    growing = [m for m in network.modules() if isinstance(m, Growing)]
    return {p for m in growing for port in list(m.ports)[:-1] for p in port.parameters()}


@each
def test_gradients_reach_every_parameter(backbone: Backbone, shape: tuple[int, ...]) -> None:
    for network, inputs in networks(backbone, shape):
        y = network(*inputs)
        # Features have other weights in the sum than logits, so that neither can hide what the other lacks.
        loss = y.logit.square().sum() if isinstance(y, Judgement) else y.square().sum()
        loss.backward()
        left = idle(network)
        assert all(p.grad is None for p in left)
        for name, parameter in network.named_parameters():
            if parameter in left:
                continue
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


@each
def test_logits_depend_on_every_input(backbone: Backbone, shape: tuple[int, ...]) -> None:
    for inputs in combinations(shape):
        x = [torch.randn(4, *s, requires_grad=True) for s in inputs]
        for values in torch.autograd.grad(backbone.critic(*inputs).eval()(*x).logit.sum(), x):
            assert (values.flatten(1).abs().amax(1) > 0).all()


@each
def test_gradient_penalties_reach_the_weights(backbone: Backbone, shape: tuple[int, ...]) -> None:
    critic = backbone.critic(shape)
    x = torch.randn(4, *shape, requires_grad=True)
    (gradient,) = torch.autograd.grad(critic(x).logit.sum(), x, create_graph=True)
    gradient.square().sum().backward()
    weights = [p for p in critic.parameters() if p.ndim > 1 and p not in idle(critic)]
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in weights)


@each
def test_a_sample_does_not_depend_on_its_neighbours(backbone: Backbone, shape: tuple[int, ...]) -> None:
    for network, inputs in networks(backbone, shape):
        network(*inputs)  # gives batch norm statistics of its own
        network.eval()
        others = [torch.cat([x[:1], torch.randn_like(x[1:])]) for x in inputs]
        with torch.no_grad():
            before, after = network(*inputs), network(*others)
        for a, b in zip(before[:2], after[:2], strict=True) if isinstance(before, Judgement) else [(before, after)]:
            assert torch.equal(a[0], b[0])


@each
def test_weights_come_from_the_global_generator(backbone: Backbone, shape: tuple[int, ...]) -> None:
    def built(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [t for network, _ in networks(backbone, shape) for t in network.state_dict().values()]

    first, same, other = built(1), built(1), built(2)
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@each
@pytest.mark.parametrize("spectral", [False, True])
def test_state_survives_safetensors(backbone: Backbone, shape: tuple[int, ...], spectral: bool) -> None:
    backbone = backbone.with_spectral_norm() if spectral else backbone
    fresh = networks(backbone, shape)
    for (network, inputs), (other, _) in zip(networks(backbone, shape), fresh, strict=True):
        network(*inputs)
        stored = save(network.state_dict())  # refuses tensors that share memory or are not contiguous
        other.load_state_dict(load(stored))
        a, b = network.eval()(*inputs), other.eval()(*inputs)
        assert torch.equal(a[0], b[0])


@each
def test_spectral_norm_is_for_encoder_and_critic(backbone: Backbone, shape: tuple[int, ...]) -> None:
    backbone = backbone.with_spectral_norm()
    (encoder, _), (decoder, _), *critics = networks(backbone, shape)
    for network in (encoder, *(critic for critic, _ in critics)):
        layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)]
        assert layers
        for layer in layers:
            # 15 steps of the power iteration end close to the largest singular value from below.
            largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
            assert 0.99 < largest < 1.15
    assert not any(name.endswith("._u") for name, _ in decoder.named_buffers()), "where the power iteration stands"
    assert any(name.endswith("._u") for name, _ in encoder.named_buffers())


@each
def test_stored_and_built_again(backbone: Backbone, shape: tuple[int, ...]) -> None:
    known = {c.__name__: c for c in KINDS}
    again = parts.from_spec(parts.to_spec(backbone, {}, "backbone"), known, {})
    assert again == backbone
    again.check(shape)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_documented(kind: type) -> None:
    assert {f.name for f in dataclasses.fields(kind)} == parameter_docs(kind).keys()


def test_whole_and_one_of() -> None:
    whole(width=1)
    one_of(("a", "b"), norm="a")
    for wrong in (0, 1.5, True, "3"):
        with pytest.raises(InputError, match=f"width must be a whole number of at least 1, not {wrong!r}"):
            whole(width=wrong)
    with pytest.raises(InputError, match="norm must be one of a, b, not 'c'"):
        one_of(("a", "b"), norm="c")
