"""Drawings of cohorts: the funnel with its open share, conversion by cohort as a heat map."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import (PERIOD_ROW, UNSEEN, Drawing, authored, clickable, empty, keyed, layers, number, room, sentence, spoken, suppressed,
                                     texts, tips, unsettled, words, x_of_n)
from revscore.charts.theme import BODY, LAST, PALETTES, SMALL, STRONG, Theme
from revscore.core import units
from revscore.core.units import RATIO, Unit

PARTS = ("went on", "still open", "left")


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
        clickable(head.mark_bar(**UNSEEN).encode(x=alt.value(0), x2=alt.value(alt.expr("width"))), "stage"),
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


_HEAT_NOTE = "Dashed: not settled yet. Grey: fewer than five, no rate. Stronger blue: higher in its column."


@authored
def _heat(pairs: bool, names: tuple[str, str], note: str, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    base = alt.Chart().encode(
        x=alt.X(**_ordered("column", scale=alt.Scale(paddingInner=0.03, paddingOuter=0), axis=alt.Axis(
            orient="top", labelColor=p.ink, labelFontWeight=600, labelOverlap=False, labelExpr=PAIR, labelPadding=31 if pairs else 10))),
        y=alt.Y(**_ordered("cohort", scale=alt.Scale(paddingInner=0.06, paddingOuter=0),
                           axis=alt.Axis(labelColor=p.ink, labelExpr=PERIOD_ROW))))
    hollow = {"cornerRadius": 4, "fill": p.paper, "fillOpacity": 0.0}
    about = tips((names[0], "cohort:N"), (names[1], "column:N"), ("Value", "label:N"), ("Sample", "note:N"), ("95 % interval", "interval:N"), ("State", "state:N"))
    dark = alt.condition(f"datum.state == 'settled' && datum.shade >= {p.heat_flip}", alt.value(p.heat_text), alt.value(p.ink))
    return layers(
        base.transform_filter("datum.state == 'settled'").mark_rect(cornerRadius=4).encode(
            color=keyed(alt.Color, "shade:O", [0, 1, 2, 3, 4], list(p.heat)), tooltip=about),
        base.transform_filter("datum.state == 'not settled'").mark_rect(**hollow, stroke=p.main, strokeWidth=2, strokeDash=[6, 5]).encode(tooltip=about),
        base.transform_filter("datum.state == 'too few'").mark_rect(**hollow, stroke=p.grid, strokeWidth=1.5).encode(tooltip=about),
        base.transform_filter("datum.label != ''").mark_text(fontSize=STRONG, fontWeight=700, align="right", dx=2).encode(text="label:N", color=dark),
        base.transform_filter("datum.label != ''").mark_text(fontSize=SMALL, align="left", dx=12).encode(text="note:N", color=dark),
        base.transform_filter("datum.label == ''").mark_text(fontSize=BODY).encode(text="note:N", color=alt.value(p.soft)),
        clickable(base.mark_rect(**UNSEEN).encode(tooltip=about), "cohort", "column"),
    ).properties(title=alt.TitleParams(note, orient="bottom",
                                       anchor="start", fontSize=SMALL, fontWeight=400, color=p.soft, offset=12))


def heat(frame: pd.DataFrame, unit: Unit = RATIO, currency: str = "USD", *, label: str = "Conversion", by_column: bool = True,
         names: tuple[str, str] = ("Cohort", "Step"), note: str = _HEAT_NOTE, theme: Theme = "light") -> Drawing:
    """A value by cohort (rows) and pair or age (columns), written in each cell with its n.

    frame : cohort, column, value, n; where known numerator, denominator, flag, maturity. Colour runs in five steps up to the most of its column
    (`by_column=False`: of all cells). Unsettled cells are outlined, cells of fewer than five say "x of n" without colour,
    cells of nobody stay blank. `names` are the words for rows and columns, `note` says what the colours mean.
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
    base = number(frame, "denominator")
    nobody = np.where(np.isnan(base), n, base) == 0
    state = np.where(nobody, np.where(soft & (n > 0), "not settled", ""), np.where(small | (nothing & ~soft), "too few", np.where(soft, "not settled", "settled")))
    short = [f"{v:.0%}" if unit.kind == "ratio" and not np.isnan(v) else t for v, t in zip(value, texts(value, unit, currency), strict=True)]
    data = pd.DataFrame({
        "cohort": cohort, "cohort_order": pd.factorize(cohort)[0], "column": column, "column_order": pd.factorize(column)[0], "value": value,
        "shade": shade, "label": np.where(small, "", short),
        "note": np.where(nobody, "", np.where(small, x_of_n(frame), np.where(nothing, np.where(soft, "too early", units.MISSING),
                                                        ["" if np.isnan(k) else f"n {k:,.0f}" for k in n]))), "state": state,
        "interval": [f"{a} – {b}" if a else "" for a, b in zip(*(texts(np.where(small, np.nan, number(frame, name)), unit, currency) for name in ("low", "high")), strict=True)]})
    settled = data[(data["state"] == "settled")]
    says = [f"{label} by cohort: {data['cohort'].nunique()} cohorts"]
    if len(settled):
        top, low = settled.loc[settled["value"].idxmax()], settled.loc[settled["value"].idxmin()]
        says += [f"{word} {row['label']} ({row['column']}, {spoken(row['cohort'])})" for word, row in (("highest", top), ("lowest", low))]
    says += [f"{int(soft.sum())} cells not settled" if soft.any() else ""]
    return Drawing("heat", data, _heat(any(" → " in name for name in data["column"]), names, note, theme), sentence(says), 100 + 46 * data["cohort"].nunique())
