"""What stands behind the judgement of a number: its control chart week by week, and its trend with what is not settled."""

from __future__ import annotations

import numpy as np
import streamlit as st

from revscore.charts.control import control
from revscore.charts.drawing import Drawing
from revscore.charts.series import trend
from revscore.core.metric import Better
from revscore.core.policies import Honesty
from revscore.core.review import Line
from revscore.rhythm.target_lines import caption, target_line
from revscore.ui.session import Now
from revscore.ui.theme import theme
from revscore.ui.words import md


def evidence(now: Now, line: Line) -> None:
    """The two drawings of a line, as tabs; nothing for a number that has neither."""
    drawings: list[tuple[str, Drawing, str]] = []
    look, currency = {"label": line.label, "theme": theme()}, line.currency
    if line.signal.chart is not None:
        drawings.append(("Week by week", control(line.signal.frame(), line.measure.unit, currency, **look), _weeks(line, now.x.terms.stats)))
    if len(line.series) and line.series["value"].notna().sum() > 1:
        better = {Better.UP: "up", Better.DOWN: "down", Better.CONTEXT: ""}[line.card.better]
        goal = target_line(now.x, now.view, line)["target"].to_numpy()
        foot = _trend(line) + ("" if np.isnan(goal).all() else f" {caption(line)}")
        drawings.append((f"By {now.view.grain}", trend(line.series.assign(maturity=_maturity(line)), line.measure.unit, currency, target=goal, better=better, **look), foot))
    if not drawings:
        return
    for (name, drawing, foot), place in zip(drawings, st.tabs([f"**{name}**" for name, _, _ in drawings]), strict=True):
        with place:
            st.vega_lite_chart(drawing.data, drawing.spec, theme=None, height=drawing.height, alt=drawing.alt, key=f"evidence-{drawing.name}")
            st.caption(foot)


def _weeks(line: Line, rules: Honesty) -> str:
    chart = line.signal.chart
    said = line.signal.text or "no chart"
    kind = "hits and records of each week (p-chart)" if not np.isnan(line.signal.numerator).all() else "week to week differences (XmR chart)"
    wide = f" With so many records a week chance alone would leave no room: limits are {chart.widened:.1f} times as wide, as the first weeks vary (Laney p′)." if chart is not None and chart.widened > 1 else ""
    rough = " Limits are rough where fewer than 5 hits or misses are expected." if chart is not None and chart.approximate.any() else ""
    return md(f"{said[:1].upper()}{said[1:]}. Dotted: the limits of what is usual, from the first {rules.spc_baseline_points} weeks (shaded) by {kind}. A signal is a week outside them, or {rules.spc_run_length} in a row on one side "
              f"of the mean. The running week, cohorts that are not settled and weeks of fewer than {rules.min_n_show} are no points.{wide}{rough}")


def _trend(line: Line) -> str:
    settles = f" Its value settles after: {line.card.settles_after}." if line.card.settles_after else ""
    soft = "Dotted and hollow: not settled, the value may still change. " if np.isin(_maturity(line), ("partial", "immature")).any() else ""
    band = "Band: 95 % interval. " if line.series["low"].notna().any() else ""
    return md(f"{soft}{band}{'Fewer than five: “x of n”. ' if band else ''}{settles}".strip() or "All periods are settled.")


def _maturity(line: Line) -> np.ndarray:
    """Maturity of each period of the series; the one that is still running is never settled."""
    own = line.series["maturity"].astype(object).where(line.series["maturity"].notna(), "").to_numpy() if "maturity" in line.series else ""
    return np.where(line.series["running"].to_numpy(dtype=bool), "partial", own)
