import dataclasses
import io
import json
import shutil
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from oddgan import InputError
from oddgan._core.monitoring import Alarm, Diversity, Gradients, Judged, Snapshots, Watched
from oddgan.evaluate import read_run, write_snapshots
from oddgan.report import render
from oddgan.report.drawing import draw
from oddgan.report.interactive import figure
from oddgan.report.training import album, monitor_charts

ALARM = Alarm("collapse", "", "adversarial", 0, 3, "Mode collapse <there>. What to do: AnoGAN(epochs=2).")


def seen(epoch, norm=1.0, samples=None, index=0):
    critics = {"critic": Judged(0.5, 1.0, 1.0)} if samples else {}
    return Watched("game", index, epoch, {"critic": 1.0}, {"critic": Gradients(norm, 0.1)}, critics, samples)


def snapshots(x):
    rng = np.random.default_rng(0)
    drawn = rng.uniform(x.min(), x.max(), size=(3, 10, *x.shape[1:])).astype(np.float32)
    return Snapshots(np.zeros(3, int), np.array([1, 5, 9]), drawn, x[:10].astype(np.float32))


@pytest.fixture(params=["image", "table", "series"])
def run(request, tmp_path):
    """A copy of a run, with what a monitor wrote."""
    folder = shutil.copytree(request.getfixturevalue(f"{request.param}_run"), tmp_path / "run")
    watched = [seen(i, 10.0**i, Diversity(0.1 * i, 0.2, 0.3)) for i in (1, 2, 3)]
    events = [{"event": "monitor"} | dataclasses.asdict(w) for w in watched]
    events.append({"event": "alarm", "time": 1.0} | dataclasses.asdict(ALARM))
    with (folder / "events.jsonl").open("a") as file:
        file.writelines(json.dumps(e) + "\n" for e in events)
    write_snapshots(folder / "samples.npz", snapshots(read_run(folder).items.x))
    return folder, watched


def test_a_run_gives_back_what_the_monitor_wrote(run):
    folder, watched = run
    found = read_run(folder)
    assert list(found.watched) == watched
    assert found.alarms == (ALARM,)
    assert found.snapshots.epoch.tolist() == [1, 5, 9]
    assert len(found.epochs) == 60, "the losses are still there"


def test_the_page_shows_it(run):
    folder, _ = run
    page = render(folder, out=folder / "page.html").read_text()
    assert page.count("Mode collapse &lt;there&gt;. What to do") == 1
    assert "Training: collapse" in page
    assert "Samples over time" in page
    for title in ("Gradients: game", "Samples against data: game", "Critics: game"):
        assert title in page
    assert page.casefold().count("epoch 5") >= 1
    assert "<script" not in page


def test_without_a_monitor_the_page_is_as_before(image_run, tmp_path):
    page = render(image_run, out=tmp_path / "page.html").read_text()
    assert "Samples over time" not in page
    assert "Gradients:" not in page


def test_gradients_have_a_logarithmic_axis():
    (chart,) = monitor_charts([seen(1, 1e-3), seen(2, 0.0), seen(3, 1e3)])
    assert chart.log_y
    assert chart.y_limits == (pytest.approx(1e-3 / 1.5), pytest.approx(1.5e3))
    assert np.isnan(chart.traces[0].y[1]), "zero has no place there"
    drawn = draw(chart)
    assert len(drawn.y_ticks) >= 3
    assert figure(chart)["layout"]["yaxis"]["type"] == "log"
    assert figure(chart)["layout"]["yaxis"]["range"] == pytest.approx(np.log10(chart.y_limits).tolist())


def test_phases_have_charts_of_their_own():
    charts = monitor_charts([seen(1), seen(2), seen(1, index=1)])
    assert [c.key for c in charts] == ["training-gradients-0", "training-gradients-1"]


def test_images_become_grids(image_run):
    found = read_run(image_run)
    shots = snapshots(found.items.x)
    grids = album(dataclasses.replace(found, snapshots=shots)).pictures
    assert [g.caption for g in grids] == ["training rows", "epoch 1", "epoch 5", "epoch 9"]
    pixels = np.array(Image.open(io.BytesIO(b64decode(grids[0].uri.partition(",")[2]))))
    # Ten images of 8 × 8 in a square of four a side, a line between, seven times enlarged.
    assert pixels.shape == (7 * 35, 7 * 35, 3)
    low, high = shots.rows.min(), shots.rows.max()
    expected = np.round(255 * (shots.rows[0, 0] - low) / (high - low))
    np.testing.assert_array_equal(pixels[: 7 * 8 : 7, : 7 * 8 : 7, 0], expected)


def test_rows_lie_on_their_own_components(table_run):
    found = read_run(table_run)
    rows = np.random.default_rng(0).normal(size=(20, 3)) * [1, 100, 1]
    rows[:, 2] = rows[:, 0]
    shots = Snapshots(np.zeros(1, int), np.ones(1, int), rows[None].astype(np.float32), rows.astype(np.float32))
    (chart,) = album(dataclasses.replace(found, snapshots=shots)).charts
    real, drawn = chart.traces
    np.testing.assert_allclose(real.x, drawn.x, atol=1e-5)
    # Two equal columns are one component of variance 2; the third column, scaled, has 1.
    assert sorted([real.x.var(), real.y.var()], reverse=True) == pytest.approx([2, 1], rel=0.35)


def test_a_file_that_is_cut_short(run):
    folder, _ = run
    np.savez(folder / "samples.npz", epoch=np.ones(1))
    with pytest.raises(InputError, match="lacks the arrays"):
        read_run(folder)
    with pytest.raises(InputError, match="Snapshots hold samples"):
        Snapshots(np.zeros(2), np.zeros(2), np.zeros((3, 4, 5)), np.zeros((2, 5)))


def test_an_event_that_is_none(run):
    folder, _ = run
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"event": "monitor", "phase": "game"}\n')
    with pytest.raises(InputError, match="is not an event"):
        read_run(folder)
