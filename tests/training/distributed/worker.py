"""One worker of the tests of training with several: it trains what it is told to and notes how that ended."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from torch import distributed as dist

sys.path.insert(0, str(Path(__file__).parents[2]))
from oddgan import MeanDistance
from oddgan.training import is_first, workers
from training import fits


def said(function):
    """The error that a function ends with."""
    try:
        function()
    except (ValueError, RuntimeError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def main(folder: Path, names: list[str], refused: list[str]) -> None:
    told = {}
    with workers(timeout=60), warnings.catch_warnings(record=True) as notices:
        warnings.simplefilter("always")
        made = fits.detectors()
        weights = {name: fits.trained(*made[name]) for name in names}
        weights["resumed"] = fits.kept(folder / "begun", resume=True)
        told["notices"] = sum("training steps" in str(notice.message) for notice in notices)
        for name in refused:
            detector, x, callbacks = fits.refused()[name]
            told[name] = said(lambda d=detector, x=x, c=callbacks: d.fit(x, callbacks=c))
        told["ended"] = said(lambda: fits.kept(folder / "ended", callbacks=[fits.Failing()]))
        fitted = MeanDistance().fit(fits.rows(4))  # without networks there is nothing to share
        told["saved"] = fitted.save(folder / "model").exists() or not is_first()
        for name, tensors in weights.items():
            np.savez(folder / f"{name}-{dist.get_rank()}.npz", **tensors)
        (folder / f"{dist.get_rank()}.json").write_text(json.dumps(told))


main(Path(sys.argv[1]), *(names.split(",") for names in sys.argv[2:]))
