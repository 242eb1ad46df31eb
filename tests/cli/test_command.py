"""Every field of the options is an argument or a flag of its command, with its docstring as help."""

import pytest

import oddgan.tasks
from oddgan import options
from oddgan.cli.main import app
from oddgan.options.fields import fields_of

SPECS = {name.removesuffix("Spec").lower(): cls for name, cls in vars(options).items() if name.endswith("Spec")}
MANY = [
    *["--drop", "b,c", "--resize", "8x9", "--max-memory", "1kB", "--ecg", "cut=window", "--set", "k=3"],
    *["--no-monitor", "--continue", "m", "--checkpoint-every", "30s", "--seed", "4", "--runs", "r", "--json"],
]


def test_each_command_has_a_spec():
    assert set(SPECS) == {name for name in app if not name.startswith("-")}


@pytest.mark.parametrize("name", SPECS)
def test_help_lists_each_field_with_its_docstring(run, name):
    shown, fields = " ".join(run(name, "--help").out.replace("│", " ").split()), fields_of(SPECS[name])
    nested = [field for field in fields if field.name == "options"]
    for field in (*fields, *fields_of(options.Options)) if nested else fields:
        if not field.flag.hidden and field not in nested:
            assert field.help[1:] in shown, "lines are wrapped between words only"
            assert (f" {field.name.upper()} " if field.flag.group is None else f" --{field.option} ") in shown


def test_each_field_reaches_the_spec(run, monkeypatch):
    """What is typed arrives: parsed where a field says how, flipped where a switch is on by default."""
    kept = []
    monkeypatch.setattr(oddgan.tasks, "finished", lambda spec: kept.append(spec) or True)
    assert run("fit", "knn", "a.csv", *MANY).json == {"model": None, "finished": True}
    data = options.Options(drop=("b,c",), resize=(8, 9), max_memory=1000, ecg=options.EcgOptions(cut="window"))
    given = {"method": "knn", "source": "a.csv", "options": data, "settings": {"k": 3}, "monitor": False, "seed": 4}
    command = ("oddgan", "fit", "knn", "a.csv", *MANY)
    assert kept == [options.FitSpec(**given, onto="m", checkpoint_every="30s", runs="r", command=command)]
