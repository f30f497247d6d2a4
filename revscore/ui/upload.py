"""Bringing an extract in: choose files or tables, see what was recognised, mend it, answer what only the team knows, store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import streamlit as st

from revscore import company
from revscore.company import ALREADY, ASKS, LOADED, REFUSED, Draft, LoadReport
from revscore.intake import Source
from revscore.intake.guards import Limits
from revscore.ui import allowed, confirming, mending, report, session
from revscore.ui.bench import Bench, bench
from revscore.ui.steps import Steps
from revscore.ui.words import md


def files() -> None:
    """Upload: files → recognised → mended → stored. Raises NotAllowed without the right to load."""
    session.actor().demand("load")
    work = bench()
    last = st.empty()
    # no `type`: a file of another type gets our sentence, whatever the browser let through
    workbook, most = Limits.given().workbook >> 20, st.get_option("server.maxUploadSize")
    chosen = st.file_uploader(f"Extracts of your CRM: the files of one Monday together, as they were exported (workbooks up to {workbook} MB, CSV and zip archives up to {most} MB each)",
                              accept_multiple_files=True, key=f"files-{work.round}", help="Excel workbooks, CSV of any encoding and delimiter, and zip archives of these.")
    if not chosen:
        if work.draft is not None:  # taken back
            work.clear()
        with last.container():
            _result(work)
        return _invitation()
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
        work.asked = (url, tuple(name.strip() for name in names.splitlines() if name.strip()))
    if work.asked is None:
        return _result(work)
    token = hashlib.sha256(repr(work.asked).encode()).hexdigest()
    _work(work, token, lambda say: company.draft_warehouse(session.store(), company.COMPANY, *work.asked, progress=say))


def _invitation() -> None:
    st.caption("Salesforce reports and Data Loader exports, HubSpot, Dynamics 365, Pipedrive, Zoho, connector tables and revscore's own tables are recognised by "
               "their headings; anything else can be mapped by hand. Nothing is stored before you have seen what was recognised.")


def _work(work: Bench, token: str, read: Callable[[Steps], Draft]) -> None:
    if work.token != token:
        work.token, work.draft, work.stored, work.sent = token, None, None, False
    slot = st.empty()
    place = slot.container(key="steps")
    if work.draft is None or work.seen is not work.draft:
        with place:
            steps = Steps()
            work.draft = work.draft or read(steps)
            steps("compared", 0.0, "with what is loaded")
            work.found, work.seen = company.against(session.store(), work.draft), work.draft
            steps("compared", 1.0, "")
            steps.done()
    draft, found = work.draft, work.found
    if found.status == REFUSED and not draft.mendable:
        slot.empty()  # steps that went well would say that it did
        report.summary(found)
        report.problems(found)
        return st.caption("What was loaded before stays as it is. Take the file away by its cross, mend it, and choose it again.")
    report.summary(found)
    confirmed, why, open_ = confirming.doubts(found, work.token[:8]) if found.asked else (set(), "", False)
    report.messages(found, draft)
    mending.sheets(work, draft)
    mending.words(work, draft)
    mending.questions(work, draft, found)
    if found.status in (ALREADY, REFUSED):
        _away(work)
    else:
        _confirm(work, draft, found, place, confirmed, why, open_)


def _away(work: Bench) -> None:
    if st.button("Put these files away", icon=":material/close:", key="put-away", help="Nothing of them is stored, and nothing stays in memory."):
        work.put_away()
        st.rerun()


def _confirm(work: Bench, draft: Draft, found: LoadReport, place: Any, confirmed: set[str], why: str, open_: bool) -> None:
    waits = any(question.default is None and not question.key.startswith(company.CONFIRM) for question in found.questions)
    with st.container(horizontal=True, vertical_alignment="bottom", key="confirm-bar"):
        if draft.base is None:
            _as_of(work, draft, found)
        rows = sum(file.rows_loaded for file in found.files)
        store = st.button(f"Store {rows:,} row{'s' if rows != 1 else ''}", type="primary", icon=":material/save:", key="store-load",
                          **allowed.to("load", "map", disabled=waits or open_))
        _away(work)
        st.caption("Answer the questions above first." if waits else "Nothing is stored yet: what is asked above waits for your word." if open_ else
                   f"As of {found.as_of:%d %b %Y %H:%M} UTC, in one transaction: all of it, or nothing.")
    if not store:
        return
    twice, work.sent = work.sent, True
    with place:
        steps = Steps()
        with session.one_at_a_time():
            result = company.save(session.store(), draft, by=session.actor(), progress=steps, confirmed=confirmed, why=why)
        steps.done()
    if result.status in (LOADED, ALREADY):
        work.put_away()
        work.stored = report.as_first(result) if twice and result.status == ALREADY else result  # a double click is one click
        st.toast(md(work.stored.text), icon=":material/check_circle:")
        st.rerun()
    work.sent = False
    if result.status == ASKS:  # another one has loaded meanwhile
        work.found = result
        st.rerun()
    report.problems(result)


def _as_of(work: Bench, draft: Draft, found: LoadReport) -> None:
    zone = draft.reporting_zone
    shown = found.as_of.tz_convert(zone).date()
    day = st.date_input("The extract shows the state of", shown, key=f"as-of-{work.token[:8]}-{shown}", format="YYYY-MM-DD", width=260,
                        help="The day on which the extract was made. It counts to its end when you choose another one.")
    if day is not None and day != shown:
        work.draft = draft.again(as_of=company.instant(day.isoformat(), zone))
        st.rerun()


def _result(work: Bench) -> None:
    """What became of the last load, until the next files are chosen."""
    if work.stored is None:
        return
    with st.container(border=True, key="stored"):
        report.summary(work.stored)
        report.messages(work.stored)
        if work.stored.load_id is not None:
            report.rows_of(session.store(), session.store().load(work.stored.load_id))
        with st.container(horizontal=True):
            if st.button("Open the scorecard", type="primary", icon=":material/dashboard:", on_click=_show_own, key="open-scorecard"):
                st.switch_page("pages/scorecard.py")
            if st.button("Close", type="tertiary", key="close-result"):
                work.stored = None
                st.rerun()


def _show_own() -> None:
    if "data" in st.session_state:
        st.session_state["data"] = company.COMPANY
