"""Figures that are drawn from benchmark records."""

import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

COMMON = {"data": "MNIST", "protocol": "OC-300", "seed": 0, "n_test": 300, "cpu_s": 1.0, "role": "measured"}
TIME = ("time for each image", "CPU ms")
ROOT = Path(__file__).parents[2]
MARKS = {
    "inversion": ("depth", "choice", "apart", "rules", "theta", "starts"),
    "training": ("training-ratios", "training-floors", "precision-table", "step-table"),
    "search": ("search-ratios",),
    "encoder": ("encoder-ratios",),
    "adgan": ("adgan-ratios",),
}


def record(case, method, value, *, metric=("AUROC", "1"), settings=None, **more):
    name, unit = metric
    given = {"case": case, "method": method, "value": value, "metric": name, "unit": unit, "settings": settings or {}}
    return COMMON | given | more


@pytest.fixture
def draw(part):
    """Draws a figure from records, and parses what is drawn."""
    return lambda name, records, benchmark="inversion": ET.fromstring(part(f"figure-{name}", benchmark, records))  # noqa: S314


def panels(figure):
    """Title and description of each panel."""
    return [(svg.find("title").text, svg.find("desc").text) for svg in figure.iter("svg") if svg.get("role")]


def marks(figure, colour):
    """The horizontal places of a colour's marks, of the panels and not of the legend."""
    inside = [e for svg in figure.iter("svg") if svg.get("role") for e in svg]
    return [float(e.get("cx")) for e in inside if e.get("class") == f"mark c{colour}" and e.tag == "circle"]


@pytest.mark.parametrize(("program", "name"), [(b, name) for b, names in MARKS.items() for name in names])
def test_without_results_the_page_says_what_measures_them(part, program, name):
    missing = f"*Not measured yet.* `python benchmarks/{program}.py` measures it.\n"
    assert part(f"figure-{name}") == missing
    assert part(f"figure-{name}", program, [record("another case", "AnoGAN", 0.5)]) == missing
    assert part("figure-theta-table", "inversion", [record("another case", "AnoGAN", 0.5)]) == ""


def test_depth_shows_a_panel_a_digit_and_no_steps_left_of_the_first(draw):
    depth = {
        ("8", "encoder start, residual"): {0: 0.9, 5: 0.8},
        ("8", "random start, AnoGAN's loss"): {500: 0.7, 5: 0.6},
        ("0", "random start, residual"): {5: 0.99},
    }
    figure = draw("depth", [
        record(f"search depth, digit {digit}", f"{start}, {n} steps", v, settings={"steps": n, "start": start})
        for (digit, start), values in depth.items()
        for n, v in values.items()
    ])  # fmt: skip
    (zero, said_of_zero), (eight, said) = panels(figure)
    assert (zero, eight) == ("digit 0", "digit 8")
    assert "random start, residual: 0.99 at 5" in said_of_zero
    assert "random start, AnoGAN's loss: 0.6 at 5, 0.7 at 500; encoder start, residual: 0.9 at 0, 0.8 at 5." in said
    labels = [e.text for e in figure.iter("text") if e.get("class") == "tick mid"]
    assert labels == ["0", "5", "500"] * 2


def test_means_over_digits_count_those_that_all_ways_were_measured_on(draw, part):
    values = {"Adam": {8: 0.9, 1: 1.0, 2: 0.1}, "frozen": {8: 0.8, 1: 0.98}}
    both = [
        r
        for name, digits in values.items()
        for digit, v in digits.items()
        for r in (record(f"θ, digit {digit}", name, v), record(f"θ, digit {digit}", name, 10.0 * digit, metric=TIME))
    ]
    figure = draw("theta", both)
    # (0.9 + 1.0) / 2 = 0.95 at (80 + 10) / 2 = 45 ms; the digit 2 is not there for both.
    assert "Adam: 0.95 at 45; frozen: 0.89 at 45." in panels(figure)[0][1]
    assert len(marks(figure, 0)) == 2 + 1
    # 0.89 - 0.95 = -0.06, most on the digit 8: 0.8 - 0.9.
    assert "| frozen | 0.8900 | -0.0600 | -0.1000 | 45 |" in part("figure-theta-table")


