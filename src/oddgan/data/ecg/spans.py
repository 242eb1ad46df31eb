"""Where a beat begins and ends in its recording."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_PAST_NEXT = 0.2  # share of the interval after the next beat that still belongs to a beat


class Segment(NamedTuple):
    """The span of one beat.

    Parameters
    ----------
    at : which of the recording's beats it is.
    start, stop : positions in the recording, the second exclusive.
    """

    at: int
    start: int
    stop: int


def beat_to_beat(marks: NDArray[np.int64], is_beat: NDArray[np.bool_], end: int) -> list[Segment]:
    """Spans from each beat to a fifth of the next interval past the next mark; the last mark has none.

    A mark at a_k gives [a_k, a_(k+1) + ⌊0.2 (a_(k+2) - a_(k+1))⌋), with the recording's end in place of a_(k+2) where
    there is no such mark.

    Parameters
    ----------
    marks : (m,) rising positions of all annotations, of which some are no beats.
    is_beat : (m,) which are.
    end : length of the recording.
    """
    following = np.append(marks, end)
    stops = following[1:-1] + (_PAST_NEXT * (following[2:] - following[1:-1])).astype(np.int64)
    number = np.cumsum(is_beat) - 1
    return [Segment(int(number[k]), int(marks[k]), int(stops[k])) for k in np.flatnonzero(is_beat[:-1])]


def windows(sample: NDArray[np.int64], before: int, after: int, end: int) -> list[Segment]:
    """Spans from `before` to `after` each position; those that leave the recording are left out.

    Parameters
    ----------
    sample : (n,) positions of the beats.
    before, after : how many values; the one at the position is the first of the second part.
    end : length of the recording.
    """
    return [Segment(i, s - before, s + after) for i, s in enumerate(sample.tolist()) if s >= before and s + after < end]
