"""CIFAR-10 (JPEG copies), one class normal (plane, bird, deer), whole test split, three seeds: trained as on MNIST.

Networks and settings are those of `mnist.py`, with half its passes through the class for every method (10), and but for
Deep SVDD's networks, the paper's for 32 px in colours at half their width. The images are JPEG copies of quality 75, so
that the third decimal means nothing beside values on the original ones. Settings can be tried without test data on the
classes cat and ship (`--held-out`).
"""

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
from PIL import Image

from harness import Bench, Entry, data_path
from mnist import CLASSICAL, NETWORKS, TEN, Images, Published, run
from oddgan.networks import LeNet

CLASSES = {"plane": 0, "bird": 2, "deer": 4}
SVDD = {"backbone": LeNet(widths=(16, 32, 64), init="xavier"), "latent_dim": 64}


def halved(entry: Entry) -> Entry:
    """The entry with half as many passes in each of its phases."""
    passes = {name: max(1, n // 2) for name, n in entry.settings.items() if name.endswith("epochs")}
    return replace(entry, settings=entry.settings | passes | (SVDD if entry.name == "Deep SVDD" else {}))


ENTRIES = (*CLASSICAL, *map(halved, NETWORKS))
PUBLISHED = (
    Published(
        "OC-5000; Deecke et al., 2018, from memory",
        {
            "AnoGAN": (0.610, 0.648, 0.670),
            "autoencoder": (0.656, 0.381, 0.288),
            "VAE": (0.582, 0.485, 0.344),
            "KDE, PCA 40": (0.705, 0.734, 0.691),
            "OC-SVM, PCA 40": (0.653, 0.617, 0.715),
            "isolation forest, PCA 40": (0.630, 0.630, 0.764),
            "GMM by BIC, PCA 40": (0.709, 0.697, 0.761),
        },
    ),
    Published(
        "OC-std; Ruff et al., 2018, from memory", {"Deep SVDD": (0.617, 0.508, 0.609), "AnoGAN": (0.671, 0.529, 0.651)}
    ),
    Published("OC-std; Perera et al., 2019, as two later papers quote it", {"OCGAN": (0.757, 0.640, 0.723)}),
    Published("OC-std; the methods' papers, from memory", {"LSA": (0.641,), "Deep SVDD": (0.648,)}, TEN),
    Published("OC-std; as two later papers quote it", {"OCGAN": (0.657,)}, TEN),
    Published("pooled, 60/20/20; Zenati et al., 2018, from memory", {"ALAD": (0.607,)}, TEN),
)


def load(few: int | None = None) -> Images:
    """CIFAR-10, decoded: images (n, 3, 32, 32); the first few of each part, or all."""
    parts = {}
    with np.load(data_path("cifar10_jpeg.npz")) as file:
        for part in ("train", "test"):
            stream, ends = file[f"jpeg_{part}"].tobytes(), file[f"offset_{part}"][: None if few is None else few + 1]
            files = (stream[a:b] for a, b in pairwise(ends))
            decoded = np.stack([np.asarray(Image.open(io.BytesIO(f)).convert("RGB")) for f in files])
            parts[f"x_{part}"] = np.ascontiguousarray(decoded.transpose(0, 3, 1, 2))
            parts[f"y_{part}"] = file[f"y_{part}"][:few]
    return Images("CIFAR-10 (JPEG)", CLASSES, **parts)


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("cifar", __doc__ or "", held_out=True)
    run(bench, load(2000 if bench.quick else None), ENTRIES, PUBLISHED, {"cat": 3, "ship": 8})


if __name__ == "__main__":
    main()
