"""Training that can be killed at any moment and gone on with: what it holds, in files that are whole or not there."""

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as dump
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.files import new_file, new_folder
from oddgan.training.callbacks import Callback, EpochRecord
from oddgan.training.ema import Ema
from oddgan.training.protocol import Clock, Phase
from oddgan.training.seeds import Randomness, device_of
from oddgan.training.team import agree, is_first, many, of_first, same_draws

if TYPE_CHECKING:
    from oddgan.training.loop import State

FORMAT = 1
_BEGUN, _STATE, _TENSORS = "begun.json", "state.json", "tensors.safetensors"


class Checkpoints(Callback):
    """Keep what training holds in a folder, so that it can be gone on with to the same end, bit for bit on a CPU.

    A checkpoint holds the networks, the optimisers' memories, moving averages, the generators of random numbers, and
    the position in the pass over the data; it is written under another name and renamed, as safetensors and JSON. The
    end of each phase is kept as well, so that what a method does between phases is done again from what it saw. Several
    workers hold the same: the first reads and writes, and training may go on with more or fewer of them.

    Give it to `fit` among the callbacks. A training that is killed goes on if the same detector is fitted to the same
    rows with `resume=True`; without checkpoints that starts from the beginning.

    Parameters
    ----------
    folder : where the checkpoints are; made when the first is written.
    steps : write one after this many steps, >= 1; None goes by the clock.
    seconds : without `steps`, write one after this many seconds, >= 0.
    keep : how many of a phase are kept, >= 1; the oldest goes first.
    resume : go on with what is in the folder; without it a folder with checkpoints is refused.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        steps: int | None = None,
        seconds: float = 60.0,
        keep: int = 3,
        resume: bool = False,
    ) -> None:
        if (steps is not None and steps < 1) or not seconds >= 0 or keep < 1:
            raise InputError(
                "Checkpoints takes steps of at least 1, or None, seconds of at least 0 and keep of at least 1, but got "
                f"{steps}, {seconds} and {keep}."
            )
        self.folder, self.steps, self.seconds, self.keep, self.resume = Path(folder), steps, seconds, keep, resume
        self._written = time.monotonic()

    @classmethod
    def among(cls, callbacks: Iterable[Callback]) -> Self | None:
        """The first of them, if any."""
        return next(iter(cls.only(callbacks)), None)

    @classmethod
    def only(cls, callbacks: Iterable[Callback]) -> list[Self]:
        """Those of them that are checkpoints."""
        return [c for c in callbacks if isinstance(c, cls)]

    # -- before training
    def begin(self, identity: Mapping[str, str], rng: np.random.RandomState) -> None:
        """Note what is trained; on resuming, check that it is the same, and put the generator where it was.

        Parameters
        ----------
        identity : what must be equal for the result to be equal, by name, as text.
        rng : what the training takes its seeds from.

        Raises
        ------
        InputError
            If there are checkpoints without `resume`, or they are of another training.
        """
        path = self.folder / _BEGUN
        if path.exists() and not self.resume:
            raise InputError(
                f"{self.folder} holds checkpoints of a training that has begun: go on with it (--resume, resume=True), "
                "or remove the folder."
            )
        if not path.exists():
            generator = _numpy_json(tuple(rng.get_state()))
            begun = {"format": FORMAT, "identity": dict(identity), "generator": generator}
            with new_file(path, force=True) as temporary:
                temporary.write_text(json.dumps(begun, indent=1) + "\n", encoding="utf-8")
            return
        head = _read_json(path)
        if head.get("format") != FORMAT:
            raise InputError(f"{self.folder} was written by another version of oddgan: remove it to start anew.")
        different = sorted(k for k in identity if head["identity"].get(k) != identity[k])
        if different:
            raise InputError(
                f"{self.folder} is of a training with other {' and '.join(different)}: give those that it was begun "
                "with, or remove the folder to start anew."
            )
        rng.set_state(_numpy_state(head["generator"]))
        for left in self.folder.rglob(".*.part"):
            shutil.rmtree(left, ignore_errors=True)

    def part(self, name: str) -> "Checkpoints":
        """Checkpoints of a part of what is trained, in a folder of their own; the whole has begun, or goes on."""
        return Checkpoints(
            self.folder / name, steps=self.steps, seconds=self.seconds, keep=self.keep, resume=self.resume
        )

    def remove(self) -> None:
        """Remove the folder, once the result is safe."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- while training
    def finished(self, index: int, networks: nn.ModuleDict, phase: Phase) -> list[EpochRecord] | None:
        """If this phase is over: put networks and generators where it left them, and return its records.

        So is an average that goes on in the next phase.
        """
        folder = self.folder / f"phase-{index}"
        found = of_first(lambda: _read(folder) if folder.is_dir() else None)
        if found is None:
            return None
        head, tensors = found
        networks.load_state_dict(_under(tensors, "networks."))
        if isinstance(phase.ema, Ema):
            phase.ema.load(_under(tensors, "ema."), head["ema_steps"])
        _randomness(head, tensors, "now").put(device_of(networks))
        return [EpochRecord(**record) for record in head["records"]]

    def restore(self, state: "State") -> None:
        """Put a phase where its last checkpoint left it, if there is one."""
        folders = sorted(self.folder.glob(f"step-{state.index}-*"))
        found = of_first(lambda: _read(folders[-1]) if folders else None)
        if found is None:
            return
        head, tensors = found
        state.networks.load_state_dict(_under(tensors, "networks."))
        for player, optimiser in state.optimisers.items():
            _restore_optimiser(optimiser, _under(tensors, f"optimisers.{player}."))
        if state.ema is not None:
            state.ema.load(_under(tensors, "ema."), head["ema_steps"])
        if state.selector is not None:
            state.selector.load(head["selector"], _under(tensors, "selector."))
        if state.phase.memory is not None:
            state.phase.memory.load(_under(tensors, "memory."))
        state.records = [EpochRecord(**record) for record in head["records"]]
        state.sums, state.counts = head["sums"], head["counts"]
        state.clock = Clock(head["steps"], head["epoch"], state.phase.epochs, state.batches)
        state.order, state.drawn = (_randomness(head, tensors, name) for name in ("order", "now"))

    def iteration_ended(self, state: "State") -> None:
        """Write a checkpoint if it is time."""
        steps = state.clock.iteration + 1
        due = time.monotonic() - self._written >= self.seconds if self.steps is None else steps % self.steps == 0
        if due and state.phase.players and is_first():
            state.look()
            kept, head = _under_way(state)
            self._write(state, self.folder / f"step-{state.index}-{steps:09d}", kept, head | {"steps": steps})
            for old in sorted(self.folder.glob(f"step-{state.index}-*"))[: -self.keep]:
                shutil.rmtree(old, ignore_errors=True)
            self._written = time.monotonic()

    def phase_ended(self, state: "State") -> None:
        """Keep the end of the phase; its checkpoints are no longer needed."""
        if state.phase.players and is_first():
            self._write(state, self.folder / f"phase-{state.index}", {}, {})
            for old in self.folder.glob(f"step-{state.index}-*"):
                shutil.rmtree(old, ignore_errors=True)

    def _write(self, state: "State", target: Path, more: Mapping[str, Tensor], noted: Mapping[str, Any]) -> None:
        """Write what both the end of a phase and a place within it need, and what is given beside it."""
        tensors = {f"networks.{k}": v for k, v in state.networks.state_dict().items()} | dict(more)
        head = {"records": [asdict(record) for record in state.records]} | dict(noted)
        _note_randomness("now", Randomness.now(device_of(state.networks)), head, tensors)
        if state.ema is not None:
            tensors |= {f"ema.{i}": v for i, v in enumerate(state.ema.averages)}
            head["ema_steps"] = state.ema.steps
        with new_folder(target, force=True) as folder:
            (folder / _STATE).write_text(json.dumps(head) + "\n", encoding="utf-8")
            (folder / _TENSORS).write_bytes(
                dump({k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()})
            )


