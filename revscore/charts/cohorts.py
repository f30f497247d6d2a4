"""Drawings of cohorts: the funnel with its open share, conversion by cohort as a heat map, time to conversion as a curve."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import (PERIOD_ROW, Drawing, authored, empty, keyed, layers, number, room, sentence, spoken, suppressed,
                                     texts, tips, unsettled, words, written, x_of_n)
from revscore.charts.theme import BODY, LAST, PALETTES, SMALL, STRONG, Theme
from revscore.core import units
from revscore.core.statistics import Survival
from revscore.core.units import DAYS, RATIO, Unit

PARTS = ("went on", "still open", "left")
FEW = 5  # at risk; below this a curve is grey
POINTS = 240  # of one curve; more are read off at even steps


# A pair on two lines: "SQL", "→ opportunity".
PAIR = "indexof(datum.label, ' → ') > 0 ? [split(datum.label, ' → ')[0], '→ ' + split(datum.label, ' → ')[1]] : datum.label"


def _ordered(name: str, **more: object) -> dict[str, object]:
    return {"shorthand": f"{name}:N", "sort": alt.EncodingSortField(f"{name}_order", op="min"), "title": None, **more}


@authored
def _steps(theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    base = alt.Chart().encode(y=alt.Y(**_ordered("stage", scale=alt.Scale(paddingInner=0.52, paddingOuter=0.02, align=0),
                                                axis=alt.Axis(labelFontSize=STRONG, labelColor=p.ink, labelFontWeight=600))))
    share = base.transform_filter("datum.part != ''").mark_bar(cornerRadius=0).encode(
        x=alt.X("count:Q", axis=None, stack="zero", scale=alt.Scale(range=room(100))), order=alt.Order("part_order:Q", sort="ascending"),
        color=keyed(alt.Color, "part:N", list(PARTS), [p.main, p.open, p.rest], alt.Legend(symbolType="square")),
        tooltip=tips(("Stage", "stage:N"), ("Part", "part:N"), ("Records", "count:Q", ",")))
    head = base.transform_filter("datum.entered_label != ''").encode(y=alt.Y(**_ordered("stage", bandPosition=0)))
    below = alt.expr("bandwidth('y') + 20")
    return layers(
        share,
        head.mark_text(align="left", baseline="middle", dx=12, fontSize=LAST, fontWeight=700, yOffset=alt.expr("bandwidth('y') / 2")).encode(
            x=alt.X("entered:Q", axis=None), text="entered_label:N"),
        head.mark_text(align="left", baseline="middle", yOffset=below, fontSize=STRONG, fontWeight=700, color=p.main).encode(
            x=alt.value(2), text="rate_label:N"),
        head.mark_text(align="left", baseline="middle", yOffset=below, fontSize=SMALL, color=p.soft).encode(
            x=alt.value(98), text="detail:N"),
    )


def steps(frame: pd.DataFrame, *, label: str = "Funnel", theme: Theme = "light") -> Drawing:
    """A cohort followed from stage to stage: bars of who went on, is still open, has left; the rate between the stages.

    frame : one row a stage in order; stage, entered; converted, still_open (missing at the last stage); rate, n; where known low, high, flag,
    maturity, numerator, denominator. `rate` is written as given (of the mature), never taken from the bars.
    """
    if not len(frame):
        return empty("steps", theme)
    entered, converted, waiting = number(frame, "entered"), number(frame, "converted"), np.nan_to_num(number(frame, "still_open"))
    end = np.isnan(converted)
    went = np.where(end, entered, converted)
    left = np.where(end, 0.0, np.maximum(entered - went - waiting, 0.0))
    small, rate, soft = suppressed(frame), number(frame, "rate"), unsettled(frame)
    rates = np.where(small, x_of_n(frame), [f"↓ {text}" if text else "" for text in texts(rate, RATIO, "")])
    low, high = (texts(number(frame, name), RATIO, "") for name in ("low", "high"))
    interval = [f" ({a[:-2]}–{b})" if a else "" for a, b in zip(low, high, strict=True)]
    n = number(frame, "n")
    detail = ["" if last or np.isnan(k) else ("too few" if few else f"of {k:,.0f} settled{inside}") + (f" · {w:,.0f} still open" if w else "")
              for last, k, few, inside, w in zip(end, n, small, interval, waiting, strict=True)]
    stage, order = words(frame, "stage"), np.arange(len(frame))
    rows = [pd.DataFrame({"stage": stage, "stage_order": order, "part": part, "part_order": k, "count": count, "entered": entered,
                          "entered_label": np.where(k == 0, [f"{v:,.0f}" for v in entered], ""), "rate_label": np.where(k == 0, rates, ""),
                          "detail": np.where(k == 0, detail, "")}) for k, (part, count) in enumerate(zip(PARTS, (went, waiting, left), strict=True))]
    known = np.flatnonzero(~np.isnan(rate) & ~small & ~end)
    weakest = known[np.argmin(rate[known])] if len(known) else None
    says = [f"{label}: {entered[0]:,.0f} entered {stage[0]}, {entered[-1]:,.0f} reached {stage[-1]}"]
    says += [f"lowest rate after {stage[weakest]}: {units.text(rate[weakest], RATIO)}"] if weakest is not None else []
    says += [f"{waiting.sum():,.0f} still open" if waiting.any() else "", "latest cohorts not settled" if soft.any() else ""]
    return Drawing("steps", pd.concat(rows, ignore_index=True), _steps(theme), sentence(says), 40 + 92 * len(frame))


@authored
def _heat(pairs: bool, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    base = alt.Chart().encode(
        x=alt.X(**_ordered("column", scale=alt.Scale(paddingInner=0.03, paddingOuter=0), axis=alt.Axis(
            orient="top", labelColor=p.ink, labelFontWeight=600, labelOverlap=False, labelExpr=PAIR, labelPadding=31 if pairs else 10))),
        y=alt.Y(**_ordered("cohort", scale=alt.Scale(paddingInner=0.06, paddingOuter=0),
                           axis=alt.Axis(labelColor=p.ink, labelExpr=PERIOD_ROW))))
    hollow = {"cornerRadius": 4, "fill": p.paper, "fillOpacity": 0.0}
    about = tips(("Cohort", "cohort:N"), ("Step", "column:N"), ("Value", "label:N"), ("Sample", "note:N"), ("State", "state:N"))
    dark = alt.condition(f"datum.state == 'settled' && datum.shade >= {p.heat_flip}", alt.value(p.heat_text), alt.value(p.ink))
    return layers(
        base.transform_filter("datum.state == 'settled'").mark_rect(cornerRadius=4).encode(
            color=keyed(alt.Color, "shade:O", [0, 1, 2, 3, 4], list(p.heat)), tooltip=about),
        base.transform_filter("datum.state == 'not settled'").mark_rect(**hollow, stroke=p.main, strokeWidth=2, strokeDash=[6, 5]).encode(tooltip=about),
        base.transform_filter("datum.state == 'too few'").mark_rect(**hollow, stroke=p.grid, strokeWidth=1.5).encode(tooltip=about),
        base.transform_filter("datum.label != ''").mark_text(fontSize=STRONG, fontWeight=700, align="right", dx=2).encode(text="label:N", color=dark),
        base.transform_filter("datum.label != ''").mark_text(fontSize=SMALL, align="left", dx=12).encode(text="note:N", color=dark),
        base.transform_filter("datum.label == ''").mark_text(fontSize=BODY).encode(text="note:N", color=alt.value(p.soft)),
    ).properties(title=alt.TitleParams("Dashed: not settled yet. Grey: fewer than five, no rate. Stronger blue: higher in its column.", orient="bottom",
                                       anchor="start", fontSize=SMALL, fontWeight=400, color=p.soft, offset=12))


def heat(frame: pd.DataFrame, unit: Unit = RATIO, currency: str = "USD", *, label: str = "Conversion", by_column: bool = True,
         theme: Theme = "light") -> Drawing:
    """A value by cohort (rows) and pair or age (columns), written in each cell with its n.

    frame : cohort, column, value, n; where known numerator, denominator, flag, maturity. Colour runs in five steps up to the most of its column
    (`by_column=False`: of all cells). Unsettled cells are outlined, cells of fewer than five say "x of n" without colour.
    """
    if not len(frame):
        return empty("heat", theme)
    small, soft, value = suppressed(frame), unsettled(frame), number(frame, "value")
    nothing = np.isnan(value)
    column, cohort = words(frame, "column"), words(frame, "cohort")
    solid = pd.Series(np.where(small | soft, np.nan, value))
    alike = solid.groupby(column if by_column else np.zeros(len(solid)))
    least, most = (alike.transform(end).to_numpy(dtype=float) for end in ("min", "max"))
    foot = np.minimum(least, 0.6 * most)  # small differences stay small: the five steps span at least 40 % of the most
    with np.errstate(divide="ignore", invalid="ignore"):
        shade = np.clip(np.nan_to_num(np.floor((value - foot) / (most - foot) * 5)), 0, 4).astype(int)
    n = number(frame, "n")
    state = np.where(small | (nothing & ~soft), "too few", np.where(soft, "not settled", "settled"))
    short = [f"{v:.0%}" if unit.kind == "ratio" and not np.isnan(v) else t for v, t in zip(value, texts(value, unit, currency), strict=True)]
    data = pd.DataFrame({
        "cohort": cohort, "cohort_order": pd.factorize(cohort)[0], "column": column, "column_order": pd.factorize(column)[0], "value": value,
        "shade": shade, "label": np.where(small, "", short),
        "note": np.where(small, x_of_n(frame), np.where(nothing, np.where(soft, "too early", units.MISSING),
                                                        ["" if np.isnan(k) else f"n {k:,.0f}" for k in n])), "state": state})
    settled = data[(data["state"] == "settled")]
    says = [f"{label} by cohort: {data['cohort'].nunique()} cohorts"]
    if len(settled):
        top, low = settled.loc[settled["value"].idxmax()], settled.loc[settled["value"].idxmin()]
        says += [f"{word} {row['label']} ({row['column']}, {spoken(row['cohort'])})" for word, row in (("highest", top), ("lowest", low))]
    says += [f"{int(soft.sum())} cells not settled" if soft.any() else ""]
    return Drawing("heat", data, _heat(any(" → " in name for name in data["column"]), theme), sentence(says), 100 + 46 * data["cohort"].nunique())


@authored
def _curve(unit: Unit, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    tones = [p.main, p.warn, *p.extra]
    colour = keyed(alt.Color, "slot:O", [0, 1, 2, 3], tones)
    x = alt.X("t:Q", title=None, scale=alt.Scale(nice=False, zero=True, range=room(110)),
              axis=alt.Axis(labelExpr=units.axis(unit), tickCount=8, offset=12))
    y = alt.Y("share:Q", title=None, scale=alt.Scale(nice=False, zero=True), axis=alt.Axis(
        labelExpr="datum.value < 0 ? '' : format(datum.value, '.0%')", gridOpacity=alt.condition("datum.value < 0", alt.value(0), alt.value(1))))
    base = alt.Chart().encode(x=x, y=y)

    def only(part: str) -> alt.Chart:
        return base.transform_filter(f"datum.part == '{part}'")

    about = tips(("Curve", "curve:N"), ("Age", "t:Q", ".1f"), ("Share", "share:Q", ".1%"), ("At risk", "at_risk:Q"))
    return layers(
        only("thin").mark_line(interpolate="step-after", color=p.line, strokeWidth=2.5, strokeDash=[2, 6]).encode(detail="slot:O"),
        only("solid").mark_line(interpolate="step-after", strokeWidth=4).encode(color=colour, tooltip=about),
        *(chart.encode(color=colour) if k else chart for k, chart in enumerate(
            written(only("name").encode(text="text:N"), p, align="left", baseline="middle", dx=10, fontSize=STRONG, fontWeight=700))),
        only("risk").mark_text(fontSize=BODY, fontWeight=600, baseline="middle").encode(text="text:N", color=colour),
        only("row").mark_text(fontSize=SMALL, align="right", baseline="middle", dx=-34, fontWeight=600).encode(text="text:N", color=colour),
        only("head").mark_text(fontSize=SMALL, align="left", baseline="middle", color=p.soft).encode(text="text:N"),
    )


def _tidy(curves: Sequence[tuple[str, Survival]], falling: bool, ages: np.ndarray) -> list[pd.DataFrame]:
    """Per curve: t, share, at_risk, from 0 to the longest follow-up; long curves are read off at even steps (exact where read)."""
    out = []
    for name, s in curves:
        if not s.n:
            continue
        t = np.concatenate([[0.0], s.times, [s.last]])
        t = t if len(t) <= POINTS else np.linspace(0.0, s.last, POINTS)
        t = np.unique(np.concatenate([t, s.durations[-FEW:][:1], ages[ages <= s.last]]))
        k = np.searchsorted(s.times, t, side="right")
        share = np.concatenate([[1.0], s.survival])[k]
        at_risk = s.n - np.searchsorted(s.durations, t, side="left")
        out.append(pd.DataFrame({"curve": str(name), "t": t, "share": share if falling else 1 - share, "at_risk": at_risk}))
    return out


def curve(curves: Sequence[tuple[str, Survival]] | pd.DataFrame, unit: Unit = DAYS, *, label: str = "Converted", falling: bool = False,
          theme: Theme = "light", height: int = 440) -> Drawing:
    """Kaplan–Meier curves, up to four: the share that has come (`falling=True`: that has not yet) by age, grey where fewer than five are followed.

    curves : (name, Survival) pairs, or a tidy frame curve, t, S, at_risk. Below the curves: how many are still followed at each age.
    """
    if isinstance(curves, pd.DataFrame):
        tidy = curves.assign(share=curves["S"] if falling else 1 - curves["S"])[["curve", "t", "share", "at_risk"]]
        parts = [part for _, part in tidy.groupby("curve", sort=False)]
    else:
        ages = _round_ages(max((s.last for _, s in curves if s.n), default=0.0))
        parts = _tidy(curves, falling, ages)
    parts = [part for part in parts[:4] if len(part)]
    if not parts:
        return empty("curve", theme, height)
    top = max(float(part["share"].max()) for part in parts) or 1.0
    ages = _round_ages(max(float(part["t"].max()) for part in parts))
    ends = _spaced([float(part.loc[part["at_risk"] >= FEW, "share"].iloc[-1]) if (part["at_risk"] >= FEW).any() else 0.0 for part in parts], 0.08 * top)
    rows, says = [pd.DataFrame({"part": ["head"], "t": [0.0], "share": [-0.10 * top], "text": ["still followed at that age"], "slot": [0]})], []
    for slot, (part, end) in enumerate(zip(parts, ends, strict=True)):
        name, strong = part["curve"].iloc[0], part["at_risk"] >= FEW
        rows.append(part[strong].assign(part="solid", slot=slot))
        rows.append(part[~strong | ~strong.shift(-1, fill_value=True)].assign(part="thin", slot=slot))
        where = float(part.loc[strong, "t"].max()) if strong.any() else 0.0
        rows.append(pd.DataFrame({"part": "name", "t": [where], "share": [end], "text": [name], "slot": [slot]}))
        followed = [int(part.loc[part["t"] >= age, "at_risk"].iloc[0]) if (part["t"] >= age).any() else 0 for age in ages]
        below = -(0.19 + 0.09 * slot) * top
        rows.append(pd.DataFrame({"part": "risk", "t": ages, "share": below, "text": [f"{k:,}" for k in followed], "slot": slot}))
        rows.append(pd.DataFrame({"part": "row", "t": [0.0], "share": [below], "text": [name], "slot": [slot]}))
        final = part[strong].iloc[-1] if strong.any() else part.iloc[-1]
        says.append(f"{name}: {final['share']:.0%} after {units.text(final['t'], unit)}, of {int(part['at_risk'].iloc[0]):,}")
    data = pd.concat(rows, ignore_index=True).drop(columns="curve").assign(curve=lambda f: [parts[k]["curve"].iloc[0] for k in f["slot"]])
    return Drawing("curve", data, _curve(unit, theme), sentence([f"{label} by age", *says]), height + 34 * len(parts))


def _round_ages(far: float) -> np.ndarray:
    """Ages at which the numbers at risk are written: round steps from 0, at most seven."""
    step = next((s * 10.0 ** e for e in range(-1, 6) for s in (1, 2, 5) if far / (s * 10.0 ** e) <= 7), far)
    return np.arange(int(far / step) + 1) * step if step else np.zeros(1)


def _spaced(ends: list[float], gap: float) -> list[float]:
    """The heights of end labels, moved up so that no two are closer than `gap`."""
    order, out = np.argsort(ends, kind="stable"), list(ends)
    for lower, upper in zip(order[:-1], order[1:], strict=True):
        out[upper] = max(out[upper], out[lower] + gap)
    return out
