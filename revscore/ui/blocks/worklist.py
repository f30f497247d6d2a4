"""The lists of the RevOps triage: one a kind of exception, what is done about the rows that are chosen, the record behind a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.view import View
from revscore.rhythm import exceptions, triage
from revscore.rhythm.exceptions import FUNCTION_NAMES, KINDS, OLD, Kind
from revscore.ui import allowed, answers, capture, session, stage, tables
from revscore.ui.session import Now
from revscore.ui.words import md

_AGE = "Age (days)"
_STATES = {"new": "New", "back": "Found again", "resolved": "Put right, waits for the next load", "accepted": "Accepted"}
_DONE = {"assign": "Assign", "resolve": "Put right", "accept": "Fine as it is", "reopen": "Open again"}
_TELLS = {"assign": "What is to be done (optional)", "resolve": "What was done about it", "accept": "It is fine because …", "reopen": "Why (optional)"}


def height(frame: pd.DataFrame, most: int = 20) -> int:
    """The height of a table with its head and all its rows, or `most` of them."""
    return 40 * (min(len(frame), most) + 1) + 2


def group(now: Now, name: str, question: str, frame: pd.DataFrame, everything: bool = False) -> None:
    """The kinds of a group of which there is something, a line each, which opens to its list."""
    kinds = [kind for kind in KINDS if kind.group == name and (frame["kind"] == kind.id).any()]
    if not kinds:
        return
    with st.container(gap="xsmall"):
        answers.section(name, question)
        for kind in kinds:
            own = frame[frame["kind"] == kind.id].reset_index(drop=True)
            line = st.expander(_line(kind, own), key=f"screen-triage-{kind.id}", on_change="rerun", expanded=everything)
            if line.open or everything:
                with line:
                    listing(now, kind, own)


def _line(kind: Kind, own: pd.DataFrame) -> str:
    still = own[own["status"].isin(triage.OPEN)]
    old, aside = int((still["age"] > OLD).sum()), len(own) - len(still)
    parts = [f"{len(still):,} open"] + [f"{old:,} older than {OLD} business days"] * bool(old) + [f"{int(own['overdue'].sum()):,} overdue"] * bool(own["overdue"].any())
    parts += [f"{int((still['came_back'] > 0).sum()):,} came back"] * bool((still["came_back"] > 0).any()) + [f"{aside:,} put right or accepted"] * bool(aside)
    sign = ":orange[:material/priority_high:]" if old else ":blue[:material/check:]" if not len(still) else ":gray[:material/remove:]"
    return f"{sign} &nbsp;**{md(kind.label)}** &nbsp; {md(', '.join(parts))}"


def listing(now: Now, kind: Kind, own: pd.DataFrame) -> None:
    """The exceptions of one kind, to be assigned, put right or accepted; below them what was put right or accepted already."""
    still, aside = own[own["status"].isin(triage.OPEN)], own[~own["status"].isin(triage.OPEN)]
    since = f" Found in the last {exceptions.LOOK_BACK} days; earlier ones are in the weekly counts." if kind.happens or kind.id == "closed_no_reason" else ""
    st.caption(md(f"{kind.todo}{since} Days are business days; earlier weeks: how many before had one of the same owner. Choose rows to act on them."))
    if len(still):
        _acting(now, kind, _in_order(still), f"triage-{kind.id}")
    if len(aside):
        st.markdown(f"**Put right or accepted** &nbsp;:gray[{md(f'{len(aside):,}; what is found again in a later load is open again')}]")
        _acting(now, kind, _in_order(aside), f"triage-done-{kind.id}")


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Overdue first, then the oldest, then by owner."""
    return frame.sort_values(["overdue", "age", "owner", "key"], ascending=[False, False, True, True], kind="stable").reset_index(drop=True)


