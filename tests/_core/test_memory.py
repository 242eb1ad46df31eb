import re

import pytest

from oddgan import InputError
from oddgan._core import memory
from oddgan._core.memory import afford, allowed, machine_memory, parse_size, show_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("7", 7), ("500MB", 500 * 10**6), ("4 gb", 4 * 10**9), ("1.5GiB", 3 * 2**29), ("1TB", 10**12)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1GB", "4XB", "2k", "1e9", "GB", "9" * 40, "0.1", "٣GB"])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match=rf"{re.escape(repr(text))} is no amount of memory; expected e\.g\. 500MB"):
        parse_size(text)


def test_what_is_allowed(monkeypatch):
    monkeypatch.setattr(memory, "machine_memory", lambda: 8 * 10**9)
    assert allowed(1000) == 256 * 2**20  # small files may expand
    assert allowed(10**7) == 2 * 10**9  # 200 times
    assert allowed(10**9) == 6 * 10**9  # three quarters of the machine
    assert allowed(10, given=10**12) == 10**12  # what the user says holds
    afford("x.npz", 2 * 10**9, 10**7)
    with pytest.raises(InputError, match=r"takes 10 MB as it is stored and 3 GB in memory, but 2 GB are allowed: "):
        afford("x.npz", 3 * 10**9, 10**7)


def test_the_machine_has_memory():
    assert 10**8 < machine_memory() < 10**15
    assert show_size(999) == "999 bytes"
    assert show_size(3_500_000) == "3.5 MB"
