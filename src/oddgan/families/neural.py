"""Detectors made of networks: four hooks say what is built, how it is trained, and how it scores."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError, ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.notices import notice
from oddgan.base.capabilities import Samples
from oddgan.base.detector import Detector
from oddgan.base.fitting import Fitting, fingerprint
from oddgan.base.scoring import Passes, Report, large_passes, passes_of
from oddgan.families.engines import check_training, engine_of
from oddgan.families.games import Game
from oddgan.families.modules import Networks, Stored, checked, load_weights, no_larger_than
from oddgan.families.partial_fit import Changes, Snapshot, planned, total_weight
from oddgan.families.selection import Panel, set_apart
from oddgan.families.similarities import fitted_similarities
from oddgan.families.sources import source_of
from oddgan.inputs.rows import Rows, read
from oddgan.inputs.validation import validate
from oddgan.networks import Auto, Backbone, HalfPrecision
from oddgan.parameters.types import check_type, check_types
from oddgan.similarities import Similarity
from oddgan.storage.estimators import Values
from oddgan.training import (
    Adam,
    Callback,
    Clock,
    EpochRecord,
    Optimiser,
    Phase,
    Plan,
    Player,
    Selection,
    Source,
    Stabiliser,
    Subject,
    TensorSource,
    begin,
    generator,
    grown,
    run,
    seeded,
    team,
)
from oddgan.training.batches import count
from oddgan.training.length import Steps, length_of
from oddgan.training.protocol import Step
from oddgan.training.stabilisers import rebuilt, stabilised
from oddgan.training.state import fewest_updates

# Fewer steps than this leave most networks where they started.
FEW_STEPS = 300

Output = Literal["linear", "tanh", "sigmoid"]


@hyperparameters
class NeuralDetector(Detector):
    """A detector that trains networks.

    Parameters
    ----------
    epochs : passes over the training rows in each phase, >= 1, in the place of `steps`.
    steps : updates of the player that learns most rarely (the generator, where critics learn more often) in each phase,
        >= 1, so that small and large data train as long. None for both takes the method's number for this kind of data,
        see `default_steps`.
    batch_size : rows of a training step, >= 2; an epoch is cut into batches of nearly equal size.
    optimiser : how the networks learn, unless the method names another for some of them.
    backbone : the family of networks.
    selection : how held-out rows choose among the epochs, and end phases early; None keeps the last weights.
    stabilisers : techniques that stabilise adversarial training, for detectors that have a critic; one of each kind,
        except penalties.
    precision : what networks compute in while they train, "fp32" or "bf16" (autocast). With "bf16" weights, optimisers,
        losses and the norms of penalties stay in float32; it pays on processors that multiply bfloat16. Scoring is in
        float32 either way.
    """

    fools: ClassVar[bool] = True
    """Whether a generator's loss is that of `objective`; stabilisers of that loss need it."""

    default_steps: ClassVar[Steps] = Steps()
    """The updates of a fit where neither steps nor epochs are given."""

    may_skip: ClassVar[tuple[str, ...]] = ()
    """Parts of the training that may be left out by zero passes, e.g. "pretrain" by `pretrain_epochs=0`."""

    epochs: int | None = None
    steps: int | None = None
    batch_size: int = 64
    optimiser: Optimiser = Adam()
    backbone: Backbone = Auto()
    selection: Selection | None = None
    stabilisers: tuple[Stabiliser, ...] = ()
    precision: Literal["fp32", "bf16"] = "fp32"

    # -- what a method supplies
    @abstractmethod
    def _networks(self, shape: tuple[int, ...]) -> dict[str, nn.Module]:
        """The networks by name for samples of this shape; whatever training finds is a `Stored` among them."""

    @abstractmethod
    def _phases(self) -> Iterator[Phase]:
        """The phases of training; code after a `yield` runs after that phase."""

    def _phases_again(self) -> Iterator[Phase]:
        """The phases where trained networks are trained on: all, unless some only prepare for others."""
        return self._phases()

    def _calibrate(self, x: Tensor) -> None:
        """Fill what `Stored` modules hold once training is over.

        x holds the training rows (n, ...) as network input; of rows that are read when needed, at most
        `calibration_size`.
        """

    # -- what methods use
    def _net(self, name: str, dtype: torch.dtype | None = None) -> nn.Module:
        """A network as it is used now: itself while training, later a copy that is prepared for scoring."""
        networks = self.networks_
        if isinstance(networks, Networks) and not networks.training:
            return networks.prepared(name, dtype)
        half = self.precision == "bf16" and networks.training
        return HalfPrecision(networks[name]) if half else networks[name]

    def _nets(self, *names: str) -> tuple[nn.Module, ...]:
        return tuple(self._net(name) for name in names)

    def _game(self, critic: str, clock: Clock) -> Game:
        """The losses of this critic and of who plays against it, in one training step."""
        return Game(self._net(critic), cast(Any, self).objective, self.stabilisers, clock)

    def _stored(self, name: str) -> Tensor:
        return cast(Stored, self.networks_[name]).value

    def _players(self, *alone: str, **groups: Sequence[str]) -> dict[str, Player]:
        """One player for each network in `alone` and for each named group, with the detector's optimiser."""
        teams = {name: (name,) for name in alone} | {name: tuple(group) for name, group in groups.items()}
        return {name: Player(networks, self.optimiser) for name, networks in teams.items()}

    def _phase(
        self,
        step: Step,
        players: Mapping[str, Player],
        *,
        part: str = "",
        **settings: Any,
    ) -> Phase:
        """A phase as long as the detector's settings say.

        Parameters
        ----------
        step : the step.
        players : who learns.
        part : a part of the training with a length of its own, e.g. "encoder" for the parameters `encoder_steps` and
            `encoder_epochs` and the class variable `default_encoder_steps`, where the detector has them.
        settings : the other fields of `Phase`.
        """
        epochs, steps = length_of(self, part)
        return Phase(step, players, epochs or 1, steps=steps, **settings)

    @property
    def _output(self) -> Output:
        """The decoder's last activation: the one whose range is that of the scaled data."""
        outputs: dict[Any, Output] = {(-1.0, 1.0): "tanh", (0.0, 1.0): "sigmoid"}
        return outputs.get(self.scaling_.range, "linear")

    def _similarity(self, name: str = "similarity") -> Similarity:
        """The similarity in this field, with what it took from the training rows."""
        return cast(Similarity, getattr(self, "similarities_", {}).get(name, getattr(self, name)))

    # -- scoring
    @property
    def _passes(self) -> Passes:
        known = self.networks_.same_bits if isinstance(self.networks_, Networks) else None
        return passes_of(self.slots, self.scoring, large_passes(self.shape_), known)

    def _apply(
        self, function: Callable[[Tensor], Mapping[str, Tensor]], rows: Rows, report: Report | None = None
    ) -> dict[str, np.ndarray]:
        """No gradient is taken while scoring, unless a method says otherwise: inference mode is the shortest path."""
        with torch.inference_mode():
            return super()._apply(function, rows, report)

    # -- training
    def _check(self) -> None:
        self.backbone.check(self.shape_)
        check_training(self)

    def _build(self) -> Networks:
        name = type(self).__name__
        return Networks(rebuilt(checked(self._networks(self.shape_), name), self.stabilisers, name)).to(self._device)

    def _learn(self, rows: Rows, fitting: Fitting) -> None:
        if not fitting.again:
            self.networks_ = self._build()
        self.selection_labelled_ = fitting.validation is not None and fitting.validation.labels is not None
        rows, panel = set_apart(self, self.selection, rows, fitting.validation)
        if fitting.again:
            self.networks_.train()
        else:
            self.similarities_ = fitted_similarities(self.get_params(deep=False), lambda: self._some(rows))
        self._lay_out()
        source = source_of(rows, self._prepare)
        draw = cast(Samples, self)._sample if isinstance(self, Samples) else None
        subject = Subject(lambda n: self._some(rows, n), draw, self.scaling_.backward)
        for callback in fitting.callbacks:
            callback.watch(subject)
        self.history_: list[EpochRecord] = self._run_phases(planned(self, fitting), source, fitting, panel)
        if not fitting.again:
            self._warn_of_few_steps(len(source))
        self.networks_.lay_out(torch.contiguous_format)
        self.networks_.eval().requires_grad_(requires_grad=False)
        with torch.no_grad():
            self._calibrate(source.x if isinstance(source, TensorSource) else self._some(rows))

    @team()
    def partial_fit(
        self, X: Any, y: object = None, *, epochs: int | None = None, callbacks: Sequence[Callback] = ()
    ) -> Self:
        """Continue training on new normal rows, and set the threshold anew from them; `changes_` says what changed.

        The networks go on from their weights, with optimisers that start afresh. Scaling and similarities stay as the
        first rows set them. What precedes the training proper (an autoencoder that only initialises, a centre) is not
        done again. Old rows are not kept anywhere: what they alone showed may be forgotten, so mix some of them in. A
        detector that is not fitted yet is fitted.

        Parameters
        ----------
        X : normal rows like those given to `fit`.
        y : ignored.
        epochs : passes over the new rows in each phase, >= 1; None takes as many as the rows before got.
        callbacks : as for `fit`.

        Raises
        ------
        InputError
            If the rows do not fit, or epochs is below 1.
        TrainingError
            If a loss is not finite; the detector is to be fitted or loaded anew then.
        """
        del y
        check_types(self)
        check_type("partial_fit", "epochs", epochs, int | None)
        if epochs is not None and epochs < 1:
            raise InputError(f"epochs must be at least 1, but is {epochs}.")
        first = not hasattr(self, "networks_")
        rows, rng = self._training_rows(X) if first else validate(self, X, reset=False), generator(self.random_state)
        given = {"rows": rows, "validation rows": None} if first else {"rows": rows}
        more = {} if first else {"epochs": f"{epochs} {total_weight(self.networks_)}"}
        with begin(callbacks, rng, lambda: fingerprint(self, given) | more) as taking_part:
            fitting = Fitting(taking_part, epochs=epochs, again=not first)
            return self._train(rows, rng, fitting) if first else self._continue(rows, rng, fitting)

    def _continue(self, rows: Rows, rng: np.random.RandomState, fitting: Fitting) -> Self:
        """Train networks on that are trained already, and calibrate anew."""
        seed = (int(rng.randint(2**31 - 1)) + len(self.history_)) % 2**31  # not the same draws each time
        train, calibration = self._split(rows, rng)
        before = Snapshot.of(self.calibration_.threshold, self._score_rows(calibration), self.networks_)
        history = self.history_
        with fitting.told(type(self).__name__, len(train)), seeded(seed, self._device):
            self._learn(train, fitting)
        n_epochs = len(self.history_)
        self.history_ = [*history, *self.history_]
        self._recalibrate(calibration, held_out=self.calibration > 0)
        after = Snapshot.of(self.calibration_.threshold, self.calibration_.scores, self.networks_)
        self.changes_: Changes = before.changes(after, rows=len(train), epochs=n_epochs)
        return self

    def _lay_out(self) -> None:
        """Store weights as training is fastest."""
        if self._device.type == "cpu" or self.precision == "bf16":  # elsewhere it was not measured
            self.networks_.lay_out(torch.channels_last)

    def _run_phases(
        self, phases: Iterable[Phase], source: Source, fitting: Fitting, panel: Panel | None
    ) -> list[EpochRecord]:
        """Train phase after phase and return one record an epoch; a phase that only looks at the rows leaves none."""
        parts = (part for phase in phases for part in self._parts(phase, len(source), fitting))
        records = list[EpochRecord]()
        with engine_of(self, source, fitting) as engine:
            for index, part in enumerate(parts, fitting.first or 0):
                phase = stabilised(part, self.networks_, self.stabilisers)
                selector = None if panel is None else panel.selector(part)
                plan = Plan(self.batch_size, index, fitting.callbacks, engine, selector)
                done = run(phase, self.networks_, source, plan)
                records += done if phase.players else []
        return records

    def _parts(self, phase: Phase, n: int, fitting: Fitting) -> list[Phase]:
        """What a phase on n rows consists of; networks that have grown do not grow again."""
        batches = count(n, self.batch_size)
        sized = phase.sized(batches)
        return [sized] if fitting.again else [part.sized(batches) for part in grown(sized, self.networks_)]

    def _warn_of_few_steps(self, n: int) -> None:
        updates, where = fewest_updates(self.history_)
        if updates < FEW_STEPS:
            notice(
                f"{type(self).__name__} took only {updates} training steps{where} on {n} rows, too few for most "
                f"networks: give more steps, e.g. steps=2000"
                + ("." if self.epochs is None else f", or more epochs (now {self.epochs}).")
            )

    def _some(self, rows: Rows, most: int | None = None) -> Tensor:
        most = self.calibration_size if most is None else most
        every = max(1, len(rows) // most)
        return self._prepare(read(rows, np.arange(0, len(rows), every)[:most]))

    # -- copies: scikit-learn's tools copy and pickle objects; weights travel as a state dict
    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if "networks_" in state:
            state = state | {"networks_": self.networks_.state_dict()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "networks_" in state:
            self._restore(state["networks_"], {})

    def _restore(self, weights: Mapping[str, Tensor], estimators: Mapping[str, Values]) -> None:
        """Build the networks and give them these weights."""
        if estimators:
            raise ModelError(f"it has estimators, but {type(self).__name__} has networks.")
        with torch.random.fork_rng(devices=[]), no_larger_than(weights):
            self.networks_ = self._build()
        load_weights(self.networks_, weights)
        self.networks_.eval().requires_grad_(requires_grad=False)
