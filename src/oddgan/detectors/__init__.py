"""The published methods, one short file each.

Each is imported when it is first named.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from oddgan._core.card import Card, read_card
from oddgan._core.entry_points import Readable, readable
from oddgan._core.errors import InputError
from oddgan._core.files import read_steadily
from oddgan._core.lazy import LazyClasses

if TYPE_CHECKING:
    from oddgan.base import Detector
    from oddgan.detectors.aae import AAE
    from oddgan.detectors.adgan import ADGAN
    from oddgan.detectors.alad import ALAD
    from oddgan.detectors.alocc import ALOCC
    from oddgan.detectors.anogan import AnoGAN
    from oddgan.detectors.arae import ARAE
    from oddgan.detectors.autoencoder import AutoEncoder
    from oddgan.detectors.beatgan import BeatGAN
    from oddgan.detectors.beta_vaegan import BetaVAEGAN
    from oddgan.detectors.constrained_aae import ConstrainedAAE
    from oddgan.detectors.deep_svdd import DeepSVDD
    from oddgan.detectors.egbad import EGBAD
    from oddgan.detectors.ensemble import Ensemble
    from oddgan.detectors.fanogan import FAnoGAN
    from oddgan.detectors.ganomaly import GANomaly
    from oddgan.detectors.gmm import GMM
    from oddgan.detectors.gpnd import GPND
    from oddgan.detectors.iforest import IForest
    from oddgan.detectors.joint_encoder_gan import JointEncoderGAN
    from oddgan.detectors.kde import KDE
    from oddgan.detectors.knn import KNN
    from oddgan.detectors.lad import LAD
    from oddgan.detectors.lsa import LSA
    from oddgan.detectors.mean_distance import MeanDistance
    from oddgan.detectors.nae import NAE
    from oddgan.detectors.ocgan import OCGAN
    from oddgan.detectors.ocsvm import OCSVM
    from oddgan.detectors.pca import PCA
    from oddgan.detectors.vae import VAE
    from oddgan.detectors.waic import WAIC

__all__ = [
    "AAE",
    "ADGAN",
    "ALAD",
    "ALOCC",
    "ARAE",
    "EGBAD",
    "GMM",
    "GPND",
    "KDE",
    "KNN",
    "LAD",
    "LSA",
    "NAE",
    "OCGAN",
    "OCSVM",
    "PCA",
    "VAE",
    "WAIC",
    "AnoGAN",
    "AutoEncoder",
    "BeatGAN",
    "BetaVAEGAN",
    "ConstrainedAAE",
    "DeepSVDD",
    "Ensemble",
    "FAnoGAN",
    "GANomaly",
    "IForest",
    "JointEncoderGAN",
    "MeanDistance",
    "load",
]

# A class is in the file that has its name in lower case, with underscores between words or without.
_FILES = {module.name.replace("_", ""): module.name for module in iter_modules(__path__)}
_OWN = {name: f"{__name__}.{_FILES[name.lower()]}" for name in __all__ if name != "load"}
_CLASSES: Mapping[str, "type[Detector]"] = LazyClasses(_OWN)


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _CLASSES[name]


@cache
def _registered() -> Readable:
    return readable("oddgan.detectors", "detector", taken=dict.fromkeys(_OWN, "oddgan"))


def classes() -> Mapping[str, "type[Detector]"]:
    """The detectors by class name, with those that installed packages register; imported when they are looked up."""
    return _all()


class _Detectors(LazyClasses["Detector"]):
    """Detectors by class name; those that packages register are checked when they are looked up."""

    def __getitem__(self, name: str) -> "type[Detector]":
        cls = super().__getitem__(name)
        if name not in _OWN and not (isinstance(cls, type) and issubclass(cls, import_module("oddgan.base").Detector)):
            raise InputError(f"{name} of {cls.__module__} is registered, but is no detector: build it on a family.")
        if missing := sorted(getattr(cls, "__abstractmethods__", ())):
            raise InputError(f"{name} of {cls.__module__} lacks {', '.join(missing)}, which a detector must have.")
        return cls


def _all() -> Mapping[str, "type[Detector]"]:
    return _Detectors(_OWN | {name: one.module for name, one in _registered().classes.items()})


def left_out() -> Sequence[str]:
    """Why detectors that installed packages register are not listed, a sentence each."""
    return _registered().left_out


def cards() -> dict[str, Card]:
    """The cards of the detectors by class name, read from their files without importing them."""
    own = {name: read_card(Path(__path__[0]) / f"{_FILES[name.lower()]}.py", name) for name in _CLASSES}
    return own | _registered().cards


def method_rows() -> list[dict[str, Any]]:
    """One entry a method: its name, paper, year, kinds of data and needs, oldest first."""
    oldest = sorted(cards().items(), key=lambda item: (item[1].year, item[0]))
    return [card.row() | {"class": name, "gan": card.gan} for name, card in oldest]


def methods() -> dict[str, "type[Detector]"]:
    """The detectors by class name, without those that are made of other detectors, or can't be used."""
    joint, known, found = import_module("oddgan.families").EnsembleDetector, classes(), dict[str, "type[Detector]"]()
    for name in known:
        with suppress(InputError):  # a stranger's: it says so where it is asked for
            found[name] = known[name]
    return {name: cls for name, cls in found.items() if not issubclass(cls, joint)}


def load(
    path: str | Path,
    *,
    classes: Sequence[type] = (),
    device: str | None = None,
    trust_changes: bool = False,
    generator: object = None,
) -> "Detector":
    """Read a model that `save` or `oddgan fit` wrote.

    Parameters
    ----------
    path : the model's folder.
    classes : classes that the model may hold besides oddgan's own and those that installed packages register: your
        own detectors, also as members of an ensemble, and your own parts, which are frozen dataclasses. Parts that a
        detector's module defines or imports are known with it.
    device : where to compute from now on, e.g. "cpu"; None is torch's default device.
    trust_changes : whether its files may have changed since they were saved, by your own hand; what they hold is
        checked all the same.
    generator : the module that an ADGAN was made around by `with_generator`, built as it was then; its weights are
        replaced by the stored ones. None for all other models.

    Raises
    ------
    InputError
        If this machine has no such device, or one of `classes` is neither a detector nor a part, or has a name that
        another one has.
    ModelError
        If the folder is no model, is damaged, has changed, is newer, or of an unknown class.
    """
    loading = import_module("oddgan.base.load")
    known = import_module("oddgan.storage").known_classes(_all(), classes)
    how = {"device": device, "trust_changes": trust_changes, "generator": generator}
    found: Detector = read_steadily(Path(path), lambda folder: loading.load(folder, known, **how))
    return found
