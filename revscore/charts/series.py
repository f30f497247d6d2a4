"""Drawings over time: a trend with its interval and target, its small version for tiles, and SLA week by week."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.drawing import (PERIOD_AXIS, UNSEEN, Drawing, authored, clickable, empty, keyed, layers, missed, number, room, sentence, spoken, suppressed,
                                     target_texts, texts, tips, unsettled, words, written, x_of_n)
from revscore.charts.theme import LAST, PALETTES, SMALL, Palette, Theme
from revscore.core import units
from revscore.core.units import RATIO, Unit

Target = float | Sequence[float] | None


def _x(right: int, type: str = "band") -> alt.X:
    scale = alt.Scale(type=type, range=room(right), **({"padding": 0.35} if type == "band" else {"padding": 0.5}))
    return alt.X("period:O", sort=alt.EncodingSortField("order", op="min"), title=None, scale=scale, axis=alt.Axis(labelExpr=PERIOD_AXIS, labelOverlap="parity", labelSeparation=8))


def _tones(p: Palette, channel: type = alt.Color) -> alt.Color:
    return keyed(channel, "tone:N", ["on", "off"], [p.main, p.warn])


def _fills(p: Palette) -> alt.Fill:
    return keyed(alt.Fill, "fill:N", ["on", "off", "hollow"], [p.main, p.warn, p.paper])


def _goal(base: alt.Chart, y: alt.Y, p: Palette) -> tuple[alt.Chart, ...]:
    """The words at a target line, where it begins or changes, on the side that the values leave free."""
    look = {"align": "left", "dx": -8, "fontSize": SMALL, "fontWeight": 600}
    return (*written(base.encode(y=y, text="goal_over:N"), p, **look, baseline="bottom", dy=-7),
            *written(base.encode(y=y, text="goal_under:N"), p, **look, baseline="top", dy=7))


def _small(base: alt.Chart, p: Palette) -> alt.Chart:
    """The words "3 of 4", upright on the axis, where a rate would stand on too few."""
    return base.mark_text(angle=270, align="left", baseline="middle", dx=8, fontSize=SMALL, color=p.soft).encode(text="small:N", y=alt.value(alt.expr("height")))


def _toned(base: alt.Chart, p: Palette, **text: object) -> tuple[alt.Chart, alt.Chart]:
    """A label in the colour of its side of the target."""
    under, over = written(base, p, **text)
    return under, over.encode(color=_tones(p))


@authored
def _trend(unit: Unit, currency: str, clicks: bool, theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(labelExpr=units.axis(unit, currency)))
    base = alt.Chart().encode(x=_x(100, "point"))
    about = tips(("Period", "period:N"), ("Value", "label:N"), ("Sample", "sample:N"), ("95 % interval", "interval:N"),
                 ("Target", "goal_label:N"), ("State", "state:N"))
    return layers(
        base.mark_area(color=p.main, opacity=0.16, line=False).encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
        base.mark_line(interpolate="step", color=p.ink, strokeWidth=2.5, strokeDash=[8, 6]).encode(y=alt.Y("target:Q", title=None)),
        *_goal(base, alt.Y("target:Q", title=None), p),
        base.mark_line(color=p.main).encode(y=alt.Y("settled:Q", title=None)),
        base.mark_line(color=p.main, strokeDash=[2, 8]).encode(y=alt.Y("soft:Q", title=None)),
        base.mark_point(size=110, strokeWidth=3, opacity=1).encode(y=y, stroke=_tones(p, alt.Stroke), fill=_fills(p), tooltip=about),
        _small(base, p),
        *_toned(base.encode(y=y, text="last:N"), p, align="left", baseline="middle", dx=14, fontSize=LAST, fontWeight=700),
        *written(base.encode(y=y, text="last_n:N"), p, align="left", baseline="top", dx=14, dy=16, fontSize=SMALL, color=p.soft,
                 lineBreak="\n", lineHeight=20),
        *((clickable(base.mark_point(size=900, **UNSEEN).encode(y=y, tooltip=about), "period"),) if clicks else ()),
    )


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The periods in order of time, with an empty row where periods are missing between two, so that the line breaks there."""
    if not {"start", "end"} <= set(frame.columns):
        return frame
    frame = frame.sort_values("start", kind="stable").reset_index(drop=True)
    breaks = np.flatnonzero(number(frame, "start")[1:] > number(frame, "end")[:-1]) + 0.5
    if not len(breaks):
        return frame
    wide = frame.reindex(np.sort(np.concatenate([frame.index.to_numpy(), breaks])))
    blank = wide.index.isin(breaks)
    wide.loc[blank, "period"] = [" " * (k + 1) for k in range(len(breaks))]
    return wide.assign(target=wide["target"].where(~blank, wide["target"].ffill())).reset_index(drop=True)


