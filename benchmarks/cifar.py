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
from harness.one_class import Images, run
from mnist import CLASSICAL, NETWORKS
from oddgan.networks import LeNet

CLASSES = {"plane": 0, "bird": 2, "deer": 4}
SVDD = {"backbone": LeNet(widths=(16, 32, 64), init="xavier"), "latent_dim": 64}


def halved(entry: Entry) -> Entry:
    """The entry with half as many passes in each of its phases."""
    passes = {name: max(1, n // 2) for name, n in entry.settings.items() if name.endswith("epochs")}
    return replace(entry, settings=entry.settings | passes | (SVDD if entry.name == "Deep SVDD" else {}))


ENTRIES = (*CLASSICAL, *map(halved, NETWORKS))


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
    bench = Bench("cifar", __doc__, held_out=True)
    bench.publish()
    run(bench, load(2000 if bench.quick else None), ENTRIES, {"cat": 3, "ship": 8})


if __name__ == "__main__":
    main()
