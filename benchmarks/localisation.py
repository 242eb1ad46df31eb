"""Localisation: surface defects of magnetic tiles, found pixel by pixel by detectors that saw only sound tiles.

Trained on 80 % of the sound tiles (MT_Free), tested on the rest and on all tiles with a defect; drawn once. Images are
resized from 128 to 64 px (area average) for the detectors, and their maps back to 128 px (bilinear) to be compared
with the masks. A map is what `anomaly_map` gives: the absolute residual, nothing smoothed. "blurred" is the same map
after a Gaussian of 4 px, fixed beforehand. Each defect is measured on its own tiles too. AnoGAN, whose search takes
long, is tested on every fourth tile.

For every method a picture goes to `results/localisation-METHOD.png`: a column for sound tiles and for each defect
(blowhole, break, crack, fray, uneven), and in rows the tile, its mask and its map, white from the 99.9 % quantile of
all maps on. Tiles are those with the median of their class's defect areas, so that nothing was picked by eye.
`results/localisation.png` is the best method by PRO above the worst.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from harness import FLOORS, Bench, Entry, clock, data_path
from oddgan import VAE, AnoGAN, AutoEncoder, FAnoGAN, GANomaly
from oddgan.evaluate import Record, pixel_auroc, pro
from oddgan.inversion import LatentAdam, LatentSearch
from oddgan.networks import ConvLadder
from oddgan.training import RMSProp

SIZE, FULL, BLUR = 64, 128, 4.0
EVERY = {"AnoGAN": 4}  # tests every fourth tile
PROTOCOL = "80% of MT_Free train, rest + defects test"


SEARCH = LatentSearch(n_max=50, optimiser=LatentAdam(lr=0.1))
LADDER = ConvLadder(width=16)
WGAN = ConvLadder(width=16, critic_norm="layer")
ENTRIES = (
    *FLOORS,
    Entry("autoencoder", AutoEncoder, {"backbone": LADDER, "epochs": 40}),
    Entry("VAE", VAE, {"backbone": LADDER, "epochs": 40}),
    Entry("GANomaly", GANomaly, {"backbone": LADDER, "epochs": 30}),
    Entry(
        "f-AnoGAN",
        FAnoGAN,
        {"backbone": WGAN, "epochs": 40, "n_critic": 1, "encoder_optimiser": RMSProp(lr=5e-4)},
    ),
    Entry(
        "AnoGAN",
        AnoGAN,
        {"backbone": LADDER, "epochs": 40, "inversion": SEARCH, "calibration_size": 64},
    ),
)


@dataclass(frozen=True)
class Tiles:
    """Tiles x (n, 1, 64, 64), their class (n,), 0 where sound, and masks (n, 128, 128)."""

    x: np.ndarray
    y: np.ndarray
    masks: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "Tiles":
        """Some of them."""
        return Tiles(self.x[rows], self.y[rows], self.masks[rows])


def resized(image: np.ndarray, size: int, how: Image.Resampling) -> np.ndarray:
    """One image (h, w), grey or float32, at size x size."""
    return np.asarray(Image.fromarray(image).resize((size, size), how))


def tiles() -> tuple[np.ndarray, Tiles, tuple[str, ...]]:
    """Training tiles (n, 1, 64, 64), the test tiles, and the names of the classes."""
    with np.load(data_path("magnetic_tile_128.npz")) as file:
        x = np.stack([resized(image, SIZE, Image.Resampling.BOX) for image in file["x"]])[:, None]
        masks = np.unpackbits(file["mask"], axis=1).reshape(-1, FULL, FULL).astype(bool)
        y, classes = file["y"], tuple(str(name) for name in file["classes"])
    sound = np.random.default_rng(0).permutation(np.flatnonzero(y == 0))
    cut = round(0.8 * len(sound))
    rest = np.sort(np.concatenate([sound[cut:], np.flatnonzero(y)]))
    return x[np.sort(sound[:cut])], Tiles(x, y, masks).take(rest), classes


def measure(entry: Entry, train: np.ndarray, test: Tiles, classes: tuple[str, ...]) -> tuple[np.ndarray, list[Record]]:
    """Maps at full size of some tiles, and how good they are."""
    detector = entry.cls(**entry.settings, random_state=0)
    with clock() as watch:
        detector.fit(train)
        scores = detector.anomaly_score(test.x)
        small = detector.anomaly_map(test.x).astype(np.float32)
    maps = np.stack([resized(each, FULL, Image.Resampling.BILINEAR) for each in small])
    setup = entry.setup("magnetic tiles", "magnetic tiles, 64 px", PROTOCOL, 0)
    setup = replace(setup, n_test=len(maps), cpu_s=watch.seconds)
    blurred = ndimage.gaussian_filter(maps, (0, BLUR, BLUR))
    records = [
        setup.record("pixel AUROC", pixel_auroc(maps, test.masks)),
        setup.record("PRO", pro(maps, test.masks)),
        setup.record("pixel AUROC, blurred", pixel_auroc(blurred, test.masks)),
        setup.record("PRO, blurred", pro(blurred, test.masks)),
        setup.record("image AUROC", setup.quality(scores, test.y != 0)[0].value),
    ]
    for label in np.unique(test.y[test.y > 0]):
        rows = test.y == label
        records.append(setup.record(f"pixel AUROC, {classes[label]}", pixel_auroc(maps[rows], test.masks[rows])))
    return maps, records


def shown(test: Tiles) -> list[int]:
    """One tile of each class, sound first: the one with the median of the class's defect areas that AnoGAN sees too."""
    area = test.masks.sum(axis=(1, 2))
    classes = [np.flatnonzero((test.y == label) & (np.arange(len(test.y)) % 4 == 0)) for label in np.unique(test.y)]
    return [int(rows[np.argsort(area[rows], kind="stable")[len(rows) // 2]]) for rows in classes]


def strip(maps: np.ndarray, test: Tiles, rows: list[int]) -> np.ndarray:
    """Tiles above masks above maps, grey, (3·128, len(rows)·132)."""
    gap, columns = np.full((3 * FULL, 4), 255), []
    for row in rows:
        tile = resized(test.x[row, 0], FULL, Image.Resampling.BILINEAR)
        heat = 255 * np.clip(maps[row] / np.quantile(maps, 0.999), 0, 1)
        columns += [np.concatenate([tile, 255 * test.masks[row], heat]), gap]
    return np.concatenate(columns[:-1], axis=1).astype(np.uint8)


def draw(bench: Bench) -> None:
    """Put the strips of the best and the worst method above each other."""
    found = {r.method: r.value for r in bench.records if r.metric == "PRO" and strip_path(bench, r.method).exists()}
    best, worst = max(found, key=found.__getitem__), min(found, key=found.__getitem__)
    above, below = (np.asarray(Image.open(strip_path(bench, method))) for method in (best, worst))
    gap = np.full((16, above.shape[1]), 255, np.uint8)
    path = bench.path.with_suffix(".png")
    Image.fromarray(np.concatenate([above, gap, below])).save(path, optimize=True)
    bench.console.print(f"{path.name}: above {best}, below {worst}; columns: sound, then each defect")


def strip_path(bench: Bench, method: str) -> Path:
    """Where a method's strip is kept."""
    return bench.path.with_name(f"{bench.path.stem}-{method.replace(' ', '-')}.png")


def main() -> None:
    """Run what is not measured yet."""
    bench = Bench("localisation", __doc__)
    train, test, classes = tiles()
    if bench.quick:
        train, test = train[:128], test.take(slice(None, None, 8))
    rows = shown(test)
    for _, entry, _ in bench.missing(["magnetic tiles"], ENTRIES):
        every = EVERY.get(entry.name, 1)
        some = test.take(slice(None, None, every))
        maps, records = measure(entry, train, some, classes)
        bench.add(*records)
        picture = strip(maps, some, [row // every for row in rows])
        Image.fromarray(picture).save(strip_path(bench, entry.name), optimize=True)
    draw(bench)
    bench.finish()


if __name__ == "__main__":
    main()
