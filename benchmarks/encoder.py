"""Scoring by an encoder: f-AnoGAN's encoder, generator and critic, by PyTorch as it is, by ours, and exported.

One row takes E(x), G(E(x)) and the critic's features of both: the networks of DCGAN-32 with a latent space of 64 and
layer norm in the critic. Their weights are as they start, which the time does not depend on. Variants take turns over
five rounds; times are medians of processor seconds on one thread. ONNX Runtime and OpenVINO are measured where they are
installed (`pip install onnx onnxscript onnxruntime openvino`). The floor is the time that the networks' operations take
at the speed of a large matrix product or convolution, whichever is the faster here.
"""

import copy
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from harness import Bench, Setup, cpu_rounds
from oddgan.networks import ConvLadder, prepare
from oddgan.tasks.profile import Peak, measure_machine

Score = Callable[[Tensor], Tensor]
SHAPE, LATENT, BATCHES, ROUNDS, CALLS = (1, 32, 32), 64, (1, 64, 512), 5, 32
THREADS = int(os.environ.get("ODDGAN_BENCH_THREADS", "1"))
EAGER, OURS = "PyTorch, autograd recording", "ours"


class Encoded(nn.Module):
    """f-AnoGAN's score (izi_f): the residual of samples and of the critic's features."""

    def __init__(self, encoder: nn.Module, generator: nn.Module, critic: nn.Module) -> None:
        super().__init__()
        self.encoder, self.generator, self.critic = encoder, generator, critic

    def forward(self, x: Tensor) -> Tensor:
        """Score samples (n, ...): (n,)."""
        y = self.generator(self.encoder(x))
        features, drawn = self.critic(x).features, self.critic(y).features
        return _error(x, y) + _error(features, drawn)


def _error(a: Tensor, b: Tensor) -> Tensor:
    return (a.float() - b.float()).square().flatten(1).mean(dim=1)


def networks() -> Encoded:
    """The three networks, with the statistics of some batches."""
    torch.manual_seed(0)
    net = ConvLadder(critic_norm="layer")
    made = Encoded(
        net.encoder(SHAPE, LATENT, output="tanh"), net.decoder(LATENT, SHAPE, output="tanh"), net.critic(SHAPE)
    )
    with torch.no_grad():
        for _ in range(10):
            made(torch.randn(64, *SHAPE))
    return made.eval()


def without_gradients(module: nn.Module, dtype: torch.dtype = torch.float32) -> Score:
    """Run a module in inference mode."""

    def score(x: Tensor) -> Tensor:
        with torch.inference_mode():
            found: Tensor = module(x.to(dtype))
            return found

    return score


def variants(made: Encoded) -> dict[str, tuple[str, Score]]:
    """By name: the precision, and what scores."""
    last = copy.deepcopy(made).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    half = copy.deepcopy(last).bfloat16()
    parts = (made.encoder, made.generator, made.critic)
    ready = Encoded(*(prepare(part) for part in parts))
    rough = Encoded(*(prepare(part, dtype=torch.bfloat16) for part in parts))
    return {
        EAGER: ("fp32", made),
        "PyTorch, inference mode": ("fp32", without_gradients(made)),
        "PyTorch, inference mode, channels last": ("fp32", without_gradients(last)),
        "PyTorch, inference mode, channels last, bf16": ("bf16", without_gradients(half, torch.bfloat16)),
        OURS: ("fp32", without_gradients(ready)),
        f"{OURS}, bf16": ("bf16", without_gradients(rough)),
    }


