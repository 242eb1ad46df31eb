"""Score fields on 2-D toys: what the pictures and their captions say."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from oddgan.detectors import methods

from .conftest import DOCS

COMMON = {"data": "2-D toys", "protocol": "uniform noise", "unit": "1", "n_test": 10, "cpu_s": 1.0, "role": "measured"}
FOLDER = DOCS.parent / "benchmarks"
REACHED = 0.95


def pixels(uri):
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.fixture
def fields(extension):
    return extension.fields


def test_what_is_below_the_threshold_is_blue_and_the_first_row_is_the_lowest(fields):
    # Ranks 0, 0.2 | 0.4, 1, and 30 % called normal: the lower row is blue, the upper orange.
    field = np.array([[0, 51], [102, 255]], dtype=np.uint8)
    upper, lower = pixels(fields.picture(field, 0.3))
    assert (lower[:, 2] > lower[:, 0]).all()
    assert (upper[:, 0] > upper[:, 2]).all()
    assert lower[0].tolist() == list(fields.NORMAL[0])
    assert upper[1].tolist() == list(fields.ANOMALOUS[1])


def test_thresholds_at_the_ends_have_colours(fields):
    field = np.array([[0, 254]], dtype=np.uint8)
    nothing, everything = (pixels(fields.picture(field, normal))[0] for normal in (0.0, 1.0))
    assert nothing[0].tolist() == list(fields.ANOMALOUS[0])
    assert everything[1] == pytest.approx(fields.NORMAL[1], abs=1)


def test_a_panel_has_both_toys_with_their_auroc(fields, store, tmp_path):
    values = {"AUROC": 0.97531, "share called normal": 0.1}
    records = [
        COMMON | {"case": toy, "method": "KDE", "metric": metric, "value": v, "seed": 0, "settings": {}}
        for toy in ("ring", "moons")
        for metric, v in values.items()
    ]
    store("toys", records)
    assert "Not measured yet" in fields.toys(tmp_path)  # numbers without fields
    square, points = np.zeros((64, 64), np.uint8), np.array([[0.0, 1.0]])
    arrays = {f"{toy}/{what}": v for toy in ("ring", "moons") for what, v in {"KDE": square, "points": points}.items()}
    np.savez(tmp_path / "results" / "toys.npz", **arrays)
    text = fields.toys(tmp_path)
    assert '<a href="methods.html#kde">' in text
    assert "<p>ring 0.975</p>" in text
    assert "<p>moons 0.975</p>" in text
    assert "KDE on ring: AUROC 0.975; 10% of the square is called normal." in text
    assert "M0.0 0.0h0" in text  # the upper left corner
    assert "\n\n" not in re.search(r"<figure.*</figure>", text, flags=re.DOTALL)[0]


def test_every_detector_is_shown_and_each_that_falls_short_is_explained(fields):
    found = fields.read(FOLDER)
    page = (DOCS / "toys.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^- `(\w+)`", page, flags=re.MULTILINE))
    for name in methods():
        assert {toy for toy, method in found if method == name} == {"ring", "moons"}, name
        short = any(m.auroc < REACHED for (_, method), m in found.items() if method == name)
        assert short == (name in explained), name
