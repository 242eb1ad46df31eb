import pytest
import torch

from oddgan import PCA, InputError, load
from oddgan.cli.main import main
from oddgan.inputs.device import usable_device
from small_detectors import detector, table

UNKNOWN = [("nonsense", "There is no device 'nonsense': choose cpu, cuda"), ("", "There is no device ''")]
ABSENT = ["cuda:99", "meta", "xpu"]
SAID = [*UNKNOWN, *[(name, f"This machine has no device '{name}' that torch can use; it has cpu") for name in ABSENT]]


@pytest.mark.parametrize(("name", "message"), SAID)
def test_a_device_that_is_not_there_is_one_sentence(name, message, tmp_path, capsys):
    for fit in (detector(device=name).fit, PCA(device=name).fit):
        with pytest.raises(InputError, match=message):
            fit(table())
    fitted = PCA().fit(table())
    model = fitted.save(tmp_path / "model")
    with pytest.raises(InputError, match=message):
        load(model, device=name)
    with pytest.raises(InputError, match=message):
        fitted.set_params(device=name).anomaly_score(table())
    lines = [
        ["fit", "pca", "builtin:digits", "--runs", str(tmp_path / "runs")],
        ["score", str(model), "builtin:digits"],
    ]
    for line in [*lines, ["evaluate", str(model), "builtin:digits"]]:
        assert main([*line, "--device", name]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"oddgan: {message}")
        assert said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_device_that_is_there():
    assert usable_device(None) == torch.get_default_device()
    assert usable_device("cpu") == torch.device("cpu")
    assert usable_device(torch.device("cpu")) == torch.device("cpu")


def test_fit_computes_where_it_is_told(tmp_path):
    line = ["fit", "pca", "builtin:digits", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "model")]
    assert main([*line, "--device", "cpu", "--quiet"]) == 0
    assert load(tmp_path / "model").device is None  # the next machine may have others
