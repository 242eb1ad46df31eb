"""Tables as people have them: each is read right or refused in one sentence, whatever holds them."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from oddgan import InputError
from oddgan.data import Options, Reading, csv_files, is_anomaly, read, tables
from oddgan.data.patterns import COMMA, GROUPED, MONEY, NUMBER, PERCENT, TEXT, TIME, TRUTH, pattern

N = 40
VALUES = [f"{v:.2f}" for v in np.random.default_rng(0).normal(20, 3, N)]
REFUSED = {
    "ISO times": (
        [f"2024-01-01T00:{i:02}:00Z" for i in range(N)],
        "times in column c, the first in {0}: '2024-01-01T00",
    ),
    "few dates": ([f"{1 + i % 3}/2/2024" for i in range(N)], "times in column c, the first in {0}: '1/2/2024'"),
    "clock": ([f"{i % 12}:{i:02} PM" for i in range(N)], "times in column c"),
    "month in words": ([f"{1 + i % 28} Mar 2024" for i in range(N)], "times in column c"),
    "ids": ([f"device {i}" for i in range(N)], "more than 30 different texts in column c, e.g. 'device 0'"),
    "decimal comma": (
        [v.replace(".", ",") for v in VALUES],
        "numbers with a comma in column c, the first in {0}: '20,38'",
    ),
    "one comma": ([*VALUES[:-1], "1,234"], "numbers with a comma in column c, the first in {39}: '1,234'"),
    "percent": ([f"{v} %" for v in VALUES], "numbers with a percent sign in column c"),
    "spaces between thousands": (
        [f"{i + 1} {i:03}" for i in range(N)],
        "numbers with thousands separators in column c",
    ),
    "money": ([f"${v}" for v in VALUES], "numbers with a currency sign in column c"),
    "a dash": (
        [*VALUES[:7], "-", *VALUES[8:]],
        "column c but for 1 cell that is no number, the first in {7}: '-'; correct",
    ),
    "many dashes": (["-", *VALUES[1:15], *["-"] * 25], "but for 26 cells that are no numbers, the first in {0}: '-'"),
    "spreadsheet errors": (["#DIV/0!", "#REF!", *VALUES[2:]], "but for 2 cells that are no numbers, the first in {0}"),
    "truth values and numbers": (["true", *VALUES[1:]], "column c but for 1 cell that is no number"),
    "underscores": (["1_000", *VALUES[1:]], "numbers with thousands separators in column c"),
}
HOLDERS = {
    "csv": lambda frame, path: frame.write_csv(path / "a.csv") or path / "a.csv",
    "pieces": lambda frame, path: frame.write_csv(path / "a.csv") or path / "a.csv",
    "parquet": lambda frame, path: frame.write_parquet(path / "a.parquet") or path / "a.parquet",
    "polars": lambda frame, _: frame,
    "pandas": lambda frame, _: frame.to_pandas(),
}


def places(text, holder):
    for row in (0, 7, 39):
        text = text.replace(f"{{{row}}}", f"line {row + 2}" if holder in {"csv", "pieces"} else f"row {row}")
    return text


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", REFUSED)
def test_columns_that_are_no_categories(name, holder, tmp_path):
    cells, message = REFUSED[name]
    source = HOLDERS[holder](pl.DataFrame({"c": cells, "v": np.arange(N) % 7}), tmp_path)
    options = {"mapped": holder == "pieces"}
    with pytest.raises(InputError) as told:
        read(source, Options(**options))
    text = str(told.value)
    assert places(message, holder) in text
    assert text.endswith("with --drop c, or give each text a column with --categorical c.")
    assert "\n" not in text
    assert read(source, Options(**options, drop=("c",))).columns == ("v",)
    assert read(source, Options(**options, keep=("v",))).columns == ("v",)
    asked = read(source, Options(**options, categorical=("c",)))
    assert len(asked.columns) == len(set(cells)) + 1


def test_every_column_that_can_not_be_used_is_named():
    frame = pl.DataFrame({"day": ["2024-01-01"] * 9, "id": [f"n{i}" for i in range(9)], "x y": ["-"] + ["1"] * 8})
    with pytest.raises(InputError, match=r"times in column day, .* 2 more columns: --drop id --drop 'x y'\."):
        read(frame)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *[(t, NUMBER) for t in ("1", "-1.5e3", ".5", "5.", "1e400")],
        *[(t, TRUTH) for t in ("true", "FALSE")],
        *[(t, COMMA) for t in ("3,14", "1,234,567.8", "1.234,5", "-0,5e3")],
        *[(t, GROUPED) for t in ("1 234", "1'234.5", "1_000", "1.234.567")],
        *[(t, PERCENT) for t in ("5%", "3.1 %", "3,1%")],
        *[(t, MONEY) for t in ("$5", "3.50 €")],
        *[(t, TIME) for t in ("2024-01-01", "2024/1/31 07:05", "31.12.99", "12:30", "Jan 3, 2024", "3-Jan-24")],
        *[(t, TIME) for t in ("2024-01-01 00:00:00.123+01:00", "Mon, 03 Jan 2024 10:00:00 GMT", "2024-W05", "2024Q1")],
        *[(t, TIME) for t in ("1 days 00:10:00", "20240101T120000Z", "7:30 p.m.")],
        *[(t, TEXT) for t in ("oak", "3a", "A-7", "10-20", "192.168.0.1", "may", "Mon", "-", "1,2;3", "yes", "x" * 99)],
    ],
)
def test_patterns(text, kind):
    assert pattern(text) == kind


FEATURES = {"a": [0.5, 1.5, 2.5, 3.5], "wood": ["oak", "pine", "oak", "oak"]}
READ = {
    "semicolons, a byte order mark, both line ends": ("\ufeffa;wood\r\n0.5;oak\n1.5;pine\r\n2.5;oak\n3.5;oak\n", {}),
    "bars": ("a|wood\n0.5|oak\n1.5|pine\n2.5|oak\n3.5|oak\n", {}),
    "quoted numbers, blanks": ('a, "wood"\n"0.5", "oak"\n 1.5 ,pine\n"2.5",oak\n3.5,oak', {}),
    "row numbers without a name": (",a,wood\n0,0.5,oak\n1,1.5,pine\n2,2.5,oak\n3,3.5,oak\n", {"drop": ("column 1",)}),
    "an empty last column": ("a,wood,\n0.5,oak,\n1.5,pine,\n2.5,oak,\n3.5,oak,\n", {"drop": ("column 3",)}),
    "a column without values": ("a,b,wood\n0.5,,oak\n1.5,NA,pine\n2.5,?,oak\n3.5,,oak\n", {"drop": ("b",)}),
    "a name of two lines, another separator in a name": (
        'a,"the\nwood; it"\n0.5,oak\n1.5,pine\n2.5,oak\n3.5,oak\n',
        {"categorical": ("the wood; it",)},
    ),
    "a name with a comma": ('a,wood,"x, y"\n0.5,oak,0\n1.5,pine,0\n2.5,oak,0\n3.5,oak,0\n', {"drop": ("x, y",)}),
    "two names with a comma between": (
        "b,a,wood,c\n-,0.5,oak,1\n-,1.5,pine,1\n-,2.5,oak,1\n-,3.5,oak,1\n",
        {"drop": ("b, c",)},
    ),
}


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("name", READ)
def test_awkward_files_that_are_read(name, mapped, tmp_path):
    text, options = READ[name]
    (tmp_path / "a.csv").write_bytes(text.encode())
    dataset = read(tmp_path / "a.csv", Options(**options, mapped=mapped))
    assert np.array_equal(np.asarray(dataset.x), read(pd.DataFrame(FEATURES)).x)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "t,c\ns,°C\n1.5,20\n2.5,21\n3.5,19\n",
            r"but for 1 cell .* line 2 .a line of units..: 's'.* 1 more column: --drop c",
        ),
        ("a,b\n1,2,\n3,4,\n", "has 3 cells in line 2; expected 2"),
        ("a,b,\n1,2,\n3,4,\n", "has no name for column 3: name it, or leave it out with --drop 'column 3'"),
        ("a,b\n1,\n3,\n", "has no value at all in column b: leave it out with --drop b"),
        ('a,b\n1,2\n\n3,"x\ny"\n4,5\n', r"no number, the first in line 5: 'x\\ny'"),
        ("# made by hand\na,b\n1,2\n", "has 2 cells in line 2; expected 1"),
        ("a\n3,14\n2,71\n", "has 2 cells in line 2; expected 1"),
    ],
)
def test_awkward_files_that_are_refused(text, message, tmp_path):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as told:
        read(tmp_path / "a.csv")
    assert "\n" not in str(told.value)


def test_columns_of_yes_and_no_and_a_few_kinds_stay_texts(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\nyes,4WD\nno,2WD\nyes,7\n", encoding="utf-8")
    assert read(tmp_path / "a.csv").columns == ("a=no", "a=yes", "b=2WD", "b=4WD", "b=7")


def test_numbers_that_only_rise_are_pointed_out():
    frame = pl.DataFrame({"t": 1_700_000_000 + 60 * np.arange(20), "v": [3, 1] * 10})
    assert read(frame).notes == (
        "Column t counts up from row to row, as a time or a row number does: if it is one, leave it out with --drop t.",
    )
    assert read(frame[:19]).notes == ()
    assert read(frame[::-1]).notes == ()


TRUTH_TABLE = pl.DataFrame({"v": [0.5, 1.5, 2.5, 3.5], "member": [True, False, True, True]})


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("first", HOLDERS)
def test_truth_values_mean_the_same_everywhere(first, holder, tmp_path):
    reading = read(HOLDERS[first](TRUTH_TABLE, tmp_path)).reading
    dataset = read(HOLDERS[holder](TRUTH_TABLE, tmp_path), Options(mapped=holder == "pieces"), like=reading)
    assert np.asarray(dataset.x).tolist() == [[0.5, 1], [1.5, 0], [2.5, 1], [3.5, 1]]
    assert dataset.notes == ()


def test_models_that_know_truth_values_as_texts_read_them_still():
    reading = read(
        pl.DataFrame({"v": [1.0, 2.0], "member": ["True", "False"]}), Options(categorical=("member",))
    ).reading
    for member in ([True, False], ["TRUE", "false"], [1, 0]):
        dataset = read(pl.DataFrame({"v": [1.0, 2.0], "member": member}), like=reading)
        assert (dataset.x.tolist(), dataset.notes) == ([[1, 0, 1], [2, 1, 0]], ())


@pytest.mark.parametrize("normal", [None, "False", "false", 0])
def test_truth_values_as_labels(normal, tmp_path):
    frame = pl.DataFrame({"v": [1.0, 2.0, 3.0], "odd": [False, True, False]})
    frame.write_csv(tmp_path / "a.csv")
    for source in (frame, tmp_path / "a.csv"):
        assert is_anomaly(read(source, Options(label="odd")).y, normal).tolist() == [False, True, False]


WIDE = pl.DataFrame({"id": ["x", "y", "z"], "a": [1.0, 2.0, 4.0], "b": [3.0, 5.0, 6.0], "kind": [0, 0, 1]})


@pytest.mark.parametrize("options", [{"drop": ("id", "b")}, {"keep": ("a",)}])
@pytest.mark.parametrize("mapped", [False, True])
def test_a_model_remembers_which_columns_it_reads(options, mapped, tmp_path):
    path = tmp_path / "a.csv"
    WIDE.write_csv(path)
    fitted = read(path, Options(label="kind", mapped=mapped, **options)).reading
    like = Reading.from_json(json.loads(json.dumps(fitted.to_json())))
    for columns in (WIDE.columns, ["a", "kind"], ["id", "a"], ["a"]):
        WIDE[columns].write_csv(path)
        dataset = read(path, Options(mapped=mapped), like=like)
        assert np.asarray(dataset.x).tolist() == [[1], [2], [4]]
        assert (dataset.y is None) == ("kind" not in columns)
        assert read(path, like=dataset.reading).columns == ("a",)  # what is read from data read like it, too


def test_a_column_beyond_those_of_the_model_can_be_dropped_later():
    like = read(WIDE[["a", "b"]]).reading
    with pytest.raises(InputError, match="has also kind"):
        read(WIDE[["a", "b", "kind"]], like=like)
    assert read(WIDE, Options(drop=("kind", "id")), like=like).columns == ("a", "b")
    assert read(WIDE, Options(keep=("a", "b")), like=like).columns == ("a", "b")
    with pytest.raises(InputError, match="lacks b; the model expects"):
        read(WIDE, Options(keep=("a",)), like=like)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": ("ID",)}, "has no column 'ID' for --drop: did you mean id"),
        ({"keep": ("a", "q")}, "has no column 'q' for --keep: it has id, a, b, kind"),
        ({"categorical": ("knd",)}, "has no column 'knd' for --categorical: did you mean kind"),
        ({"drop": ("kind",), "label": "kind"}, "--label kind names the labels and --drop leaves them out"),
        ({"drop": ("id", "a", "b", "kind")}, "The frame has no columns"),
    ],
)
def test_names_that_are_not_there(options, message):
    with pytest.raises(InputError, match=message):
        read(WIDE, Options(**options))


def test_options_that_contradict():
    with pytest.raises(InputError, match="give --drop or --keep, not both"):
        Options(drop=("a",), keep=("b",))
    with pytest.raises(InputError, match="drop is 'a'; expected a tuple"):
        Options(drop="a")
    with pytest.raises(InputError, match="The model was fitted without --categorical a"):
        read(WIDE[["a", "b"]], Options(categorical=("a",)), like=read(WIDE[["a", "b"]]).reading)
    with pytest.raises(InputError, match="--drop does not apply to an array"):
        read(np.zeros((3, 2)), Options(drop=("a",)))


def test_what_frames_hold_beside_texts_and_numbers():
    days = pl.DataFrame({"day": pd.date_range("2024-01-01", periods=3), "a": [1, 2, 3]})
    with pytest.raises(InputError, match=r"the column day of type Datetime.*leave it out with --drop day"):
        read(days)
    assert read(days, Options(drop=("day",))).columns == ("a",)
    with pytest.raises(InputError, match=r"the column a that can't be read .it holds a value of type list.*--drop a"):
        read(pd.DataFrame({"a": [[1], [2]]}))
    assert read(pd.DataFrame({"a": np.array([True, False, None], dtype=object)}), Options(impute="median")).x[0] == 1
    with pytest.raises(InputError, match="the column a of type complex128; expected numbers"):
        read(pd.DataFrame({"a": [1j, 2]}))
    with pytest.raises(InputError, match="numbers in column two lines but for 1 cell"):
        read(pd.DataFrame({"two\nlines": ["-", 1, 2]}))
    for empty in (pl.DataFrame({"a": [None] * 3}), pd.DataFrame({"a": [None] * 3}), pd.DataFrame({"a": [np.nan] * 3})):
        with pytest.raises(InputError, match="no value at all in column a: leave it out with --drop a"):
            read(empty)
    with pytest.raises(InputError, match="The frame has no columns"):
        read(pd.DataFrame(index=range(5)))


ATOMS = [
    "1",
    "2.5",
    "7",
    "-",
    "",
    "NA",
    "true",
    "2024-01-01",
    "3,14",
    "5%",
    "oak",
    '"a;b"',
    '"l1\nl2"',
    "1e400",
    "\x00",
    '"',
]


def scrap(seed):
    """A csv file of scraps: some can be read, most can't."""
    rng = np.random.default_rng(seed)
    end, delimiter, width = rng.choice(["\n", "\r\n", "\r"]), rng.choice([",", ";", "\t", "|"]), int(rng.integers(1, 4))
    few = [rng.choice(ATOMS[: rng.integers(1, len(ATOMS) + 1)], 2) for _ in range(width)]
    rows = [[rng.choice([*cells, str(i)]) for cells in few] for i in range(rng.integers(1, 12))]
    names = rng.choice(["a", "b", "c", "", "é"], width)
    return end.join(delimiter.join(row) for row in [names, *rows]).encode(rng.choice(["utf-8-sig", "utf-8"]))


