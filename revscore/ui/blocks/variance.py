"""Block of the variance of targets: the exact way from what is due by now to what is there."""

from __future__ import annotations

import streamlit as st

from revscore.charts.walks import walk
from revscore.core import units
from revscore.rhythm import variance as rhythm
from revscore.ui import charts, stage
from revscore.ui.session import Now
from revscore.ui.words import md


def variance(now: Now) -> None:
    """The way of one target, those behind first; nothing where no target is made of handoffs."""
    found = now.ask(rhythm.variances)
    if not found:
        return
    labels = [one.standing.line.label for one in found]
    chosen = labels[0]
    if len(found) > 1 and not stage.on_board():
        chosen = st.segmented_control("Target", labels, default=labels[0], required=True, key="variance-of", format_func=md, label_visibility="collapsed") or labels[0]
    one = found[labels.index(chosen)]
    line = one.standing.line
    charts.card(now, one.said(line.currency),
                walk(one.rows, line.measure.unit, line.currency, label=line.label, clicks=True, theme=charts.theme()), "variance",
                f"From what the pacing profile expects by now over the same days before to today. The inputs are handoffs, not teams; each effect is its mean over all orders of changing them. "
                f"Unexplained: {units.text(abs(round(one.unexplained, 2)), line.measure.unit, line.currency)}. Click an input for its rows.", one.asks["end"], lambda mark: (one.asks[mark["id"]], now.view) if mark["id"] in one.asks else None)
