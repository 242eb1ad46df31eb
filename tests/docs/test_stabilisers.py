"""What each stabiliser is worth, on the page of the stabilisers."""

import re
import xml.etree.ElementTree as ET

import pytest

from .conftest import ROOT

COMMON = {"data": "d", "protocol": "p", "settings": {}, "n_test": 9, "cpu_s": None, "role": "measured"}


def run(case, method, distances, seconds, seed=0):
    """The records of one training: values by step."""
    kinds = {"Fréchet distance at {} steps": (distances, "fd"), "CPU time to {} steps": (seconds, "s")}
    return [
        COMMON
        | {"case": case, "method": method, "metric": name.format(n), "value": v, "unit": unit, "seed": seed}
        for name, (values, unit) in kinds.items()
        for n, v in values.items()
    ]  # fmt: skip


# Two seeds of the digit 8 and one of the deer, whose plain game is missing.
RECORDS = [
    *run("digit 8", "WGAN-GP + InstanceNoise", {50: 200.0, 700: 8.0}, {50: 2.0, 700: 30.0}),
    *run("digit 8", "WGAN-GP", {50: 100.0, 700: 20.0}, {50: 1.0, 700: 10.0}),
    *run("digit 8", "WGAN-GP", {50: 300.0, 700: 30.0}, {50: 3.0, 700: 20.0}, seed=1),
    *run("digit 8", "WGAN-GP + MinibatchStdDev", {50: 100.0, 700: 10.0}, {50: 2.0, 700: 15.0}),
    *run("digit 8", "WGAN-GP + MinibatchStdDev", {50: 100.0, 700: 31.0}, {50: 2.0, 700: 40.0}, seed=1),
    *run("digit 8", "WGAN-GP + Penalised", {50: 100.0, 700: 90.0}, {50: 2.0, 700: 15.0}),
    *run("deer", "non-saturating + LabelSmoothing", {50: 40.0, 700: 5.0}, {50: 1.0, 700: 9.0}),
    *run("deer", "non-saturating", {50: 40.0, 700: 6.0}, {50: 1.0, 700: 9.0}),
    # Interrupted: no value at the end.
    *run("deer", "WGAN-GP + CriticEnsemble", {50: 40.0}, {50: 1.0}),
]


@pytest.fixture
def page(part):
    """The part of the page by its name, made from records."""
    return lambda name, records=(): part(f"stabilisers-{name}", "stabilisers" if records else "", records)


def panels(text):
    """Description of each panel by its figure's caption and its title."""
    return {
        (figure.find("figcaption/p").text, svg.find("title").text): svg.find("desc").text
        for figure in ET.fromstring(f"<all>{text}</all>").iter("figure")  # noqa: S314
        for svg in figure.iter("svg")
        if svg.get("role")
    }


@pytest.mark.parametrize("name", ["worth", "by-steps", "by-seconds"])
def test_without_numbers_the_page_says_what_measures_them(page, name):
    said = "*Not measured yet.* `python benchmarks/stabilisers.py` measures it.\n"
    assert page(name) == said
    other = {"case": "digit 8", "method": "WGAN-GP", "metric": "another", "value": 1.0, "unit": "1", "seed": 0}
    assert page(name, [COMMON | other]) == said


def test_distances_at_the_end_and_times_beside_the_plain_game(page):
    text = page("worth", RECORDS)
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == ["", "digit 8, distance", "deer, distance", "digit 8, CPU time"]
    assert rows[2:] == [
        # The mean of 20 and 30; their standard deviation is 10/√2 = 7.07.
        ["WGAN-GP", "25.0 ± 7.1", "", "1.00"],
        # 15 s to 10 s, 40 s to 20 s: 1.5 and 2, median 1.75.
        ["WGAN-GP + MinibatchStdDev", "20.5 ± 14.8", "", "1.75"],
        ["WGAN-GP + Penalised", "90.0", "", "1.50"],
        ["WGAN-GP + InstanceNoise", "8.0", "", "3.00"],
        # Without the plain game on the deer there is no ratio, and no column for it.
        ["non-saturating", "", "6.0", ""],
        ["non-saturating + LabelSmoothing", "", "5.0", ""],
    ]
    assert "after 700 steps of the generator, lower is better (digit 8: 1 to 2 seeds; deer: one seed)" in text