def compiled(made: Encoded) -> dict[str, tuple[str, Score]]:
    """`torch.compile`, which takes minutes to start."""
    last = copy.deepcopy(made).requires_grad_(requires_grad=False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    half = copy.deepcopy(last).bfloat16()

    def score(module: nn.Module, dtype: torch.dtype) -> Score:
        run = torch.compile(module, options={"freezing": True})

        def scored(x: Tensor) -> Tensor:
            with torch.no_grad():
                found: Tensor = run(x.to(dtype))
                return found

        return scored

    return {
        "torch.compile, channels last": ("fp32", score(last, torch.float32)),
        "torch.compile, channels last, bf16": ("bf16", score(half, torch.bfloat16)),
    }


def exported(made: Encoded) -> dict[str, tuple[str, Score]]:
    """Runtimes beside PyTorch, those that are installed; the others are named."""
    lacking = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if lacking:
        print(f"Not measured: ONNX Runtime and OpenVINO, because {' and '.join(lacking)} (for the export) are missing.")
        return {}
    batch: dict[str, Any] = {"x": {0: torch.export.Dim("n")}}
    file, x = BytesIO(), torch.randn(2, *SHAPE)
    program: Any = torch.onnx.export(made, (x,), input_names=["x"], output_names=["s"], dynamic_shapes=batch)
    program.save(file)
    found: dict[str, tuple[str, Score]] = {}
    for name, load in (("onnxruntime", _onnxruntime), ("openvino", _openvino)):
        if find_spec(name) is None:
            print(f"Not measured: {name}, which is not installed.")
        else:
            found |= load(file.getvalue())
    return found


def _onnxruntime(model: bytes) -> dict[str, tuple[str, Score]]:
    ort: Any = import_module("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return {"ONNX Runtime": ("fp32", lambda x: torch.from_numpy(session.run(None, {"x": x.numpy()})[0]))}


def _openvino(model: bytes) -> dict[str, tuple[str, Score]]:
    core: Any = import_module("openvino").Core()
    read = core.read_model(model)

    def score(precision: str) -> Score:
        settings = {"INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        request = core.compile_model(read, "CPU", settings).create_infer_request()
        return lambda x: torch.from_numpy(request.infer({"x": x.numpy()})["s"].copy())

    return {"OpenVINO": ("fp32", score("f32")), "OpenVINO, bf16": ("bf16", score("bf16"))}


def flops(made: Encoded) -> int:
    """Multiplications and additions for one row."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        made(torch.randn(1, *SHAPE))
    return int(counter.get_total_flops())


def measure(bench: Bench, made: Encoded, scores: dict[str, tuple[str, Score]], batch: int, peak: Peak) -> None:
    """All variants on one batch size."""
    x = torch.randn(batch, *SHAPE, generator=torch.Generator().manual_seed(1))
    expected = made(x).detach()
    differences = {name: (score(x).detach() - expected).abs().max().item() for name, (_, score) in scores.items()}
    calls = max(1, CALLS // batch)

    def repeated(score: Score) -> Callable[[], object]:
        return lambda: [score(x) for _ in range(calls)]

    taken = cpu_rounds({name: repeated(score) for name, (_, score) in scores.items()}, ROUNDS)
    ms = {name: np.array(t) * 1e3 / calls / batch for name, t in taken.items()}
    own = [name for name in scores if "PyTorch" in name or "torch.compile" in name]
    for name, (precision, _) in scores.items():
        setup = Setup(
            case=f"batch {batch}", method=name, data="random", protocol=f"{THREADS} thread(s), {precision}",
            settings={"rounds": ROUNDS, "calls": calls}, n_test=batch, cpu_s=float(np.sum(taken[name])),
        )  # fmt: skip
        value, ratio = float(np.median(ms[name])), float(np.median(ms[EAGER] / ms[name]))
        floor = flops(made) / getattr(peak, precision) * 1e3
        bench.add(
            setup.record("time of a row", value, "ms", baseline=value * ratio),
            setup.record("time over the floor", value / floor, "times"),
            setup.record("score difference, largest", differences[name], "score"),
        )
        if name.startswith(OURS):
            best = min((n for n in own if scores[n][0] == precision), key=lambda n: float(np.median(ms[n])))
            times = float(np.median(ms[name] / ms[best]))
            beside = replace(setup, settings={**setup.settings, "PyTorch's best": best})
            bench.add(beside.record("time over PyTorch's best", times, "times"))


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("encoder", __doc__)
    torch.set_num_threads(THREADS)
    warnings.filterwarnings("ignore")  # of the exporters
    made = networks()
    wanted = [batch for batch in ((1, 8) if bench.quick else BATCHES) if bench.wanted(f"batch {batch}", OURS)]
    if wanted:
        scores = variants(made) | exported(made) | ({} if bench.quick else compiled(made))
        peak = measure_machine()
        for batch in wanted:
            measure(bench, made, scores, batch, peak)
    bench.finish()


if __name__ == "__main__":
    main()
