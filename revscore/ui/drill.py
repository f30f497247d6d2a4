"""Opening a number: the exact rows behind it, counted, not counted, waiting and left out, each with its reason and to be downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st


from revscore.core.compute import compute
from revscore.core.drill import Opened, open_number
from revscore.core.metric import Kind
from revscore.core.review import Line
from revscore.core.view import View
from revscore.export.safe import csv_bytes
from revscore.export.table import workbook
from revscore.ui import tables
from revscore.ui.evidence import evidence
from revscore.ui.session import Now
from revscore.ui.words import md, owners


def opened(now: Now, line: Line, whole: bool = True) -> None:
    """Show the drawer of a line. `whole=False`: its rows stand behind a chart of several numbers, so no single value heads them."""
    _drawer(now, line, whole)


@st.dialog("Behind the number", width="large", position="right")
def _drawer(now: Now, line: Line, whole: bool) -> None:
    with st.container(border=True, gap="xsmall"):
        if whole:
            st.metric(md(line.label), md(line.text))
        else:
            st.markdown(f"### {md(line.label)}")
        st.caption(md(" · ".join(part for part in (line.sample if whole else "", _period(now, line), owners(line.card.owners)) if part)))
    st.markdown(_definition(line.card.definition))
    for note in line.notes:
        st.caption(f":material/info: {md(note)}")
    if whole:
        evidence(now, line)
    if line.measure.kind in (Kind.DERIVED, Kind.STUDY):
        parts = now.ask(_parts, line.card.id, line.own, line.params, view=now.view.during(line.period))
        st.markdown("**Made of other numbers**")
        tables.table(parts, now.x, key="parts")
        return downloads({"Parts": parts}, now, receipt(now, line), line.card.id, "CSV of the parts")
    rows = now.ask(_rows, line.card.id, line.stat, line.own, line.params, view=now.view.during(line.period))
    sheets = {"Counted": rows.counted, "Not counted": rows.not_counted, "Waiting": rows.outside, "Left out": rows.left_out}
    for (name, frame), place in zip(sheets.items(), st.tabs([f"{name} {len(frame):,}" for name, frame in sheets.items()]), strict=True):
        with place:
            st.caption(_MEANING[name])
            if len(frame):
                tables.table(frame, now.x, key=f"rows-{name}", height=440)
            else:
                st.markdown("No rows here.")
    downloads(sheets, now, receipt(now, line), line.card.id, "CSV of the counted rows")


_MEANING = {"Counted": "These rows make the number.", "Not counted": "In the population, and below the line only: they did not make it.",
            "Waiting": "In the population, and not judged yet: the reason is in the last column.",
            "Left out": "Outside the population: never counted, with the reason."}


def _rows(x, view: View, card: str, stat: str, own: tuple[tuple[str, str], ...], params: tuple[tuple[str, Any], ...]) -> Opened:
    from revscore.core.metrics import CARDS

    found = CARDS[card]
    return open_number(x, found, view.narrowed(**dict(own)), stat if stat in {m.name for m in found.measures} else "", **dict(params))


def _parts(x, view: View, card: str, own: tuple[tuple[str, str], ...], params: tuple[tuple[str, Any], ...]) -> pd.DataFrame:
    from revscore.core.metrics import CARDS

    frame = compute(x, CARDS[card], view.narrowed(**dict(own)), **dict(params))
    return frame.drop(columns=["metric", "start", "end"], errors="ignore").dropna(axis=1, how="all")


def _period(now: Now, line: Line) -> str:
    """The period of the line itself: a number that needs time to settle, or a state of today, has not the page's."""
    if line.period == now.view.period:
        return now.choice.period_text
    return f"as of {now.x.data.as_of.day} {now.x.data.as_of:%b %Y}" if line.period is None else f"{line.period.label} ({line.period.dates()})"


def _definition(text: str) -> str:
    """A docstring as Markdown: it is ours, not data."""
    return " ".join(text.split())


def receipt(now: Now, line: Line) -> dict[str, object]:
    """What the rows stand on, for the sheet *Receipt*."""
    return {"Metric": line.card.id, "Number": line.label, "Value": line.text, "Sample": line.sample, "Unit": line.measure.unit.name,
            "Period": _period(now, line), **_stands(now), "Definition": _definition(line.card.definition)}


def _stands(now: Now) -> dict[str, object]:
    """What every download stands on: filters, date, data and definitions."""
    return {"Filters": "; ".join(f"{name} = {', '.join(values)}" for name, values in now.view.where) or "none",
            "As of": str(now.x.data.as_of), "Data set": now.dataset, "Version": now.version, "Definitions": now.x.terms.digest}


def downloads(sheets: Mapping[str, pd.DataFrame], now: Now, about: Mapping[str, object], name: str, rows: str) -> None:
    """The sheets as a workbook with its receipt (`about` first), and the first of them as CSV under the button `rows`."""
    name, stands = f"{name}-{now.x.data.as_of:%Y-%m-%d}", {**_stands(now), **about}
    with st.container(horizontal=True, key="downloads"):
        st.download_button("Workbook", lambda: workbook(sheets, stands), f"{name}.xlsx", icon=":material/download:", on_click="ignore", key="download-xlsx",
                           mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        st.download_button(rows, lambda: csv_bytes(next(iter(sheets.values()))), f"{name}.csv", icon=":material/download:", on_click="ignore",
                           mime="text/csv", key="download-csv")


