import numpy as np
import pytest

from oddgan._core.errors import InputError
from oddgan.data import from_arrays, inspect, read
from oddgan.report import render_inspection, sentences


def contaminated():
    rng = np.random.default_rng(0)
    return np.vstack([rng.normal(size=(200, 3)), [[50.0, 0, 0]]])


def test_a_page_for_each_kind(tmp_path):
    for name, sign in (("builtin:digits", "data:image/png"), ("builtin:ecg", 'class="curves"')):
        page = render_inspection(inspect(read(name), source=name), tmp_path / "page.html", force=True)
        text = page.read_text(encoding="utf-8")
        assert name in text
        assert "Typical" in text
        assert text.count('<article class="card') == 12
        assert sign in text


def test_suspect_rows_of_a_table_show_the_columns_that_are_odd(tmp_path):
    found = inspect(from_arrays(contaminated()), source="<b>bold</b>")
    text = render_inspection(found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>bold" not in text  # names are data, not markup
    first = text.split('<article class="card flagged')[1]
    assert first.index("column 0") < first.index("column 1")
    assert "far from its neighbours" in first
    with pytest.raises(InputError, match="exists"):
        render_inspection(found, tmp_path / "page.html")


def test_sentences():
    said = " ".join(sentences(inspect(from_arrays(contaminated()), source="t")))
    assert "t: 201 rows of 3 values (float64)." in said
    assert "1 of 201 rows (0.5 %) lie suspiciously far out. That is a suspicion" in said
    assert "Labels" not in said
    clean = " ".join(sentences(inspect(from_arrays(contaminated()[:200], np.ones(200, int)), source="t")))
    assert "None of 200 rows" in clean
    assert "No row has the label 0: name the normal one with --normal" in clean
    assert "Too few" in sentences(inspect(from_arrays(contaminated()[:9])))[-1]
