"""Names of run folders."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from oddgan import KNN, AutoEncoder
from oddgan._core.files import numbered_folder
from oddgan.data import Options, from_arrays, read
from oddgan.tasks.runs import Scored, class_names, items_of, run_folder


def test_a_run_is_named_after_time_method_and_source(tmp_path: Path) -> None:
    name = run_folder(tmp_path, "β-VAEGAN", "records/MIT BIH", None).name
    assert name[:2] == "20"
    assert name.endswith("-beta-vaegan-mit-bih")
    assert run_folder(tmp_path, "f-AnoGAN", "builtin:digits", None).name.endswith("-f-anogan-digits")
    assert run_folder(tmp_path, "f-AnoGAN", "builtin:digits", "My β test").name.endswith("-my-beta-test")


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    wanted = tmp_path / "runs" / "pca-x"
    with numbered_folder(wanted) as (_, first), numbered_folder(wanted) as (_, second):
        assert (first.name, second.name) == ("pca-x", "pca-x-2")
    with numbered_folder(wanted) as (_, third):
        pass
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["pca-x", "pca-x-2", "pca-x-3"]
    assert third.name == "pca-x-3"


@pytest.fixture(scope="module")
def fitted():
    train = read("builtin:ecg").x[:64]
    detector = AutoEncoder(latent_dim=4, epochs=1, random_state=0).fit(train)
    test = read("builtin:ecg", Options(split="test")).take(np.arange(120))
    return detector, Scored(test, detector.anomaly_score(test.x), test.y > 0)


def test_series_are_shown_by_score_and_by_class(fitted):
    items = items_of(*fitted, "pca")
    names = list(dict.fromkeys(items.group.tolist()))
    assert names[:4] == ["most", "nearest", "least", "class N"]
    for name in names[3:]:
        rows = items.group == name
        assert {f"class {label}" for label in items.label[rows]} == {name}
        assert (np.diff(items.score[rows]) <= 0).all()
    assert items.label[0] == "NSVFQ"[fitted[1].data.y[items.row[0]]]


@pytest.mark.parametrize(("projection", "kind"), [("pca", "PCA, "), ("tsne", "t-SNE")])
def test_the_latent_space_is_laid_out(fitted, projection, kind):
    latent = items_of(*fitted, projection).latent
    assert latent.kind.startswith(kind)
    assert latent.at.shape == (120, 2)
    assert latent.score.tolist() == fitted[1].scores.tolist()
    again = items_of(*fitted, projection).latent
    assert (again.at == latent.at).all()


def test_pca_keeps_distances_along_its_axes(fitted):
    detector, scored = fitted
    codes = detector.encode(scored.data.x)
    variance = np.linalg.eigvalsh(np.cov(codes.T))[::-1]
    latent = items_of(detector, scored, "pca").latent
    assert latent.at.var(axis=0, ddof=1) == pytest.approx(variance[:2], rel=1e-4)
    assert latent.kind == f"PCA, {100 * variance[:2].sum() / variance.sum():.0f} % of the variance"


def test_no_map_without_an_encoder():
    x = np.random.default_rng(0).normal(size=(30, 3))
    detector = KNN(n_neighbors=2).fit(x)
    items = items_of(detector, Scored(from_arrays(x), detector.anomaly_score(x)), "pca")
    assert items.latent is None
    assert items.label is None


def test_columns_and_channels_have_contributions_without_a_reconstruction():
    rng = np.random.default_rng(0)
    for shape in ((30, 3), (30, 2, 8), (30, 1, 6, 6)):
        x = rng.normal(size=shape)
        detector = KNN(n_neighbors=2).fit(x)
        items = items_of(detector, Scored(from_arrays(x), detector.anomaly_score(x)), "pca")
        expected = detector.explain(items.x).contributions
        assert items.reconstruction is None
        found = items.map if x.ndim == 2 else items.contributions
        assert found is None if expected is None else np.array_equal(found, expected)


def test_names_of_classes(fitted):
    scored = fitted[1]
    plain = dataclasses.replace(scored.data, classes=None)
    assert set(class_names(Scored(plain, scored.scores, scored.label))) <= set("01234")
    two = dataclasses.replace(plain, y=(plain.y > 0).astype(int))
    named = class_names(Scored(two, scored.scores, scored.label))
    assert ((named == "anomaly") == scored.label).all()
    assert class_names(Scored(scored.data, scored.scores)) is None