def _under_way(state: "State") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What only going on within a phase needs: memories, the choice so far, and the place in the pass."""
    tensors: dict[str, Tensor] = {}
    head: dict[str, Any] = {"epoch": state.clock.epoch, "sums": state.sums, "counts": state.counts}
    _note_randomness("order", state.order, head, tensors)
    for player, optimiser in state.optimisers.items():
        tensors |= {f"optimisers.{player}.{k}": v for k, v in _optimiser_tensors(optimiser).items()}
    if state.phase.memory is not None:
        tensors |= {f"memory.{k}": v for k, v in state.phase.memory.dump().items()}
    if state.selector is not None:
        head["selector"], kept = state.selector.dump()
        tensors |= {f"selector.{k}": v for k, v in kept.items()}
    return tensors, head


def begin(
    callbacks: Sequence[Callback], rng: np.random.RandomState, identity: Callable[[], Mapping[str, str]]
) -> Sequence[Callback]:
    """Begin a training, or go on with one, alone or as one of several workers; return the callbacks that take part.

    Of several workers, only the first has callbacks other than checkpoints.

    Parameters
    ----------
    callbacks : what the caller gave.
    rng : what the training takes its seeds from; put where the training began, and where the first worker's is.
    identity : tells what must be equal for the result to be equal; asked if that matters.
    """
    checkpoints = Checkpoints.among(callbacks)
    if checkpoints is not None or many():
        agree(known := identity())
        if checkpoints is not None and is_first():
            checkpoints.begin(known, rng)
    same_draws(rng)
    return callbacks if is_first() else Checkpoints.only(callbacks)


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        return _read_json(folder / _STATE), load_file(folder / _TENSORS)
    except (SafetensorError, OSError) as error:
        raise InputError(f"The checkpoint {folder} is damaged: remove it, and training goes on from before.") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is damaged: remove its folder to start anew.") from error
    return found


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    memory = optimiser.state_dict()["state"]
    return {f"{i}.{k}": torch.as_tensor(v) for i, held in memory.items() for k, v in held.items() if v is not None}


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    memory: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        memory.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict({"state": memory, "param_groups": optimiser.state_dict()["param_groups"]})


def _note_randomness(name: str, found: Randomness, head: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    head[f"{name}_numpy"] = _numpy_json(found.numpy)
    tensors[f"random.{name}.torch"] = found.cpu
    if found.cuda is not None:
        tensors[f"random.{name}.cuda"] = found.cuda


def _randomness(head: Mapping[str, Any], tensors: Mapping[str, Tensor], name: str) -> Randomness:
    cuda = tensors.get(f"random.{name}.cuda")
    return Randomness(tensors[f"random.{name}.torch"], _numpy_state(head[f"{name}_numpy"]), cuda)


def _numpy_json(state: tuple[Any, ...]) -> list[Any]:
    kind, keys, *rest = state
    return [kind, np.asarray(keys).tolist(), *rest]


def _numpy_state(stored: list[Any]) -> tuple[Any, ...]:
    kind, keys, *rest = stored
    return (kind, np.array(keys, dtype=np.uint32), *rest)
