"""Drawings of time: how many have come by a certain age, counting those who have not yet (Kaplan–Meier)."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import UNSEEN, Drawing, authored, clickable, empty, keyed, layers, room, sentence, tips, written
from revscore.charts.theme import BODY, PALETTES, SMALL, STRONG, Theme
from revscore.core import units
from revscore.core.statistics import Survival
from revscore.core.units import DAYS, Unit

FEW = 5  # followed; below this a curve ends, and a group that begins below it is not drawn (METRICS F7)
MOST = 4  # curves of one drawing
POINTS = 240  # of one curve; more are read off at even steps
COME = 0.95  # the ages end where this share of what is seen to come has come, when the rest would take most of the width
NAMES = 150  # px at the right for the names of the curves


@authored
def _curve(theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    colour = keyed(alt.Color, "slot:O", list(range(MOST)), [p.main, p.warn, *p.extra])
    x = alt.X("t:Q", axis=None, scale=alt.Scale(nice=False, zero=True, range=room(NAMES)))
    y = alt.Y("share:Q", title=None, scale=alt.Scale(nice=False, zero=True), axis=alt.Axis(
        labelExpr="datum.value < 0 ? '' : format(datum.value, '.0%')", gridOpacity=alt.condition("datum.value < 0", alt.value(0), alt.value(1))))
    base = alt.Chart().encode(x=x, y=y)

    def only(part: str) -> alt.Chart:
        return base.transform_filter(f"datum.part == '{part}'")

    about = tips(("Curve", "curve:N"), ("Age", "age:N"), ("Share", "said:Q", ".1%"), ("Followed", "at_risk:Q"))
    return layers(
        only("solid").mark_line(interpolate="step-after", strokeWidth=4).encode(color=colour, tooltip=about),
        *(chart.encode(color=colour) if k else chart for k, chart in enumerate(
            written(only("name").encode(text="text:N"), p, align="left", baseline="middle", dx=12, fontSize=STRONG, fontWeight=700, limit=NAMES - 14))),
        only("tick").mark_text(fontSize=BODY, baseline="middle", color=p.soft).encode(text="text:N"),
        only("head").mark_text(fontSize=SMALL, align="left", baseline="middle", color=p.soft).encode(text="text:N"),
        only("risk").mark_text(fontSize=BODY, fontWeight=600, baseline="middle").encode(text="text:N", color=colour),
        only("row").mark_text(fontSize=SMALL, align="right", baseline="middle", dx=-34, fontWeight=600, limit=130).encode(text="text:N", color=colour),
        clickable(base.transform_filter("datum.part == 'solid' || datum.part == 'risk'").mark_point(size=700, **UNSEEN).encode(tooltip=about), "curve", "t"),
    )


def drawn(curves: Sequence[tuple[str, Survival]]) -> tuple[tuple[str, Survival], ...]:
    """Those of `curves` that `curve` draws: the first four with enough to follow."""
    return tuple((name, s) for name, s in curves if s.n >= FEW)[:MOST]


def curve(curves: Sequence[tuple[str, Survival]], unit: Unit = DAYS, *, label: str = "Converted", falling: bool = False,
          theme: Theme = "light", height: int = 400) -> Drawing:
    """Kaplan–Meier curves, up to four: the share that has come (`falling=True`: that has not yet) by age, as far as five are followed.

    Groups of fewer than five are not drawn. Ages end where 95 % of what is seen to come has come, when a long tail would flatten the rest;
    they are written in round steps, with how many are still followed at each.
    """
    chosen = drawn(curves)
    if not chosen:
        return empty("curve", theme, height, "Nothing to draw: fewer than five to follow." if len(curves) else "Nothing to draw: no records in this selection.")
    end = min(_end([s for _, s in chosen], unit), max(_seen(s) for _, s in chosen))
    ages = np.array(units.ticks(end, unit))
    parts = [_tidy(s, unit, falling, ages, end) for _, s in chosen]
    top = max(float(part["share"].max()) for part in parts) or 1.0
    heights = _spaced([float(part["share"].iloc[-1]) for part in parts], 0.085 * top)
    head = "still followed at that age; a curve ends where fewer than five are left"
    rows, says = [pd.DataFrame({"part": "tick", "t": ages, "share": -0.07 * top, "text": [units.tick(age, unit) for age in ages], "slot": 0}),
                  pd.DataFrame({"part": ["head"], "t": [0.0], "share": [-0.17 * top], "text": [head], "slot": [0]})], []
    for slot, ((name, s), part, place) in enumerate(zip(chosen, parts, heights, strict=True)):
        strong, below = part["at_risk"] >= FEW, -(0.26 + 0.09 * slot) * top
        rows.append(part[strong].assign(part="solid", slot=slot, said=part["share"]))
        rows.append(pd.DataFrame({"part": "name", "t": [end], "share": [place], "text": [name], "slot": [slot]}))
        rows.append(pd.DataFrame({"part": "risk", "t": ages, "share": below, "text": [f"{s.at_risk_at(age):,}" for age in ages], "slot": slot,
                                  "age": [units.text(age, unit) for age in ages], "at_risk": [s.at_risk_at(age) for age in ages],
                                  "said": [s.at(age) if falling else 1 - s.at(age) for age in ages]}))
        rows.append(pd.DataFrame({"part": "row", "t": [0.0], "share": [below], "text": [name], "slot": [slot]}))
        final = part[strong].iloc[-1]
        says.append(f"{name}: {final['share']:.0%} after {final['age']}, of {s.n:,}")
    data = pd.concat(rows, ignore_index=True).assign(curve=lambda f: [chosen[k][0] for k in f["slot"]])
    return Drawing("curve", data, _curve(theme), sentence([f"{label} by age", *says]), height + 36 * len(parts))


def _tidy(s: Survival, unit: Unit, falling: bool, ages: np.ndarray, end: float) -> pd.DataFrame:
    """One curve: t, share, at_risk, age from 0 to the end of its follow-up or of the ages; a long one is read off at even steps (exact where read)."""
    last = min(_seen(s), end)
    t = np.concatenate([[0.0], s.times, [last]])
    t = t[t <= last] if (t <= last).sum() <= POINTS else np.linspace(0.0, last, POINTS)
    t = np.unique(np.concatenate([t, ages[ages <= last]]))
    share = np.concatenate([[1.0], s.survival])[np.searchsorted(s.times, t, side="right")]
    at_risk = s.n - np.searchsorted(s.durations, t, side="left")
    return pd.DataFrame({"t": t, "share": share if falling else 1 - share, "at_risk": at_risk, "age": [units.text(age, unit) for age in t]})


def _seen(s: Survival) -> float:
    """The longest age at which at least five are followed."""
    return float(s.durations[-FEW])


def _end(curves: Sequence[Survival], unit: Unit) -> float:
    """Where the ages end: at the longest follow-up, or, when most of the width would be a tail, at the round age by which `COME` has come."""
    far = max(s.last for s in curves)
    come = max((s.quantile(COME * (1 - float(s.survival[-1]))) for s in curves if len(s.times)), default=far)
    steps = units.ticks(come, unit)
    end = float(np.ceil(come / steps[1] - 1e-9)) * steps[1] if len(steps) > 1 else far
    return end if 0 < end < 0.7 * far else far


def _spaced(ends: list[float], gap: float) -> list[float]:
    """The heights of the names, moved apart around where their curves end so that no two are closer than `gap`."""
    order = np.argsort(ends, kind="stable")
    out = np.array(ends, dtype=float)[order]
    for _ in range(20):
        short = gap - np.diff(out)
        if not (short > 1e-9).any():
            break
        for k in np.flatnonzero(short > 1e-9):
            lack = max(gap - (out[k + 1] - out[k]), 0.0) / 2
            out[k], out[k + 1] = out[k] - lack, out[k + 1] + lack
        out += max(0.0 - out[0], 0.0)  # never into the ages below
    return out[np.argsort(order)].tolist()