def _series(frame: pd.DataFrame, unit: Unit, currency: str, target: Target, better: str) -> pd.DataFrame:
    """The columns of a trend, in the order of time."""
    goal = number(frame, "target") if target is None else np.broadcast_to(np.asarray(target, dtype=float), len(frame))
    frame = _in_order(frame.assign(target=goal))
    small, soft, goal = suppressed(frame), unsettled(frame), number(frame, "target")
    value = np.where(small, np.nan, number(frame, "value"))
    low, high = (np.where(small | np.isnan(value), np.nan, number(frame, name)) for name in ("low", "high"))
    dotted = soft | np.concatenate([soft[1:], [False]])  # from the last settled period on
    tone = np.where(missed(value, goal, better), "off", "on")
    last = np.flatnonzero(~np.isnan(value))[-1:]
    at_last = np.isin(np.arange(len(frame)), last)
    label, goal_label = texts(value, unit, currency), texts(goal, unit, currency)
    interval = [f"{a} – {b}" if a else "" for a, b in zip(texts(low, unit, currency), texts(high, unit, currency), strict=True)]
    sample = ["" if np.isnan(k) else f"n {k:,.0f}" for k in number(frame, "n")]
    return pd.DataFrame({
        "period": words(frame, "period"), "order": np.arange(len(frame)), "value": value, "low": low, "high": high, "target": goal,
        "settled": np.where(soft, np.nan, value), "soft": np.where(dotted, value, np.nan), "tone": tone, "fill": np.where(soft, "hollow", tone),
        "label": [text or small_text for text, small_text in zip(label, x_of_n(frame), strict=True)], "interval": interval, "goal_label": goal_label,
        "sample": sample, "state": np.where(small, "too few to rate", np.where(soft, "not settled", "settled")),
        "small": np.where(small, x_of_n(frame), ""), "last": np.where(at_last, label, ""),
        **target_texts(goal, value, unit, currency),
        "last_n": np.where(at_last, [a + ("\nnot settled" if b else "") for a, b in zip(sample, soft, strict=True)], ""),
    })


def _trend_alt(data: pd.DataFrame, label: str, better: str) -> str:
    there = data[data["value"].notna()]
    if not len(there):
        return f"{label}: too few records in every period to state a number."
    now = there.iloc[-1]
    kept = "" if not better else ", missed" if now["tone"] == "off" else ", held"
    side = "" if not now["goal_label"] else f"target {now['goal_label']}{kept}"
    before = f"{there.iloc[-2]['label']} in {spoken(there.iloc[-2]['period'])}" if len(there) > 1 else ""
    return sentence([f"{label} {now['label']} in {spoken(now['period'])}" + (" (not settled)" if now["state"] == "not settled" else ""), side,
                     f"before: {before}" if before else ""])


def trend(frame: pd.DataFrame, unit: Unit, currency: str = "USD", *, label: str = "Value", target: Target = None, better: str = "up",
          clicks: bool = False, theme: Theme = "light", height: int = 380) -> Drawing:
    """A line over periods with its 95 % band and stepped target. `clicks`: points can be opened by their period.

    frame : period, value; where known start, end (day numbers), low, high, n, numerator, denominator, flag, maturity, target. Unsettled
    periods are dotted and hollow, periods of fewer than five say "x of n" in grey, missing periods break the line.
    target : one for all periods or one per row; None takes the frame's own column.
    """
    if not len(frame):
        return empty("trend", theme, height)
    data = _series(frame, unit, currency, target, better)
    return Drawing("trend", data, _trend(unit, currency, clicks, theme), _trend_alt(data, label, better), height)


