"""The published methods, one short file each."""

from pathlib import Path

from oddgan._core.files import read_steadily
from oddgan.base import Detector, JointDetector, storage
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


def classes() -> dict[str, type[Detector]]:
    """The detectors by class name."""
    found = {name: globals()[name] for name in __all__}
    return {name: cls for name, cls in found.items() if isinstance(cls, type) and issubclass(cls, Detector)}


def methods() -> dict[str, type[Detector]]:
    """The detectors by class name, without those that are made of other detectors."""
    return {name: cls for name, cls in classes().items() if not issubclass(cls, JointDetector)}


def load(path: str | Path, *, device: str | None = None, trust_changes: bool = False) -> Detector:
    """Read a model that `save` or `oddgan fit` wrote.

    Parameters
    ----------
    path : the model's folder.
    device : where to compute from now on, e.g. "cpu"; None is torch's default device.
    trust_changes : whether its files may have changed since they were saved, by your own hand; what they hold is
        checked all the same.

    Raises
    ------
    InputError
        If this machine has no such device.
    ModelError
        If the folder is no model, is damaged, has changed, is newer, or of an unknown class.
    """
    return read_steadily(
        Path(path), lambda folder: storage.load(folder, classes(), device=device, trust_changes=trust_changes)
    )