def _acting(now: Now, kind: Kind, own: pd.DataFrame, key: str) -> None:
    shown, labels = _shown(now, own, kind)
    key = anew(key)
    rows = tables.several(shown, now.x, key, height=height(own, 10), labels=labels)
    if rows:
        _act(now, own.iloc[rows], key)


def _shown(now: Now, own: pd.DataFrame, kind: Kind | None = None) -> tuple[pd.DataFrame, dict[str, str]]:
    """The columns that readers see."""
    out = pd.DataFrame({"record": own["id"], "name": own["name"], "id": own["id"]}).assign(**({} if kind else {"kind": own["kind"].map({one.id: one.label for one in KINDS})}))
    out = out.assign(owner=own["owner"] + " · " + own["function"].map(FUNCTION_NAMES).fillna(own["function"]), what=own["what"].str.replace("_", " "), since=own["since"], age=own["age"],
                     weeks_before=own["weeks_before"])
    if (own["kind"] == "sla_breach_open").any():
        told = exceptions.escalation(now.x, own)
        of = own["kind"] == "sla_breach_open"
        out = out.assign(level=own["level"], told=told["told"].where(of, ""), next_told=told["next_told"].where(of, ""))
    if (own["came_back"] > 0).any():
        out = out.assign(came_back=own["came_back"])
    out = out.assign(state=_states(own))
    if (own["note"] != "").any():
        out = out.assign(note=own["note"])
    if (own["kind"] == "bulk_edit").all():
        out = out.drop(columns=["id", "what"])
    elif (own["what"] == "").all():
        out = out.drop(columns="what")
    return out, {"name": "Record", "id": "Id", "kind": "Exception", "what": kind.told if kind else "What", "age": _AGE, "weeks_before": "Earlier weeks", "level": "Level", "told": "Told",
                 "next_told": "Next", "came_back": "Came back", "state": "State", "since": "Since"}


def _states(own: pd.DataFrame) -> pd.Series:
    due = pd.to_datetime(own["due"], errors="coerce").dt.strftime("%d %b %Y").str.lstrip("0").fillna("")
    hand = own["to"] + " by " + due + np.where(own["overdue"], ", overdue", "")
    return own["status"].map(_STATES).fillna("New").where(own["status"] != "assigned", hand)


def _act(now: Now, rows: pd.DataFrame, key: str) -> None:
    """What is done about the chosen rows."""
    done = set(rows["status"]) & {"resolved", "accepted"}
    with st.container(border=True, key=f"act-{key}"):
        head = st.container(horizontal=True, vertical_alignment="center")
        with head:
            st.markdown(f"**{units.named(len(rows), units.RECORDS)}** &nbsp;{md(', '.join(_title(row) for _, row in rows.head(3).iterrows()) + (' …' if len(rows) > 3 else ''))}")
            if len(rows) == 1 and st.button("Open its rows", icon=":material/open_in_full:", key=f"rows-of-{key}"):
                _record(now, rows.iloc[0])
        options = ["reopen"] if done else ["assign", "resolve", "accept"]
        what = st.segmented_control("What", options, default=options[0], required=True, key=f"what-{key}", format_func=_DONE.get, label_visibility="collapsed")
        with st.form(f"form-{key}", border=False, clear_on_submit=True):
            places = st.columns([2, 1, 3, 1] if what == "assign" else [6, 1], vertical_alignment="bottom")
            to = due = None
            if what == "assign":
                with places[0]:
                    people = _people(now, rows)
                    to = st.selectbox("Who", people, key=f"to-{key}", accept_new_options=True)
                with places[1]:
                    due = st.date_input("By", dt.date.today() + dt.timedelta(days=7), key=f"due-{key}")
            with places[-2]:
                text = st.text_input(_TELLS[what], key=f"text-{key}-{what}")
            with places[-1]:
                sent = st.form_submit_button("Save", type="primary", width="stretch", key=f"save-{key}", **allowed.to("triage"))
        if sent:
            _save(lambda: _write(now, rows, what, text, to or "", due), f"{units.named(len(rows), units.RECORDS)}" + (f" given to {to}" if what == "assign" else f": {_DONE[what].lower()}"))


