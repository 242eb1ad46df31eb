"""Damaged checkpoints: a resumed fit ends as a whole one does, or refuses in one sentence; never anything else."""

import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from interruption import Stop
from oddgan import AutoEncoder, Ensemble, FAnoGAN, InputError
from oddgan.networks import MLP
from oddgan.training import Checkpoints

SMALL = {"epochs": 4, "batch_size": 16, "latent_dim": 2, "backbone": MLP(hidden=(8,)), "random_state": 0}
X = np.random.default_rng(0).normal(size=(48, 4))


@dataclass
class Case:
    """A copy of checkpoints that is to be damaged, those of another training, and a source of random numbers."""

    folder: Path
    other: Path
    rng: np.random.Generator


def two_phases():
    return FAnoGAN(**SMALL)


def members():
    seedless = {name: value for name, value in SMALL.items() if name != "random_state"}
    return Ensemble(detectors=(AutoEncoder(**seedless),), n_members=2, random_state=0)


MAKERS = {"two phases": (two_phases, 12 + 7), "members": (members, 12 + 7)}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """For each kind of training: checkpoints of one that was interrupted, of another one, and the scores of a whole."""
    found = {}
    for name, (make, steps) in MAKERS.items():
        places = [tmp_path_factory.mktemp("checkpoints") / "c" for _ in range(2)]
        for place, rows in zip(places, (X, X[::-1]), strict=True):
            with pytest.raises(KeyboardInterrupt):
                make().fit(rows, callbacks=[Checkpoints(place, steps=1), Stop(steps)])
        found[name] = (*places, make().fit(X).anomaly_score(X))
    return found


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def flip_a_bit(case):
    """The classical damage."""
    path = case.rng.choice(files(case.folder))
    content = bytearray(path.read_bytes())
    content[case.rng.integers(len(content))] ^= 1 << case.rng.integers(8)
    path.write_bytes(content)


def flip_a_bit_of_the_last(case):
    """Damage in what is read for sure."""
    path = case.rng.choice([p for p in files(case.folder) if p.parent == last(case.folder)])
    content = bytearray(path.read_bytes())
    content[case.rng.integers(len(content))] ^= 1 << case.rng.integers(8)
    path.write_bytes(content)


def cut_short(case):
    path = case.rng.choice(files(case.folder))
    path.write_bytes(path.read_bytes()[: case.rng.integers(path.stat().st_size)])


def take_a_file_away(case):
    case.rng.choice(files(case.folder)).unlink()


def put_older_tensors_in(case):
    older = sorted(last(case.folder).parent.glob("step-*"))[0]
    shutil.copy(older / "tensors.safetensors", last(case.folder))


def rename_an_older_one(case):
    newest = last(case.folder)
    older = sorted(newest.parent.glob("step-*"))[0]
    shutil.rmtree(newest)
    older.rename(newest)


def put_another_training_in(case):
    newest = last(case.folder)
    shutil.rmtree(newest)
    shutil.copytree(case.other / newest.relative_to(case.folder), newest)


def exchange_phases_or_members(case):
    one, two = sorted(p for p in case.folder.rglob("phase-0") if p.is_dir())[0], last(case.folder)
    kept = case.folder / "kept"
    one.rename(kept)
    two.rename(one)
    kept.rename(two)


def edit_the_state(case):
    path = last(case.folder) / "state.json"
    state = json.loads(path.read_text())
    name = case.rng.choice(["epoch", "steps", "sums", "records", "digest"])
    state[name] = state[name] + 1 if isinstance(state[name], int) else state[name][:0] if name != "sums" else {}
    path.write_text(json.dumps(state))


def edit_the_beginning(case):
    path = case.folder / "begun.json"
    begun = json.loads(path.read_text())
    begun["generator"][2] = (begun["generator"][2] + 1) % 624
    path.write_text(json.dumps(begun))


def last(folder):
    return sorted(folder.rglob("step-*"), key=lambda p: (p.parent.name, p.name))[-1]


DAMAGES = [
    flip_a_bit, flip_a_bit_of_the_last, cut_short, take_a_file_away, put_older_tensors_in, rename_an_older_one,
    put_another_training_in, exchange_phases_or_members, edit_the_state, edit_the_beginning,
]  # fmt: skip
ALWAYS_READ = DAMAGES[1:2] + DAMAGES[4:]


def outcome(kind, damage, interrupted, place, seed):
    """Damage a copy and resume from it: "refused" in one sentence, or "equal" scores; anything else fails."""
    made, other, wanted = interrupted[kind]
    shutil.copytree(made, place)
    damage(Case(place, other, np.random.default_rng(seed)))
    detector = MAKERS[kind][0]()
    torch.manual_seed(seed)
    told = ""
    try:
        detector.fit(X, callbacks=[Checkpoints(place, steps=50, resume=True)])
    except InputError as error:
        told = str(error)
    shutil.rmtree(place)
    if told:
        assert re.fullmatch(r".*(damaged|holds files but no begun.json): remove .*", told)
        return "refused"
    np.testing.assert_array_equal(detector.anomaly_score(X), wanted)
    return "equal"


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_checkpoint_is_refused(damage, interrupted, tmp_path):
    kind = list(MAKERS)[DAMAGES.index(damage) % 2]
    found = outcome(kind, damage, interrupted, tmp_path / "c", seed=1)
    assert damage not in ALWAYS_READ or found == "refused"


def test_an_undamaged_one_goes_on(interrupted, tmp_path):
    for kind in MAKERS:
        assert outcome(kind, lambda *_: None, interrupted, tmp_path / "c", seed=0) == "equal"


@pytest.mark.slow
def test_ninety_damaged_checkpoints(interrupted, tmp_path, capsys):
    counts = Counter()
    for seed in range(5):
        for damage in DAMAGES:
            for kind in MAKERS:
                found = outcome(kind, damage, interrupted, tmp_path / "c", seed)
                assert damage not in ALWAYS_READ or found == "refused"
                counts[found] += 1
    with capsys.disabled():
        print(f"\ndamaged checkpoints: {json.dumps(counts)}; other scores: 0")  # noqa: T201
    assert counts.total() == 100
