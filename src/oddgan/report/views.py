"""What a card shows of an item: pictures of an image, curves of a series, bars of a table's row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddgan.evaluate import DataInfo, Items
from oddgan.report.drawing import Axis, filled, polyline
from oddgan.report.numbers import number
from oddgan.report.pictures import overlay, picture, png, rescale

Floats = NDArray[np.float64]
FEATURES = 5
CHANNELS = 3
START, WIDTH, CHANNEL_HEIGHT, HEAT_HEIGHT, GAP = 50, 320, 84, 34, 22
SMALL = 96  # pixels; smaller images keep square pixels when enlarged


@dataclass(frozen=True)
class Picture:
    """An image of a card.

    Parameters
    ----------
    caption : below it.
    uri : PNG data.
    """

    caption: str
    uri: str


@dataclass(frozen=True)
class Pictures:
    """Input, reconstruction and heatmap of an image, side by side.

    Parameters
    ----------
    pictures : from left to right.
    small : so few pixels that they should stay square when enlarged.
    """

    pictures: tuple[Picture, ...]
    small: bool


@dataclass(frozen=True)
class Curve:
    """One channel of a series, in pixels.

    Parameters
    ----------
    name : of the channel; empty for a single one.
    top, bottom : its pixels.
    x, reconstruction, gap : path data; the last two, of which one is the area between, empty where there is none.
    low, high : values at its bottom and top.
    """

    name: str
    top: float
    bottom: float
    x: str
    reconstruction: str
    gap: str
    low: str
    high: str


@dataclass(frozen=True)
class Curves:
    """A series with the residual at each time below.

    Parameters
    ----------
    channels : those that are shown.
    heat : path data of the residual's area; empty without a map.
    height : of the drawing.
    """

    channels: tuple[Curve, ...]
    heat: str
    height: float


@dataclass(frozen=True)
class Bar:
    """A feature of a table's row.

    Parameters
    ----------
    name, value, expected : of the feature, and what the reconstruction says; expected is empty without one.
    width : of the bar, in per cent of the longest.
    contribution : its value on the map.
    """

    name: str
    value: str
    expected: str
    width: float
    contribution: str


@dataclass(frozen=True)
class Bars:
    """The features that contribute most.

    Parameters
    ----------
    bars : falling contribution; without a map, the first features without contributions.
    ranked : there is a map.
    """

    bars: tuple[Bar, ...]
    ranked: bool


View = Pictures | Curves | Bars


def views(items: Items, data: DataInfo) -> list[View]:
    """One view for each item; scales are shared by all of them, so that they can be compared."""
    if data.kind == "image":
        return list(_images(items))
    if data.kind == "series":
        return [_curves(items, i, data) for i in range(len(items.x))]
    return [_bars(items, i, data) for i in range(len(items.x))]


def heat_range(items: Items) -> tuple[float, float]:
    """Values of the maps at both ends of the colours: the lowest (at most 0), and the 99.5 % quantile."""
    finite = np.zeros(1) if items.map is None else items.map[np.isfinite(items.map)]
    if not len(finite):
        return 0.0, 1.0
    low, high = min(0.0, float(finite.min())), float(np.quantile(finite, 0.995))
    return low, high if high > low else low + 1.0


def _images(items: Items) -> list[Pictures]:
    low, high = grey_range(items.x)
    heat_low, heat_high = heat_range(items)
    found = []
    for i in range(len(items.x)):
        x = rescale(items.x[i], low, high)
        pictures = [Picture("input", png(picture(x)))]
        if items.reconstruction is not None:
            pictures.append(Picture("reconstruction", png(picture(rescale(items.reconstruction[i], low, high)))))
        if items.map is not None:
            pictures.append(Picture("heatmap", png(overlay(x, rescale(items.map[i], heat_low, heat_high)))))
        found.append(Pictures(tuple(pictures), max(x.shape[1:]) <= SMALL))
    return found


def grey_range(x: NDArray[Any]) -> tuple[float, float]:
    """Black and white of items (n, ...): of the type for bytes that use it, else the least and the greatest value."""
    if x.dtype == np.uint8 and x.max(initial=0) > np.iinfo(np.uint8).max // 2:
        return 0.0, 255.0
    finite = x[np.isfinite(x)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def _curves(items: Items, i: int, data: DataInfo) -> Curves:
    x = items.x[i].astype(np.float64)
    y = None if items.reconstruction is None else items.reconstruction[i].astype(np.float64)
    gaps = np.zeros(len(x)) if items.contributions is None else items.contributions[i].astype(np.float64)
    if y is not None:
        gaps = np.abs(np.nan_to_num(x - y)).mean(axis=1) / _spread(items.x)
    chosen = sorted(np.argsort(-gaps, kind="stable")[:CHANNELS].tolist())
    curves = []
    for place, c in enumerate(chosen):
        top = GAP + place * (CHANNEL_HEIGHT + GAP)
        name = "" if len(x) == 1 else _name(data, c, len(x), "channel")
        curves.append(_curve(name, top, x[c], None if y is None else y[c]))
    base = GAP + len(chosen) * (CHANNEL_HEIGHT + GAP) + HEAT_HEIGHT
    heat = "" if items.map is None else _heat(items.map[i].astype(np.float64), base, heat_range(items))
    height = base + 2 if heat else base - HEAT_HEIGHT
    return Curves(tuple(curves), heat, float(height))


def _spread(x: NDArray[Any]) -> Floats:
    """Standard deviation of each channel over all items, so that channels on different scales compare; never 0."""
    deviation = np.nan_to_num(x.astype(np.float64)).std(axis=(0, 2))
    return np.where(deviation > 0, deviation, 1.0)


def _curve(name: str, top: float, x: Floats, y: Floats | None) -> Curve:
    both = x if y is None else np.concatenate([x, y])
    finite = both[np.isfinite(both)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    axis = Axis(low, high, top + CHANNEL_HEIGHT, top)
    return Curve(
        name=name,
        top=top,
        bottom=top + CHANNEL_HEIGHT,
        x=_line(x, axis),
        reconstruction="" if y is None else _line(y, axis),
        gap="" if y is None else _gap(x, y, axis),
        low=f"{low:.3g}",
        high=f"{high:.3g}",
    )


def _line(values: Floats, axis: Axis) -> str:
    time, values = extremes(values, WIDTH - START)
    across = Axis(0.0, max(float(time[-1]), 1.0), float(START), float(WIDTH))
    return polyline(across(time).tolist(), axis(values).tolist())


def _gap(x: Floats, y: Floats, axis: Axis) -> str:
    """The area between a series and its reconstruction; a long series is thinned evenly."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(known):
        return ""
    time = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), WIDTH - START)).astype(int))]
    across = Axis(0.0, max(float(len(x) - 1), 1.0), float(START), float(WIDTH))
    there, back = (
        across(time.astype(np.float64)).tolist(),
        np.concatenate([axis(x[time]), axis(y[time])[::-1]]).tolist(),
    )
    return polyline(there + there[::-1], back) + "Z"


