"""Numbers, shares and metrics as text."""

import math

NBSP = "\u00a0"
METRICS = {
    "auroc": ("AUROC", "chance that an anomaly scores higher than a normal"),
    "average_precision": ("Average precision", "mean precision over all recalls; chance is the prevalence"),
    "partial_auroc": ("Partial AUROC", "up to a false-alarm rate of 10 %, standardised (McClish); chance is 0.5"),
    "fpr_at_95_tpr": ("False alarms at 95 % recall", "false alarms when at least 95 % of the anomalies are flagged"),
    "precision": ("Precision", "share of anomalies among the flagged, at the threshold"),
    "recall": ("Recall", "share of the anomalies that are flagged, at the threshold"),
    "phi": ("Phi (MCC)", "correlation of flags and labels, at the threshold; chance is 0"),
    "balanced_accuracy": ("Balanced accuracy", "mean of the shares judged correctly in each class, at the threshold"),
    "false_alarm_rate": ("False-alarm rate", "share of the normals that are flagged, at the threshold"),
    "best_f1_oracle": ("Best F1 (oracle)", "at a threshold chosen with these labels: a bound, not a result"),
    "prevalence": ("Prevalence", "share of anomalies among the labelled rows"),
    "n": ("Labelled rows", "normals and anomalies"),
}


def number(value: float | None) -> str:
    """Four significant digits; a dash for nothing.

    >>> number(0.0123456), number(1234567.0), number(None)
    ('0.01235', '1.235e+06', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    if float(value).is_integer() and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def share(value: float) -> str:
    """A metric: three decimals, or a whole number from 2 on.

    >>> share(0.98765), share(1.0), share(639.0)
    ('0.988', '1.000', '639')
    """
    return str(int(value)) if value >= 2 and float(value).is_integer() else f"{value:.3f}"


def percent(share: float) -> str:
    r"""A share in per cent, to one decimal, and never rounded to 0 or 100.

    >>> percent(0.0333), percent(0.5), percent(0.0001)
    ('3.3\xa0%', '50\xa0%', '<\xa00.1\xa0%')
    """
    if 0 < share < 0.0005:
        return f"<{NBSP}0.1{NBSP}%"
    if 0.9995 <= share < 1:
        return f">{NBSP}99.9{NBSP}%"
    return f"{100 * share:.1f}".removesuffix(".0") + f"{NBSP}%"


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "image"), counted(3, "image"), counted(2, "series", "series")
    ('1 image', '3 images', '2 series')
    """
    return f"{n} {singular if n == 1 else plural or singular + 's'}"


def metric_name(key: str) -> tuple[str, str]:
    """A metric's name and meaning; F-beta is named by its beta."""
    beta = key.removeprefix("f")
    if key not in METRICS and key != beta and beta.replace(".", "", 1).isdigit():
        return f"F{beta}", "harmonic mean of precision and recall" + _weighted(beta) + ", at the threshold"
    return METRICS.get(key, (key.replace("_", " "), ""))


def _weighted(beta: str) -> str:
    return "" if beta == "1" else f", recall weighing {beta} times as much"