def test_rules_and_starts_need_the_time_of_the_same_run(draw):
    loss = ("mean loss of normals", "L2")
    timed = {"L-BFGS, 10 steps": 10, "Adam, 10 steps": 10, "Adam, 30 steps": 30}
    rules = [
        r
        for method, n in timed.items()
        for r in (
            record("rules for z, digit 8", method, 1 / n, metric=loss, settings={"steps": n}),
            record("rules for z, digit 8", method, float(n), metric=TIME, settings={"steps": n}),
        )
    ]
    rules.append(record("rules for z, digit 8", "Adam, 99 steps", 0.5, metric=loss, settings={"steps": 99}))
    figure = draw("rules", rules)
    ((title, said),) = panels(figure)
    assert title == "how far the loss falls"
    assert said.endswith("L-BFGS: 0.1 at 10; Adam: 0.1 at 10, 0.0333 at 30.")
    assert "L-BFGS: 10 steps; Adam: 10, 30 steps." in figure.find("figcaption/p").text

    starts = []
    for k, n, ms in ((20, 1, 40.0), (5, 1, 10.0), (5, 64, 300.0)):
        settings, name = {"k": k, "n_seed": n}, f"k={k}, n_seed={n}"
        starts.append(record("steps and starts, digit 8", name, 0.9, settings=settings))
        starts.append(record("steps and starts, digit 8", name, ms, metric=TIME, settings=settings))
    figure = draw("starts", starts)
    assert "n_seed=1: 0.9 at k=5, 0.9 at k=20; n_seed=64: 0.9 at k=5." in panels(figure)[0][1]
    assert [e.text for e in figure.iter("text") if e.get("class") == "note mid"] == ["k=5", "k=20", "k=5"]


def test_bars_are_as_long_as_their_ratios_over_all_panels(draw):
    time = ("time of a step", "ms")
    figure = draw(
        "search-ratios",
        [
            record("a", "loop & all", 8.0, metric=time, ratio=1.0, baseline=8.0),
            record("a", "ours", 1.0, metric=time, ratio=8.0, baseline=8.0),
            record("b", "ours", 2.0, metric=time, ratio=4.0, baseline=8.0),
            record("b", "a floor without a ratio", 2.0, metric=time, role="floor"),
        ],
        "search",
    )
    assert panels(figure) == [("a, OC-300", "loop & all: 1; ours: 8."), ("b, OC-300", "ours: 4.")]
    widths = [float(e.get("width")) for e in figure.iter("rect")]
    assert widths == pytest.approx([widths[1] / 8, widths[1], widths[1] / 2], abs=0.1)  # tenths of a pixel are kept


def test_tables_of_training(part, store):
    cycle, floor = ("a cycle", "CPU s"), {"role": "floor"}
    records = [
        record("cycles", "as it is", 2.0, metric=cycle, ratio=1.5, baseline=3.0),
        record("cycles, at the machine's peak", "as it is", 50.0, metric=("operations", "GFLOP"), **floor),
        record("cycles, at the machine's peak", "as it is", 100.0, metric=("peak", "GFLOP/s"), **floor),
        record("cycles, at the machine's peak", "as it is", 0.5, metric=cycle, **floor),
        record("digit", "fp32", 4.0, metric=("Fréchet distance", "units")),
        record("digit", "fp32", 6.0, metric=("Fréchet distance", "units"), seed=1),
        record("steps on a table, AE", "PyOD", 3.0, metric=("a step", "CPU ms")),
        record("steps on a table, AE", "oddgan", 2.0, metric=("a step", "CPU ms"), ratio=1.5, baseline=3.0),
    ]
    store("training", records)
    # 0.5 s of 2.0 s is a quarter of the peak; 3 ms to 2 ms are 1.5.
    assert "| as it is | 50 | 100 | 0.50 | 2.00 | 25% |" in part("figure-training-floors")
    assert "| AE | 2.00 | 3.00 | 1.5 |" in part("figure-step-table")
    assert "| fp32 | 5" in part("figure-precision-table")


