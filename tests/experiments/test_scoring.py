import numpy as np
import pytest
from PIL import Image

from oddgan import KNN, load
from oddgan._core.errors import InputError, ModelError
from oddgan.data import Options, read
from oddgan.evaluate import read_scores
from oddgan.experiments import FitSpec, ScoreSpec, fit, score
from oddgan.report.pictures import overlay


@pytest.fixture
def images(tmp_path):
    """Five digits as PNG files, the first of them alone in a folder of its own."""
    x = read("builtin:digits", default_split="test").x[:5, 0]
    for i, image in enumerate(x):
        for folder in ("five",) if i else ("five", "one"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / folder / f"tile{i}.png")
    return tmp_path


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_scores_are_those_of_python_to_the_last_bit(trained, tmp_path, suffix):
    out = tmp_path / f"scores{suffix}"
    result = score(ScoreSpec(model=trained.model, source="builtin:digits", out=out))
    data, table, detector = read("builtin:digits", default_split="test"), read_scores(out), load(trained.model)
    expected = detector.anomaly_score(data.x)
    np.testing.assert_array_equal(table.anomaly_score, expected)
    np.testing.assert_array_equal(table.is_anomaly, expected > detector.threshold_)
    np.testing.assert_array_equal(table.p_value, detector.anomaly_probability(data.x))
    np.testing.assert_array_equal(table.id, data.ids)
    assert table.label is None
    assert result.threshold == detector.threshold_


def test_labels_do_not_matter(trained, tmp_path):
    data = read("builtin:digits", default_split="test").take(np.arange(20))
    np.savez(tmp_path / "plain.npz", x=data.x)
    np.savez(tmp_path / "labelled.npz", x=data.x, y=data.y)
    plain, labelled = (
        score(ScoreSpec(model=trained.model, source=str(tmp_path / f"{name}.npz"))) for name in ("plain", "labelled")
    )
    np.testing.assert_array_equal(plain.table.anomaly_score, labelled.table.anomaly_score)


def test_progress_is_told(trained):
    told = []
    score(
        ScoreSpec(model=trained.model, source="builtin:digits"), progress=lambda done, total: told.append((done, total))
    )
    assert told[0] == (64, 539)
    assert told[-1] == (539, 539)


def test_a_heatmap_does_not_depend_on_the_other_images(trained, images):
    for name in ("five", "one"):
        spec = ScoreSpec(model=trained.model, source=str(images / name), heatmaps=images / f"{name}-maps")
        score(spec, draw=overlay)
    assert sorted(p.name for p in (images / "five-maps").iterdir()) == [f"tile{i}.png" for i in range(5)]
    assert (images / "five-maps" / "tile0.png").read_bytes() == (images / "one-maps" / "tile0.png").read_bytes()
    with Image.open(images / "five-maps" / "tile0.png") as picture:
        assert (picture.size, picture.mode) == ((8, 8), "RGB")


def test_heat_is_1_where_the_map_reaches_the_scale_of_the_model(trained, images):
    heats, shades = [], []

    def draw(image, heat):
        shades.append(image)
        heats.append(heat)
        return np.zeros((8, 8, 3), dtype=np.uint8)

    score(ScoreSpec(model=trained.model, source=str(images / "five"), heatmaps=images / "maps"), draw=draw)
    x = read(str(images / "five"), Options(), default_split="test").x
    maps = trained.detector.anomaly_map(x) / trained.detector.reading_["map_scale"]
    np.testing.assert_allclose(np.stack(heats), np.minimum(maps, 1))
    np.testing.assert_allclose(np.stack(shades), x / 16, atol=1e-6)  # the digits' pixels go from 0 to 16


def test_a_table_has_no_heatmaps(tmp_path):
    np.savez(tmp_path / "table.npz", X=np.random.default_rng(0).normal(size=(30, 3)))
    source = str(tmp_path / "table.npz")
    model = fit(FitSpec(method="knn", source=source)).model
    with pytest.raises(InputError, match="Heatmaps are drawn over images, but these are table data"):
        score(ScoreSpec(model=model, source=source, out="s.csv", heatmaps="maps"), draw=overlay)
    assert not (tmp_path / "s.csv").exists()
    assert not (tmp_path / "maps").exists()


def test_outputs_are_refused_before_anything_is_computed(trained, tmp_path):
    (tmp_path / "scores.csv").write_text("mine")
    (tmp_path / "maps").mkdir()
    for name, value in (("out", "scores.csv"), ("heatmaps", "maps")):
        with pytest.raises(InputError, match=f"{value} exists already"):
            score(ScoreSpec(model=trained.model, source="builtin:digits").model_copy(update={name: tmp_path / value}))
    with pytest.raises(InputError, match=r"scores are written as \.csv, \.npz, \.parquet"):
        score(ScoreSpec(model="nothing", source="nothing", out="scores.txt"))
    assert (tmp_path / "scores.csv").read_text() == "mine"


def test_a_model_that_was_saved_in_python_can_score(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 2, 16))
    detector = KNN().fit(x)
    detector.save(tmp_path / "model")
    np.save(tmp_path / "x.npy", x)
    table = score(ScoreSpec(model=tmp_path / "model", source=str(tmp_path / "x.npy"))).table
    np.testing.assert_array_equal(table.anomaly_score, detector.anomaly_score(x))


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="is not a model"):
        score(ScoreSpec(model=tmp_path, source="builtin:digits"))