def outcome(path, options):
    try:
        return np.asarray(read(path, options).x).tolist()
    except InputError as error:
        return str(error)


def test_scraps_are_read_or_refused_in_one_line_however_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files.csv_pieces, "__defaults__", (tables.every, 6))
    outcomes = []
    for seed in range(300):
        path = tmp_path / "a.csv"
        path.write_bytes(scrap(seed))
        outcomes.append(outcome(path, Options(impute="median")))
        assert isinstance(outcomes[-1], list) or len(outcomes[-1].splitlines()) == 1
        assert outcome(path, Options(impute="median", mapped=True)) == outcomes[-1], seed
    assert sum(isinstance(found, list) for found in outcomes) >= 30  # neither side of it is rare


@pytest.mark.parametrize(
    ("more", "ending"), [("", ""), ("b", "1 more column: --drop b"), ("bc", "2 more columns: --drop b --drop c")]
)
def test_other_columns_of_the_kind_are_named_with_the_first(tmp_path, more, ending):
    path = tmp_path / "a.csv"
    names = ["x", "a", *more]
    path.write_text("\n".join([";".join(names), *(";".join([str(i), *["1,5"] * (len(names) - 1)]) for i in range(4))]))
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value).endswith("--categorical a" + (f"; the same goes for {ending}." if ending else "."))
