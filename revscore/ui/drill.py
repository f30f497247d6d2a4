"""Opening a number: the exact rows behind it, counted, not counted, waiting and left out, or the numbers that it is made of, each to be opened in
turn; with its receipt, and all of it to be downloaded. From any of them an action is raised, or the number is disputed, in the same drawer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.drill import Opened, open_number
from revscore.core.made import Given, Made, Number, Worked, made_of, reached
from revscore.core.metrics import CARDS
from revscore.core.receipt import Receipt, receipt_for
from revscore.core.receipt import receipt as receipt_of
from revscore.core.review import Line
from revscore.core.view import View
from revscore.export.safe import csv_bytes
from revscore.export.table import workbook
from revscore.people import sight
from revscore.ui import allowed, capture, dispute, session, stage, tables
from revscore.ui.evidence import evidence
from revscore.ui.session import Now
from revscore.ui.words import md, owners

_A_ROW = 4  # parts side by side
_PATH = "drawer-path"  # places of the parts that were opened, one inside the other
_FORM, _RECORD = "drawer-form", "drawer-record"  # what is being written instead of looking at the rows; the row that was chosen
Asked = tuple[str, str, str, tuple[tuple[str, str], ...], tuple[tuple[str, Any], ...]]  # card, statistic, label, own dimensions, parameters: with a view, a number


def opened(now: Now, line: Line, whole: bool = True, says: str = "", record: str = "") -> None:
    """Show the drawer of a line. `whole=False`: its rows stand behind a chart of several numbers, so no single value heads them. `says`: what one of those is.
    `record`: the row of its list that was chosen, by name and id."""
    _begin(record)
    with stage.drawer():
        _drawer(now, line, whole, says)


def worked_out(now: Now, one: Worked, shown: str = "") -> None:
    """Show the drawer of a number that no card gives: what it is worked out from."""
    _begin()
    with stage.drawer():
        _worked(now, one, shown)


def _begin(record: str = "") -> None:
    st.session_state[_PATH], st.session_state[_FORM], st.session_state[_RECORD] = (), "", record


@st.dialog("Behind the number", width="large", position="right")
def _drawer(now: Now, line: Line, whole: bool, says: str) -> None:
    path: tuple[int, ...] = st.session_state.get(_PATH, ())
    view, asked = now.view.during(line.period), (line.card.id, line.stat, line.label, line.own, line.params)
    _number_of(now, asked, view, path, line, whole, says=says)


@st.dialog("Behind the number", width="large", position="right")
def _worked(now: Now, one: Worked, shown: str) -> None:
    path: tuple[int, ...] = st.session_state.get(_PATH, ())
    part = one.made.parts[path[0]] if path and path[0] < len(one.made.parts) else None
    if isinstance(part, Number):
        return _number_of(now, (part.card.id, part.stat, part.label, (), part.params), part.view, path[1:], before=(one.label,), at=path[:1])
    found = receipt_for(now.x, one, shown)
    with st.container(border=True, gap="xsmall"):
        st.metric(md(one.label), md(found.shown))
    _made(one.made, found, ())
    downloads({"Parts": _parts(found)}, now, {**_stands(now), **found.as_rows()}, re.sub(r"[^a-z0-9]+", "-", one.label.lower()).strip("-"), "CSV of the parts")


def _number_of(now: Now, asked: Asked, view: View, path: tuple[int, ...], line: Line | None = None, whole: bool = True, *, before: tuple[str, ...] = (), at: tuple[int, ...] = (),
               says: str = "") -> None:
    """A number, or the part of it at `path`: its rows or parts, and its receipt. `line`: as a page shows it; without one it is itself a part, at the place `at`
    under those called `before`."""
    way = now.ask(_reached, asked, path, view=view)
    path, here = path[: len(way) - 1], way[-1]
    head = line if not path else None
    found = now.ask(_receipt, asked, path, head.text if head else "", view=view)
    if before or path:
        _back((*before, *(step.label for step in way)), (*at, *path))
    with st.container(border=True, gap="xsmall"):
        if st.session_state.get(_FORM):
            st.markdown(f"**{md(here.label)}** &nbsp;{md(found.shown)}")
        elif whole or head is None:
            st.metric(md(here.label), md(found.shown))
        else:
            st.markdown(f"### {md(head.label)}")
        if says and head:
            st.markdown(f"**{md(says)}**")
        said = (_sample(found), _span(found), owners(here.card.owners)) if head is None else (head.sample if whole else "", _period(now, head), owners(head.card.owners))
        st.caption(md(" · ".join(part for part in said if part)))
    about_row = _written(now, here, found)
    if about_row is None:
        return
    st.markdown(_definition(here.card.definition))
    for note in head.notes if head else ():
        st.caption(f":material/info: {md(note)}")
    about = {**_stands(now), **found.as_rows(), "Definition": _definition(here.card.definition)}
    if here.is_made:
        _made(now.ask(_made_of, asked, path, view=view), found, (*at, *path))
        if whole and head:
            evidence(now, head)
        return downloads({"Parts": _parts(found)}, now, about, here.card.id, "CSV of the parts")
    if whole and head:
        evidence(now, head)
    rows = now.ask(_rows, asked, path, view=view)
    sheets = {"Counted": rows.counted, "Not counted": rows.not_counted, "Waiting": rows.outside, "Left out": rows.left_out}
    *places, last = st.tabs([*(f"{name} {len(frame):,}" for name, frame in sheets.items()), ":material/receipt_long: Receipt"])
    for (name, frame), place in zip(sheets.items(), places, strict=True):
        with place:
            st.caption(_MEANING[name])
            if len(frame):
                if (row := tables.table(frame, now.x, key=f"rows-{name}", height=440, opens=True)) is not None:
                    st.session_state[_RECORD] = tables.named(frame.iloc[row])
            else:
                st.markdown("No rows here.")
    if record := st.session_state.get(_RECORD, ""):
        about_row.markdown(f":material/subdirectory_arrow_right: about **{md(record)}**", width="content")
    with last:
        receipt(found)
    downloads(sheets, now, about, here.card.id, "CSV of the counted rows")


def _parts(found: Receipt) -> pd.DataFrame:
    return pd.DataFrame([{"part": part.label, "value": part.value, "shown": part.shown, "metric": part.metric, "measure": part.measure, "sha256": part.sha256} for part in found.parts])


def _back(way: tuple[str, ...], path: tuple[int, ...]) -> None:
    """The way to this part by the labels of its steps, each step of it to go back to."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="drawer-way"):
        for depth, step in enumerate(way[:-1]):
            st.button(f"{md(step)} ›", icon=":material/arrow_back:" if depth == len(way) - 2 else None, type="tertiary", key=f"back-{depth}", on_click=_open_part, args=(path[:depth],))
        st.markdown(f"**{md(way[-1])}**")


