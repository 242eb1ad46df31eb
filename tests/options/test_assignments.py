import pytest

from oddgan.options import UsageError, merge, parse_assignments, read_settings
from oddgan.options.assignments import parse_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64", 64),
        ("1e-3", 0.001),
        ("1_000", 1000),  # TOML, not JSON
        ("-1", -1),
        ("True", True),
        ("none", None),
        ("null", None),
        ("[0.5, 0.9]", [0.5, 0.9]),
        ("'64'", "64"),
        ('"64"', "64"),
        ("izi_f", "izi_f"),
        ("cuda:0", "cuda:0"),
        ("", ""),
    ],
)
def test_values_are_json_or_toml_or_text(text, value):
    found = parse_value(text)
    assert found == value
    assert type(found) is type(value)


def test_assignments_nest_and_their_order_does_not_matter():
    expected = {"prior": {"type": "Uniform", "low": -2}, "latent_dim": 64}
    assert parse_assignments(["prior=Uniform", "prior.low=-2", "latent_dim=64"]) == expected
    assert parse_assignments(["prior.low=-2", "latent-dim=64", "prior=Uniform"]) == expected


def test_the_last_assignment_of_a_name_counts():
    assert parse_assignments(["epochs=1", "epochs=2"]) == {"epochs": 2}


@pytest.mark.parametrize("text", ["latent_dim", "=3", "prior..low=1", "prior.=1", "64=3", ""])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(UsageError, match="expected name=value"):
        parse_assignments([text])


def test_a_table_without_type_changes_what_is_below_and_one_with_type_replaces_it():
    base = {"prior": {"type": "Uniform", "low": -2}, "epochs": 3}
    assert merge(base, {"prior": {"high": 2}})["prior"] == {"type": "Uniform", "low": -2, "high": 2}
    assert merge(base, {"prior": {"type": "Gaussian"}})["prior"] == {"type": "Gaussian"}
    assert merge(base, {"prior": "Gaussian"}) == {"prior": "Gaussian", "epochs": 3}
    assert base == {"prior": {"type": "Uniform", "low": -2}, "epochs": 3}


def test_a_toml_file_gives_the_same_settings_as_assignments(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('latent_dim = 64\n[prior]\ntype = "Uniform"\nlow = -2\n')
    assert read_settings(file) == parse_assignments(["latent_dim=64", "prior=Uniform", "prior.low=-2"])


def test_a_toml_file_that_is_none_is_refused(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("latent_dim: 64\n")
    with pytest.raises(UsageError, match=r"settings\.toml can't be read as TOML"):
        read_settings(file)
    with pytest.raises(UsageError, match=r"missing\.toml can't be read: there is no such file"):
        read_settings(tmp_path / "missing.toml")