def test_figures_are_one_block_of_html_with_names_for_who_cannot_see_them(draw):
    settings = {"steps": 5, "start": "<&>"}
    figure = draw("depth", [record("search depth, digit 8", "<&>, 5 steps", 0.5, settings=settings)])
    text = ET.tostring(figure, encoding="unicode")
    assert "\n\n" not in text  # an empty line would end the block in Markdown
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for svg in figure.iter("svg"):
        named = set((svg.get("aria-labelledby") or "").split())
        assert svg.get("aria-hidden") or (named and named <= set(ids))


def test_the_example_of_search_paths_shows_what_its_caption_says(extension, part):
    torch = pytest.importorskip("torch")
    example = extension.search_paths
    ends = {name: example.paths()[i, :, -1] for i, name in enumerate(example.SAMPLES)}
    one, two = ends.values()
    # The one bump is at 1, 1.3 high; of the two, at -1.5 and 1.5, each path ends at one.
    torch.testing.assert_close(one, torch.tensor([1.0, math.log(1.3)]).expand(6, 2), atol=0.02, rtol=0)
    torch.testing.assert_close(two[:, 0].abs(), torch.full((6,), 1.5), atol=0.1, rtol=0)
    assert {bool(place > 0) for place in two[:, 0]} == {True, False}
    figure = ET.fromstring(part("figure-search-paths"))  # noqa: S314
    assert len([e for e in figure.iter("path") if e.get("class", "").startswith("line")]) == 2


def test_steps_are_chosen_by_the_mean_over_digits(part):
    values = {("2", 20): 0.9, ("2", 5): 0.7, ("3", 20): 0.8, ("3", 5): 0.6}
    records = [
        record(f"choice of steps, digit {d}", f"AnoGAN, {n} steps", v, settings={"steps": n})
        for (d, n), v in values.items()
    ]
    lines = part("figure-choice", "inversion", records).splitlines()
    assert lines[0] == "| steps | 5 | 20 |"
    assert lines[2] == "| AUROC, mean of 2 digits | 0.650 | 0.850 |"


def test_starts_taken_apart_stand_in_a_table(part):
    metrics = {"AUROC of the mean loss": 0.9, "lowest": 0.7, "highest": 0.95, "AUROC of the least loss": 0.92}
    records = [
        record("starts taken apart, digit 8", f"{n} starts", v, metric=(metric, "1"), settings={"n_seed": n})
        for n in (16, 2)
        for metric, v in metrics.items()
    ]
    lines = part("figure-apart", "inversion", records).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["2", "16"]
    assert "0.900 | 0.700 | 0.950 | 0.920" in lines[2]


def test_every_measured_rule_has_a_colour_and_a_shape(extension, draw):
    """As many rules as the benchmark compares."""
    kinds = [f"rule {i}" for i in range(len(extension.plots.CORNERS))]
    rows = [
        record("rules for z, digit 8", f"{kind}, 10 steps", 0.5, metric=metric, settings={"steps": 10})
        for kind in kinds
        for metric in (("AUROC", "1"), TIME)
    ]
    assert all(kind in panels(draw("rules", rows))[0][1] for kind in kinds)
    source = (ROOT / "benchmarks" / "inversion.py").read_text()
    compared = source.partition("RULES: ")[2].partition("\n}")[0].count('": (')
    assert 0 < compared <= len(kinds)
    style = (ROOT / "docs" / "_static" / "oddgan.css").read_text()
    assert all(f".mark.c{i} " in style for i in range(len(kinds)))