@authored
def _spark(theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    base = alt.Chart().encode(x=alt.X("period:O", sort=alt.EncodingSortField("order", op="min"), axis=None, scale=alt.Scale(padding=0.3)))

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", axis=None, scale=alt.Scale(zero=False, nice=False, padding=8))

    return layers(
        base.mark_line(interpolate="step", color=p.ink, strokeWidth=1.5, strokeDash=[5, 4]).encode(y=y("target")),
        base.mark_line(color=p.main, strokeWidth=3).encode(y=y("settled")),
        base.mark_line(color=p.main, strokeWidth=3, strokeDash=[1, 6]).encode(y=y("soft")),
        base.transform_filter("datum.last != ''").mark_point(size=110, strokeWidth=3, opacity=1).encode(
            y=y("value"), stroke=_tones(p, alt.Stroke), fill=_fills(p)),
    )


def spark(frame: pd.DataFrame, unit: Unit, currency: str = "USD", *, label: str = "Value", target: Target = None, better: str = "up",
          theme: Theme = "light", height: int = 72) -> Drawing:
    """The trend of a tile: line, target, last point; no axes. Same frame as `trend`."""
    if not len(frame):
        return empty("spark", theme, height, "No data")
    data = _series(frame, unit, currency, target, better)
    columns = ["period", "order", "value", "target", "settled", "soft", "tone", "fill", "last"]
    return Drawing("spark", data[columns], _spark(theme), _trend_alt(data, label, better), height)


@authored
def _weeks(theme: Theme) -> alt.LayerChart:
    """Two bands in one plot: above the share met against its target, below how many were met and breached."""
    p = PALETTES[theme]
    base = alt.Chart().encode(x=_x(80))
    upper = alt.Scale(domain=[0, 1], range=[alt.expr("height * 0.54"), 0])
    lower = alt.Scale(zero=True, nice=False, range=[alt.expr("height"), alt.expr("height * 0.68")])
    share = alt.Axis(values=[0, 0.5, 1], labelExpr="format(datum.value, '.0%')")
    about = tips(("Week", "period:N"), ("Met", "label:N"), ("Met of due", "sample:N"), ("95 % interval", "interval:N"), ("Target", "target_label:N"))

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", title=None, scale=upper, axis=share)

    def count(name: str, **more: object) -> alt.Y:
        return alt.Y(f"{name}:Q", title=None, scale=lower, axis=None, **more)

    rates = layers(
        base.mark_line(interpolate="step", color=p.ink, strokeWidth=2.5, strokeDash=[8, 6]).encode(y=y("target")),
        *_goal(base, y("target"), p),
        base.mark_line(color=p.main).encode(y=y("rate")),
        base.mark_point(size=130, strokeWidth=3, opacity=1, filled=True).encode(y=y("rate"), color=_tones(p), tooltip=about),
        base.transform_filter("datum.small").mark_point(shape="stroke", size=160, strokeWidth=3, opacity=1, color=p.line).encode(  # below the axis: no 0 %
            y=alt.value(alt.expr("height * 0.54 + 14")), tooltip=about),
        *_toned(base.encode(y=y("rate"), text="off_label:N"), p, baseline="top", dy=13, fontSize=SMALL, fontWeight=700),
        *_toned(base.encode(y=y("rate"), text="last:N"), p, align="left", baseline="middle", dx=14, fontSize=LAST, fontWeight=700),
    )
    counts = alt.layer(
        base.transform_fold(["breached", "met"], as_=["part", "count"]).mark_bar(cornerRadius=0).encode(
            y=count("count", stack="zero"), order=alt.Order("part:N", sort="ascending"), tooltip=about,
            color=keyed(alt.Color, "part:N", ["met", "breached"], [p.main, p.warn], alt.Legend(symbolType="square"))),
        base.mark_text(baseline="bottom", dy=-5, fontSize=SMALL, color=p.soft).encode(y=count("n"), text="n:Q"),
    )
    hit = clickable(base.mark_bar(**UNSEEN).encode(y=alt.value(0), y2=alt.value(alt.expr("height")), tooltip=about), "period")
    return alt.layer(rates, counts, hit, data=alt.NamedData("source")).resolve_scale(y="independent", color="independent")


def weeks(frame: pd.DataFrame, *, label: str = "SLA", theme: Theme = "light", height: int = 460) -> Drawing:
    """SLA by week: the share met against its target, over the counts met and breached.

    frame : week, met, breached, rate, n; where known target, flag. Only weeks under target and the last are labelled; weeks of fewer than five
    (or flagged "suppress") are a small grey mark; its "x of n" opens with the pointer.
    """
    if not len(frame):
        return empty("weeks", theme, height, "Nothing to draw: no clock was due in this selection.")
    n, met, goal = number(frame, "n"), number(frame, "met"), number(frame, "target")
    small = suppressed(frame) if "flag" in frame.columns else n < 5
    rate = np.where(small, np.nan, number(frame, "rate"))
    off, sample = missed(rate, goal, "up"), [units.of(a, b) for a, b in zip(met, n, strict=True)]
    close = off & (np.round(rate, 2) == np.round(goal, 2))  # a miss that rounding would hide is written with a decimal
    written_rate = np.array(["" if np.isnan(r) else f"{r:.1%}" if near else f"{r:.0%}" for r, near in zip(rate, close, strict=True)], dtype=object)
    last = np.isin(np.arange(len(frame)), np.flatnonzero(~np.isnan(rate))[-1:])
    data = pd.DataFrame({
        "period": words(frame, "week"), "order": np.arange(len(frame)), "met": met, "breached": number(frame, "breached"), "n": n, "rate": rate,
        "target": goal, "tone": np.where(off, "off", "on"), "label": written_rate, "off_label": np.where(off & ~last, written_rate, ""),
        "last": np.where(last, written_rate, ""),
        "interval": [f"{a} – {b}" if a else "" for a, b in zip(*(texts(np.where(small, np.nan, number(frame, name)), RATIO, "") for name in ("low", "high")), strict=True)],
        "small": small & (n > 0), "sample": sample, **target_texts(goal, rate, RATIO, ""), "target_label": texts(goal, RATIO, "")})
    now = data.iloc[-1]
    says = [f"{label}: {now['sample']} met in {spoken(now['period'])}" + (f" ({now['label']})" if now["label"] else ""),
            "" if np.isnan(goal).all() else f"under target in {int(off.sum())} of {len(data)} weeks"]
    return Drawing("weeks", data, _weeks(theme), sentence(says), height)
