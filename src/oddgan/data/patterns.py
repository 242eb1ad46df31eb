"""What a cell of a table looks like: a number, a truth value, a time, or a number in another notation."""

import re

NUMBER, TRUTH, TIME, TEXT = "number", "truth value", "time", "text"
COMMA, PERCENT, GROUPED, MONEY = (
    "a comma",
    "a percent sign",
    "thousands separators",
    "a currency sign",
)
NOTATIONS = (COMMA, PERCENT, GROUPED, MONEY)
TRUTH_VALUES = {"true": 1.0, "false": 0.0}

_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?"
_ZONE = r"( ?(z|utc|gmt|[+-]\d{2}:?(\d{2})?))?"
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = r"((mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? )?"
_DATE = "|".join(
    (
        r"\d{4}-\d{1,2}(-\d{1,2})?",
        r"\d{4}(?P<a>[/.])\d{1,2}(?P=a)\d{1,2}",
        r"\d{1,2}(?P<b>[/.-])\d{1,2}(?P=b)(\d{4}|\d{2})",
        rf"\d{{1,2}}[ -]{_MONTH},?[ -](\d{{4}}|\d{{2}})",
        rf"{_MONTH} \d{{1,2}},? \d{{4}}",
        r"\d{4}-?(w\d{1,2}|q[1-4])",
    )
)
_TIME = re.compile(
    rf"{_DAY}({_DATE})([ t_]+{_CLOCK}{_ZONE})?|\d{{8}}t\d{{4,6}}z?|(\d+ days?,? )?{_CLOCK}{_ZONE}", re.IGNORECASE
)
_PLAIN = r"[+-]?(\d[\d.,']*|\.\d+)"
_WRITTEN = {
    COMMA: re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)+(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE),
    PERCENT: re.compile(rf"{_PLAIN}\s*%"),
    GROUPED: re.compile(r"[+-]?\d{1,3}([ '’_\u00a0\u202f]\d{3})+([.,]\d+)?|[+-]?\d{1,3}(\.\d{3}){2,}"),
    MONEY: re.compile(rf"[+-]?[$€£¥]\s*{_PLAIN}|{_PLAIN}\s*[$€£¥]"),
}
_LONGEST = 40  # of what is a number or a time, and of a text that a message quotes


def is_number(text: str) -> bool:
    """Whether a text is a plain number, as Python writes it; 1_000 is none.

    >>> [is_number(text) for text in ("-1.5e3", "1_000", "3,14")]
    [True, False, False]
    """
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def pattern(text: str) -> str:
    """What a text looks like: a number, a truth value, a time, a number in one of the `NOTATIONS`, or a text.

    >>> [pattern(text) for text in ("7", "TRUE", "2024-01-01 00:00", "3,14", "oak")]
    ['number', 'truth value', 'time', 'a comma', 'text']
    """
    if is_number(text):
        return NUMBER
    if text.lower() in TRUTH_VALUES:
        return TRUTH
    if len(text) > _LONGEST:
        return TEXT
    if _TIME.fullmatch(text):
        return TIME
    return next((name for name, form in _WRITTEN.items() if form.fullmatch(text)), TEXT)


def quoted(text: str) -> str:
    r"""A text in quotes, on one line and short, for messages.

    >>> quoted("two\nlines")
    "'two\\nlines'"
    """
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")
