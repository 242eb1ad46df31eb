import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddgan import InputError
from oddgan.evaluate import Items, LatentMap, class_groups, gallery_groups, read_items, write_items

SHAPES = {"image": (3, 1, 4, 5), "series": (3, 2, 7), "table": (3, 6)}
MAPS = {"image": (3, 4, 5), "series": (3, 7), "table": (3, 6)}


LATENT = LatentMap("PCA", np.arange(8.0).reshape(4, 2), np.arange(4.0), np.array(list("NNVN")))


def items(kind, **changes):
    x = np.arange(np.prod(SHAPES[kind]), dtype=np.float32).reshape(SHAPES[kind])
    fields = {"row": np.arange(3), "x": x, "score": np.zeros(3), "reconstruction": x + 1, "map": np.zeros(MAPS[kind])}
    fields |= {"way": np.ones((3, 5, 2, 2)), "group": np.array(["most", "least", "class V"])}
    fields |= {"label": np.array(["N", "N", "V"]), "latent": LATENT}
    return Items(**(fields | changes))


@pytest.mark.parametrize("kind", SHAPES)
def test_round_trip(tmp_path, kind):
    stored = items(kind)
    write_items(tmp_path / "items.npz", stored)
    found = read_items(tmp_path / "items.npz")
    found.check_kind(kind)
    for name in ("row", "x", "score", "reconstruction", "map", "way", "group", "label"):
        np.testing.assert_array_equal(getattr(found, name), getattr(stored, name))
    for name, value in vars(LATENT).items():
        np.testing.assert_array_equal(getattr(found.latent, name), value)
    assert found.latent.kind == "PCA"
    assert found.x.dtype == np.float32


def test_optional_arrays(tmp_path):
    write_items(tmp_path / "i.npz", items("table", reconstruction=None, map=None, way=None, group=None, latent=None))
    found = read_items(tmp_path / "i.npz")
    assert found.reconstruction is None
    assert found.map is None
    assert found.way is None
    assert found.group is None
    assert found.latent is None


@pytest.mark.parametrize(
    "changes",
    [
        {"map": np.zeros((3, 5))},
        {"score": np.zeros(2)},
        {"x": np.zeros(3)},
        {"way": np.zeros((3, 5, 2, 3))},
        {"group": np.zeros(2)},
    ],
)
def test_shapes_must_agree(changes):
    with pytest.raises(InputError, match="shape"):
        items("image", **changes)


def test_kind_must_agree():
    with pytest.raises(InputError, match="of the kind image"):
        items("series").check_kind("image")


def test_truncated_file(tmp_path):
    write_items(tmp_path / "i.npz", items("image"))
    (tmp_path / "i.npz").write_bytes((tmp_path / "i.npz").read_bytes()[:200])
    with pytest.raises(InputError, match=r"can't be read: it is damaged, cut short or no \.npz"):
        read_items(tmp_path / "i.npz")


def test_another_file(tmp_path):
    np.savez(tmp_path / "i.npz", x=np.zeros(3))
    with pytest.raises(InputError, match=r"\['row', 'score'\]"):
        read_items(tmp_path / "i.npz")


def test_groups_by_hand():
    scores = [0.0, 9.0, 4.9, 1.0, 5.2, 8.0, np.nan, 3.0]
    groups = {name: chosen.tolist() for name, chosen in gallery_groups(scores, 5.0, each=2).items()}
    assert groups == {"most": [1, 5], "nearest": [2, 4], "least": [0, 3]}


@given(st.lists(st.floats(-10, 10), max_size=40), st.integers(1, 9))
def test_no_row_is_shown_twice_and_none_is_missing_while_there_is_room(scores, each):
    chosen = np.concatenate(list(gallery_groups(scores, 0.0, each=each).values())).tolist()
    assert len(set(chosen)) == len(chosen) == min(len(scores), 3 * each)


def test_regrouping_what_was_chosen_changes_nothing():
    scores = np.random.default_rng(0).normal(size=200)
    groups = gallery_groups(scores, 0.5)
    chosen = np.concatenate(list(groups.values()))
    again = gallery_groups(scores[chosen], 0.5, each=len(chosen))
    for name, rows in groups.items():
        assert chosen[again[name]].tolist() == rows.tolist()


def test_points_of_a_map_must_agree():
    for at, score, label in (((3, 3), 3, 3), ((3, 2), 2, 3), ((3, 2), 3, 2)):
        with pytest.raises(InputError, match="A latent map has"):
            LatentMap("PCA", np.zeros(at), np.zeros(score), np.zeros(label))


def test_a_map_without_labels(tmp_path):
    latent = LatentMap("t-SNE", np.zeros((2, 2)), np.zeros(2))
    write_items(tmp_path / "i.npz", items("table", latent=latent))
    assert read_items(tmp_path / "i.npz").latent.label is None


def test_classes_by_hand():
    label = np.array(list("NNNNVVSN"))
    scores = [1.0, 5, 3, 2, 7, 9, np.nan, 4]
    groups = {name: rows.tolist() for name, rows in class_groups(scores, label).items()}
    # The five N from 5 to 1: first, middle, last. Of two V there is no middle; the only S has no score.
    assert groups == {"class N": [1, 2, 0], "class V": [5, 4]}
    assert list(class_groups(scores, label, most=1)) == ["class N"]