def _people(now: Now, rows: pd.DataFrame) -> list[str]:
    """The owner of the first row, its function, the other functions, then everyone."""
    own = [name for name in dict.fromkeys(rows["owner"]) if name != "Nobody"]
    users = now.x.data.table("users")
    names = users["name"][users["is_active"].fillna(True).astype(bool)].dropna().sort_values().tolist()
    function = FUNCTION_NAMES.get(rows["function"].iloc[0], "RevOps")
    return list(dict.fromkeys([*own[:1], function, *FUNCTION_NAMES.values(), *names]))


def _write(now: Now, rows: pd.DataFrame, what: str, text: str, to: str, due: dt.date | None) -> None:
    of, by = (session.store(), now.dataset, now.x, rows), session.actor()
    if what == "assign":
        triage.assign(*of, to, due.isoformat() if due else "", by, text)
    elif what == "reopen":
        triage.reopen(*of, by, text)
    else:
        {"resolve": triage.resolve, "accept": triage.accept}[what](*of, text, by)


_WRITTEN = "triage-written"


def anew(key: str) -> str:
    """The key of a list until something is written: then its rows are others, and what was chosen is chosen no more."""
    count = st.session_state.get(_WRITTEN, 0)
    return f"{key}-{count}" if count else key


def written() -> None:
    """Something was written down: lists begin anew."""
    st.session_state[_WRITTEN] = st.session_state.get(_WRITTEN, 0) + 1


def _save(write: Callable[[], None], said: str) -> None:
    """Write, then show the page as it is now; what cannot be written says why."""
    if capture.saved(write):
        st.toast(md(said), icon=":material/check:")
        written()
        st.rerun()


@st.dialog("Behind the exception", width="large", position="right")
@stage.drawer()
def _record(now: Now, row: pd.Series) -> None:
    """The record of an exception, its history, and what was done about it."""
    kind = exceptions.BY_ID[row["kind"]]
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"### {md(_title(row))}")
        age = f"{int(row['age']):,} business {'day' if row['age'] == 1 else 'days'}"
        st.caption(md(" · ".join(part for part in (kind.label, str(row["what"]).replace("_", " "), str(row["owner"]), f"for {age}", str(row["id"]) if row["entity"] else "") if part)))
    st.markdown(md(kind.todo))
    for title, frame in now.ask(_behind, row["entity"], row["id"], int(row["record"])).items():
        st.markdown(f"**{md(title)}**")
        tables.table(frame, now.x, f"behind-{title}", height=height(frame, 10))
    log = triage.handled(session.store(), now.dataset).get(row["key"])
    if log:
        st.markdown("**What was done about it**")
        said = pd.DataFrame([{"when": entry.at.tz_localize(None), "by": entry.by, "what": entry.verb, "note": entry.fields.get("note", "")} for entry in log.history])
        tables.table(said, now.x, "behind-log")


def _title(row: pd.Series) -> str:
    """What a record is called in a sentence: its name; its kind and id where that is an address, which would be made a link."""
    return f"{row['type']} {row['id']}" if "@" in row["name"] else str(row["name"])


def _behind(x: Coded, view: View, entity: str, id_: str, record: int) -> dict[str, pd.DataFrame]:
    return exceptions.behind(x, entity, id_, record)


@st.dialog("Exceptions", width="large", position="right")
@stage.drawer()
def drawer(now: Now, frame: pd.DataFrame, title: str) -> None:
    """Rows of several kinds or owners, to be read."""
    st.markdown(f"### {md(title)}")
    own = _in_order(frame)
    shown, labels = _shown(now, own, exceptions.BY_ID[own["kind"].iloc[0]] if own["kind"].nunique() == 1 else None)
    tables.table(shown, now.x, "triage-rows", height=height(own, 16), labels=labels)
