import gc
import sys

import pytest

from oddgan._core.lazy import LazyClasses, LazyModule, import_quickly


def test_modules_and_classes_are_imported_when_first_used(tmp_path, monkeypatch):
    (tmp_path / "probe_of_lazy.py").write_text("class Probe:\n    pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module, classes = LazyModule("probe_of_lazy"), LazyClasses({"Probe": "probe_of_lazy"})
    assert list(classes) == ["Probe"]
    assert len(classes) == 1
    assert "probe_of_lazy" not in sys.modules
    assert classes["Probe"] is module.Probe
    with pytest.raises(KeyError):
        classes["Other"]


@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_as_it_was(on):
    before = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        import_quickly("fractions")
        with pytest.raises(ImportError):
            import_quickly("no_such_module_at_all")
        assert gc.isenabled() is on
    finally:
        (gc.enable if before else gc.disable)()
