"""Checkpoints: atomic snapshots, with digests, from which a killed fit resumes."""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.files import new_file, writing
from oddgan._core.locks import remove, sweep
from oddgan._core.text import shown
from oddgan.training.callbacks import Callback
from oddgan.training.checkpoint_files import (
    digest,
    note_randomness,
    numpy_json,
    numpy_state,
    optimiser_tensors,
    randomness,
    read_json,
    read_snapshot,
    restore_optimiser,
    under,
    write_snapshot,
)
from oddgan.training.distributed.team import agree, is_first, many, of_first, same_draws
from oddgan.training.ema import Ema
from oddgan.training.protocol import Phase
from oddgan.training.seeds import Randomness, device_of
from oddgan.training.state import EpochRecord, State

FORMAT = 2
_BEGUN = "begun.json"
_FLUSH = (
    1.0  # seconds between checkpoints that wait for the disk: with one a step, the disk would take most of the time
)


class Checkpoints(Callback):
    """Save checkpoints, from which a killed fit resumes with the same result, bit for bit on a CPU.

    A checkpoint holds the networks, the optimisers' memories, moving averages, the generators of random numbers, and
    the position in the pass over the data; it is written under another name and renamed, as safetensors and JSON. A
    digest over all of it, its name and the training that it belongs to is checked when it is read: a damaged, edited or
    exchanged checkpoint is refused. One process at a time writes the folder. The end of each phase is kept as well, so
    that what a method does between phases is done again from what it saw. Several workers hold the same: the first
    reads and writes, and training may go on with more or fewer of them.

    Give it to `fit` among the callbacks. A fit that was killed resumes if the same detector is fitted to the same rows
    with `resume=True`; without checkpoints that starts from the beginning.

    Parameters
    ----------
    folder : where the checkpoints are; made when the first is written.
    steps : write one after this many steps, >= 1; None goes by the clock.
    seconds : without `steps`, write one after this many seconds, >= 0.
    keep : how many of a phase are kept, >= 1; the oldest goes first.
    resume : resume from the folder; without it a folder with checkpoints is refused.
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
        self._written, self._flushed = time.monotonic(), 0.0
        self._training = self._place = ""  # the digest of the training, and where this folder is in the whole

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
        """Record what is trained; on resuming, check that it is the same, and restore the generator's state.

        Parameters
        ----------
        identity : what must be equal for the result to be equal, by name, as text.
        rng : what the training takes its seeds from.

        Raises
        ------
        InputError
            If there are checkpoints without `resume`, or they are of another training.
        """
        sweep(self.folder, deep=True)
        path = self.folder / _BEGUN
        if not path.exists() and self.folder.is_dir() and any(self.folder.iterdir()):
            raise InputError(f"{self.folder} holds files but no {_BEGUN}: remove it to start anew, or name another.")
        if path.exists() and not self.resume:
            raise InputError(
                f"{self.folder} holds checkpoints of a training that has begun: go on with it (--resume, resume=True), "
                "or remove the folder."
            )
        if not path.exists():
            generator = numpy_json(tuple(rng.get_state()))
            begun: dict[str, Any] = {"format": FORMAT, "identity": dict(identity), "generator": generator}
            begun["digest"] = self._training = digest(begun)
            with new_file(path, force=True) as temporary:
                temporary.write_text(json.dumps(begun, indent=1) + "\n", encoding="utf-8")
            return
        head = read_json(path)
        if head.get("format") != FORMAT:
            raise InputError(f"{self.folder} was written by another version of oddgan: remove it to start anew.")
        self._training = str(head.pop("digest", ""))
        if self._training != digest(head):
            raise InputError(f"{path} is damaged: remove its folder to start anew.")
        different = sorted(k for k in identity if head["identity"].get(k) != identity[k])
        if different:
            raise InputError(
                f"{self.folder} is of a training with other {' and '.join(different)}: give those that it was begun "
                "with, or remove the folder to start anew."
            )
        rng.set_state(numpy_state(head["generator"]))

    def part(self, name: str) -> "Checkpoints":
        """Checkpoints of a member of what is trained, in a subfolder."""
        found = Checkpoints(
            self.folder / name, steps=self.steps, seconds=self.seconds, keep=self.keep, resume=self.resume
        )
        found._training, found._place = self._training, f"{self._place}{name}/"
        return found

    def remove(self) -> None:
        """Remove the folder, once the result is safe; a folder of other files stays.

        Raises
        ------
        InputError
            If another process is training with it.
        """
        if not self.folder.is_dir():
            return
        with writing(self.folder, force=True) as lock:
            if (self.folder / _BEGUN).is_file():
                remove(
                    self.folder.rename(lock.temporary(".part"))
                )  # renamed first, so that a kill leaves no half of it

    # -- while training
    def finished(self, index: int, networks: nn.ModuleDict, phase: Phase) -> list[EpochRecord] | None:
        """If this phase is over, restore networks and generators as it left them, and return its records.

        So is an average that goes on in the next phase.
        """
        folder = self.folder / f"phase-{index}"
        found = of_first(lambda: read_snapshot(folder, self._key(folder)) if folder.is_dir() else None)
        if found is None:
            return None
        head, tensors = found
        networks.load_state_dict(under(tensors, "networks."))
        if isinstance(phase.ema, Ema):
            phase.ema.load(under(tensors, "ema."), head["ema_steps"])
        randomness(head, tensors, "now").put(device_of(networks))
        return [EpochRecord(**record) for record in head["records"]]

    def restore(self, state: State) -> None:
        """Restore a phase from its last checkpoint, if there is one."""
        folders = self._steps(state.index)
        found = of_first(lambda: read_snapshot(folders[-1], self._key(folders[-1])) if folders else None)
        if found is None:
            return
        head, tensors = found
        state.networks.load_state_dict(under(tensors, "networks."))
        for player, optimiser in state.optimisers.items():
            restore_optimiser(optimiser, under(tensors, f"optimisers.{player}."))
        if state.ema is not None:
            state.ema.load(under(tensors, "ema."), head["ema_steps"])
        if state.selector is not None:
            state.selector.load(head["selector"], under(tensors, "selector."))
        if state.phase.memory is not None:
            state.phase.memory.load(under(tensors, "memory."))
        state.records = [EpochRecord(**record) for record in head["records"]]
        state.sums, state.counts = head["sums"], head["counts"]
        state.clock = state.clock_at(head["steps"], head["epoch"])
        state.order, state.drawn = (randomness(head, tensors, name) for name in ("order", "now"))

    def iteration_ended(self, state: State) -> None:
        """Write a checkpoint if it is time."""
        steps = state.clock.iteration + 1
        due = time.monotonic() - self._written >= self.seconds if self.steps is None else steps % self.steps == 0
        if due and state.phase.players and is_first():
            state.read_losses()
            kept, head = _under_way(state)
            self._write(state, self.folder / f"step-{state.index}-{steps:09d}", kept, head | {"steps": steps})
            for old in self._steps(state.index)[: -self.keep]:
                remove(old)
            self._written = time.monotonic()

    def phase_ended(self, state: State) -> None:
        """Keep the end of the phase; its checkpoints are no longer needed."""
        if state.phase.players and is_first():
            self._write(state, self.folder / f"phase-{state.index}", {}, {})
            for old in self._steps(state.index):
                remove(old)

    def _write(self, state: State, target: Path, more: Mapping[str, Tensor], noted: Mapping[str, Any]) -> None:
        """Write what both the end of a phase and a place within it need, and what is given beside it."""
        tensors = {f"networks.{k}": v for k, v in state.networks.state_dict().items()} | dict(more)
        head = {"records": [asdict(record) for record in state.records]} | dict(noted)
        note_randomness("now", Randomness.now(device_of(state.networks)), head, tensors)
        if state.ema is not None:
            tensors |= {f"ema.{i}": v for i, v in enumerate(state.ema.averages)}
            head["ema_steps"] = state.ema.steps
        durable = time.monotonic() - self._flushed >= _FLUSH
        write_snapshot(target, self._key(target), head, tensors, durable=durable)
        self._flushed = time.monotonic() if durable else self._flushed

    def _steps(self, index: int) -> list[Path]:
        """The checkpoints within a phase, oldest first."""
        return sorted(p for p in self.folder.glob(f"step-{index}-*") if re.fullmatch(r"step-\d+-\d{9,}", p.name))

    def _key(self, folder: Path) -> list[str]:
        """What a checkpoint belongs to: its training and its name."""
        return [self._training, f"{self._place}{folder.name}"]


def _under_way(state: State) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What resuming within a phase needs: optimisers, selection so far, and the position in the pass."""
    tensors: dict[str, Tensor] = {}
    head: dict[str, Any] = {"epoch": state.clock.epoch, "sums": state.sums, "counts": state.counts}
    note_randomness("order", state.order, head, tensors)
    for player, optimiser in state.optimisers.items():
        tensors |= {f"optimisers.{player}.{k}": v for k, v in optimiser_tensors(optimiser).items()}
    if state.phase.memory is not None:
        tensors |= {f"memory.{k}": v for k, v in state.phase.memory.dump().items()}
    if state.selector is not None:
        head["selector"], kept = state.selector.dump()
        tensors |= {f"selector.{k}": v for k, v in kept.items()}
    return tensors, head


@contextlib.contextmanager
def begin(
    callbacks: Sequence[Callback], rng: np.random.RandomState, identity: Callable[[], Mapping[str, str]]
) -> Iterator[Sequence[Callback]]:
    """Begin or resume a training in the block, alone or as one of several workers; give the callbacks that take part.

    Of several workers, only the first has callbacks other than checkpoints; it holds the lock of their folder.

    Parameters
    ----------
    callbacks : what the caller gave.
    rng : what the training takes its seeds from; put where the training began, and where the first worker's is.
    identity : tells what must be equal for the result to be equal; asked if that matters.
    """
    if not isinstance(callbacks, Sequence) or not all(isinstance(callback, Callback) for callback in callbacks):
        raise InputError(f"callbacks is {shown(callbacks)}, but must be a list of callbacks, such as [ProgressBar()].")
    checkpoints = Checkpoints.among(callbacks)
    with contextlib.ExitStack() as held:
        if checkpoints is not None or many():
            agree(known := identity())
            if checkpoints is not None and is_first():
                held.enter_context(writing(checkpoints.folder, force=True))
                checkpoints.begin(known, rng)
        same_draws(rng)
        yield callbacks if is_first() else Checkpoints.only(callbacks)
