"""What `detector.json` may say: each value is checked by type and range, also where its digest is right."""

import json
import shutil
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from oddgan import KDE, AnoGAN, Ensemble, IForest, InputError, ModelError, load
from oddgan.inversion import LatentSearch
from oddgan.storage.digest import digests
from oddgan.storage.json_text import parse
from small_detectors import SMALL, detector, table

MODELS = {
    "KDE": lambda: KDE(bandwidths=(0.5,)),
    "AutoEncoder": detector,
    "AnoGAN": lambda: AnoGAN(latent_dim=3, epochs=1, backbone=SMALL, inversion=LatentSearch(n_max=2), random_state=0),
    "Ensemble": lambda: Ensemble(detectors=(IForest(n_trees=3),), n_members=2, random_state=0),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    place = tmp_path_factory.mktemp("saved")
    for name, make in MODELS.items():
        make().fit(table()).save(place / name)
    return place


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of the model of a name."""
    return lambda name: shutil.copytree(saved / name, tmp_path / name)


def seal(folder, head):
    """Write `detector.json` with the digests that belong to it, as whoever wrote it could."""
    beside = ["networks.safetensors", *(f"member-{i + 1}/detector.json" for i in range(min(3, head["members"])))]
    head["digest"] = digests(folder, head, "detector.json", [name for name in beside if (folder / name).is_file()])
    (folder / "detector.json").write_text(json.dumps(head))


def refuses(folder, path, value, message=""):
    """The value at a path of keys is refused quickly, in one sentence."""
    head = json.loads((folder / "detector.json").read_text())
    place = head
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    seal(folder, head)
    begun = time.process_time()
    with pytest.raises(ModelError, match=message) as caught:
        load(folder)
    assert time.process_time() - begun < 60
    text = str(caught.value)
    assert str(folder) in text
    assert "\n" not in text
    assert len(text) < 2500
    assert "do not fit each other" not in text  # that would be the text of another library


WRONG = {
    "text": "text", "list": [1, [2]], "none": None, "true": True, "negative": -1, "huge": 10**12, "share": 0.3,
    "part": {"type": "Adam"}, "unknown part": {"type": "os.system"}, "odd part": {"type": 3}, "object": {"a": 1},
    "lost array": {"array": "nowhere"}, "odd array": {"array": [1]},
}  # fmt: skip


def some(kinds, name):
    """A third of the kinds, another one for each name: all of them with all names take a minute."""
    first = sum(map(ord, name)) % 3
    return sorted(kinds)[first::3]


EXPECTED = {  # what is allowed beside what is stored
    "latent_dim": set(), "slots": set(), "epochs": {"huge", "none"}, "batch_size": {"huge"}, "contamination": {"share"},
    "calibration": {"share"}, "calibration_size": {"huge"}, "precision": set(), "backbone": set(), "scaling": set(),
    "optimiser": {"part"}, "scoring": set(), "threshold": {"none"}, "selection": {"none"},
    "random_state": {"none", "huge", "negative"},
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_parameters_by_type_and_range(folder, name):
    place = folder("AutoEncoder")
    original = (place / "detector.json").read_text()
    for kind in some(WRONG.keys() - EXPECTED[name], name):
        refuses(place, ("parameters", name), WRONG[kind])
        (place / "detector.json").write_text(original)


@pytest.mark.parametrize(
    "name",
    ["shape_", "offset_", "held_out_", "rate_", "threshold_rule_", "scaling_", "composition_", "calibration_scores_",
     "calibration_components_", "threshold_tuned_", "n_features_in_", "feature_names_in_", "reading_", "similarities_",
     "privacy_", "selection_labelled_", "budgeted_"],
)  # fmt: skip
def test_fitted_values_by_type(folder, name):
    place = folder("AutoEncoder")
    original = (place / "detector.json").read_text()
    numbers = {"negative", "huge", "share"} if name == "offset_" else {"share"} if name == "rate_" else set()
    fine = numbers | {"true" if name.endswith(("out_", "tuned_", "labelled_")) else "", "object"} - (
        {"object"} if name not in ("reading_",) else set()
    )
    fine |= {"none"} if name == "budgeted_" else set()
    for kind in some(WRONG.keys() - fine, name):
        refuses(place, ("fitted", name), WRONG[kind])
        (place / "detector.json").write_text(original)


@pytest.mark.parametrize(
    ("name", "path", "value", "message"),
    [
        ("AnoGAN", ("parameters", "inversion", "n_max"), 10**9, "n_max is 1000000000, but must be at most 100000"),
        ("AnoGAN", ("parameters", "inversion", "n_max"), 1e18, "n_max is 1e.18, but must be at most"),
        ("AnoGAN", ("parameters", "inversion", "n_max"), 2.5, "LatentSearch got n_max=2.5, but takes int"),
        ("AnoGAN", ("fitted", "budgeted_"), {"type": "Gaussian"}, "budgeted_ is not of the kind of inversion"),
        ("AnoGAN", ("parameters", "n_seed"), 10**8, "n_seed is"),
        ("AnoGAN", ("parameters", "latent_dim"), 5 * 10**6, "far larger tensors than the file holds"),
        ("AutoEncoder", ("parameters", "latent_dim"), 10**9, "far larger tensors than the file holds"),
        ("AutoEncoder", ("parameters", "backbone", "table", "hidden"), [10**8], "far larger tensors"),
        ("AutoEncoder", ("parameters", "backbone", "table", "hidden"), [4] * 10**6, "far more than the .* tensors"),
        ("AutoEncoder", ("parameters", "backbone", "table", "hidden"), [8, "a"], "MLP got hidden="),
        ("AutoEncoder", ("parameters", "slots"), 5 * 10**6, "slots is 5000000, but rows of 4 .* at most 131072"),
        ("AutoEncoder", ("parameters", "similarity"), {"type": "Similarity"}, "only the base of other parts"),
        ("AutoEncoder", ("fitted", "shape_"), [2**31], "shape_ is"),
        ("AutoEncoder", ("fitted", "shape_"), [], "shape_ is"),
        ("AutoEncoder", ("fitted", "shape_"), [5], "n_features_in_ is 4, but samples have the shape"),
        ("AutoEncoder", ("fitted", "n_features_in_"), 5, "n_features_in_ is 5, but samples have the shape"),
        ("AutoEncoder", ("fitted", "feature_names_in_"), ["a", "a", "b", "c"], "must be 4 different names"),
        ("AutoEncoder", ("fitted", "more"), 1, "it has unknown 'more'"),
        ("AutoEncoder", ("members",), 1, "lacks detector.json|has no detector.json"),
        ("AutoEncoder", ("members",), 10**9, "members is 1000000000"),
        ("AutoEncoder", ("estimators",), {"svm": {"class": "PCA"}}, "has estimators, but AutoEncoder has networks"),
        ("AutoEncoder", ("estimators",), {"svm": 3}, "estimators must hold names and values"),
        ("AutoEncoder", ("history",), [3], "history must hold names and values"),
        ("AutoEncoder", ("history",), [{}], "EpochRecord can't be built from"),
        ("AutoEncoder", ("more",), 1, "has the unknown key 'more'"),
        ("AutoEncoder", ("class",), "KDE", "unknown parameters"),
        ("KDE", ("estimators", "density", "bandwidth"), 0, "bandwidth of the estimator density is 0, but must be in"),
        ("KDE", ("estimators",), {}, "must have the estimators density, but has none"),
        ("KDE", ("class",), "KNN", "unknown parameters"),
        ("Ensemble", ("members",), 1, "has the members iforest_1, but the calibration rows were scored by"),
        ("Ensemble", ("members",), 0, "has the members none"),
        ("Ensemble", ("fitted", "shape_"), [2, 2], "n_features_in_ is 4"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(folder, name, path, value, message):
    refuses(folder(name), path, value, message)


def test_members_of_another_shape(folder):
    place = folder("Ensemble")
    IForest(n_trees=3).fit(np.zeros((20, 7)) + np.arange(20)[:, None]).save(place / "member-1", force=True)
    seal(place, json.loads((place / "detector.json").read_text()))
    with pytest.raises(ModelError, match="its member iforest_1 was fitted on samples of another shape"):
        load(place)


def test_members_without_end(folder):
    place = folder("Ensemble")
    for i in (1, 2):
        shutil.rmtree(place / f"member-{i}")
        (place / f"member-{i}").symlink_to(place)
    with pytest.raises(ModelError, match="member-1 is a link: copy the member's folder itself there"):
        load(place, trust_changes=True)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("fitted.calibration_scores_", lambda a: a[::-1].copy()),
        ("fitted.calibration_scores_", lambda a: a[:0]),
        ("fitted.calibration_scores_", lambda a: a[:-1].copy()),
        ("fitted.calibration_scores_", lambda a: a[None]),
        ("fitted.calibration_scores_", lambda a: a.astype(np.float32)),
        ("fitted.calibration_scores_", lambda a: a.astype(np.int64)),
        ("fitted.calibration_scores_", lambda a: np.where(a == a[0], -np.inf, a)),
        ("fitted.calibration_components_.residual", lambda a: a[:-1].copy()),
        ("fitted.calibration_components_.residual", lambda a: a * np.nan),
        ("fitted.scaling_.centre", lambda a: a[:-1].copy()),
        ("fitted.scaling_.centre", lambda a: a.astype(np.int64)),
        ("fitted.scaling_.centre", lambda a: np.broadcast_to(a, (5, 5, *a.shape)).copy()),
        ("fitted.scaling_.spread", lambda a: -a),
        ("fitted.scaling_.spread", lambda a: a * np.inf),
        ("networks.encoder", lambda a: a * np.float32(np.nan)),
        ("networks.encoder", lambda a: a.astype(np.float64)),
        ("networks.encoder", lambda a: a[..., :-1].copy()),
    ],
)
def test_arrays_that_do_not_fit(folder, name, change):
    place = folder("AutoEncoder")
    tensors = load_file(place / "networks.safetensors")
    key = next(k for k in tensors if k.startswith(name))
    save_file(tensors | {key: change(tensors[key])}, place / "networks.safetensors")
    seal(place, json.loads((place / "detector.json").read_text()))
    with pytest.raises(ModelError) as caught:
        load(place)
    assert "\n" not in str(caught.value)
    assert "do not fit each other" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["[" * 10**6, "[" * 43 + "]" * 43, '{"a":' * 5000 + "1" + "}" * 5000, "1e999", "NaN", "-Infinity", "9" * 5000,
     "[" + "1," * 2_000_000 + "1]", '"' + "a" * 17_000_000 + '"', "", "\x00", '{"a": 1'],
    ids=range(12),
)  # fmt: skip
def test_text_that_is_no_model(text):
    with pytest.raises(ValueError, match=r"\A.{1,200}\Z"):
        parse(text.encode())


def test_text_that_is_one():
    value = {"a": [1, -2.5, None, True, "text", {"b": [[[]]]}], "c": 2**63}
    assert parse(json.dumps(value).encode()) == value


def test_what_can_not_be_loaded_again_is_not_fitted(tmp_path):
    vast = AnoGAN(latent_dim=3, epochs=1, backbone=SMALL, inversion=LatentSearch(n_max=200_000))
    with pytest.raises(InputError, match="AnoGAN can't be fitted: n_max is 200000, but must be at most 100000"):
        vast.fit(table())
    small = MODELS["AnoGAN"]().fit(table()).set_params(inversion=LatentSearch(n_max=200_000))
    with pytest.raises(InputError, match="can't be saved: n_max is 200000"):
        small.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()
