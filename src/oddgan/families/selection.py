"""Selection of the epoch with the best held-out criterion: the criteria of `oddgan.training.Selection`."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.lazy import LazyModule
from oddgan.base import Detector, Reconstructs, Samples
from oddgan.base.fitting import Validation
from oddgan.families.classical import principal_components
from oddgan.inputs.rows import Rows, take
from oddgan.networks import at_rest
from oddgan.networks.blocks.critics import JointCritic
from oddgan.similarities import L2
from oddgan.training import Phase, Selection, Selector, seeded

if TYPE_CHECKING:
    from sklearn.decomposition import PCA


metrics = LazyModule("sklearn.metrics")

AXES = 32  # principal components on which rows and samples are compared


@dataclass
class Panel:
    """Rows that were not trained on, and what is asked of them.

    Parameters
    ----------
    detector : what trains.
    selection : the criterion.
    rows : normal rows as given to `fit`, at least 2.
    labelled : rows and labels (n,) for "auroc".
    """

    detector: Detector
    selection: Selection
    rows: Rows
    labelled: tuple[Rows, np.ndarray] | None = None
    trained: set[str] = field(default_factory=set)

    @property
    def networks(self) -> nn.ModuleDict:
        """The detector's networks by name."""
        return cast(nn.ModuleDict, cast(Any, self.detector).networks_)

    @property
    def criterion(self) -> str:
        """The criterion by name."""
        chosen = self.selection.criterion
        if chosen is None:
            return "reconstruction" if isinstance(self.detector, Reconstructs) else self.detector.composition.uses[0]
        return chosen

    def check(self) -> None:
        """Refuse a criterion that the method can't be judged by, before training.

        Raises
        ------
        InputError
            With what would do.
        """
        detector, criterion = self.detector, self.criterion
        name = type(detector).__name__
        if criterion == "reconstruction" and not isinstance(detector, Reconstructs):
            raise InputError(f"{name} draws no row again: choose among its epochs by a component, not reconstruction.")
        if criterion in {"features", "critic_gap"} and not isinstance(detector, Samples):
            raise InputError(f"{name} draws no samples: choose among its epochs by reconstruction or a component.")
        if criterion == "critic_gap" and self._critic is None:
            raise InputError(f"{name} has no critic: choose among its epochs by features or reconstruction.")
        if (criterion == "auroc") != (self.labelled is not None):
            raise InputError(
                'Only the criterion "auroc" looks at labels, and it needs them: fit(X, validation=(X_val, y_val)); '
                f"the criterion is {criterion!r}."
            )
        if criterion == "auroc" and detector.composition.needs_labels:
            raise InputError(
                f"{type(detector.composition).__name__} learns from labels: compose with it after the fit."
            )

    def selector(self, phase: Phase) -> Selector | None:
        """What chooses among the epochs of a phase; None where the criterion says nothing of it yet."""
        playing = {name for player in phase.players.values() for name in player.networks}
        self.trained |= playing
        if self.criterion in {"features", "critic_gap"}:
            asked = {n for n in ("generator", "decoder", self._critic) if n and n in self.networks}
            judged = bool(asked & playing)
        else:  # from the phase on in which the last of the networks learns
            learning = {n for n, network in self.networks.items() if any(True for _ in network.parameters())}
            judged = bool(playing) and learning <= self.trained
        return Selector(self.selection, self) if judged and not phase.prepares else None

    def __call__(self) -> float:
        """The criterion now, lower is better; the networks and the generators stay as they are."""
        criterion = self.criterion
        with at_rest(self.networks), seeded(0, self.detector._device):
            if criterion == "reconstruction":
                return self._mean_of(lambda x: L2()(x, cast(Reconstructs, self.detector)._reconstruct(x)))
            if criterion == "features":
                return self._frechet()
            if criterion == "critic_gap":
                return self._gap()
            if criterion == "auroc":
                return self._one_minus_auroc()
            return float(self.detector._method_components(self.rows, {criterion})[criterion].mean())

    @property
    def _critic(self) -> str | None:
        return next((n for n in ("critic", "discriminator") if n in self.networks), None)

    def _mean_of(self, function: Any) -> float:
        return float(self.detector._apply(lambda x: {"value": function(x)}, self.rows)["value"].mean())

    def _samples(self) -> Tensor:
        with torch.no_grad():
            return cast(Samples, self.detector)._sample(len(self.rows))

    @cached_property
    def _yardstick(self) -> tuple["PCA", np.ndarray]:
        """The principal components of the rows, and the rows on them: the same at every look."""
        x = self.detector._apply(lambda x: {"x": x.flatten(1)}, self.rows)["x"]
        axes = principal_components(x, min(AXES, len(x) - 1, x.shape[1]))
        return axes, axes.transform(x)

    def _frechet(self) -> float:
        axes, x = self._yardstick
        return frechet_distance(x, axes.transform(self._samples().flatten(1).double().cpu().numpy()))

    def _gap(self) -> float:
        """Mean D(x) - mean D(G(z)); a critic of pairs judges each sample with its own code."""
        network = self.networks[str(self._critic)]
        if isinstance(network, JointCritic):
            scaled = self.detector.scaling_.backward(self._samples().double().cpu().numpy())
            real, fake = (
                self.detector._method_components(rows, {"critic"})["critic"].mean() for rows in (self.rows, scaled)
            )
            return float(fake - real)
        with torch.no_grad():
            fake = network(self._samples()).logit.double().mean()
        return self._mean_of(lambda x: network(x).logit.double()) - float(fake)

    def _one_minus_auroc(self) -> float:
        rows, y = cast(tuple[Rows, np.ndarray], self.labelled)
        composition = self.detector.composition
        fitted = composition.fit(self.detector._method_components(self.rows, composition.uses or None))
        found = self.detector._method_components(rows, composition.uses or None)
        score = fitted({name: torch.from_numpy(values) for name, values in found.items()})
        return 1 - float(metrics.roc_auc_score(y, score.numpy()))


