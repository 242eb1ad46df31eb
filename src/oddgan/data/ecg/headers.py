"""WFDB headers (.hea), read and checked here before the package wfdb opens any file that they name."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oddgan._core.errors import InputError
from oddgan._core.paths import regular_file, why_unreadable

# Bits that a sample takes in the signal file, by format (header(5) and signal(5) of the WFDB manual).
_BITS = {"8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 32 / 3, "311": 32 / 3}
_COMPRESSED = ("508", "516", "524")  # FLAC
_MILLIVOLTS: Mapping[str, float] = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_LARGEST = 2**20  # bytes of a header
_RATES = (1.0, 1e6)
_GAINS = (1e-6, 1e12)  # counts a millivolt
_MOST_SAMPLES = 1000  # of a signal in a frame
_MICRO = re.compile(b"\xc2\xb5|\xce\xbc|\xb5")  # wfdb would take µV for V
_NUMBER = r"[-+]?[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?"
_RECORD = re.compile(
    r"(?P<name>[-\w]+)(?:/(?P<segments>[0-9]+))?\s+(?P<signals>[0-9]+)"
    r"(?:\s+(?P<rate>[0-9]+(?:\.[0-9]*)?)(?:/\S*)?(?:\s+(?P<length>[0-9]+)(?:\s+.*)?)?)?",
    re.ASCII,
)
_SIGNAL = re.compile(
    r"(?P<file>\S+)\s+(?P<format>[0-9]+)(?:x(?P<samples>[0-9]+))?(?::(?P<skew>[0-9]+))?(?:\+(?P<offset>[0-9]+))?"
    rf"(?:\s+(?P<gain>{_NUMBER})(?:\((?P<baseline>-?[0-9]+)\))?(?:/(?P<unit>\S+))?"
    r"(?:\s+[0-9]+(?:\s+(?P<zero>-?[0-9]+)(?:\s+-?[0-9]+(?:\s+(?P<checksum>-?[0-9]+)(?:\s+[0-9]+(?:\s+(?P<lead>.*))?"
    r")?)?)?)?)?)?",
    re.ASCII,
)
_SEGMENT = re.compile(r"(?P<name>~|[-\w]+)\s+(?P<length>[0-9]+)", re.ASCII)
_TEXTS = ("file", "unit", "lead")
_FILE = re.compile(r"[-\w]+(?:\.\w+)?", re.ASCII)


@dataclass(frozen=True)
class Signal:
    """One lead, as its header describes it.

    Parameters
    ----------
    file : the signal file's name, in the header's folder.
    format : WFDB's number of the format.
    samples : of this lead in a frame.
    offset : bytes of the file before the first sample.
    skew : frames that the lead lags behind.
    gain : counts a millivolt; NaN where the unit is no voltage, or the header gives no gain.
    zero : counts at zero.
    unit : as in the header; mV if it names none.
    checksum : sum of the counts modulo 65536; 0 if there is none.
    lead : its name.
    """

    file: str
    format: str
    samples: int
    offset: int
    skew: int
    gain: float
    zero: int
    unit: str
    checksum: int
    lead: str


@dataclass(frozen=True)
class Header:
    """What a header says of its record.

    Parameters
    ----------
    rate : frames a second.
    length : frames; None leaves it to the size of the file.
    signals : the leads; where there are segments, each lead as the first segment that has it describes it.
    segments : names and lengths of the segments in their order, `~` for a gap; empty for an ordinary record.
    """

    rate: float
    length: int | None
    signals: tuple[Signal, ...]
    segments: tuple[tuple[str, int], ...] = ()

    @property
    def files(self) -> set[str]:
        """The signal files that the header names."""
        return {signal.file for signal in self.signals}


def in_millivolts(unit: str) -> float:
    """What one unit is in millivolts; NaN for all units but V, mV, uV (also µV) and nV."""
    return _MILLIVOLTS.get(unit.lower(), math.nan)


def read_header(path: Path) -> Header:
    """Read and check the header of a record, and those of its segments.

    Parameters
    ----------
    path : the record without a suffix.

    Raises
    ------
    InputError
        If the header is damaged, a value is out of range, or it names files outside its folder, files that are not
        there or hold less than it says, or segments that have segments.
    """
    lines = _lines(path)
    record = _RECORD.fullmatch(lines[0])
    if record is None:
        raise _wrong(path, f"its first line is {lines[0][:60]!r}; expected NAME, leads, samples a second and samples")
    rate = float(record["rate"] or 250)  # the value that WFDB defines for headers without one
    if not _RATES[0] <= rate <= _RATES[1]:
        raise _wrong(path, f"it has {rate:g} samples a second; expected {_RATES[0]:g} to {_RATES[1]:g}")
    length = int(record["length"] or 0) or None
    if record["segments"] is not None:
        return _segmented(path, Header(rate, length, ()), int(record["segments"]), lines[1:])
    if int(record["signals"]) != len(lines) - 1:
        raise _wrong(path, f"it announces {record['signals'][:20]} leads and describes {len(lines) - 1}")
    signals = tuple(_signal(path, line) for line in lines[1:])
    header = Header(rate, length, signals)
    for name in header.files - {"~"}:
        _check_file(path, header, name)
    return header


def segment_names(path: Path) -> set[str]:
    """The segments that a record is made of; none for an ordinary or an unreadable one."""
    try:
        lines = _lines(path)
    except InputError:
        return set()
    record = _RECORD.fullmatch(lines[0])
    found = [_SEGMENT.fullmatch(line) for line in lines[1:]]
    return set() if record is None or record["segments"] is None else {match["name"] for match in found if match}


def files_of(path: Path) -> set[Path]:
    """The signal and annotation files of a record; none of an unreadable one but those that bear its name."""
    try:
        found = [_SIGNAL.fullmatch(line) for line in _lines(path)[1:]]
    except InputError:
        found = []
    names = {match["file"] for match in found if match is not None}
    return {path.with_name(name) for name in (f"{path.name}.dat", f"{path.name}.atr", *names) if "/" not in name}


def _lines(path: Path) -> list[str]:
    file = regular_file(path.with_name(f"{path.name}.hea"))
    if "::" in str(file.absolute()) or "://" in str(file.absolute()):
        raise InputError(f"Record {path} lies under a name with :: or ://, which wfdb takes for an address: rename it.")
    with file.open("rb") as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _wrong(path, "it is larger than 1 MiB")
    # As wfdb reads it: ASCII, the rest left out.
    lines = [line.strip() for line in _MICRO.sub(b"u", data).decode("ascii", errors="ignore").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise _wrong(path, "it is empty")
    return lines


def _signal(path: Path, line: str) -> Signal:
    found = _SIGNAL.fullmatch(line)
    if found is None or any(len(part) > 18 for name, part in found.groupdict("").items() if name not in _TEXTS):
        raise _wrong(path, f"the line {line[:60]!r} describes no lead")
    if not (_FILE.fullmatch(found["file"]) or found["file"] == "~"):
        raise _wrong(path, f"it names the file {found['file'][:60]!r}; expected a plain name in the same folder")
    if found["format"] not in {*_BITS, *_COMPRESSED, "0"}:
        raise _wrong(path, f"it names the format {found['format']}; expected {', '.join([*_BITS, *_COMPRESSED])}")
    samples = int(found["samples"] or 1)
    if not 1 <= samples <= _MOST_SAMPLES:
        raise _wrong(path, f"a frame has {samples} samples of a lead; expected 1 to {_MOST_SAMPLES}")
    unit = found["unit"] or "mV"
    zero = next((int(found[name]) for name in ("baseline", "zero") if found[name]), 0)
    return Signal(
        file=found["file"],
        format=found["format"],
        samples=samples,
        offset=int(found["offset"] or 0),
        skew=int(found["skew"] or 0),
        gain=_gain(path, float(found["gain"] or 0), unit),
        zero=zero,
        unit=unit,
        checksum=int(found["checksum"] or 0) % 2**16,
        lead=(found["lead"] or "").strip() or "None",
    )


def _gain(path: Path, stated: float, unit: str) -> float:
    """Counts a millivolt, from counts a unit."""
    gain = stated / in_millivolts(unit)
    if gain == 0 or math.isnan(gain):
        return math.nan
    if not _GAINS[0] <= gain <= _GAINS[1]:
        raise _wrong(path, f"a lead has {stated:g} counts a {unit}; expected {_GAINS[0]:g} to {_GAINS[1]:g} a mV")
    return gain


def _check_file(path: Path, header: Header, name: str) -> None:
    """Compare what the header says of a signal file with the file."""
    file = path.with_name(name)
    reason = why_unreadable(file)
    if reason is not None:
        raise _wrong(path, f"its signal file {name} can't be read: {reason}")
    inside = [signal for signal in header.signals if signal.file == name]
    first = inside[0]
    if len({(signal.format, signal.offset) for signal in inside}) > 1:
        raise _wrong(path, f"the leads in {name} have several formats")
    if first.format == "0" or max(signal.skew for signal in inside) > (header.length or 0):
        raise _wrong(path, f"the leads in {name} have format 0, or lag behind by more than they last")
    if first.format in _COMPRESSED:
        if header.length is None:
            raise _wrong(path, "it does not say how many samples its compressed leads have")
        return
    there = (file.stat().st_size - first.offset) * 8
    frame = _BITS[first.format] * sum(signal.samples for signal in inside)
    if there < frame * (header.length or 1):
        raise _wrong(
            path, f"{name} holds {max(0, int(there // frame))} samples a lead; {header.length or 'some'} are expected"
        )


def _segmented(path: Path, header: Header, count: int, lines: list[str]) -> Header:
    """Check the segments of a record; a segment with segments of its own may lead in a circle."""
    found = [_SEGMENT.fullmatch(line) for line in lines]
    if len(found) != count or not all(found):
        raise _wrong(path, f"it announces {count} segments and describes {len([f for f in found if f])}")
    segments = [(match["name"], int(match["length"])) for match in found if match is not None]
    if sum(length for _, length in segments) != header.length:
        raise _wrong(path, f"its segments have {sum(length for _, length in segments)} samples, not {header.length}")
    parts: dict[str, Header] = {}
    for name, length in segments:
        if name != "~" and name not in parts:
            parts[name] = _part(path, name, length, header.rate)
    leads: dict[str, Signal] = {}
    for part in parts.values():
        for signal in part.signals:
            if leads.setdefault(signal.lead, signal).unit.lower() != signal.unit.lower():
                raise _wrong(path, f"its segments have the lead {signal.lead} in several units")
    # A first segment of length 0 only lists the leads.
    return Header(header.rate, header.length, tuple(leads.values()), tuple(pair for pair in segments if pair[1]))


def _part(path: Path, name: str, length: int, rate: float) -> Header:
    place = path.with_name(name)
    if name == path.name or "/" in _lines(place)[0].split()[0]:
        raise _wrong(path, f"its segment {name} is the record itself, or has segments, too")
    part = read_header(place)
    if length and part.length != length:
        raise _wrong(path, f"its segment {name} has {part.length or 'an unknown number of'} samples, not {length}")
    if part.rate != rate:
        raise _wrong(path, f"its segment {name} has {part.rate:g} samples a second, not {rate:g}")
    return part


def _wrong(path: Path, reason: str) -> InputError:
    return InputError(f"Record {path} can't be read: {reason}.")
