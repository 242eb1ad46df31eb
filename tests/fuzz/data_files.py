"""Damage data files of every kind that is read, and see what reading and scoring make of them.

    python tests/fuzz/data_files.py --count 500

Each mutation is read and scored in a process of its own with limits on memory and time, in which nothing may start a
program or open a connection. What comes of it is one of `refused` (an `InputError` of one line), `same` (the data as
they were, and their scores) or `other` (other data, as the file now says, with finite scores). All else is a fault.
"""

import argparse
import collections
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pyarrow as arrow
import wfdb
from mutations import mutate
from PIL import Image
from pyarrow import parquet

from oddgan import InputError
from oddgan.base import Notice
from oddgan.data import read
from oddgan.detectors import KNN

SECONDS, MEMORY = 10, 2**30
GOOD = ("refused", "same", "other")
FORBIDDEN = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "socket.connect", "os.fork", "pty.spawn"}
KINDS = ("npy", "npz", "npz compressed", "csv", "tsv", "parquet", "png", "jpg", "tif", "tif packed", "records")
CHECKED = ("npz", "npz compressed", "png")  # formats with checksums: what can be read is what was written


def make(kind: str, folder: Path) -> Path:
    """Write good data of a kind into an empty folder; return what to read."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(24, 3)).round(3)
    if kind == "npy":
        np.save(folder / "x.npy", x)
    elif kind in {"npz", "npz compressed"}:
        (np.savez if kind == "npz" else np.savez_compressed)(folder / "x.npz", x=x, y=np.zeros(24, np.int64))
    elif kind in {"csv", "tsv"}:
        between = "," if kind == "csv" else "\t"
        lines = [between.join(map(str, [*row, "ab"[i % 2]])) for i, row in enumerate(x.tolist())]
        (folder / f"x.{kind}").write_text("\n".join([between.join(["u", "v", "w", "text"]), *lines, ""]))
    elif kind == "parquet":
        _parquet(folder / "x.parquet", x)
    elif kind == "records":
        _records(folder, rng)
        return folder
    else:
        _images(folder, kind, rng)
        return folder
    return next(folder.iterdir())


def _parquet(path: Path, x: np.ndarray) -> None:
    texts = arrow.array(["a", "b"] * (len(x) // 2)).dictionary_encode()
    columns = {"u": x[:, 0], "v": x[:, 1], "text": texts}
    parquet.write_table(arrow.table(columns), path, row_group_size=16)


def _images(folder: Path, kind: str, rng: np.random.Generator) -> None:
    suffix, _, packed = kind.partition(" ")
    for i in range(4):
        pixels = (rng.random((12, 12, 3)) * 99 + 40).astype(np.uint8)
        options = {"compression": "tiff_adobe_deflate"} if packed else {}
        Image.fromarray(pixels).save(folder / f"{i}.{suffix}", **options)


def _records(folder: Path, rng: np.random.Generator) -> None:
    rate, at = 100, np.arange(50, 1900, 80)
    time = np.arange(2000)
    for name in "ab":
        one = sum(np.exp(-(((time - a) / 3.0) ** 2)) for a in at) + rng.normal(0, 0.01, len(time))
        options = {"units": ["mV"] * 2, "sig_name": ["I", "II"], "fmt": ["212"] * 2, "write_dir": str(folder)}
        signal = np.stack([one, -one], axis=1)
        wfdb.wrsamp(name, fs=rate, p_signal=signal, adc_gain=[200.0] * 2, baseline=[0] * 2, **options)
        wfdb.wrann(name, "atr", at, ["N"] * len(at), write_dir=str(folder))


class Kind:
    """A kind of data: where good files lie, a detector that knows them, and what they are read as."""

    def __init__(self, name: str, place: Path) -> None:
        self.name, self.place = name, place
        place.mkdir()
        self.source = make(name, place).relative_to(place)
        data = read(place / self.source)
        self.reading = data.reading
        self.detector = KNN(n_neighbors=2).fit(data.x)
        self.seen = self.look(place)

    def look(self, folder: Path) -> tuple[str, str, set[str]]:
        """Marks of the data, of their scores, and of each row."""
        data = read(folder / self.source, like=self.reading, default_split="train")
        scores = self.detector.anomaly_score(data.x)
        if scores.shape != (len(data),) or not np.isfinite(scores).all():
            raise AssertionError(f"{len(data)} rows have the scores {scores[:5]}")
        x = np.ascontiguousarray(data.x)
        rows = {_mark(row.tobytes()) for row in x}
        return _mark(x.tobytes() + str(x.shape).encode()), _mark(scores.tobytes()), rows


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def outcome(kind: Kind, folder: Path) -> dict[str, str]:
    """What reading and scoring give, in this process."""
    forbidden: list[str] = []
    sys.addaudithook(lambda event, _: forbidden.append(event) if event in FORBIDDEN else None)
    try:
        data, scores, rows = kind.look(folder)
    except InputError as error:
        text = str(error)
        clean = text.isprintable() and len(text) < 1500
        found = {"outcome": "refused" if clean else "not one line", "text": text[:900]}
    except Exception as error:  # noqa: BLE001 - whatever else is raised is a fault
        found = {"outcome": f"raw {type(error).__name__}", "text": str(error)[:900]}
    else:
        same = data == kind.seen[0]
        wrong = (same and scores != kind.seen[1]) or (kind.name in CHECKED and not rows <= kind.seen[2])
        found = {"outcome": "wrong" if wrong else "same" if same else "other", "text": ""}
    return {"outcome": f"forbidden {forbidden[0]}", "text": ""} if forbidden else found


def in_child(kind: Kind, folder: Path) -> dict[str, str]:
    """What reading and scoring give in a process of its own, with limits."""
    out, back = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 3 * MEMORY, used + 3 * MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        signal.alarm(6 * SECONDS)  # also of what waits without computing, on a machine that others use, too
        os.write(back, json.dumps(outcome(kind, folder)).encode()[:4096])
        os._exit(0)
    os.close(back)
    with os.fdopen(out, "rb") as stream:
        text = stream.read()
    _, status, used = os.wait4(pid, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return {"outcome": "hang" if number in {signal.SIGALRM, signal.SIGXCPU} else f"signal {number}", "text": ""}
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if (used.ru_maxrss - own) * 1024 > MEMORY:
        return {"outcome": "memory", "text": f"{(used.ru_maxrss - own) // 1024} MiB"}
    return dict(json.loads(text)) if text else {"outcome": "silent end", "text": ""}


def fuzz(count: int, seed: int, first: int = 0) -> list[dict[str, str]]:
    """Try so many mutations, of all kinds in turn."""
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        kinds = [Kind(name, place / name.replace(" ", "-")) for name in KINDS]
        for number in range(first, first + count):
            kind, rng = kinds[number % len(kinds)], np.random.default_rng([seed, number])
            folder = place / "now"
            shutil.copytree(kind.place, folder)
            what = mutate(folder, rng)
            started = time.monotonic()
            seen = in_child(kind, folder)
            found.append(seen | {"kind": kind.name, "what": what, "number": str(number)})
            found[-1]["seconds"] = f"{time.monotonic() - started:.2f}"
            shutil.rmtree(folder)
    return found


def main() -> int:
    """Print counts by kind and outcome, and every fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print every outcome")
    given = parser.parse_args()
    warnings.simplefilter("ignore", Notice)  # beats of a regular rhythm have constant channels
    found = fuzz(given.count, given.seed, given.first)
    table = collections.Counter((one["kind"], one["outcome"]) for one in found)
    lines = [f"{kind:16} {outcome:12} {n}" for (kind, outcome), n in sorted(table.items())]
    total = collections.Counter(one["outcome"] for one in found)
    lines += [f"{'all':16} {outcome:12} {n}" for outcome, n in sorted(total.items())]
    lines += [json.dumps(one) for one in found if given.show or one["outcome"] not in GOOD]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(one["outcome"] not in GOOD for one in found))


if __name__ == "__main__":
    sys.exit(main())
