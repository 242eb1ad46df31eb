import json

import numpy as np
import pytest

from oddgan._core.errors import InputError
from oddgan.data import read
from oddgan.evaluate import ScoreTable, read_scores
from oddgan.tasks.partial_scores import Origin, Partial, fingerprint_model

ORIGIN = Origin(model="m", data="d", computing="cpu", rows=7, block=3)
SCORES = np.array([0.1, 1 / 3, 1e-300, 2.0, -5.5, 1e17, np.nextafter(1, 2)])


def table(rows):
    names = np.array(["plain", "line\nbreak", 'quote"', "ä", "4", "5", "6"])
    return ScoreTable(rows, names[rows], SCORES[rows], SCORES[rows] > 1, p_value=SCORES[rows] / 7)


@pytest.fixture
def partial(tmp_path):
    """A file with two of three blocks."""
    made = Partial(tmp_path / "scores.csv")
    made.begin(ORIGIN, force=False)
    for first in (0, 3):
        made.append(table(np.arange(first, first + 3)), first=first)
    return made


def test_scores_come_back_to_the_last_bit(partial):
    np.testing.assert_array_equal(partial.resume(ORIGIN), SCORES[:6])


def test_a_line_is_a_row_for_people_and_programs(partial):
    head, *rows = partial.path.read_text(encoding="utf-8").splitlines()
    assert json.loads(head)["unfinished"] == "scores"
    row = json.loads(rows[1])
    assert len(row.pop("digest")) == 16
    assert row == {
        "row": 1,
        "id": "line\nbreak",
        "anomaly_score": 1 / 3,
        "is_anomaly": False,
        "p_value": 1 / 21,
    }


def test_it_never_passes_for_a_result(partial):
    with pytest.raises(InputError, match=r"suffix '\.part'"):
        read_scores(partial.path)


def test_cut_at_any_place_whole_blocks_are_kept(partial):
    whole = partial.path.read_bytes()
    lines = [i + 1 for i, c in enumerate(whole) if c == ord("\n")]
    for cut in range(len(whole) + 1):
        partial.path.write_bytes(whole[:cut])
        rows = sum(end <= cut for end in lines) - 1
        np.testing.assert_array_equal(partial.resume(ORIGIN), SCORES[: max(rows, 0) // 3 * 3])
        again = partial.path.read_bytes()
        assert again == whole[: lines[max(rows, 0) // 3 * 3]]


def test_the_last_block_may_be_shorter(partial):
    partial.append(table(np.array([6])), first=6)
    np.testing.assert_array_equal(partial.resume(ORIGIN), SCORES)


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin("x", "d", "cpu", 7, 3), "another model"),
        (Origin("m", "x", "cpu", 7, 3), "other data"),
        (Origin("m", "d", "cuda", 7, 3), "another device or other versions"),
        (Origin("m", "d", "cpu", 7, 4), "another version of oddgan"),
    ],
)
def test_another_origin_is_refused(partial, origin, words):
    with pytest.raises(InputError, match=rf"^\S+scores\.csv\.part was begun with {words}: give .* --resume\.$"):
        partial.resume(origin)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, '{"unfinished": "scores"'),
        (1, '{"unfinished": "scores"}'),
        (3, "{}"),
        (3, "[1]"),
        (3, "[" * 10_000),
        (4, '{"row": 3, "anomaly_score": 1.0}'),
        (4, '{"row": 2, "anomaly_score": 2.0, "digest": "0123456789abcdef"}'),
    ],
)
def test_damage_is_named(partial, line, text):
    lines = partial.path.read_text(encoding="utf-8").splitlines()
    lines[line - 1] = text
    partial.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"scores\.csv\.part is damaged in line {line}: start anew with --force"):
        partial.resume(ORIGIN)


def test_fingerprints():
    data = read("builtin:breast-cancer")
    first = Origin.of("m", data, "cpu", 3)
    assert first == Origin.of("m", data.take(np.arange(len(data))), "cpu", 3)
    assert first.data != Origin.of("m", data.take(np.arange(len(data))[::-1]), "cpu", 3).data


def test_a_model_is_all_its_files_at_any_depth(tmp_path):
    files = [tmp_path / "a.json", tmp_path / "member-1" / "a.json", tmp_path / "member-2" / "a.json"]
    for i, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        file.write_text(str(i))
    seen = {fingerprint_model(tmp_path)}
    for i, file in enumerate(files):
        file.write_text("x")
        seen.add(fingerprint_model(tmp_path))
        file.write_text(str(i))
    one, other = files[1].parent, files[2].parent
    one.rename(tmp_path / "kept")
    other.rename(one)
    (tmp_path / "kept").rename(other)  # members exchanged: the same files under other names
    seen.add(fingerprint_model(tmp_path))
    assert len(seen) == 5


def test_a_changed_digit_is_damage(partial):
    text = partial.path.read_bytes()
    for place in (i for i, c in enumerate(text) if c in b"0123456789" and i > text.index(b"\n")):
        digit = b"5" if text[place : place + 1] != b"5" else b"6"
        partial.path.write_bytes(text[:place] + digit + text[place + 1 :])
        with pytest.raises(InputError, match=r"is damaged in line \d: start anew with --force"):
            partial.resume(ORIGIN)


def test_a_file_that_only_has_the_name_stays(tmp_path):
    made = Partial(tmp_path / "scores.csv")
    made.path.write_bytes(b"half a download\n")
    for begin in (lambda: made.begin(ORIGIN, force=True), lambda: made.resume(ORIGIN)):
        with pytest.raises(InputError, match=r"scores\.csv\.part is no unfinished table of scores: move it elsewhere"):
            begin()
    assert made.path.read_bytes() == b"half a download\n"
