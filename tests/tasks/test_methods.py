import pytest

from oddgan.detectors import classes, method_rows
from oddgan.options import parse_assignments
from oddgan.tasks import method_class, parameter_rows
from oddgan.tasks.settings import build_detector


def test_every_method_is_listed_oldest_first():
    rows = method_rows()
    assert {row["class"] for row in rows} == set(classes())
    assert [row["year"] for row in rows] == sorted(row["year"] for row in rows)


def test_names_ignore_case_and_punctuation():
    assert method_class("f-anogan") is method_class("FAnoGAN") is method_class("F_ANOGAN")


@pytest.mark.parametrize("name", sorted(classes()))
def test_every_parameter_has_a_meaning_and_own_ones_come_first(name):
    rows = parameter_rows(classes()[name])
    assert [row.name for row in rows if not row.meaning] == []
    own = [row.own for row in rows]
    assert own == sorted(own, reverse=True)
    assert {"contamination", "device", "random_state"} <= {row.name for row in rows if not row.own}


def test_what_a_person_sets_stands_before_how_it_is_computed():
    names = [row.name for row in parameter_rows(method_class("knn")) if not row.own]
    assert names[:4] == ["composition", "scaling", "contamination", "threshold"]
    assert (
        names.index("calibration_size") < names.index("scoring") < names.index("device") < names.index("random_state")
    )


@pytest.mark.parametrize("name", sorted(classes()))
def test_every_plain_default_can_be_typed_as_it_is_shown(name):
    cls = classes()[name]
    for row in parameter_rows(cls):
        if "(" not in row.default:
            typed = build_detector(cls, parse_assignments([f"{row.name}={row.default}"]))
            assert getattr(typed, row.name) == getattr(cls(), row.name)


def test_defaults_show_what_differs_from_the_part_s_own():
    rows = {row.name: row for row in parameter_rows(method_class("anogan"))}
    assert rows["prior"].default == "Gaussian()"
    assert rows["similarity"].default == "L2(reduction=sum)"
    assert rows["search_loss"].default == "WeightedSum(features=0.1, residual=0.9)"
    assert rows["prior"].takes == "Gaussian, Shell, Sphere, TruncatedNormal, Uniform"
    assert rows["threshold"].takes.endswith("or none")
