"""Where a detector's scoring time goes: stages that exclude each other, and each network's passes."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from oddgan.base import Detector
from oddgan.families.modules import Networks

# The methods of detectors that are stages of their own, with what they do.
STAGES = {
    "_rows": "checking the rows",
    "_prepare": "scaling",
    "_invert": "search, apart from networks",
    "_components": "components, apart from networks",
}


@dataclass(frozen=True)
class Passes:
    """Passes through a network.

    Parameters
    ----------
    network : its name.
    dtype : what it computes in.
    gradient : whether from its output back to its input.
    """

    network: str
    dtype: torch.dtype
    gradient: bool = False

    def __str__(self) -> str:
        half = ", bf16" if self.dtype == torch.bfloat16 else ""
        return f"{self.network}{half}: {'gradient' if self.gradient else 'forward'}"


@dataclass
class Stage:
    """What one stage took.

    Parameters
    ----------
    seconds : on the clock, without the stages inside.
    calls : how often.
    rows : rows that a network saw.
    shapes : of a network's inputs, without the rows.
    """

    seconds: float = 0.0
    calls: int = 0
    rows: int = 0
    shapes: tuple[tuple[int, ...], ...] = ()


class Stopwatch:
    """Seconds by stage. A stage that starts inside another interrupts it."""

    def __init__(self) -> None:
        self.stages: dict[str | Passes, Stage] = defaultdict(Stage)
        self._running: list[str | Passes] = []
        self._since = time.perf_counter()

    @property
    def seconds(self) -> float:
        """All that was measured."""
        return sum(stage.seconds for stage in self.stages.values())

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._running:
            self.stages[self._running[-1]].seconds += now - self._since
        self._since = now

    def start(self, name: str | Passes, inputs: tuple[Tensor, ...] = ()) -> None:
        """Begin a stage."""
        self._turn()
        self._running.append(name)
        stage = self.stages[name]
        stage.calls += 1
        if inputs:
            stage.rows += len(inputs[0])
            stage.shapes = tuple(tuple(x.shape[1:]) for x in inputs)

    def stop(self, name: str | Passes) -> None:
        """End a stage; one that began inside it may go on, as gradients of two networks meet in one tensor."""
        self._turn()
        del self._running[len(self._running) - 1 - self._running[::-1].index(name)]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a block."""
        self.start(name)
        try:
            yield
        finally:
            self.stop(name)


@contextmanager
def watched(detector: Detector, watch: Stopwatch) -> Iterator[None]:
    """Let the stages of a detector report to the stopwatch: its methods, and the networks or members that score."""
    with ExitStack() as stack:

        def time_of(owner: Detector, method: str, name: str) -> None:
            setattr(owner, method, _timed(getattr(owner, method), watch, name))
            stack.callback(delattr, owner, method)

        for method, name in STAGES.items():
            if hasattr(detector, method):
                time_of(detector, method, name)
        for name, member in getattr(detector, "named_members_", {}).items():
            time_of(member, "_found", f"member {name}")
        networks = getattr(detector, "networks_", None)
        if isinstance(networks, Networks):
            for (name, dtype), network in networks.copies().items():
                for handle in _follow(network, Passes(name, dtype), watch):
                    stack.callback(handle.remove)
        yield


def _timed(function: Callable[..., Any], watch: Stopwatch, name: str) -> Callable[..., Any]:
    @wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with watch.stage(name):
            return function(*args, **kwargs)

    return timed


def _follow(network: nn.Module, passes: Passes, watch: Stopwatch) -> list[RemovableHandle]:
    """Report a network's passes forward, and back to its input."""

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        watch.start(passes, inputs)

    def after(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        watch.stop(passes)
        results = [y for y in (output if isinstance(output, tuple) else (output,)) if y.requires_grad]
        if inputs[0].requires_grad and results:
            _follow_back(inputs, results, replace(passes, gradient=True), watch)

    return [network.register_forward_pre_hook(before), network.register_forward_hook(after)]


def _follow_back(inputs: tuple[Tensor, ...], results: list[Tensor], passes: Passes, watch: Stopwatch) -> None:
    """Report the time from the first gradient of a result to that of the input."""
    running = [False]

    def first(_: Tensor) -> None:
        if not running[0]:
            running[0] = True
            watch.start(passes, inputs)

    def last(_: Tensor) -> None:
        if running[0]:
            running[0] = False
            watch.stop(passes)

    hooks: list[tuple[Any, Callable[[Tensor], None]]] = [(result, first) for result in results]
    for tensor, hook in [*hooks, (inputs[0], last)]:
        tensor.register_hook(hook)