def _open_part(path: tuple[int, ...]) -> None:
    st.session_state[_PATH], st.session_state[_RECORD] = path, ""


# -- an action, or a dispute -----------------------------------------------------------------------------------------------------------------

def _written(now: Now, number: Number, found: Receipt) -> DeltaGenerator | None:
    """What can be written down about a number, and the form of it once it was asked for. None while that stands in the place of the rows; else where the
    row is named that was chosen."""
    form, record = st.session_state.get(_FORM, ""), st.session_state.get(_RECORD, "")
    offers = st.container(horizontal=True, vertical_alignment="center", key="drawer-offers")
    with offers:
        if form:
            st.button("Back to the rows", icon=":material/arrow_back:", key="drawer-back", on_click=_write, args=("",))
            st.markdown(f"**{'Raise an action' if form == 'action' else 'Dispute this number'}**", width="content")
        else:
            st.button("Raise an action", icon=":material/add_task:", type="primary", key="drawer-action", on_click=_write, args=("action",), **allowed.to("action.raise"))
            st.button("Dispute this number", icon=":material/flag:", key="drawer-dispute", on_click=_write, args=("dispute",), **allowed.to("dispute.raise"))
    if not form:
        return offers
    if form == "action":
        held, screen = capture.here()
        if capture.action_form(now, (number,), held, screen, f"{record}: " if record else "", f"Raised from a row of {number.label}: {record}" if record else ""):
            st.rerun()
    else:
        dispute.dispute_form(now, number, found)
    return None


def _write(form: str) -> None:
    st.session_state[_FORM] = form
    capture.begun()


def _made(made: Made | None, found: Receipt, path: tuple[int, ...]) -> None:
    """The parts of a number side by side, each with its value and a button that opens it; behind them the receipt."""
    parts, last = st.tabs([f"Made of {len(made.parts) if made else 0}", ":material/receipt_long: Receipt"])
    with parts:
        if made is None:
            st.markdown("There is no such number here, so there is nothing that it is made of.")
        else:
            st.caption(f"{md(made.says)}. Each part opens to its own rows and receipt.")
            for first in range(0, len(made.parts), _A_ROW):
                for place, column in enumerate(st.columns(_A_ROW, gap="small"), start=first):
                    if place < len(made.parts):
                        with column:
                            _part(made.parts[place], found.parts[place], (*path, place))
    with last:
        receipt(found)


