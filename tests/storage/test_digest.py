"""Digests: a bit that has changed is one sentence, a copy is none, and who edits by hand can say so."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest

from oddgan import KNN, AutoEncoder, Ensemble, IForest, ModelError, load
from small_detectors import detector, table

CHANGED = r"is damaged or has changed since the model was saved: .*trust_changes=True \(--trust-changes\)\.$"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    place = tmp_path_factory.mktemp("saved")
    KNN(n_neighbors=3).fit(table()).save(place / "knn")
    inner = Ensemble(detectors=(IForest(n_trees=3),), n_members=1)
    Ensemble(detectors=(detector(random_state=None), inner), n_members=1, random_state=0).fit(table()).save(
        place / "all"
    )
    return place


@pytest.fixture(params=["knn", "all"])
def folder(request, saved, tmp_path):
    return shutil.copytree(saved / request.param, tmp_path / "model")


def scores(folder, **how):
    return load(folder, **how).anomaly_score(table(5, seed=1))


def test_every_bit_counts(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    assert {p.name for p in files} == {"detector.json", "networks.safetensors"}
    for path in files:
        data = path.read_bytes()
        for place in np.random.default_rng(0).integers(len(data), size=12):
            changed = bytearray(data)
            changed[place] ^= 1
            path.write_bytes(changed)
            same = path.suffix == ".json" and _content(changed) == _content(data)
            if same:  # e.g. a blank that became another one
                continue
            with pytest.raises(ModelError, match=f"detector.json is damaged|{CHANGED}") as caught:
                load(folder)
            assert "\n" not in str(caught.value)
        path.write_bytes(data)


def _content(data):
    try:
        return json.loads(bytes(data))
    except ValueError:
        return None


def test_a_member_is_covered(saved, tmp_path):
    folder = shutil.copytree(saved / "all", tmp_path / "model")
    inner = folder / "member-2" / "member-1"
    KNN().fit(table()).save(inner, force=True)  # a whole model of its own
    with pytest.raises(ModelError, match=rf"member-2/member-1/detector\.json {CHANGED}"):
        load(folder)


def test_exchanged_members_are_noticed(saved, tmp_path):
    folder = shutil.copytree(saved / "all", tmp_path / "model")
    (folder / "member-1").rename(folder / "spare")
    (folder / "member-2").rename(folder / "member-1")
    (folder / "spare").rename(folder / "member-2")
    with pytest.raises(ModelError, match=CHANGED):
        load(folder)


def test_tensors_of_another_model_are_noticed(saved, tmp_path):
    folder = shutil.copytree(saved / "knn", tmp_path / "model")
    other = KNN(n_neighbors=3).fit(table(seed=2)).save(tmp_path / "other")
    shutil.copy(other / "networks.safetensors", folder)
    with pytest.raises(ModelError, match=rf"networks\.safetensors {CHANGED}"):
        load(folder)


def test_copies_and_other_layouts_are_no_change(folder):
    before = scores(folder)
    path = folder / "detector.json"
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    (folder / "README.md").write_text("What this model is for.")
    assert np.array_equal(scores(folder), before)


def test_edits_by_hand_can_be_trusted(saved, tmp_path):
    folder = shutil.copytree(saved / "knn", tmp_path / "model")
    path = folder / "detector.json"
    head = json.loads(path.read_text())
    head["fitted"]["offset_"] = -7.5
    path.write_text(json.dumps(head))
    with pytest.raises(ModelError, match=rf"detector\.json {CHANGED}"):
        load(folder)
    changed = load(folder, trust_changes=True)
    assert changed.threshold_ == 7.5
    assert load(changed.save(tmp_path / "again")).threshold_ == 7.5  # saving writes new digests


def test_trusted_changes_are_checked_all_the_same(saved, tmp_path):
    folder = shutil.copytree(saved / "knn", tmp_path / "model")
    path = folder / "detector.json"
    path.write_text(path.read_text().replace('"offset_": ', '"offset_": "none", "was": '))
    with pytest.raises(ModelError, match="can't be loaded as KNN: "):
        load(folder, trust_changes=True)


def test_without_digests(saved, tmp_path):
    folder = shutil.copytree(saved / "knn", tmp_path / "model")
    path = folder / "detector.json"
    head = json.loads(path.read_text())
    for wrong in (None, [], {}, {"detector.json": 3}):
        path.write_text(json.dumps(head | {"digest": wrong}))
        with pytest.raises(ModelError, match=r"trust_changes=True|digest is "):
            load(folder)
    del head["digest"]
    path.write_text(json.dumps(head))
    with pytest.raises(ModelError, match="lacks the digests of the model's files: copy the whole folder again"):
        load(folder)
    assert isinstance(load(folder, trust_changes=True), KNN)


def test_equal_models_have_equal_digests(tmp_path):
    heads = []
    for name in ("a", "b"):
        fitted = AutoEncoder(latent_dim=2, epochs=1, random_state=0).fit(table())
        fitted.history_ = []  # the seconds of epochs differ
        heads.append(json.loads((fitted.save(tmp_path / name) / "detector.json").read_text()))
    assert heads[0]["digest"] == heads[1]["digest"]


def _tensors(folder):
    return max(folder.rglob("networks.safetensors"), key=lambda path: len(path.parts))


@pytest.mark.parametrize("name", ["detector.json", "networks.safetensors"])
def test_a_link_that_leads_out_of_the_folder_is_refused(folder, tmp_path, name):
    path = _tensors(folder).with_name(name)
    path.rename(tmp_path / name)
    path.symlink_to(tmp_path / name)
    with pytest.raises(ModelError, match=f"{name} is a link to a file outside the model's folder"):
        load(folder, trust_changes=True)


def test_a_member_that_is_a_link_is_refused(saved, tmp_path):
    folder = shutil.copytree(saved / "all", tmp_path / "model")
    shutil.move(folder / "member-2", tmp_path / "elsewhere")
    (folder / "member-2").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="member-2 is a link: copy the member's folder"):
        load(folder, trust_changes=True)


def test_a_folder_may_be_reached_by_a_link(saved, tmp_path):
    (tmp_path / "link").symlink_to(saved / "all")
    np.testing.assert_array_equal(scores(tmp_path / "link"), scores(saved / "all"))


def test_a_pipe_is_never_opened(folder):
    path = _tensors(folder)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelError, match=r"networks.safetensors can't be read: it is a pipe; expected a file\.$"):
        load(folder)


@pytest.mark.parametrize("trust_changes", [False, True])
def test_a_file_that_was_blown_up_is_not_read_to_its_end(folder, trust_changes):
    os.truncate(_tensors(folder), 2**36)  # 64 GiB, of which the disk holds nothing: reading it takes minutes
    with pytest.raises(ModelError, match=r"has changed since|more than the memory|its header claims [0-9]+ bytes"):
        load(folder, trust_changes=trust_changes)


@pytest.mark.parametrize("constants", [np.ones(4), np.ones(3, dtype=bool), np.zeros(0, dtype=bool)])
def test_constants_of_another_shape_or_type_are_refused(tmp_path, constants):
    fitted = IForest(n_trees=2).fit(table())
    fitted.scaling_ = dataclasses.replace(fitted.scaling_, constants=constants)
    fitted.save(tmp_path / "model")
    with pytest.raises(ModelError, match="has learned constants"):
        load(tmp_path / "model")