def set_apart(
    detector: Detector, selection: Selection | None, rows: Rows, given: Validation | None
) -> tuple[Rows, Panel | None]:
    """The rows to train on, and those that choose among the epochs.

    Parameters
    ----------
    detector : what is about to train.
    selection : the criterion; None keeps the last weights, and all rows.
    rows : what was given to `fit`.
    given : validation rows that were given beside them; None takes a share of the rows.

    Raises
    ------
    InputError
        If too few rows are left, rows are given in vain, or the method can't be judged by the criterion.
    """
    if selection is None:
        if given is not None:
            raise InputError("validation rows choose among epochs: say by what, e.g. selection=Selection().")
        return rows, None
    if given is None:
        rows, normal = _split(rows, selection)
        panel = Panel(detector, selection, normal)
    else:
        labelled = None if given.labels is None else (given.rows, given.labels)
        panel = Panel(detector, selection, given.normal(selection.size), labelled)
    panel.check()
    return rows, panel


def _split(rows: Rows, selection: Selection) -> tuple[Rows, Rows]:
    """The rows to train on, and a share of them that is held out to choose among the epochs."""
    order = torch.randperm(len(rows)).numpy()
    k = round(selection.share * len(rows))
    if k < 2 or len(rows) - k < 2:
        raise InputError(
            f"selection.share={selection.share} of {len(rows)} rows leaves {len(rows) - k} to train on and {k} to "
            "choose by: at least 2 each are needed."
        )
    return take(rows, np.sort(order[k:])), take(rows, np.sort(order[: min(k, selection.size)]))


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """The Fréchet distance between the normal distributions with the moments of x (n, k) and y (m, k), >= 0.

    ‖μ_x - μ_y‖² + tr(S_x + S_y - 2·(S_x·S_y)^½); the trace of the root is the sum of the roots of the eigenvalues of
    S_x^½·S_y·S_x^½, which is symmetric.
    """
    sx, sy = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (x, y))
    values, vectors = np.linalg.eigh(sx)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ sy @ root).clip(0)).sum()
    distance = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(sx) + np.trace(sy) - 2 * shared
    return max(0.0, float(distance))
