import pytest

from oddgan.evaluate import CompositionInfo, ThresholdInfo, supervision

HELD_OUT = ThresholdInfo(value=0.5, rule="Conformal", rate=0.1, source="held-out normals", n=20)
TUNED = ThresholdInfo(value=0.5, rule="Fixed", source="labelled rows")
RANKS = CompositionInfo(text="RankAverage()", components=("residual",))
SVM = CompositionInfo(text="SVM(kernel=linear)", components=("residual",), needs_labels=True)


@pytest.mark.parametrize(
    ("composition", "threshold", "said"),
    [
        (RANKS, HELD_OUT, None),
        (None, HELD_OUT, None),  # a run of an older version
        (RANKS, TUNED, "Semi-supervised: the threshold was chosen with labels of anomalies."),
        (SVM, HELD_OUT, "Semi-supervised: the composition (SVM) was chosen with labels of anomalies."),
        (SVM, TUNED, "Semi-supervised: the composition (SVM) and the threshold were chosen with labels of anomalies."),
    ],
)
def test_what_labels_had_a_part_in_is_said(composition, threshold, said):
    text = supervision(composition, threshold)
    assert text == ("" if said is None else f"{said} Compare this only with results that used labels, too.")
