"""Detectors made of networks: four hooks say what is built, how it is trained, and how it scores."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError, ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.detector import Detector
from oddgan.base.networks import Networks
from oddgan.base.rows import Rows, Subset, chunks, notice, take
from oddgan.base.scoring import Report
from oddgan.networks import Auto, Backbone
from oddgan.similarities import Similarity
from oddgan.training import (
    Adam,
    Callback,
    DatasetSource,
    Engine,
    EpochRecord,
    Optimiser,
    Phase,
    Plan,
    Player,
    Source,
    TensorSource,
    run,
)
from oddgan.training.batches import count

# Fewer steps than this leave most networks where they started.
FEW_STEPS = 300

Output = Literal["linear", "tanh", "sigmoid"]


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


@hyperparameters
class NeuralDetector(Detector):
    """A detector that trains networks.

    Parameters
    ----------
    epochs : passes over the training rows in each phase, >= 1.
    batch_size : rows of a training step, >= 2; an epoch is cut into batches of nearly equal size.
    optimiser : how the networks learn, unless the method names another for some of them.
    backbone : the family of networks.
    """

    epochs: int = 10
    batch_size: int = 64
    optimiser: Optimiser = Adam()
    backbone: Backbone = Auto()

    # -- what a method supplies
    @abstractmethod
    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        """The networks by name for samples of this shape; whatever training finds is a `Stored` among them."""

    @abstractmethod
    def _phases(self) -> Iterator[Phase]:
        """The phases of training; code after a `yield` runs after that phase."""

    def _calibrate(self, x: Tensor) -> None:
        """Fill what `Stored` modules hold once training is over.

        x holds the training rows (n, ...) as network input; of a map-style dataset, at most `calibration_size`.
        """

    # -- what methods use
    def _net(self, name: str, dtype: torch.dtype | None = None) -> nn.Module:
        """A network as it is used now: itself while training, later a copy that is prepared for scoring."""
        networks = self.networks_
        ready = isinstance(networks, Networks) and not networks.training
        return networks.prepared(name, dtype) if ready else networks[name]

    def _nets(self, *names: str) -> tuple[nn.Module, ...]:
        return tuple(self._net(name) for name in names)

    def _stored(self, name: str) -> Tensor:
        return cast(Stored, self.networks_[name]).value

    def _players(self, *alone: str, **groups: Sequence[str]) -> dict[str, Player]:
        """One player for each network in `alone` and for each named group, with the detector's optimiser."""
        teams = {name: (name,) for name in alone} | {name: tuple(group) for name, group in groups.items()}
        return {name: Player(networks, self.optimiser) for name, networks in teams.items()}

    @property
    def _output(self) -> Output:
        """The decoder's last activation: the one whose range is that of the scaled data."""
        outputs: dict[Any, Output] = {(-1.0, 1.0): "tanh", (0.0, 1.0): "sigmoid"}
        return outputs.get(self.scaling_.range, "linear")

    def _similarity(self, name: str = "similarity") -> Similarity:
        """The similarity in this field, with what it took from the training rows."""
        found: Similarity = getattr(self, "similarities_", {}).get(name, getattr(self, name))
        return found

    # -- scoring
    def _apply(
        self, function: Callable[[Tensor], Mapping[str, Tensor]], rows: Rows, report: Report | None = None
    ) -> dict[str, np.ndarray]:
        """No gradient is taken while scoring, unless a method says otherwise: inference mode is the shortest path."""
        with torch.inference_mode():
            return super()._apply(function, rows, report)

    # -- training
    def _check(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise InputError(
                f"epochs must be at least 1 and batch_size at least 2, but are {self.epochs} and {self.batch_size}."
            )
        self.backbone.check(self.shape_)

    def _build(self) -> Networks:
        return Networks(self._networks(self.shape_)).to(self._device)

    def _train(self, rows: Rows, callbacks: Sequence[Callback]) -> None:
        self.networks_ = self._build()
        source = self._source(rows)
        self.similarities_ = self._fit_similarities(rows)
        self.history_ = self._learn(source, callbacks)
        self._warn_of_few_steps(len(source))
        self.networks_.eval().requires_grad_(requires_grad=False)
        with torch.no_grad():
            self._calibrate(source.x if isinstance(source, TensorSource) else self._some(rows))

    def _learn(self, source: Source, callbacks: Sequence[Callback]) -> list[EpochRecord]:
        """Train phase after phase and return one record an epoch; a phase that only looks at the rows leaves none."""
        return [
            record
            for index, phase in enumerate(self._phases())
            for record in self._run(phase, index, source, callbacks)
            if phase.players
        ]

    def _run(self, phase: Phase, index: int, source: Source, callbacks: Sequence[Callback]) -> list[EpochRecord]:
        """Train one phase."""
        return run(phase, self.networks_, source, Plan(self.batch_size, index, callbacks, self._engine()))

    def _engine(self) -> Engine:
        """How updates are computed."""
        return Engine()

    def _fit_similarities(self, rows: Rows) -> dict[str, Similarity]:
        """The similarities among the hyperparameters that take something from normal rows, fitted to some of them."""
        given = {k: v for k, v in self.get_params(deep=False).items() if isinstance(v, Similarity)}
        reference = self._some(rows) if given else None
        fitted = {} if reference is None else {k: v.fit(reference) for k, v in given.items()}
        return {k: v for k, v in fitted.items() if v != given[k]}

    def _warn_of_few_steps(self, n: int) -> None:
        steps = len(self.history_) * count(n, self.batch_size)
        if steps < FEW_STEPS:
            notice(
                f"{type(self).__name__} took only {steps} training steps on {n} rows, too few for most networks: "
                f"raise epochs (now {self.epochs}) or lower batch_size (now {self.batch_size})."
            )

    def _source(self, rows: Rows) -> Source:
        if isinstance(rows, np.ndarray):
            return TensorSource(torch.cat([self._prepare(chunk) for chunk in chunks(rows)]))
        return DatasetSource(rows, self._prepare)

    def _some(self, rows: Rows) -> Tensor:
        every = max(1, len(rows) // self.calibration_size)
        some = take(rows, np.arange(0, len(rows), every)[: self.calibration_size])
        return self._prepare(np.stack([some[i] for i in range(len(cast(Subset, some)))]))

    # -- copies: scikit-learn's tools copy and pickle objects; weights travel as a state dict
    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if "networks_" in state:
            state = state | {"networks_": self.networks_.state_dict()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "networks_" in state:
            self._restore(state["networks_"])

    def _restore(self, weights: Mapping[str, Tensor]) -> None:
        """Build the networks and give them these weights."""
        with torch.random.fork_rng(devices=[]):
            self.networks_ = self._build()
        load_weights(self.networks_, weights)
        self.networks_.eval().requires_grad_(requires_grad=False)
