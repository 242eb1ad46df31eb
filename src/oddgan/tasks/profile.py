"""Profile scoring: where its time goes, and how far that is from what the machine could do."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.hooks import RemovableHandle

from oddgan._core.notices import collected
from oddgan.base import Detector
from oddgan.families import NeuralDetector
from oddgan.families.modules import Networks
from oddgan.options import ProfileSpec
from oddgan.tasks.models import open_model

REST = "padding, composition, copies"
_SIDE, _CHANNELS, _COPIED, _TRIES = 512, 128, 1 << 26, 10
_RUNS = 3  # the fastest is shown: the others were disturbed
# The methods of detectors that are stages of their own, with what they do.
STAGES = {
    "_rows": "checking the rows",
    "_prepare": "scaling",
    "_invert": "search, apart from networks",
    "_score": "components, apart from networks",
}


@dataclass(frozen=True)
class Peak:
    """What a machine can do, as measured with the threads that scoring uses.

    Parameters
    ----------
    fp32, bf16 : floating-point operations a second of a large matrix product or convolution, whichever is faster.
    bandwidth : bytes a second that a copy of 64 MB reads and writes.
    threads : threads within an operation.
    """

    fp32: float
    bf16: float
    bandwidth: float
    threads: int


@dataclass(frozen=True)
class Timed:
    """What one stage of scoring took.

    Parameters
    ----------
    name : the stage.
    seconds : on the clock, without the stages inside.
    calls : how often it ran.
    flops : floating-point operations, for networks; 0 elsewhere.
    floor : seconds that the machine's peak allows for these; 0 elsewhere.
    """

    name: str
    seconds: float
    calls: int
    flops: float = 0.0
    floor: float = 0.0


@dataclass(frozen=True)
class ProfileResult:
    """Where the time of scoring went.

    Parameters
    ----------
    method : the detector.
    rows : rows that were scored.
    reading : seconds to read the source, all of its rows.
    stages : the stages of scoring, the longest first; their seconds add up to all of it.
    machine : what the machine can do.
    notes : what the user should know.
    """

    method: str
    rows: int
    reading: float
    stages: tuple[Timed, ...]
    machine: Peak
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """All of the scoring."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def flops(self) -> float:
        """All floating-point operations of the networks."""
        return sum(stage.flops for stage in self.stages)

    @property
    def floor(self) -> float:
        """The seconds that the machine's peak allows for the networks' passes."""
        return sum(stage.floor for stage in self.stages)


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
        """Begin a stage; of a network with its inputs (n, ...)."""
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


def profile(spec: ProfileSpec) -> ProfileResult:
    """Score some rows of a source and say where the time goes: that of the fastest of three runs.

    The floor of a network's pass is the longer of two times: its multiplications and additions at the machine's
    peak, and one reading of its weights.

    Parameters
    ----------
    spec : what to do.

    Raises
    ------
    InputError
        If the data can't be used.
    ModelError
        If the model can't be loaded.
    """
    with collected() as notes:
        model = open_model(spec.model, spec.device, trust_changes=spec.trust_changes)
        started = time.perf_counter()
        data = model.read(spec.source, spec.options, labelled=False)
        reading = time.perf_counter() - started
        notes.add(data.notes)
        x, detector = data.x[: spec.rows], model.detector
        detector.anomaly_score(x[:1])  # so that copies and kernels are there
        watch = min((_watch(detector, x) for _ in range(_RUNS)), key=lambda run: run.seconds)
        machine = measure_machine()
        stages = [_with_floor(detector, name, stage, machine) for name, stage in watch.stages.items()]
    stages.sort(key=lambda stage: -stage.seconds)
    return ProfileResult(type(detector).card.name, len(x), reading, tuple(stages), machine, notes.told())


def _watch(detector: Detector, x: np.ndarray) -> Stopwatch:
    watch = Stopwatch()
    with watched(detector, watch), watch.stage(REST):
        detector.anomaly_score(x)
    return watch


def measure_machine() -> Peak:
    """Measure the machine: arithmetic in both precisions, and a copy; the best of ten tries of each."""
    copied = np.ones(_COPIED, dtype=np.uint8)
    target = np.empty_like(copied)
    return Peak(
        fp32=_speed(torch.float32),
        bf16=_speed(torch.bfloat16),
        bandwidth=2 * _COPIED / _best(lambda: np.copyto(target, copied)),
        threads=torch.get_num_threads(),
    )


def _speed(dtype: torch.dtype) -> float:
    """Operations a second of a product of square matrices, or of a convolution where that is the faster."""
    a, weight = torch.rand(_SIDE, _SIDE).to(dtype), torch.rand(_CHANNELS, _CHANNELS, 3, 3).to(dtype)
    x = torch.rand(16, _CHANNELS, 16, 16).to(dtype)
    x, weight = (value.contiguous(memory_format=torch.channels_last) for value in (x, weight))
    convolution = 2 * x[:, 0].numel() * weight.numel() / _best(lambda: functional.conv2d(x, weight, padding=1))
    return max(2 * _SIDE**3 / _best(lambda: a @ a), convolution)


def _best(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)


def _with_floor(detector: Detector, name: str | Passes, stage: Stage, machine: Peak) -> Timed:
    """Add to a network's stage what it had to compute."""
    if isinstance(name, str):
        return Timed(name, stage.seconds, stage.calls)
    network = cast(NeuralDetector, detector).networks_[name.network]
    speed = machine.bf16 if name.dtype == torch.bfloat16 else machine.fp32
    flops = float(stage.rows * count_flops(network, stage.shapes, gradient=name.gradient))
    weights = sum(p.numel() for p in network.parameters()) * name.dtype.itemsize
    floor = max(flops / speed, stage.calls * weights / machine.bandwidth)
    return Timed(str(name), stage.seconds, stage.calls, flops, floor)


def count_flops(network: nn.Module, shapes: Sequence[tuple[int, ...]], *, gradient: bool) -> int:
    """Floating-point operations of a network for one row: forward, or from its output to its first input.

    Parameters
    ----------
    network : as it was trained; what makes a copy of it faster does not count.
    shapes : of its inputs, without the rows.
    gradient : count the way back instead.
    """
    weight = next(network.parameters())
    x, *others = (torch.zeros(1, *shape, dtype=weight.dtype, device=weight.device) for shape in shapes)
    with FlopCounterMode(display=False) as counter:
        y = network(x.requires_grad_(gradient), *others)
        forward = counter.get_total_flops()
        if gradient:
            torch.autograd.backward([value.sum() for value in _tensors(y)])
    return int(counter.get_total_flops() - forward if gradient else forward)


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

    def after(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Any, ...]) -> None:
        watch.stop(passes)
        results = [y for y in _tensors(output) if y.requires_grad]
        if inputs[0].requires_grad and results:
            _follow_back(inputs, results, replace(passes, gradient=True), watch)

    return [network.register_forward_pre_hook(before), network.register_forward_hook(after)]


def _tensors(output: Tensor | tuple[Any, ...]) -> list[Tensor]:
    """The tensors (n, ...) of a network's output: one, or the parts of a judgement."""
    return [output] if isinstance(output, Tensor) else [y for y in output if isinstance(y, Tensor)]


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
