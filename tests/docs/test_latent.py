"""The page of latent restriction."""

import re
import xml.etree.ElementTree as ET

import pytest

from .conftest import ROOT

COMMON = {"data": "MNIST", "protocol": "p", "settings": {}, "n_test": 500, "cpu_s": 1.0, "role": "measured"}
MISSING = "*Not measured yet.* `python benchmarks/latent.py` measures it.\n"
NAMES = ("differences", "codes", "boxes", "shells", "priors", "sizes")


def records(case, values):
    """AUROC by method and level: one value a seed, with an average precision that no part shows."""
    return [
        COMMON | {"case": case, "method": name, "metric": metric, "value": value, "unit": "1", "seed": seed}
        for name, by_seed in values.items()
        for seed, auroc in enumerate(by_seed)
        for metric, value in (("AUROC", auroc), ("AP", 0.111))
    ]


@pytest.fixture
def page(part):
    """The part of the page by its name, made from records."""
    return lambda name, records=(): part(f"latent-{name}", "latent" if records else "", records)


def rows_of(text):
    """The cells of a table, head first."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines[:1] + lines[2:]]


def panels(text):
    """Description of each panel by its title."""
    figure = ET.fromstring(text)  # noqa: S314
    return {svg.find("title").text: svg.find("desc").text for svg in figure.iter("svg") if svg.get("role")}


@pytest.mark.parametrize("name", NAMES)
def test_without_numbers_the_page_says_what_measures_them(page, name):
    assert page(name) == MISSING
    assert page(name, records("another case", {"AnoGAN, another level": [0.5]})) == MISSING


def test_levels_stand_in_order_with_no_bounds_beyond_the_last(page):
    found = [
        *records("heartbeats", {"f-AnoGAN, truncated at 3": [0.6]}),
        *records("digit 8", {
            "AnoGAN, no bounds": [0.8, 0.9],
            "AnoGAN, truncated at 3": [0.7, 0.8],
            "AnoGAN, truncated at 0.25": [0.5],
            "AnoGAN, shell of 1": [0.1],
        }),
        *records("digit 8, z of 8", {"AnoGAN, truncated at 1": [0.2]}),
    ]  # fmt: skip
    text = page("boxes", found)
    assert panels(text) == {
        "digit 8": "AUROC against each coordinate within ±. AnoGAN: 0.5 at 0.25, 0.75 at 3, 0.85 at none.",
        "heartbeats": "AUROC against each coordinate within ±. f-AnoGAN: 0.6 at 3.",
    }
    figure = ET.fromstring(text)  # noqa: S314
    eight = next(svg for svg in figure.iter("svg") if svg.get("role"))
    circles = [e for e in eight if e.get("class") == "mark c0"]
    # Two seeds each at 3 and at none, then three means; the tightest level has one seed.
    assert [e.get("r") for e in circles] == ["2.2"] * 4 + ["4.5"] * 3
    assert len({e.get("cx") for e in circles}) == 3
    assert [e.text for e in eight.iter("text") if e.get("class") == "tick mid"] == ["0.25", "3", "none"]
    assert "means over 1 to 2 seeds, small ones single seeds where there are several. Scales differ." in text


def test_shells_have_penalty_and_acceptance_as_points(page):
    levels = {"no bounds": 0.9, "shell of 4": 0.8, "shell of 1": 0.7}
    values = {f"{m}, {level}": [v] for m in ("AnoGAN", "f-AnoGAN") for level, v in levels.items()}
    values |= {"AnoGAN, shell of 1, penalty": [0.75], "AnoGAN, shell of 1, accepted": [0.72]}
    text = page("shells", records("digit 0", values))
    line = "0.7 at 1, 0.8 at 4, 0.9 at none"
    assert panels(text)["digit 0"] == (
        "AUROC against ‖z‖ within so many deviations of its mode. "
        f"AnoGAN: {line}; f-AnoGAN: {line}; AnoGAN, penalty: 0.75 at 1; AnoGAN, accepted: 0.72 at 1."
    )
    assert "<p>One seed. Scales differ.</p>" in text


def test_differences_are_taken_seed_by_seed(page):
    found = [
        *records("digit 8", {
            "AnoGAN, no bounds": [0.80, 0.90, 0.70],
            "AnoGAN, truncated at 1": [0.82, 0.94],
            "AnoGAN, shell of 1": [0.79, 0.92],
            "AnoGAN, shell of 1, penalty": [0.5],
        }),
        *records("digit 1", {"f-AnoGAN, no bounds": [0.95], "f-AnoGAN, truncated at 1": [0.94]}),
        *records("heartbeats", {"AnoGAN, truncated at 1": [0.5]}),
    ]  # fmt: skip
    text = page("differences", found)
    head, *rows = rows_of(text)
    assert head[1:] == [
        "AUROC, no bounds",
        "truncated at 1, difference",
        "shell of 1, difference",
        "AUROC, all restrictions",
    ]
    assert rows == [
        # .02 and .04: mean .03, deviation .02/√2; -.01 and .02: .005, .03/√2. Means of levels: .88, .855, .5.
        ["digit 8, AnoGAN", "0.800 ± 0.100", "+0.030 ± 0.014", "+0.005 ± 0.021", "0.500 to 0.880"],
        ["digit 1, f-AnoGAN", "0.950", "-0.010", "", "0.940 to 0.940"],
    ]
    assert "Means over 1 to 3 seeds, ± standard deviation." in text
    assert "Truncated at 1 is higher with every seed in 1 of 2 rows, and with none in 1." in text
    assert "Shell of 1 is higher with every seed in 0 of 1 rows, and with none in 0." in text


def test_supports_of_training_and_search_stand_beside_each_other(page):
    found = [
        *records(
            "digit 8", {"AnoGAN, no bounds": [0.9], "AnoGAN, truncated at 1": [0.8], "f-AnoGAN, no bounds": [0.7]}
        ),
        *records("digit 8, trained uniform", {"AnoGAN, own support": [0.95, 0.97], "AnoGAN, no bounds": [0.5]}),
        *records("digit 8, trained shell of 1", {"AnoGAN, no bounds": [0.6]}),
    ]
    text = page("priors", found)
    assert text.endswith("Means over 1 to 2 seeds, ± standard deviation.\n")
    assert page("priors", [r for r in found if r["seed"] == 0]).endswith("\nOne seed.\n")
    assert rows_of(text) == [
        ["method", "support", "training and search", "training only", "search only, trained on N(0, I)"],
        ["AnoGAN", "everywhere, N(0, I)", "0.900", "", ""],
        # The uniform prior lies in the box of ±1, as what is truncated there.
        ["AnoGAN", "uniform", "0.960 ± 0.014", "0.500", "0.800"],
        ["AnoGAN", "shell of 1", "", "0.600", ""],
        ["f-AnoGAN", "everywhere, N(0, I)", "0.700", "", ""],
    ]


def test_sizes_of_z_take_the_other_gans_in(page):
    found = [
        *records("digit 8, z of 128", {"AnoGAN, no bounds": [0.7], "AnoGAN, shell of 1": [0.6]}),
        *records("digit 8, z of 8", {"AnoGAN, no bounds": [0.5, 0.7]}),
        *records("digit 8", {"AnoGAN, no bounds": [0.9], "AnoGAN, truncated at 2": [0.1]}),
    ]
    assert panels(page("sizes", found)) == {
        "AnoGAN": "AUROC against size of z. no bounds: 0.6 at 8, 0.9 at 64, 0.7 at 128; shell of 1: 0.6 at 128."
    }


def test_codes_stand_beside_the_mode_of_the_prior(page):
    kinds = {"‖z‖ of normal rows, median": [50, 60], "‖z‖ of anomalous rows, median": [70.25]}
    found = [
        COMMON | {"case": "digit 8", "method": "f-AnoGAN, codes", "metric": name, "value": v, "unit": "1", "seed": seed}
        for name, values in kinds.items()
        for seed, v in enumerate(values)
    ]
    text = page("codes", found).replace("\xa0", " ")
    assert rows_of(text) == [["normal", *kinds], ["digit 8", "55.0 ± 7.1", "70.2"]]
    assert "The mode of ‖z‖ under N(0, I) is 7.9." in text  # √63


def test_names_are_those_of_the_benchmark(extension):
    latent = extension.latent
    source, gans = ((ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8") for name in ("latent", "gans"))
    assert f'"latent_dim": {latent.SIZE_OF_OTHERS},' in gans
    for start in (latent.TRAINED, latent.SIZE, latent.OWN, latent.FREE, "truncated at {limit:g}", "shell of {k:g}"):
        assert f'"{start}' in source, start
    assert f"FEW = {(latent.FREE, *latent.FEW)!r}".replace("'", '"') in source
    hows = set(re.findall(r'"shell of 1, (\w+)"', source))
    assert {how for _, how in latent.LINES} - {""} == hows
    assert set(re.findall(r'yield f?"([\w-]+), ', source)) == set(latent.METHODS)
