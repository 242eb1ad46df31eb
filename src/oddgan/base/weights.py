"""What networks hold: tensors that training finds, and weights that come from a file."""

from collections.abc import Mapping

from torch import Tensor, nn

from oddgan._core.errors import ModelError


class Stored(nn.Module):
    """A tensor that training finds or draws (start points, a centre): saved and loaded with the networks."""

    value: Tensor

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.register_buffer("value", value)


def load_weights(networks: nn.ModuleDict, weights: Mapping[str, Tensor]) -> None:
    """Give the networks stored weights.

    Raises
    ------
    ModelError
        If tensors are missing, unknown or of another shape.
    """
    expected = networks.state_dict()
    missing, strange = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    if missing or strange:
        what = [f"lacks {', '.join(missing[:3])}"] * bool(missing) + [f"has unknown {', '.join(strange[:3])}"] * bool(
            strange
        )
        raise ModelError(f"the stored networks do not fit the parameters: the file {' and '.join(what)}.")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"the stored tensor {name} has shape {tuple(tensor.shape)}, "
                f"but these parameters need {tuple(expected[name].shape)}."
            )
    networks.load_state_dict(dict(weights))