def _heat(values: Floats, base: float, limits: tuple[float, float]) -> str:
    axis = Axis(0.0, 1.0, base, base - HEAT_HEIGHT)
    time, values = extremes(rescale(values, *limits), WIDTH - START)
    across = Axis(0.0, max(float(time[-1]), 1.0), float(START), float(WIDTH))
    return filled(across(time).round(1), axis(values).round(1), base)


def extremes(values: Floats, most: int) -> tuple[Floats, Floats]:
    """Times (k,) and values (k,) of a series (t,); one longer than `most` keeps each stretch's least and greatest."""
    t = len(values)
    if t <= most:
        return np.arange(t, dtype=np.float64), values
    kept = {0, t - 1}
    for part in np.array_split(np.arange(t), most // 2):
        stretch = np.nan_to_num(values[part])
        kept |= {int(part[stretch.argmin()]), int(part[stretch.argmax()])}
    times = np.array(sorted(kept))
    return times.astype(np.float64), values[times]


def _bars(items: Items, i: int, data: DataInfo) -> Bars:
    x, d = items.x[i], items.x.shape[1]
    heat = np.zeros(d) if items.map is None else np.nan_to_num(items.map[i].astype(np.float64))
    top = max(float(heat.max()), 0.0) or 1.0
    bars = [
        Bar(
            name=_name(data, j, d, "feature"),
            value=number(float(x[j])),
            expected="" if items.reconstruction is None else number(float(items.reconstruction[i, j])),
            width=round(100 * max(float(heat[j]), 0.0) / top, 1),
            contribution="" if items.map is None else number(float(heat[j])),
        )
        for j in np.argsort(-heat, kind="stable")[:FEATURES].tolist()
    ]
    return Bars(tuple(bars), items.map is not None)


def _name(data: DataInfo, i: int, n: int, kind: str) -> str:
    return data.columns[i] if data.columns is not None and len(data.columns) == n else f"{kind} {i}"
