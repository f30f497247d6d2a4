"""The drawing of a control chart: points, centre, limits, what signals. It draws a finished frame and judges nothing."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import PERIOD_AXIS, Drawing, authored, empty, keyed, layers, number, room, sentence, spoken, texts, tips, words, written
from revscore.charts.theme import LAST, PALETTES, SMALL, Theme
from revscore.core import units
from revscore.core.units import Unit

POINTS = ("week", "run", "outside")


@authored
def _control(unit: Unit, currency: str, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    x = alt.X("period:O", sort=alt.EncodingSortField("order", op="min"), title=None, scale=alt.Scale(type="point", padding=0.5, range=room(112)),
              axis=alt.Axis(labelExpr=PERIOD_AXIS, labelSeparation=14))
    base = alt.Chart().encode(x=x)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title=None, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(labelExpr=units.axis(unit, currency)))

    limit = {"interpolate": "step", "color": p.ink, "strokeWidth": 2, "strokeDash": [3, 5]}
    about = tips(("Week of", "period:N"), ("Value", "label:N"), ("Sample", "sample:N"), ("Limits", "limits:N"), ("Says", "says:N"))
    side = {"align": "left", "dx": 12, "fontSize": SMALL, "baseline": "middle", "color": p.soft}
    return layers(
        base.mark_area(color=p.rest, opacity=0.28, line=False, interpolate="step").encode(y=y("base_low"), y2="base_high:Q"),
        base.mark_line(**limit).encode(y=y("upper")),
        base.mark_line(**limit).encode(y=y("lower")),
        base.mark_line(color=p.ink, strokeWidth=2).encode(y=y("centre")),
        base.mark_line(color=p.main, strokeWidth=2.5).encode(y=y("value")),
        base.mark_point(strokeWidth=2.5, opacity=1, filled=True).encode(
            y=y("value"), tooltip=about, color=keyed(alt.Color, "kind:N", list(POINTS), [p.main, p.warn, p.warn],
                                                        alt.Legend(labelExpr="{week: 'a week', run: 'in a run on one side', outside: 'outside the limits'}[datum.label]")),
            shape=keyed(alt.Shape, "kind:N", list(POINTS), ["circle", "square", "diamond"]), size=keyed(alt.Size, "kind:N", list(POINTS), [110, 150, 360])),
        *written(base.encode(y=y("centre"), text="centre_text:N"), p, **side),
        *written(base.encode(y=y("upper"), text="upper_text:N"), p, **side),
        *written(base.encode(y=y("lower"), text="lower_text:N"), p, **side),
        *written(base.encode(y=y("value"), text="marked:N"), p, align="center", baseline="bottom", dy=-14, fontSize=LAST - 4, fontWeight=700, color=p.warn),
    )


def control(frame: pd.DataFrame, unit: Unit, currency: str = "USD", *, label: str = "Value", theme: Theme = "light", height: int = 340) -> Drawing:
    """A control chart: weeks as points, the centre as a line, the limits dotted, the weeks of the baseline shaded; orange diamonds lie outside
    the limits, orange squares in a run on one side of the centre.

    frame : start, period, value, n, numerator, centre, lower, upper, baseline, signal ("outside", "run" or ""), as `core.signals.Control.frame` gives it.
    """
    if not len(frame):
        return empty("control", theme, height, "Nothing to draw: no complete week in this selection.")
    value, centre, lower, upper, n = (number(frame, name) for name in ("value", "centre", "lower", "upper", "n"))
    lower = np.where(np.nanmin(value) >= 0, np.maximum(lower, 0.0), lower)  # what cannot be negative has no limit below 0
    rule, first = words(frame, "signal"), frame["baseline"].to_numpy(dtype=bool)
    last = np.arange(len(frame)) == len(frame) - 1
    written_value, low, high = (texts(column, unit, currency) for column in (value, lower, upper))
    close = abs(upper - lower) < 0.12 * (np.nanmax(np.append(value, upper)) - np.nanmin(np.append(value, lower)) or 1.0)
    top = number(frame, "numerator")
    data = pd.DataFrame({
        "period": words(frame, "period"), "order": np.arange(len(frame)), "value": value, "centre": centre, "lower": lower, "upper": upper,
        "base_low": np.where(first, lower, np.nan), "base_high": np.where(first, upper, np.nan), "kind": np.where(rule == "", "week", rule),
        "label": written_value, "sample": [units.of(a, b) if not np.isnan(a) else f"n {b:,.0f}" for a, b in zip(top, n, strict=True)],
        "limits": [f"{a} – {b}" if a else "" for a, b in zip(low, high, strict=True)],
        "says": np.where(rule == "outside", "outside the limits", np.where(rule == "run", "in a run on one side of the mean", "within what is usual")),
        "centre_text": np.where(last, [f"mean {text}" if text else "" for text in texts(centre, unit, currency)], ""),
        "upper_text": np.where(last & ~close, high, ""), "lower_text": np.where(last & ~close, low, ""),
        "marked": np.where(_furthest(rule == "outside", np.abs(value - centre)), written_value, "")})
    marked = data[rule != ""]
    says = [f"{label} by week: {written_value[-1]} in {spoken(str(data['period'].iloc[-1]))}, mean of the first weeks {texts(centre, unit, currency)[0]}",
            f"signals at {', '.join(spoken(one) for one in marked['period'])}" if len(marked) else "no signal"]
    return Drawing("control", data, _control(unit, currency, theme), sentence(says), height)


def _furthest(outside: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Of each stretch of points outside, the one furthest from the centre: it alone is written, so that neighbours do not overlap."""
    stretch = np.cumsum(np.concatenate([[True], outside[1:] != outside[:-1]]))
    most = pd.Series(distance).groupby(stretch).transform("max").to_numpy()
    return outside & (distance == most)