def _part(part: Number | Given, own: Receipt, path: tuple[int, ...]) -> None:
    with st.container(border=True, key=f"tile-part-{path[-1]}", gap="xxsmall", height="stretch"):
        st.metric(md(part.label), md(own.shown))
        st.caption(md(" · ".join(word for word in (_sample(own), _span(own)) if word) if isinstance(part, Number) else f"written in {part.source}"))
        if isinstance(part, Number):
            st.button("", icon=":material/open_in_full:", type="tertiary", key=f"open-part-{path[-1]}", on_click=_open_part, args=(path,), help=f"Open {md(part.label)} to its rows")


def receipt(found: Receipt) -> None:
    """A receipt, for reading and copying."""
    rows = found.as_rows()
    wide = max(map(len, rows))
    st.caption("What the number stands on. The SHA-256 changes when any row's contribution does; docs/receipts.md says how to work it out again.")
    st.code("\n".join(f"{what:<{wide}}  {value}" for what, value in rows.items()), language=None, wrap_lines=True)


_MEANING = {"Counted": "These rows make the number.", "Not counted": "In the population, and below the line only: they did not make it.",
            "Waiting": "In the population, and not judged yet: the reason is in the last column.",
            "Left out": "Outside the population: never counted, with the reason."}


def _number(asked: Asked, view: View) -> Number:
    card, stat, label, own, params = asked
    return Number(label, CARDS[card], stat, view.narrowed(**dict(own)) if own else view, params)


def _reached(x: Coded, view: View, asked: Asked, path: tuple[int, ...]) -> tuple[Number, ...]:
    return reached(x, _number(asked, view), path)


def _made_of(x: Coded, view: View, asked: Asked, path: tuple[int, ...]) -> Made | None:
    return made_of(x, _reached(x, view, asked, path)[-1])


def _rows(x: Coded, view: View, asked: Asked, path: tuple[int, ...]) -> Opened:
    here = _reached(x, view, asked, path)[-1]
    return open_number(x, here.card, here.view, here.card.measure(here.stat).name, **dict(here.params))


def _receipt(x: Coded, view: View, asked: Asked, path: tuple[int, ...], shown: str) -> Receipt:
    return receipt_of(x, _reached(x, view, asked, path)[-1], shown)


def _sample(found: Receipt) -> str:
    """ "14 of 33", "n = 214"; "" where the value counts its own rows."""
    if found.denominator == found.denominator and found.unit == units.RATIO.name:
        return units.of(found.numerator, found.denominator)
    return f"n = {found.n:,.0f}" if found.n == found.n and found.n != found.value else ""


def _span(found: Receipt) -> str:
    day = pd.Timestamp(found.as_of)
    return (found.period or f"{found.first_day} to {found.last_day}") if found.first_day else f"as of {day.day} {day:%b %Y}"


def _period(now: Now, line: Line) -> str:
    """The period of the line itself: a number that needs time to settle, or a state of today, has not the page's."""
    if line.period == now.view.period:
        return now.choice.period_text
    return f"as of {now.x.data.as_of.day} {now.x.data.as_of:%b %Y}" if line.period is None else f"{line.period.name} ({line.period.dates()})"


def _definition(text: str) -> str:
    """A docstring as Markdown: it is ours, not data."""
    return " ".join(text.split())


def _stands(now: Now) -> dict[str, object]:
    """What every download stands on: filters, date, data and definitions."""
    return {"Filters": "; ".join(f"{name} = {', '.join(values)}" for name, values in now.view.where) or "none",
            "As of": str(now.x.data.as_of), "Data set": now.dataset, "Loads": ", ".join(map(str, now.x.data.stand.loads)),
            "Definitions": f"version {now.x.data.stand.definitions} ({now.x.terms.digest})"}


def downloads(sheets: Mapping[str, pd.DataFrame], now: Now, about: Mapping[str, object], name: str, rows: str) -> None:
    """The sheets as a workbook with its receipt (`about` first), and the first of them as CSV under the button `rows`."""
    by = session.actor()
    sheets = {title: sight.seen(now.x, frame, by) for title, frame in sheets.items()}
    name, stands = f"{name}-{now.x.data.as_of:%Y-%m-%d}", {**_stands(now), **about, **({"Rows": f"only the records of {by.name}"} if by.own_rows else {})}
    with st.container(horizontal=True, key="downloads"):
        st.download_button("Workbook", lambda: workbook(sheets, stands), f"{name}.xlsx", icon=":material/download:", on_click="ignore", key="download-xlsx",
                           mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        st.download_button(rows, lambda: csv_bytes(next(iter(sheets.values()))), f"{name}.csv", icon=":material/download:", on_click="ignore",
                           mime="text/csv", key="download-csv")


