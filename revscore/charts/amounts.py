"""Drawings of amounts: the bridge between two dates, and the pace towards a target."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import UNSEEN, Drawing, authored, clickable, empty, keyed, layers, number, room, sentence, texts, tips, words
from revscore.charts.theme import BODY, LAST, PALETTES, SMALL, STRONG, Theme
from revscore.core import figures, units
from revscore.core.units import CURRENCY, DEALS, Unit


_SPACE = "indexof(datum.label, ' ')"
TWO_LINES = f"{_SPACE} > 0 ? [slice(datum.label, 0, {_SPACE}), slice(datum.label, {_SPACE} + 1)] : datum.label"
HEAD = 62  # px above the highest bar for what is written there
GAP = 0.28  # between the bars of a bridge, of a step


@authored
def _bridge(noun: str, won: bool, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    x = alt.X("leg:N", sort=alt.EncodingSortField("order", op="min"), title=None, scale=alt.Scale(paddingInner=GAP, paddingOuter=GAP / 2),
              axis=alt.Axis(labelExpr=TWO_LINES, labelOverlap=False, labelColor=p.ink, labelFontSize=SMALL + 1, labelLineHeight=21))

    def y(name: str) -> alt.Y:  # every layer without an axis: Vega-Lite fails where one of them leaves it open
        return alt.Y(f"{name}:Q", title=None, axis=None, scale=alt.Scale(zero=False, nice=False, range=[alt.expr("height"), HEAD]))

    base = alt.Chart().encode(x=x)
    level, flat = base.encode(y=y("level"), y2="level:Q"), {"fillOpacity": 0, "stroke": p.line, "strokeWidth": 2, "cornerRadius": 0}
    about = tips(("Leg", "leg:N"), ("Value", "label:N"), (noun, "deals:N"))
    kinds = ["total", "up", "won", "down"]
    legend = alt.Legend(values=[kind for kind in kinds[1:] if won or kind != "won"], symbolType="square", labelExpr="{up: 'came in', won: 'won: left the pipeline as bookings', down: 'lost or taken out'}[datum.label]")
    return layers(
        level.transform_filter("datum.leads_on").mark_bar(
            **flat, width={"band": GAP / (1 - GAP)}, xOffset=alt.expr(f"bandwidth('x') / {2 * (1 - GAP):.3f}")),
        level.transform_filter("datum.foot == datum.head").mark_bar(**flat),
        base.mark_bar(cornerRadius=3, strokeWidth=3).encode(y=y("foot"), y2="head:Q", tooltip=about,
                                             fill=keyed(alt.Fill, "kind:N", kinds, [p.total, p.main, p.heat[1], p.warn], legend),
                                             stroke=keyed(alt.Stroke, "kind:N", kinds, [p.total, p.main, p.main, p.warn], legend)),
        base.mark_text(fontSize=30, fontWeight=700, dy=-16, color=p.paper, baseline="middle").encode(y=y("foot"), text="cut:N"),
        base.mark_text(fontSize=BODY, fontWeight=700, dy=-30, baseline="bottom").encode(y=y("top"), text="label:N"),
        base.mark_text(fontSize=SMALL, dy=-10, color=p.soft, baseline="bottom").encode(y=y("top"), text="deals:N"),
        clickable(base.mark_bar(**UNSEEN).encode(y=alt.value(0), y2=alt.value(alt.expr("height")), tooltip=about), "id"),
    )


def bridge(frame: pd.DataFrame, unit: Unit = CURRENCY, currency: str = "USD", *, label: str = "Pipeline", noun: Unit = DEALS,
           theme: Theme = "light", height: int = 460) -> Drawing:
    """A waterfall from start to end: totals in grey, what came in blue, what was won in a blue frame (it left, and is
    good news), what was lost or taken out in orange, each leg signed and counted.

    frame : id, leg, value, kind ("start", "up", "down", "won", "end") in order, count (of `noun`) where known. Sizes are positive; kind gives the sign. When the legs
    are small beside the totals, the totals are cut at the foot, and marked so ("≈"); there is no value axis to misread.
    """
    if not len(frame):
        return empty("bridge", theme, height, f"Nothing to draw: no {label[:1].lower()}{label[1:]} at either date.")
    legs = figures.running(frame)
    kind, value, start, end = words(legs, "kind"), number(legs, "value"), number(legs, "from"), number(legs, "to")
    total = np.isin(kind, ("start", "end"))
    least, most = float(np.min(np.where(total, end, np.minimum(start, end)))), float(np.max(np.maximum(start, end)))
    floor = least - 0.6 * (most - least) if most > least > 0.6 * most else 0.0
    written = texts(value, unit, currency)
    sign = np.where(kind == "up", "+", np.where(np.isin(kind, ("down", "won")), "−", ""))
    leg, count = words(legs, "leg"), number(legs, "count")
    data = pd.DataFrame({
        "id": words(legs, "id"), "leg": leg, "order": np.arange(len(legs)), "kind": np.where(total, "total", kind), "value": value,
        "foot": np.where(total, floor, np.minimum(start, end)), "head": np.maximum(start, end), "top": np.maximum(start, end), "level": end,
        "leads_on": np.arange(len(legs)) < len(legs) - 1,
        "label": [s + t if v else t for s, t, v in zip(sign, written, value, strict=True)],
        "deals": ["" if np.isnan(k) else units.named(k, noun) for k in count], "cut": np.where(total & (floor > 0), "≈", "")})
    moved = data[~total & (value != 0)]
    largest = moved.loc[moved["value"].abs().sort_values(ascending=False).index[:2]]
    opening, closing = (data.loc[kind == name, "label"].tolist() for name in ("start", "end"))
    says = [f"{label} from {opening[0]} to {closing[0]}" if opening and closing else label]
    says += [f"{a} {b}" for a, b in zip(largest["leg"], largest["label"], strict=True)]
    return Drawing("bridge", data, _bridge(noun.noun.capitalize(), "won" in kind, theme), sentence(says), height)


@authored
def _pace(theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    y = alt.Y("name:N", sort=alt.EncodingSortField("order", op="min"), title=None, scale=alt.Scale(paddingInner=0.55, paddingOuter=0.3),
              axis=alt.Axis(labelFontSize=STRONG, labelColor=p.ink, labelFontWeight=600))
    base = alt.Chart().encode(y=y)

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", axis=None, scale=alt.Scale(zero=True, nice=False, range=room(130)))

    return layers(
        base.mark_bar(color=p.rest, opacity=0.55).encode(x=x("target")),
        base.mark_bar(height={"band": 0.55}).encode(x=x("value"), color=keyed(alt.Color, "tone:N", ["on", "off"], [p.main, p.warn])),
        base.mark_tick(color=p.ink, opacity=1, thickness=4, height={"band": 1.35}).encode(x=x("expected")),
        base.mark_text(fontSize=SMALL, color=p.ink, fontWeight=600, baseline="bottom", yOffset=alt.expr("-bandwidth('y') * 0.72"))
        .encode(x=x("expected"), text="expected_label:N"),
        base.mark_text(fontSize=LAST, fontWeight=700, align="left", dx=14).encode(x=x("end"), text="label:N"),
        base.mark_text(fontSize=BODY, color=p.soft, align="left", dx=14, dy=24).encode(x=x("end"), text="note:N"),
        clickable(base.mark_bar(**UNSEEN).encode(x=alt.value(0), x2=alt.value(alt.expr("width"))), "name"),
    )


def pace(frame: pd.DataFrame, unit: Unit = CURRENCY, currency: str = "USD", *, theme: Theme = "light") -> Drawing:
    """Progress to a target: the bar is what is there, the tick what should be there by today, the track the whole target.

    frame : name, value, target, expected (to date); where known expected_name ("linear", "seasonal") and thin (too few records for
    a call). Orange when behind what was expected.
    """
    if not len(frame):
        return empty("pace", theme, 140, "No target is set for this selection.")
    value, target, expected = (number(frame, name) for name in ("value", "target", "expected"))
    thin, name = frame["thin"].to_numpy(dtype=bool) if "thin" in frame else np.zeros(len(frame), dtype=bool), words(frame, "name")
    behind = (value < expected) & ~thin
    should = texts(expected, unit, currency)
    data = pd.DataFrame({
        "name": name, "order": np.arange(len(frame)), "value": value, "target": target, "expected": expected,
        "tone": np.where(behind, "off", "on"),
        "end": np.fmax(value, target), "label": texts(value, unit, currency),
        "note": [f"of {text}" if text else "" for text in texts(target, unit, currency)],
        "expected_label": [f"{kind or 'expected'} {text}" if text else "" for kind, text in zip(words(frame, "expected_name"), should, strict=True)]})
    says = [f"{a} {b} {c}, {'too few to say whether on' if few else 'behind' if d else 'on'} the {e}" if e else f"{a} {b} {c}"
            for a, b, c, d, few, e in zip(name, data["label"], data["note"], behind, thin, data["expected_label"], strict=True)]
    return Drawing("pace", data, _pace(theme), sentence(says), 36 + 92 * len(frame))
