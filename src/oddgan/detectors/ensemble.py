"""Ensembles of whole detectors."""

from typing import ClassVar

import torch
from sklearn.base import clone

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base import Card, Detector, Fitting, Rows
from oddgan.families import EnsembleDetector, drawn
from oddgan.networks.base import whole
from oddgan.scaling import Identity, Scaling
from oddgan.scores import Average, Composition


@hyperparameters
class Ensemble(EnsembleDetector):
    r"""Train several detectors independently, of one kind or of many, and combine their scores.

        s(x) = composition(s_1(x), ..., s_k(x)),   by default the mean of (s_i(x) - m_i) / d_i

    with the mean m_i and the standard deviation d_i of the i-th member's scores of calibration rows. What one member
    gets wrong by the luck of its start or its rows, the others outvote; a mean lowers the variance of scores, a maximum
    catches what only one member sees. Hold rows out (`calibration`): trained ones flatter flexible members.

    It reconstructs, draws maps (means of the members') and samples (from the members in turn) where all of them do.
    What labels had a part in, in any member, is marked as for one detector.

    Components: the members' anomaly scores s_i by class and number, e.g. `anogan_1`, `anogan_2`, `kde_1`.

    Parameters
    ----------
    detectors : what the ensemble is made of, unfitted and without a seed. How they score (`scoring`, `slots`, `device`)
        is the ensemble's to say; their composition, scaling and calibration are their own.
    n_members : how many members each of them becomes, >= 1, each with a seed of its own.
    subsample : the share of the training rows that each member sees, drawn without replacement for each, in (0, 1].
    scaling : only `Identity()`: members scale for themselves.

    References
    ----------
    C. C. Aggarwal, S. Sathe: Theoretical Foundations and Algorithms for Outlier Ensembles, ACM SIGKDD Explorations
    17(1), 2015, https://doi.org/10.1145/2830544.2830549.
    """

    card: ClassVar[Card] = Card(
        name="Ensemble",
        title="Theoretical Foundations and Algorithms for Outlier Ensembles",
        authors="Aggarwal, Sathe",
        year=2015,
        link="https://doi.org/10.1145/2830544.2830549",
        summary="any detectors, trained independently; scores combined",
        needs="normal data, and detectors to combine",
        deviations=(
            "Scores are standardised by calibration rows; the paper standardises among the rows that it scores, so "
            "that a score depends on its company.",
            "The size of the subsamples is given; the paper draws it anew for each member (variable subsampling).",
        ),
    )

    tiny: ClassVar = {"n_members": 2}

    n_members: int = 5
    subsample: float = 1.0
    composition: Composition = Average()
    scaling: Scaling = Identity()

    def _check(self) -> None:
        super()._check()
        if not isinstance(self.detectors, tuple | list) or not all(isinstance(d, Detector) for d in self.detectors):
            raise InputError(f"detectors takes a tuple of detectors, e.g. (AnoGAN(),), but is {self.detectors!r}.")
        if not self.detectors:
            raise InputError(
                "Ensemble has no detectors to combine: give some, e.g. detectors=(AnoGAN(), KDE()), or --set "
                "'detectors=[AnoGAN,KDE]'."
            )
        whole(n_members=self.n_members)
        if not 0 < self.subsample <= 1:
            raise InputError(f"subsample is a share of the rows in (0, 1], but is {self.subsample}.")
        if not isinstance(self.scaling, Identity):
            raise InputError(f"Members scale for themselves: give scaling={self.scaling} to the detectors.")
        for detector in self.detectors:
            name = type(detector).__name__
            if detector.random_state is not None:
                raise InputError(f"The ensemble seeds its members: give random_state to it, not to its {name}.")
            if getattr(detector, "privacy", None) is not None:
                raise InputError(
                    f"The guarantee of a private {name} holds for one training, and an ensemble trains on the same "
                    "rows again: use it alone."
                )

    def _learn(self, rows: Rows, fitting: Fitting) -> None:
        made = [detector for detector in self.detectors for _ in range(self.n_members)]
        seeds = torch.randint(2**31 - 1, (len(made),)).tolist()
        how = {"scoring": self.scoring, "slots": self.slots, "device": self.device}
        members = [clone(d).set_params(random_state=seed, **how) for d, seed in zip(made, seeds, strict=True)]
        self._fit_members(members, [drawn(rows, self.subsample) for _ in members], fitting)
