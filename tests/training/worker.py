"""One worker of the tests of training with several: it trains everything in `fits` and notes how that ended."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from torch import distributed as dist

sys.path.insert(0, str(Path(__file__).parents[1]))
from oddgan.training import is_first, workers
from training import fits


def main(folder: Path) -> None:
    warnings.simplefilter("always")
    with workers(timeout=60), warnings.catch_warnings(record=True) as notices:
        weights = {name: fits.trained(*pair) for name, pair in fits.detectors().items()}
        told = {"notices": len(notices)}
        for name, (detector, x, callbacks) in fits.refused().items():
            try:
                detector.fit(x, callbacks=callbacks)
            except Exception as error:
                told[name] = f"{type(error).__name__}: {error}"
        fitted = fits.oddgan.MeanDistance().fit(fits.rows(4))  # with no networks there is nothing to share
        told["saved"] = fitted.save(folder / "model").exists() or not is_first()
        rank = dist.get_rank()
        for name, tensors in weights.items():
            np.savez(folder / f"{name}-{rank}.npz", **tensors)
        (folder / f"{rank}.json").write_text(json.dumps(told))


main(Path(sys.argv[1]))
