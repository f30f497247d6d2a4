"""Drawings that set groups side by side: one value under several attribution models, and a ranking with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import UNSEEN, Drawing, authored, clickable, empty, keyed, layers, missed, number, room, sentence, suppressed, texts, tips, words, x_of_n
from revscore.charts.theme import BODY, PALETTES, SMALL, STRONG, Theme
from revscore.core import terms, units
from revscore.core.units import CURRENCY, RATIO, Unit

LANES = 34  # px that the marks of a row are spread over, so that equal credit hides no model
HEXAGON = "M0,-1L0.87,-0.5L0.87,0.5L0,1L-0.87,0.5L-0.87,-0.5Z"

# Shape and colour of a model: blue credits the beginning, orange the end, purple what is in between, ink spreads it over the path. The four that
# are usually shown differ in both.
MODELS = {
    "first_touch": ("triangle-left", "main"), "lead_create": ("triangle-up", "main"), "last_touch": ("triangle-right", "warn"),
    "last_touch_close": ("diamond", "warn"), "time_decay": ("triangle-down", "warn"), "linear": ("circle", "between"), "u_shaped": ("cross", "between"),
    "w_shaped": ("square", "ink"), "full_path": (HEXAGON, "ink")}
_NAMES = dict(zip(terms.MODELS, terms.MODEL_LABELS, strict=True))


def _rows(**axis: object) -> alt.Y:
    return alt.Y("group:N", sort=alt.EncodingSortField("order", op="min"), title=None, scale=alt.Scale(padding=0.3),
                 axis=alt.Axis(labelLimit=340, **axis))


@authored
def _split(unit: Unit, currency: str, models: tuple[str, ...], theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    looks, names = [MODELS.get(model, ("circle", "ink")) for model in models], [_NAMES.get(model, model) for model in models]
    tones = {"main": p.main, "warn": p.warn, "between": p.extra[1], "ink": p.ink}
    base = alt.Chart().encode(y=_rows(labelColor=p.ink))
    x = alt.X("value:Q", title=None, scale=alt.Scale(zero=True, nice=True, range=room(170)),
              axis=alt.Axis(labelExpr=units.axis(unit, currency), grid=True, tickCount=5))
    legend = alt.Legend(columns=5)
    about = tips(("Group", "group:N"), ("Model", "model:N"), ("Credit", "label:N"))
    head = base.transform_filter("datum.first")
    return layers(
        head.mark_rule(strokeWidth=12, strokeCap="round", color=p.rest, opacity=0.7).encode(x=alt.X("low:Q", title=None), x2="high:Q"),
        clickable(base.mark_point(size=150, filled=True, opacity=1, strokeWidth=1.5, stroke=p.paper, cursor="pointer", yOffset=alt.expr("datum.nudge")).encode(
            x=x, tooltip=about, shape=keyed(alt.Shape, "model:N", names, [shape for shape, _ in looks], legend),
            color=keyed(alt.Color, "model:N", names, [tones[tone] for _, tone in looks], legend)), "group", "id"),
        head.mark_text(align="right", fontSize=BODY, color=p.ink).encode(x=alt.value(alt.expr("width")), text="span:N"),
    )


def split(frame: pd.DataFrame, unit: Unit = CURRENCY, currency: str = "USD", *, models: Sequence[str] = (), label: str = "Credit",
          theme: Theme = "light") -> Drawing:
    """One row a group, one mark a model on the range between the least and the most that any model gives.

    frame : group, model, value, in the order to be drawn; `core.figures.fold(frame, within="model")` gives the largest twelve and the rest.
    models : which, and their order in the legend; none = those of the frame.
    """
    if not len(frame):
        return empty("split", theme)
    chosen = tuple(models) or tuple(dict.fromkeys(words(frame, "model")))
    frame = frame[np.isin(words(frame, "model"), chosen)]
    value, group = number(frame, "value"), words(frame, "group")
    by = pd.Series(value).groupby(group)
    low, high = by.transform("min").to_numpy(), by.transform("max").to_numpy()
    data = pd.DataFrame({
        "group": group, "order": pd.factorize(group)[0], "id": words(frame, "model"), "model": [_NAMES.get(m, m) for m in words(frame, "model")],
        "nudge": [LANES * (chosen.index(m) / max(len(chosen) - 1, 1) - 0.5) for m in words(frame, "model")], "value": value, "low": low,
        "high": high, "label": texts(value, unit, currency), "first": ~pd.Series(group).duplicated().to_numpy(),
        "span": [a if a == b else f"{a} – {b}" for a, b in zip(texts(low, unit, currency), texts(high, unit, currency), strict=True)]})
    heads = data[data["first"]]
    apart = heads.loc[(heads["high"] - heads["low"]).idxmax()]
    says = sentence([f"{label} of {len(heads)} groups under {len(chosen)} models", f"the models disagree most on {apart['group']}: {apart['span']}"])
    return Drawing("split", data, _split(unit, currency, chosen, theme), says, 96 + 52 * len(heads))


@authored
def _rank(unit: Unit, currency: str, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    base = alt.Chart().encode(y=_rows(labelColor=p.ink))
    axis = alt.Axis(labelExpr=units.axis(unit, currency), grid=True, tickCount=5)

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", title=None, scale=alt.Scale(zero=True, nice=True, range=room(190)), axis=axis)

    once = base.transform_filter("isValid(datum.reference) && datum.order == 0")
    colour = keyed(alt.Color, "tone:N", ["on", "off"], [p.main, p.warn])
    about = tips(("Group", "group:N"), ("Value", "label:N"), ("Sample", "note:N"), ("95 % interval", "interval:N"))
    return layers(
        base.mark_rule(strokeWidth=8, strokeCap="round", opacity=0.35).encode(x=x("from"), x2="upto:Q", color=colour),
        once.mark_rule(strokeWidth=2.5, strokeDash=[8, 6], color=p.ink).encode(
            x=x("reference"), y=alt.value(0), y2=alt.value(alt.expr("height"))),
        once.mark_text(fontSize=SMALL, fontWeight=600, baseline="bottom", dy=-6).encode(
            x=x("reference"), y=alt.value(0), text="mark:N"),
        base.mark_point(size=230, filled=True, opacity=1).encode(x=x("value"), color=colour, tooltip=about),
        base.mark_text(align="right", fontSize=STRONG, fontWeight=700).encode(
            x=alt.value(alt.expr("width - 84")), text="label:N", color=alt.condition("datum.tone == 'off'", alt.value(p.warn), alt.value(p.ink))),
        base.mark_text(align="right", fontSize=SMALL, color=p.soft).encode(x=alt.value(alt.expr("width")), text="note:N"),
        base.mark_text(align="right", fontSize=BODY, color=p.soft).encode(x=alt.value(alt.expr("width - 84")), text="small:N"),
        clickable(base.mark_bar(**UNSEEN).encode(x=alt.value(0), x2=alt.value(alt.expr("width")), tooltip=about), "group"),
    )


def rank(frame: pd.DataFrame, unit: Unit = RATIO, currency: str = "USD", *, label: str = "Value", reference: float | None = None,
         reference_name: str = "all", better: str = "up", rows: int = 0, theme: Theme = "light") -> Drawing:
    """Groups from most to least, each with its interval; orange when the whole interval is on the wrong side of the reference.

    frame : group, value, n; where known low, high, numerator, denominator, flag. Without an interval a
    stem from zero is drawn. Groups of fewer than five stand last, as "x of n".
    rows : how many the neighbour has, for drawings side by side that are to be equally high.
    """
    if not len(frame):
        return empty("rank", theme)
    small = suppressed(frame)
    value = np.where(small, np.nan, number(frame, "value"))
    order = np.argsort(-np.nan_to_num(value, nan=-np.inf), kind="stable")
    frame, value, small = frame.iloc[order], value[order], small[order]
    low, high = (np.where(np.isnan(value), np.nan, number(frame, name)) for name in ("low", "high"))
    at = np.full(len(frame), np.nan if reference is None else reference)
    edge = high if better == "up" else low
    off = missed(np.where(np.isnan(edge), value, edge), at, better)
    n = number(frame, "n")
    data = pd.DataFrame({
        "group": words(frame, "group"), "order": np.arange(len(frame)), "value": value, "from": np.where(np.isnan(low) & ~np.isnan(value), 0.0, low),
        "upto": np.where(np.isnan(high), value, high), "reference": at,
        "tone": np.where(off, "off", "on"), "label": texts(value, unit, currency),
        "note": ["" if np.isnan(k) or np.isnan(v) else f"n {k:,.0f}" for k, v in zip(n, value, strict=True)],
        "interval": [f"{a} – {b}" if a else "" for a, b in zip(texts(low, unit, currency), texts(high, unit, currency), strict=True)],
        "small": np.where(small, x_of_n(frame), np.where(np.isnan(value), units.MISSING, "")),
        "mark": "" if reference is None else f"{reference_name} {units.text(reference, unit, currency)}"})
    there = data[data["value"].notna()]
    ends = [f"{row['group']} {word} with {row['label']}" for word, row in (("highest", there.iloc[0]), ("lowest", there.iloc[-1]))] if len(there) else []
    says = [f"{label}: {', '.join(ends) or 'too few records in every group'}", f"clearly behind: {', '.join(data.loc[off, 'group'])}" if off.any() else "",
            f"{int(small.sum())} with too few records to rate" if small.any() else ""]
    return Drawing("rank", data, _rank(unit, currency, theme), sentence(says), 64 + 48 * max(len(frame), rows))
