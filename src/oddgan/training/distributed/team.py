"""Worker processes that train one detector together, over `torch.distributed`."""

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist

from oddgan._core.errors import InputError, TrainingError
from oddgan.training.batches import Share

T = TypeVar("T")
TIMEOUT = 1800.0  # seconds after which a worker that waits for another gives up


class LostError(ConnectionError):
    """An exchange failed, as another worker has ended or does not answer."""


@dataclass
class Team:
    """The workers of one fit, with a process group of their own, which a worker that fails closes.

    Parameters
    ----------
    group : the process group; None once it is closed.
    share : which worker this is, and how many there are.
    """

    group: Any
    share: Share

    def cut(self) -> None:
        """Close the group: workers that wait on it, or will, get an error at once."""
        dist.destroy_process_group(self.group)
        self.group = None  # the connections close with the last reference

    def add(self, value: Tensor) -> Tensor:
        """Replace a contiguous tensor (...), in place, by the sum of all workers' tensors; the same bits everywhere."""
        try:
            dist.all_reduce(value, group=self.group)
        except RuntimeError as error:
            raise _lost(error) from error
        return value

    def hear(self, value: Any) -> list[Any]:
        """Every worker's value, in the order of the workers."""
        values: list[Any] = [None] * self.share[1]
        try:
            dist.all_gather_object(values, value, group=self.group)
        except RuntimeError as error:
            raise _lost(error) from error
        return values


def _lost(error: RuntimeError) -> LostError:
    """What an exchange that failed ends with; its frames let go of the group, whose line could not be cut otherwise."""
    traceback.clear_frames(error.__traceback__)
    return LostError(str(error))


_teams: list[Team] = []


def current() -> Team | None:
    """The team of the fit that is running; None for a fit of one process."""
    return _teams[-1] if _teams else None


def many() -> bool:
    """Whether this is one of several processes of a process group of `torch.distributed`."""
    return bool(dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)


def is_first() -> bool:
    """Whether this is the process that writes files and speaks: the only one, or the first of several."""
    return not many() or dist.get_rank() == 0


@contextlib.contextmanager
def workers(backend: str | None = None, timeout: float = TIMEOUT) -> Iterator[None]:
    """Make this process one of the workers that torchrun started, until the end of the block.

    Where a process group is up, or torchrun has not started the process, nothing happens: the same program runs alone.

    Parameters
    ----------
    backend : of `torch.distributed`; None takes gloo, and beside it NCCL where each worker has a GPU of its own, which
        becomes the process's "cuda" device.
    timeout : seconds after which a worker that waits for another gives up, > 0.
    """
    if not dist.is_available() or dist.is_initialized() or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    own = torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if own:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group(backend or ("cpu:gloo,cuda:nccl" if own else "gloo"), timeout=timedelta(seconds=timeout))
    try:
        yield
    finally:
        dist.destroy_process_group()


def same_draws(rng: np.random.RandomState) -> np.random.RandomState:
    """Give a generator the state of the first worker's, so that all draw the same; return it."""
    rng.set_state(of_first(rng.get_state))
    return rng


def of_first(function: Callable[[], T]) -> T:
    """What the function returns on the first worker; the others do not call it."""
    member = current()
    return function() if member is None else member.hear(function() if member.share[0] == 0 else None)[0]


def agree(known: object) -> None:
    """Stop if what this worker knows of a fit is not what the others know.

    Raises
    ------
    InputError
        If they have other rows or hyperparameters.
    """
    member = current()
    if member is None:
        return
    others = [i for i, theirs in enumerate(member.hear(known)) if theirs != known]
    if others:
        raise InputError(
            f"Worker {others[0]} got other training rows or hyperparameters than worker {member.share[0]}: "
            "give all workers the same, each takes its share of every batch."
        )


@contextlib.contextmanager
def team() -> Iterator[None]:
    """Fit as a team inside the block, where there are several processes; a worker that fails ends all of them.

    Raises
    ------
    TrainingError
        If another worker has failed: it says which, and why.
    """
    if not many() or _teams:
        yield
        return
    member = Team(dist.new_group(timeout=timedelta(seconds=TIMEOUT)), (dist.get_rank(), dist.get_world_size()))
    _teams.append(member)
    try:
        yield
        member.hear(None)  # whoever failed behind the last exchange is noticed here
    except BaseException as error:
        member.cut()
        _explain(error)
        raise
    else:
        member.cut()
    finally:
        _teams.pop()


def _explain(error: BaseException) -> None:
    """Tell the others why this worker ends; if it ends because of another, raise what that one says."""
    lost = isinstance(error, LostError)
    told: list[Any] = [None] * dist.get_world_size()
    try:
        dist.all_gather_object(told, None if lost else f"{type(error).__name__}: {error}")
    except RuntimeError as gone:
        if lost:
            raise TrainingError(f"Another worker has gone without a word, so this one ends, too: {error}.") from gone
    causes = [f"worker {i} ended with {text}" for i, text in enumerate(told) if text]
    if lost and causes:
        raise TrainingError(f"Training ends on all workers, as {causes[0]}") from None
