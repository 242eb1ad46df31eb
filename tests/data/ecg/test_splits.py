import numpy as np
import pytest

from oddgan import InputError
from oddgan.data.ecg import DS1, DS2, PROTOCOLS, Beats, split_beats
from oddgan.data.ecg.splits import PACED

COUNTS = (90589, 2779, 7236, 803, 8039)  # of the published set of beats, N S V F Q


def some_beats(counts, records=DS1 + DS2 + PACED):
    label = np.repeat(np.arange(5), counts)
    n = len(label)
    number = np.arange(n)
    empty = np.empty((n, 0))
    return Beats(
        x=empty,
        label=label,
        symbol=np.array(list("NAVFQ"))[label],
        record=np.array(records)[number % len(records)],
        sample=number,
        seconds=number / 360,
        length=number,
        rr=empty,
    )


@pytest.fixture(scope="module")
def beats():
    return some_beats((960, 96, 144, 48, 96))


def counts(beats, rows):
    return np.bincount(beats.label[rows], minlength=5).tolist()


def test_ecgans_test_has_22427_beats():
    beats = some_beats(COUNTS)
    tests = []
    for fold in range(5):
        split = split_beats(beats, "ecgan", seed=3, fold=fold)
        normal, *anomalies = counts(beats, split.test)
        assert (normal, sum(anomalies), len(split.test)) == (13_588, 8_839, 22_427)
        normal, *anomalies = counts(beats, split.validation)
        # 77001 normal beats make five folds of at most 15401.
        assert (normal, sum(anomalies)) == (15_401 if fold < 4 else 15_397, 10_018)
        assert counts(beats, split.train) == [77_001 - normal, 0, 0, 0, 0]
        tests.append(split.test.tolist())
    assert all(test == tests[0] for test in tests)  # the same in all folds


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "published"])
def test_no_beat_has_two_uses(beats, protocol):
    split = split_beats(beats, protocol)
    used = np.concatenate([split.train, split.validation, split.test])
    assert len(used) == len(set(used.tolist()))
    assert len(split.test)
    again, other = (split_beats(beats, protocol, seed=seed) for seed in (0, 1))
    assert again.test.tolist() == split.test.tolist()
    assert (other.test.tolist() == split.test.tolist()) == (protocol in {"patient-wise", "de-chazal"})


def test_lists_of_de_chazal():
    assert (len(DS1), len(DS2), len(PACED)) == (22, 22, 4)
    assert len({*DS1, *DS2, *PACED}) == 48


def test_patients_are_in_one_part_only(beats):
    for protocol, missing in (("patient-wise", {"201"}), ("De Chazal", set())):
        split = split_beats(beats, protocol, fold=2)
        train, validation, test = (set(beats.record[r]) for r in (split.train, split.validation, split.test))
        assert test == set(DS2)
        assert train | validation == set(DS1) - missing
        assert not train & validation
        assert len(validation) == 4
    assert "201" not in train | validation or "202" in test


def test_random_takes_a_fifth_of_each_class(beats):
    assert counts(beats, split_beats(beats, "random").test) == [192, 19, 29, 10, 19]


def test_beatgan_leaves_out_paced_hearts(beats):
    split = split_beats(beats, "beatgan", fold=4)
    assert not set(beats.record[np.concatenate([split.train, split.validation, split.test])]) & set(PACED)
    # 880 normal beats of 44 records: 176 are the test, a tenth of the other 704 validation.
    assert counts(beats, split.test)[0] == 176
    assert counts(beats, split.validation)[0] == 70
    assert counts(beats, split.train) == [634, 0, 0, 0, 0]
    assert counts(beats, split.validation)[1:] == [9, 13, 4, 9]  # a tenth of 88, 132, 44 and 88
    tests = [split_beats(beats, "beatgan", fold=fold).test for fold in range(5)]
    normal = np.concatenate([rows[beats.label[rows] == 0] for rows in tests])
    assert len(set(normal.tolist())) == 880  # the folds have no normal beat in common


def test_published_members_are_read(beats, tmp_path):
    rows = np.arange(0, len(beats), 7)
    record, sample = beats.record[rows].astype(int), beats.sample[rows]
    np.savez(tmp_path / "test.npz", record=record, sample=sample)
    split = split_beats(beats, "published", published=tmp_path / "test.npz")
    assert split.test.tolist() == rows.tolist()
    assert len(split.train) == len(beats) - len(rows)
    np.savez(tmp_path / "other.npz", x=sample)
    with pytest.raises(InputError, match="has the arrays x; expected record and sample"):
        split_beats(beats, "published", published=tmp_path / "other.npz")
    with pytest.raises(InputError, match=r"The published split has no rule.*none was given; 'random' divides alike"):
        split_beats(beats, "published")


def test_wrong_use(beats):
    with pytest.raises(InputError, match=r"Unknown protocol 'patients'"):
        split_beats(beats, "patients")
    with pytest.raises(InputError, match="fold is 5; expected 0 to 4"):
        split_beats(beats, "ecgan", fold=5)
    with pytest.raises(InputError, match="patient-wise leaves nothing to train: are the beats those of MIT-BIH"):
        split_beats(some_beats((50, 0, 0, 0, 0), records=("x",)), "patient-wise")
