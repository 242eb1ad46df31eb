"""The MIT-BIH Arrhythmia Database: from the cache folder, or downloaded from PhysioNet into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from oddgan._core.errors import InputError
from oddgan.data.download import cache_folder, fetch
from oddgan.data.ecg.records import record_paths

NAME = "mitbih"
_FOLDERS = (NAME, "mitdb")


@dataclass(frozen=True)
class Home:
    """Where the records are published.

    Parameters
    ----------
    address : what the file names are put behind.
    sha256 : file names and their sums.
    """

    address: str
    sha256: Mapping[str, str]


def published() -> Home:
    """PhysioNet's folder of the database, with the sums that lie in it."""
    text = resources.files("oddgan.data").joinpath("files/mitdb.SHA256SUMS.txt").read_text(encoding="utf-8")
    sums = (line.split() for line in text.splitlines())
    return Home("https://physionet.org/files/mitdb/1.0.0/", {name: digest for digest, name in sums})


def mitbih_folder(home: Home | None = None) -> Path:
    """The folder of the records: `mitbih` or `mitdb` in the cache folder; what is missing is downloaded.

    Parameters
    ----------
    home : where missing files come from; None is PhysioNet.

    Raises
    ------
    InputError
        If files are missing and can't be downloaded, or what arrives is not the published file.
    """
    home = home or published()
    cache = cache_folder()
    for name in _FOLDERS:
        if all((cache / name / file).is_file() for file in home.sha256):
            return cache / name
    place = next((cache / name for name in _FOLDERS if record_paths(cache / name)), cache / NAME)
    for file, digest in home.sha256.items():
        try:
            fetch(home.address + file, place / file, digest, "sha256")
        except InputError as error:
            raise InputError(
                f"{NAME} is not in the cache ({place}): {error} Accepted are the {len(home.sha256)} files of the "
                "records (.hea, .dat, .atr); a folder of them elsewhere can be given by its path."
            ) from error
    return place