def test_what_is_nearer_is_said_case_by_case(page):
    said = re.findall(r"^- (.*?), beside .*?: (.*)\.$", page("worth", RECORDS), flags=re.MULTILINE)
    # MinibatchStdDev: 10 below 20 with one seed, 31 above 30 with the other.
    mixed = "nearer with some seeds only: `MinibatchStdDev`"
    assert said == [
        ("digit 8", f"nearer: `InstanceNoise`; farther: `Penalised`; {mixed}"),
        ("deer", "nearer: `LabelSmoothing`"),
    ]


def test_a_figure_a_group_and_a_panel_a_case_in_which_one_was_measured(page):
    found = panels(page("by-steps", RECORDS))
    assert [(caption.partition(".")[0], case) for caption, case in found] == [
        ("Against one sample drawn over and over", "digit 8"),
        ("Against one player that runs away", "deer"),
        ("Against a critic that is steep, or certain at once", "digit 8"),
        ("Against a critic that is steep, or certain at once", "deer"),
    ]
    first, second, third, fourth = found.values()
    plain = "WGAN-GP: 200 at 50, 25 at 700"
    assert first == (
        f"Fréchet distance against steps of the generator. {plain}; WGAN-GP + MinibatchStdDev: 100 at 50, 20.5 at 700."
    )
    assert second.endswith("generator. WGAN-GP + CriticEnsemble: 40 at 50."), "its game is not measured"
    assert f"{plain}; WGAN-GP + Penalised: 100 at 50, 90 at 700; WGAN-GP + InstanceNoise: 200 at 50" in third
    assert fourth.endswith("non-saturating: 40 at 50, 6 at 700; non-saturating + LabelSmoothing: 40 at 50, 5 at 700.")
    assert "Large marks are means over 1 to 2 seeds" in next(iter(found))[0]
    assert next(iter(panels(page("by-steps", RECORDS[:8])))) == (
        "Against a critic that is steep, or certain at once. One seed.",
        "digit 8",
    )


def test_seconds_are_those_of_the_same_training(page):
    # Means over two seeds: (1 + 3)/2 = 2 s and (10 + 20)/2 = 15 s.
    first = next(iter(panels(page("by-seconds", RECORDS)).values()))
    assert "against CPU seconds. WGAN-GP: 200 at 2, 25 at 15; " in first
    timeless = [r for r in RECORDS if "CPU" not in r["metric"]]
    assert page("by-seconds", timeless).startswith("*Not measured yet.*")


def test_equal_factors_are_equal_distances_on_the_page(page):
    """The y axis is logarithmic: 4000, 400 and 40 are evenly spaced."""
    even = {50: 4000.0, 200: 400.0, 700: 40.0}
    records = [r for m in ("WGAN-GP", "WGAN-GP + InstanceNoise") for r in run("deer", m, even, {})]
    figure = ET.fromstring(page("by-steps", records))  # noqa: S314
    circles = [e for svg in figure.iter("svg") if svg.get("role") for e in svg if e.get("class") == "mark c0"]
    high, middle, low = (float(e.get("cy")) for e in circles)
    assert middle - high == pytest.approx(low - middle, abs=0.2)
    assert [e.text for e in figure.iter("text") if e.get("class") == "tick mid"] == ["50", "200", "700"]


def test_every_stabiliser_of_the_benchmark_is_in_a_figure(extension):
    stabilisers = extension.stabilisers
    source = (ROOT / "benchmarks" / "stabilisers.py").read_text(encoding="utf-8")
    runs = source.partition("RUNS = (")[2].partition("# fmt: skip")[0]
    measured = set(re.findall(r"\b([A-Z]\w*[a-z])\(", runs)) - {"Run"}
    drawn = [name for names in stabilisers.GROUPS.values() for name in names]
    assert len(measured) > 5
    assert sorted(drawn) == sorted(measured)
    games = set(re.findall(r'"([\w-]+)" if self.settings is WASSERSTEIN else "([\w-]+)"', source).pop())
    assert set(stabilisers.GAMES) == games
