"""Progressive growing to 64 px against the same networks at full size from the start, for the same processor time.

    python benchmarks/growing.py [--json] [--quick] [--fresh] [--only TEXT]

The detector is the joint-encoder GAN (Berg et al., 2019) on the magnetic tiles of `localisation.py`, divided as there:
80 % of the sound tiles train, the rest and all tiles with a defect are the test. Networks are `Progressive` with 8
channels at 64 px and at most 64; WGAN-GP with drift 0.001, Adam 1e-3, β = (0, 0.99), batches of 8. Growth goes through
4, 8, 16, 32 and 64 px, with fewer epochs where they cost more. The run without growth makes as many passes as take the
same time, by what a pass at each level takes on 32 tiles; the time that each took is among the records. About nine
CPU minutes each. One seed: differences of a few hundredths mean nothing.

AUROC is that of sound against defective tiles, by the score (the residual) and by other components alone. "patches" is
the sliced Wasserstein distance of Karras et al. (2018, section 5) between 7 x 7 patches of 192 samples and of the sound
test tiles, without the Laplacian pyramid: at 64 px, and at 16 px after averaging; lower is better, and the value of
training tiles in the samples' place is a floor that no generator should be expected to beat.

`results/growing.png` shows eight latent points, the same in all rows: at the end of each level of growth, then for the
run without growth; the last two rows are reconstructions of test tiles by the grown networks, and these tiles.
`results/growing.npz` holds its rows, so that either run can be repeated alone.
"""

import time
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from harness import FLOORS, Bench, Setup, clock
from localisation import PROTOCOL, Tiles, tiles
from oddgan import JointEncoderGAN
from oddgan.data import Split
from oddgan.evaluate import Record
from oddgan.networks import Progressive
from oddgan.networks.blocks.progressive import Timetable
from oddgan.objectives import WGANGP
from oddgan.training import Adam, Callback, EpochRecord, State

CASE = "magnetic tiles, 64 px"
GROWN, FULL = "grown", "full size from the start"
EPOCHS, SHARES, CODES, SHOWN = 38, (16.0, 8.0, 8.0, 8.0, 6.0), 64, 8
PARTS = ("latent", "latent_norm", "critic")
SETTINGS: dict[str, Any] = {
    "latent_dim": CODES,
    "objective": WGANGP(drift=0.001),
    "optimiser": Adam(lr=1e-3, betas=(0.0, 0.99)),
    "batch_size": 8,
}


Rows = dict[str, np.ndarray]


class Watch(Callback):
    """Draws the same latent points whenever a level is done, and notes the processor seconds of each pass."""

    def __init__(self) -> None:
        self.codes = torch.randn(SHOWN, CODES, generator=torch.Generator().manual_seed(0))
        self.drawn: list[np.ndarray] = []
        self.passes: list[float] = []
        self._now = 0.0

    def phase_started(self, state: State) -> None:
        """Look at the clock."""
        self._now = time.process_time()

    def epoch_ended(self, state: State, record: EpochRecord) -> None:
        """Note the time."""
        self.passes.append(time.process_time() - self._now)
        self._now = time.process_time()

    def phase_ended(self, state: State) -> None:
        """Draw, unless a level has only faded in."""
        if not state.phase.name.endswith("fading in"):
            with torch.no_grad():
                self.drawn.append(state.networks["generator"](self.codes)[:, 0].numpy())


def patches(x: Tensor, seed: int) -> Tensor:
    """Random 7 x 7 patches (k, 49) of images (n, 1, h, w), 64 of each, with the mean 0 and the variance 1."""
    found = nn.functional.unfold(x, 7).transpose(1, 2)
    places = torch.rand(found.shape[:2], generator=torch.Generator().manual_seed(seed)).argsort(1)[:, :64]
    rows = torch.stack([each[chosen] for each, chosen in zip(found, places, strict=True)]).flatten(0, 1)
    return (rows - rows.mean()) / rows.std()


def sliced(a: Tensor, b: Tensor) -> float:
    """Mean distance between sorted projections of as many points (k, d) of each kind, on 512 directions."""
    directions = nn.functional.normalize(
        torch.randn(a.shape[1], 512, generator=torch.Generator().manual_seed(0)), dim=0
    )
    return float(((a @ directions).sort(0).values - (b @ directions).sort(0).values).abs().mean())


