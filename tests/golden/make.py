"""Write one small model of each detector and kind of data, and all that can be seen of it, as this version makes them.

`python tests/golden/make.py FOLDER` writes FOLDER/NAME-KIND.zip, each with the model's folder, the rows `X` and what
`contract.cases.observe` sees of them. The archives of an old format are never written again: they show that models of
that time still load and score the same.
"""

import io
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from contract.cases import CLASSES, KINDS, fitted, make, normals, observe
from oddgan.base import Detector
from oddgan.scores import SVM, Composition, Logistic, Mixture, OneClass, RankAverage

MOMENT = (2026, 11, 30, 0, 0, 0)  # archives of equal models are equal


def seen_of(detector: Detector, X: np.ndarray) -> dict[str, np.ndarray]:
    """What is compared: scores, components, maps, codes, the threshold."""
    return {k: v for k, v in observe(detector, X).items() if k != "losses"} | {"predict": detector.predict(X)}


def models() -> dict[str, Detector]:
    """One model by name of the archive: each detector and kind, and compositions that hold estimators."""
    found = {f"{name}-{kind}": fitted(CLASSES[name], kind) for name, kind in KINDS}
    learned: tuple[Composition, ...] = (SVM(), OneClass(), Mixture(), Logistic(), RankAverage())
    for composition in learned:
        rows, labels = normals("table", 40, seed=2), np.arange(40) % 2
        rows[labels == 1] += 2.0
        detector = make(CLASSES["GANomaly"], calibration=0.3).fit(normals("table", 40))
        found[f"composed{type(composition).__name__}-table"] = detector.compose(
            composition, *((rows, labels) if composition.needs_labels else ())
        )
    for name in ("KNN", "OCSVM", "KDE", "IForest"):
        projected = {} if name == "IForest" else {"pca": 2}
        found[f"projected{name}-table"] = make(CLASSES[name], **projected).fit(normals("table", 40).astype(np.float32))
    return found


def write(target: Path, detector: Detector, X: np.ndarray) -> None:
    """Put a model and what is seen of it into an archive."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        saved = detector.save(Path(folder) / "model")
        table = io.BytesIO()
        np.savez(table, X=X, **{k.replace(" ", "+"): v for k, v in seen_of(detector, X).items()})
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(saved.rglob("*")) if p.is_file()}
        for name, data in (files | {"seen.npz": table.getvalue()}).items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), data, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # as in tests: several threads round differently
    for stem, model in models().items():
        write(place / f"{stem}.zip", model, normals(stem.split("-")[1], 9, seed=1))
