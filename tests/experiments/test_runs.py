"""Names of run folders."""

from pathlib import Path

from oddgan.experiments.runs import run_folder


def test_a_run_is_named_after_time_method_and_source(tmp_path: Path) -> None:
    name = run_folder(tmp_path, "β-VAEGAN", "records/MIT BIH", None).name
    assert name[:2] == "20"
    assert name.endswith("-beta-vaegan-mit-bih")
    assert run_folder(tmp_path, "f-AnoGAN", "builtin:digits", None).name.endswith("-f-anogan-digits")
    assert run_folder(tmp_path, "f-AnoGAN", "builtin:digits", "My β test").name.endswith("-my-beta-test")


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    first = run_folder(tmp_path, "PCA", "x.csv", None)
    first.mkdir()
    second = run_folder(tmp_path, "PCA", "x.csv", None)
    assert second != first
    assert not second.exists()
