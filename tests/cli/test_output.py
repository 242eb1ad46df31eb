from oddgan.base import Progress
from oddgan.cli import output
from oddgan.cli.command import Output
from oddgan.evaluate import ThresholdInfo


def test_the_bar_shows_rows_steps_and_convergence(capsys, monkeypatch):
    monkeypatch.setattr(output, "watched", lambda _: True)
    with output.bar("scoring", Output()) as told:
        told(Progress(40), 100)
        told(Progress(100, 12.4, 0.5), 100)
    shown = capsys.readouterr().err
    assert "100/100" in shown
    assert "12 steps, 50 % converged" in shown


def test_nobody_looks_and_nothing_is_drawn(capsys):
    with output.bar("scoring", Output(quiet=True)) as told:
        assert told is None
    assert capsys.readouterr().err == ""


def test_words_for_a_search():
    assert output.found_so_far(Progress(3)) == ""
    assert output.found_so_far(Progress(3, 7.0)) == "7 steps"
    assert output.found_so_far(Progress(3, 7.0, 1 / 3)) == "7 steps, 33 % converged"


def test_a_threshold_of_few_scores_says_what_it_can_promise():
    info = ThresholdInfo(value=2.0, rule="Conformal", rate=0.1, source="held-out normals", n=4)
    assert output.threshold_line(info).endswith("the scores of 4 held-out normals, to flag 20 % of normals")
    more = info.model_copy(update={"n": 9})
    assert output.threshold_line(more).endswith("the scores of 9 held-out normals, to flag 10 % of normals")