def apart(drawn: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """The distance between patches of two sets of images (n, 1, 64, 64), of as many each, at two resolutions."""
    n = min(len(drawn), len(real))
    a, b = (torch.as_tensor(np.asarray(x[:n]), dtype=torch.float32) for x in (drawn, real))
    small = nn.functional.avg_pool2d
    pairs = {"64 px": (a, b), "16 px": (small(a, 4), small(b, 4))}
    return {size: sliced(patches(one, 1), patches(other, 2)) for size, (one, other) in pairs.items()}


def measure(name: str, epochs: int, train: np.ndarray, test: Tiles) -> tuple[list[Record], Rows]:
    """One training: its records, and rows of the picture."""
    settings = SETTINGS | {"epochs": epochs, "backbone": backbone(name)}
    detector, watch = JointEncoderGAN(**settings, random_state=0), Watch()
    with clock() as total:
        detector.fit(train, callbacks=[watch])
    setup = Setup(CASE, name, CASE, PROTOCOL, settings, 0, len(test.x), total.seconds)
    parts = detector.score_components(test.x, extra="all")
    records = [setup.record("AUROC", setup.quality(parts["residual"], test.y != 0)[0].value)]
    records += setup.alone({part: parts[part] for part in PARTS}, test.y != 0)
    sound = test.x[test.y == 0]
    distances = apart(detector.sample(192, random_state=0), sound)
    records += [setup.record(f"patches, {size}", value, "std") for size, value in distances.items()]
    records.append(setup.record("training", sum(watch.passes), "CPU s"))
    rows = {f"{name} {i}": row for i, row in enumerate(watch.drawn)}
    chosen = sound[:: max(1, len(sound) // SHOWN)][:SHOWN]
    if name == GROWN:
        rows |= {"reconstructed": detector.reconstruct(chosen)[:, 0] / 127.5 - 1, "tiles": chosen[:, 0] / 127.5 - 1}
    return records, rows


def backbone(name: str) -> Progressive:
    """The networks, growing or not."""
    return Progressive(width=8, max_width=64, shares=SHARES, grow=name == GROWN)


def passes(tiles_: np.ndarray, epochs: int) -> float:
    """How many passes at full size take the time of growth, measured on few tiles."""
    watch, few = Watch(), 9  # one epoch for each of the nine periods
    JointEncoderGAN(**SETTINGS, epochs=few, backbone=backbone(GROWN), random_state=0).fit(
        tiles_[:32], callbacks=[watch]
    )
    periods = Timetable(SHARES, 0.5).periods(5, epochs)
    return sum(p.length * seconds for p, seconds in zip(periods, watch.passes, strict=True)) / watch.passes[-1]


def floors(train: np.ndarray, test: Tiles) -> list[Record]:
    """What any detector should beat, and the patches of training tiles."""
    split = Split(PROTOCOL, train, test.x, test.y != 0)
    found = [entry.measure(CASE, CASE, split, 0).quality()[0] for entry in FLOORS]
    setup = Setup(CASE, "training tiles", CASE, PROTOCOL, {}, 0, len(test.x), 0.0, "floor")
    distances = apart(train[:192].astype(float), test.x[test.y == 0].astype(float))
    return found + [setup.record(f"patches, {size}", value, "std") for size, value in distances.items()]


def draw(bench: Bench, rows: Rows) -> None:
    """Keep the rows, and put them below each other."""
    kept = bench.path.with_suffix(".npz")
    if kept.exists() and not bench.forget:
        with np.load(kept) as file:
            rows = dict(file) | rows
    arrays: dict[str, Any] = {k: v.astype(np.float16) for k, v in rows.items()}
    np.savez_compressed(kept, **arrays)
    order = [k for prefix in (GROWN, FULL, "reconstructed", "tiles") for k in sorted(rows) if k.startswith(prefix)]
    sheet = np.concatenate([np.concatenate([np.pad(x, 1, constant_values=1) for x in rows[k]], 1) for k in order])
    grey = (127.5 * (sheet.astype(float).clip(-1, 1) + 1)).astype(np.uint8)
    Image.fromarray(grey).save(bench.path.with_suffix(".png"), optimize=True)


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("growing", __doc__)
    train, test, _ = tiles()
    epochs = 9 if bench.quick else EPOCHS
    if bench.quick:
        train, test = train[:32], test.take(slice(None, None, 8))
    if bench.wanted(CASE, "L1 to the mean", 0):
        bench.add(*floors(train, test))
    if bench.wanted(CASE, GROWN, 0):
        records, rows = measure(GROWN, epochs, train, test)
        bench.add(*records)
        draw(bench, rows)
    if bench.wanted(CASE, FULL, 0):
        records, rows = measure(FULL, max(1, round(passes(train, epochs))), train, test)
        bench.add(*records)
        draw(bench, rows)
    bench.finish()


if __name__ == "__main__":
    main()
