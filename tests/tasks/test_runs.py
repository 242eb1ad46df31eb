"""Names of run folders."""

from pathlib import Path

from oddgan._core.files import numbered_folder
from oddgan.tasks.runs import run_folder


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
