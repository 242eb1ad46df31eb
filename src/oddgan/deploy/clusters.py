"""Distributed training on a cluster that runs already."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from sklearn.base import clone

from oddgan._core.errors import InputError, TrainingError
from oddgan._core.extras import load_extra
from oddgan.base import Detector
from oddgan.detectors import classes, load
from oddgan.training import Checkpoints

_EVERY = 10.0  # seconds between checkpoints
D = TypeVar("D", bound=Detector)


def fit_on_ray(
    detector: D,
    X: Any,
    folder: str | Path,
    *,
    num_workers: int = 2,
    resources_per_worker: Mapping[str, float] | None = None,
    max_failures: int = 3,
) -> D:
    """Fit a detector with several workers of Ray Train; return it as one process would have fitted it.

    Training keeps checkpoints in the folder. If a worker or its node is lost, Ray starts all workers again where there
    is room, and they resume from the last checkpoint; so does a second call with the same arguments.

    Parameters
    ----------
    detector : what to fit; it stays as it is. It needs an integer as `random_state`, so that training can resume.
    X : training rows, as for `fit`; they travel through Ray's object store.
    folder : for checkpoints, Ray's own records and the model, which ends in `folder/model`; all nodes must reach it
        under this name.
    num_workers : how many, >= 1, spread over the nodes; each takes a CPU, unless `resources_per_worker` says otherwise.
    resources_per_worker : what Ray reserves for each, e.g. {"CPU": 4} or {"GPU": 1}.
    max_failures : how often lost workers are made up for, >= 0.

    Raises
    ------
    InputError
        If an argument can't be used.
    MissingExtraError
        If Ray is not installed.
    TrainingError
        If the training ends with an error; it names the worker's.
    """
    if classes().get(type(detector).__name__) is not type(detector):
        raise InputError(f"{type(detector).__name__} can't be loaded from its files, as it is no detector of oddgan's.")
    if num_workers < 1 or max_failures < 0 or not isinstance(detector.random_state, int):
        raise InputError(
            "fit_on_ray takes num_workers of at least 1, max_failures of at least 0 and a detector with an integer as "
            f"random_state, but got {num_workers}, {max_failures} and {detector.random_state!r}."
        )
    ray = load_extra("ray", "ray")
    place = Path(folder).resolve()
    place.mkdir(parents=True, exist_ok=True)
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    job = {"detector": clone(detector), "rows": ray.put(X), "folder": str(place)}
    resources = dict(resources_per_worker or {"CPU": 1})
    try:
        _trainer(job, num_workers, resources, max_failures).fit()
    except Exception as error:
        raise TrainingError(f"Training on Ray has ended: {error}") from error
    return cast(D, load(place / "model"))


def _trainer(job: dict[str, Any], num_workers: int, resources: dict[str, float], max_failures: int) -> Any:
    train, torch_trainer = load_extra("ray.train", "ray"), load_extra("ray.train.torch", "ray")
    gpu = bool(resources.get("GPU"))
    return torch_trainer.TorchTrainer(
        _work,
        train_loop_config=job,
        torch_config=torch_trainer.TorchConfig(backend="cpu:gloo,cuda:nccl" if gpu else "gloo"),
        scaling_config=train.ScalingConfig(
            num_workers=num_workers,
            use_gpu=gpu,
            resources_per_worker=resources,
            placement_strategy="SPREAD",
        ),
        run_config=train.RunConfig(
            storage_path=job["folder"], name="ray", failure_config=train.FailureConfig(max_failures=max_failures)
        ),
    )


def _work(config: Mapping[str, Any]) -> None:
    """What each worker does: fit, in the process group that Ray Train has set up."""
    ray, folder = load_extra("ray", "ray"), Path(config["folder"])
    kept = Checkpoints(folder / "checkpoints", seconds=_EVERY, resume=True)
    fitted = config["detector"].fit(ray.get(config["rows"]), callbacks=[kept])
    fitted.save(folder / "model", force=True)
