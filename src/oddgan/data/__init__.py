"""Data in: files, folders, frames and arrays become one kind of data set. numpy only, no torch.

Values stay raw: scaling is part of the detector, which learns it on training data.
"""

from oddgan.data.builtin import NAMES as BUILTIN
from oddgan.data.convert import check_finite
from oddgan.data.dataset import Dataset, Encoding, Reading
from oddgan.data.ecg.mitbih import NAME as _MITBIH
from oddgan.data.frames import frame_columns
from oddgan.data.inspection import Column, Inspection, Suspect, inspect
from oddgan.data.intrinsic import IntrinsicDimension, LatentAdvice, intrinsic_dimension
from oddgan.data.labels import describe_labels, is_anomaly, select_normal
from oddgan.data.protocols import PROTOCOLS, Split, one_class
from oddgan.data.published import NAMES as _IMAGES
from oddgan.data.published import load_named
from oddgan.data.read import from_arrays, from_frame, read
from oddgan.data.suspects import Suspects, suspects
from oddgan.options import Colour, EcgOptions, Impute, Kind, Options

PUBLISHED = (*_IMAGES, _MITBIH)

__all__ = [
    "BUILTIN",
    "PROTOCOLS",
    "PUBLISHED",
    "Colour",
    "Column",
    "Dataset",
    "EcgOptions",
    "Encoding",
    "Impute",
    "Inspection",
    "IntrinsicDimension",
    "Kind",
    "LatentAdvice",
    "Options",
    "Reading",
    "Split",
    "Suspect",
    "Suspects",
    "check_finite",
    "describe_labels",
    "frame_columns",
    "from_arrays",
    "from_frame",
    "inspect",
    "intrinsic_dimension",
    "is_anomaly",
    "load_named",
    "one_class",
    "read",
    "select_normal",
    "suspects",
]
