import dataclasses
import json

import pytest

from oddgan import InputError
from oddgan.data import Reading
from oddgan.data.ecg import EcgOptions


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cut": "beats"}, "cut is 'beats'; expected beat-to-beat or window or beatgan"),
        ({"mains": 55}, "mains is 55; expected 50 or 60"),
        ({"scale": "minmax"}, "scale is 'minmax'; expected beat or record or robust or millivolts"),
        ({"before": -1}, "before is -1; expected a number, at least 0"),
        ({"adapt": "5"}, "adapt is '5'; expected a number, at least 0"),
        ({"rate": -1}, "rate is -1; expected a number, at least 0"),
        ({"rate": 0.5}, "At 0.5 values a second the window holds none: raise rate"),
        ({"rhythm": 1}, "rhythm is 1; expected true or false"),
        ({"lead": 1.5}, "lead is 1.5; expected its number or name"),
        ({"cut": "beatgan", "baseline": "median"}, "cut=beatgan has its own filter"),
        ({"cut": "window", "before": 0, "after": 0}, "The window is empty"),
        ({"lad": 1}, "There is no option lad for recordings; they have cut, lead"),
    ],
)
def test_wrong_values(values, message):
    with pytest.raises(InputError, match=message):
        EcgOptions.of(values)


def test_a_model_keeps_them():
    options = EcgOptions(cut="window", lead="V1", mains=50, rhythm=True, adapt=5.0)
    reading = Reading(kind="series", dtype="float32", ecg=options, protocol="ecgan")
    assert Reading.from_json(json.loads(json.dumps(reading.to_json()))) == reading
    assert EcgOptions.of(dataclasses.asdict(options)) == options


def test_a_window_has_the_rhythm_and_the_patients_own_beat_off_and_published_cuts_have_neither():
    window, others = EcgOptions(), (EcgOptions(cut="beat-to-beat"), EcgOptions(cut="beatgan"))
    assert (window.cut, window.rate, window.adapt, window.rhythm) == ("window", 120, 5, True)
    assert {(o.rate, o.adapt, o.rhythm) for o in others} == {(0, 0, False)}
    asked = EcgOptions(cut="beatgan", rhythm=True, adapt=3)
    assert (asked.adapt, asked.rhythm) == (3, True)


def test_readings_of_earlier_versions_keep_their_cut():
    stored = {"cut": "window", "lead": None, "peaks": "annotated", "baseline": None, "mains": None, "scale": None}
    stored |= {"before": 0.4, "after": 0.5, "adapt": 0.0, "rhythm": False}
    reading = Reading.from_json({"kind": "series", "dtype": "float32", "ecg": stored})
    assert reading.ecg == EcgOptions(rate=0, adapt=0, rhythm=False)
    published = Reading.from_json({"kind": "series", "dtype": "float32", "ecg": stored | {"cut": "beat-to-beat"}})
    assert published.ecg == EcgOptions(cut="beat-to-beat")
