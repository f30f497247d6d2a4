"""Bringing an extract in: choose files or tables, see what was recognised, mend it, answer what only the team knows, store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from revscore import company
from revscore.company import ALREADY, ASKS, LOADED, REFUSED, Draft, LoadReport
from revscore.intake import Source
from revscore.ui import allowed, mending, report, session
from revscore.ui.steps import Steps
from revscore.ui.words import md

TYPES = ["xlsx", "csv", "tsv", "txt", "zip"]
_BENCH = "bench"


@dataclass
class Bench:
    """What lies on the bench of one session: the draft in work, or the report of what was stored last."""

    token: str = ""
    draft: Draft | None = None
    stored: LoadReport | None = None
    round: int = 0  # changes the uploader's key, which empties it
    sums: dict[str, str] = field(default_factory=dict)  # id of an uploaded file -> hash of its content, worked out once

    def sum_of(self, file: Any) -> str:
        if file.file_id not in self.sums:
            self.sums[file.file_id] = hashlib.sha256(file.getvalue()).hexdigest()
        return f"{file.name} {self.sums[file.file_id]}"


def bench() -> Bench:
    return st.session_state.setdefault(_BENCH, Bench())


def files() -> None:
    """Upload: files → recognised → mended → stored. Raises NotAllowed without the right to load."""
    session.actor().demand("load")
    work = bench()
    _result(work)
    chosen = st.file_uploader("Extracts of your CRM: the files of one Monday together, as they were exported", type=TYPES, accept_multiple_files=True,
                              key=f"files-{work.round}", help="Excel workbooks, CSV of any encoding and delimiter, and zip archives of these.")
    if not chosen:
        _invitation()
        return
    token = hashlib.sha256("|".join(map(work.sum_of, chosen)).encode()).hexdigest()
    _work(work, token, lambda say: company.draft_files(
        session.store(), company.COMPANY, [Source(file.name, file.getvalue()) for file in chosen], progress=say))


def warehouse() -> None:
    """The same from tables or views of a database. Raises NotAllowed without the right to load: the server would open whatever address is written."""
    session.actor().demand("load")
    work = bench()
    with st.form("warehouse", border=True):
        url = st.text_input("Address of the database (SQLAlchemy URL)", placeholder="postgresql+psycopg://reader@host/warehouse", type="password",
                            help="It is used for this reading only and never stored. The connection is read-only.")
        names = st.text_area("Tables or views, one a line (empty: all of the default schema)", placeholder="crm.lead\ncrm.opportunity\ncrm.opportunity_history")
        go = st.form_submit_button("Read", type="primary", icon=":material/database:")
    if go and url:
        st.session_state["warehouse-asked"] = (url, tuple(name.strip() for name in names.splitlines() if name.strip()))
    asked = st.session_state.get("warehouse-asked")
    if not asked:
        return
    token = hashlib.sha256(repr(asked).encode()).hexdigest()
    _work(work, token, lambda say: company.draft_warehouse(session.store(), company.COMPANY, asked[0], asked[1], progress=say))


def _invitation() -> None:
    st.caption("Salesforce reports and Data Loader exports, HubSpot, Dynamics 365, Pipedrive, Zoho, connector tables and revscore's own tables are recognised by "
               "their headings; anything else can be mapped by hand. Nothing is stored before you have seen what was recognised.")


def _work(work: Bench, token: str, read: Callable[[Steps], Draft]) -> None:
    if work.token != token:
        work.token, work.draft, work.stored = token, None, None
    place = st.container(key="steps")
    if work.draft is None:
        with place:
            steps = Steps()
            work.draft = read(steps)
            steps.done()
    draft = work.draft
    found = company.report(draft)
    report.summary(found)
    if found.status == REFUSED and not draft.mendable:
        report.problems(found)
        return
    report.messages(found, draft)
    mending.sheets(work, draft)
    mending.words(work, draft)
    mending.questions(work, draft, found)
    _confirm(work, draft, found, place)


def _confirm(work: Bench, draft: Draft, found: LoadReport, place: Any) -> None:
    if found.status == REFUSED:
        return
    waits = found.status == ASKS
    zone = draft.zone or str(draft.intake.config.get("reporting_tz", "UTC"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = found.as_of.tz_convert(zone).date()
        day = st.date_input("The extract shows the state of", shown, key=f"as-of-{work.token[:8]}-{shown}", format="YYYY-MM-DD", width=260,
                            help="The day on which the extract was made. It counts to its end when you choose another one.")
        if day is not None and day != shown:
            work.draft = draft.again(as_of=company.instant(day.isoformat(), zone))
            st.rerun()
        store = st.button(f"Store {sum(file.rows_loaded for file in found.files):,} rows", type="primary", icon=":material/save:", key="store-load", **allowed.to("load", "map", disabled=waits))
        st.caption("Answer the questions above first." if waits else f"As of {found.as_of:%d %b %Y %H:%M} UTC, in one transaction: all of it, or nothing.")
    if not store:
        return
    with place:
        steps = Steps()
        with session.one_at_a_time():
            result = company.save(session.store(), draft, by=session.actor(), progress=steps)
        steps.done()
    if result.status in (LOADED, ALREADY):
        st.session_state[_BENCH] = Bench(stored=result, round=work.round + 1)
        st.session_state.pop("warehouse-asked", None)
        st.toast(md(result.text), icon=":material/check_circle:")
        st.rerun()
    report.problems(result)


def _result(work: Bench) -> None:
    """What became of the last load, until the next files are chosen."""
    if work.stored is None:
        return
    with st.container(border=True, key="stored"):
        report.summary(work.stored)
        report.messages(work.stored)
        with st.container(horizontal=True):
            if st.button("Open the scorecard", type="primary", icon=":material/dashboard:", on_click=_show_own, key="open-scorecard"):
                st.switch_page("pages/scorecard.py")
            if st.button("Close", type="tertiary", key="close-result"):
                work.stored = None
                st.rerun()


def _show_own() -> None:
    if "data" in st.session_state:
        st.session_state["data"] = company.COMPANY


__all__: Sequence[str] = ("bench", "files", "warehouse")
