"""The drawing of an exact split: from one number to another, step by step, one row a step."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import UNSEEN, Drawing, authored, clickable, empty, keyed, layers, number, sentence, texts, tips, words
from revscore.charts.theme import BODY, LAST, PALETTES, SMALL, STRONG, Theme
from revscore.core import units
from revscore.core.units import Unit

LEFT, RIGHT, NOTE, ROW = 0, 390, 215, 50  # px: room at the right for the numbers, of which for the notes; height of a row


@authored
def _walk(clicks: bool, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    y = alt.Y("key:N", sort=alt.EncodingSortField("order", op="min"), title=None, scale=alt.Scale(paddingInner=0.42, paddingOuter=0.12),
              axis=alt.Axis(labelColor=p.ink, labelFontSize=BODY, labelLimit=460, labelExpr="slice(datum.label, indexof(datum.label, '|') + 1)"))
    base = alt.Chart().encode(y=y)

    def x(name: str) -> alt.X:
        return alt.X(f"{name}:Q", title=None, axis=None, scale=alt.Scale(zero=False, nice=False, padding=6, range=[LEFT, alt.expr(f"width - {RIGHT}")]))

    about = tips(("Step", "label:N"), ("Adds", "value:N"), ("Stands on", "note:N"))
    kinds = ["total", "up", "down", "few"]
    link = base.transform_filter("isValid(datum.next)")
    marks = [
        link.mark_rule(color=p.line, strokeWidth=1.5).encode(x=x("level"), y2=alt.Y2("next:N")),
        base.mark_bar(cornerRadius=3, minBandSize=4).encode(x=x("low"), x2="high:Q", tooltip=about, color=keyed(alt.Color, "kind:N", kinds, [p.total, p.main, p.warn, p.line])),
        base.transform_filter("datum.low == datum.high").mark_tick(color=p.line, thickness=3, height={"band": 1}).encode(x=x("low")),
        base.mark_text(fontSize=BODY, fontWeight=700, color=p.paper, dx=12, align="center").encode(x=x("low"), text="cut:N"),
        base.transform_filter("datum.kind != 'total'").mark_text(align="right", fontSize=STRONG, fontWeight=700).encode(x=alt.value(alt.expr(f"width - {NOTE}")), text="value:N"),
        base.transform_filter("datum.kind == 'total'").mark_text(align="right", fontSize=LAST, fontWeight=700).encode(x=alt.value(alt.expr(f"width - {NOTE}")), text="value:N"),
        base.mark_text(align="right", fontSize=SMALL, color=p.soft).encode(x=alt.value(alt.expr("width")), text="note:N"),
    ]
    if clicks:
        marks.append(clickable(base.mark_bar(**UNSEEN, height={"band": 1.7}).encode(x=alt.value(0), x2=alt.value(alt.expr("width")), tooltip=about), "id"))
    return layers(*marks)


def walk(frame: pd.DataFrame, unit: Unit, currency: str = "USD", *, label: str = "Change", clicks: bool = False, theme: Theme = "light") -> Drawing:
    """A waterfall on its side: start and end in grey, what adds in blue, what takes away in orange, what stands on too few in pale grey.

    frame : id, label, effect, from, to, kind ("total", "up", "down"; "few" where a step stands on fewer than five), note, as `core.figures.walk` gives it.
    When the steps are small beside the totals, the totals are cut at the foot and marked so ("≈"). `clicks`: rows can be opened by their id.
    """
    if not len(frame):
        return empty("walk", theme, 180, "Nothing to split: one of the two numbers does not exist here.")
    start, end, effect, kind = number(frame, "from"), number(frame, "to"), number(frame, "effect"), words(frame, "kind")
    total, names = kind == "total", words(frame, "label")
    low, high = np.minimum(start, end), np.maximum(start, end)
    least, most = float(np.min(np.where(total, high, low))), float(np.max(high))
    floor = least - 0.35 * (most - least) if most > least > 0.5 * most else min(least, 0.0)
    steps = [units.change(value, 0.0, unit, currency) if unit.kind == "ratio" else ("+" if value > 0 else "−" if value < 0 else "±") + units.text(abs(value), unit, currency) for value in effect]
    written = np.where(total, texts(end, unit, currency), steps)
    keys = np.array([f"{k}|{name}" for k, name in enumerate(names)], dtype=object)
    data = pd.DataFrame({"id": words(frame, "id"), "key": keys, "label": names, "order": np.arange(len(frame)), "kind": kind, "low": np.where(total, floor, low), "high": high,
                         "level": end, "next": [*keys[1:], None], "value": written, "note": words(frame, "note"), "cut": np.where(total & (floor > 0), "≈", "")})
    moved = data[~total].assign(size=np.abs(effect[~total])).sort_values("size", ascending=False, kind="stable").head(2)
    says = [f"{label} from {written[0]} to {written[-1]}", *(f"{a} {b}" for a, b in zip(moved["label"], moved["value"], strict=True))]
    return Drawing("walk", data, _walk(clicks, theme), sentence(says), 24 + ROW * len(frame))
