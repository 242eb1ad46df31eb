"""What fit and score hold in memory while the data grow ten times: npy files, folders of PNGs, parquet.

    python benchmarks/memory.py [--json] [--quick] [--fresh] [--only TEXT]

Each measurement is a process of its own that does what `oddgan fit` (one epoch) and `oddgan score --out` do, after a
warm-up on a few rows of the same kind. "anonymous" is the largest RssAnon of /proc/self/status, looked at every 2 ms,
less what it was after the warm-up: what the process must hold. "resident" is the same for VmHWM, which the kernel keeps
exactly; it also counts pages of mapped files, which the system can take back at any time. Scoring comes after the fit
in the same process, and may use again what that has freed.

`mapped` reads folders and parquet into a temporary file and maps npy files; "in memory" is the same without. The
detector is an autoencoder of one hidden layer of 16, so that next to nothing but data takes memory. By default up to
256 MiB of network input is made ready beforehand; not here, so that both sizes go the same way. "mapped, as it comes"
is the smaller size by default.

Data are drawn at random with a fixed seed, under the folder that TMPDIR names, and removed: 1.5 GB at most.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness import Bench, Setup, memory_bytes
from oddgan.data import Options, arrays
from oddgan.families import sources
from oddgan.tasks import FitSpec, ScoreSpec, fit, score

IMAGE, TILE, COLUMNS = (3, 32, 32), (32, 32, 3), 500
ROWS = {"npy": 8192, "png": 5120, "parquet": 5120}  # 100 MB, 16 MB and 20 MB
GROWTH = 10
SETTINGS = {"epochs": 1, "batch_size": 256, "slots": 256, "latent_dim": 4}
METHODS = {"npy": ("mapped", "mapped, as it comes", "in memory"), "png": ("mapped",), "parquet": ("mapped",)}
MB = 1e6


def write(kind: str, path: Path, n: int) -> None:
    """Write n rows of this kind."""
    rng = np.random.default_rng(0)
    if kind == "npy":
        x = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, *IMAGE))
        for start in range(0, n, 1024):
            x[start : start + 1024] = rng.random((min(1024, n - start), *IMAGE), dtype=np.float32)
    elif kind == "png":
        from PIL import Image  # noqa: PLC0415

        path.mkdir()
        for i in range(n):
            pixels = rng.integers(0, 255, TILE, dtype=np.uint8)
            Image.fromarray(pixels).save(path / f"{i}.png", compress_level=0)
    else:
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        schema = pa.schema([(f"c{i}", pa.float64()) for i in range(COLUMNS)])
        with parquet.ParquetWriter(path, schema, use_dictionary=False) as file:
            for start in range(0, n, 1024):
                columns = rng.random((COLUMNS, min(1024, n - start)))
                file.write_table(pa.table(list(columns), schema=schema))


def peaks(function: Callable[[], object]) -> dict[str, float]:
    """By how many MB the anonymous and the resident memory grow at most, and processor seconds."""
    before, most, over = {k: memory_bytes(k) for k in ("RssAnon", "VmRSS")}, [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.002):
            most[0] = max(most[0], memory_bytes("RssAnon"))

    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    watch = threading.Thread(target=look)
    watch.start()
    started = time.process_time()
    function()
    seconds = time.process_time() - started
    over.set()
    watch.join()
    return {
        "anonymous": max(0.0, most[0] - before["RssAnon"]) / MB,
        "resident": max(0.0, memory_bytes("VmHWM") - before["VmRSS"]) / MB,
        "seconds": seconds,
    }


def measure(kind: str, method: str, folder: str, n: str) -> None:
    """Print the peaks of a fit and a scoring of n rows; runs in a process of its own."""
    torch.set_num_threads(1)
    mapped, place = method != "in memory", Path(folder)
    if method != "mapped, as it comes":
        sources.STAGED = 0
    if not mapped:
        arrays.LARGE = sys.maxsize
    options = Options(mapped=mapped)
    settings: dict[str, Any] = SETTINGS | {"backbone": {"type": "FlatMLP", "hidden": [16]}}

    def fitted(rows: str) -> None:
        fit(
            FitSpec(
                method="AutoEncoder",
                source=str(place / f"{kind}-{rows}{suffix(kind)}"),
                options=options,
                settings=settings,
                out=place / f"model-{rows}",
                runs=place / "runs",
                force=True,
            )
        )

    def scored(rows: str) -> None:
        source, out = place / f"{kind}-{rows}{suffix(kind)}", place / f"scores-{rows}.csv"
        score(ScoreSpec(model=place / f"model-{rows}", source=str(source), options=options, out=out, force=True))

    fitted("warm")
    scored("warm")
    found = {"fit": peaks(lambda: fitted(n)), "score": peaks(lambda: scored(n))}
    print(json.dumps(found))


def suffix(kind: str) -> str:
    """The end of a source's name."""
    return "" if kind == "png" else f".{kind}"


def run(bench: Bench, case: str, method: str, source: Path, n: int) -> None:
    """Measure in a new process and keep the records."""
    kind = case.partition(",")[0]
    command = [sys.executable, __file__, "measure", kind, method, str(source.parent), str(n)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    found = json.loads(printed.splitlines()[-1])
    for step, peak in found.items():
        settings, protocol = SETTINGS | {"hidden": 16}, f"{step}, one process"
        setup = Setup(case, method, f"random {kind}", protocol, settings, None, n, peak["seconds"])
        bench.add(*(setup.record(f"{step}: peak of {name}", peak[name], "MB") for name in ("anonymous", "resident")))


def main() -> None:
    """Measure what is missing."""
    bench = Bench("memory", __doc__)
    for kind, least in ROWS.items():
        small, large = (least // 8, least // 4) if bench.quick else (least, GROWTH * least)
        for n in (small, large):
            case = f"{kind}, {n} rows"
            # What is larger than the limit comes as "mapped" anyway.
            methods = [m for m in METHODS[kind] if n == small or m != "mapped, as it comes"]
            wanted = [method for method in methods if bench.wanted(case, method)]
            if wanted:
                with tempfile.TemporaryDirectory(prefix="oddgan-memory-") as folder:
                    source = Path(folder) / f"{kind}-{n}{suffix(kind)}"
                    write(kind, source.with_name(f"{kind}-warm{suffix(kind)}"), 300)
                    write(kind, source, n)
                    for method in wanted:
                        run(bench, case, method, source, n)
    bench.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(*sys.argv[2:])
    else:
        main()
