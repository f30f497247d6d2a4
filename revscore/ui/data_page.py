"""The data page: upload, warehouse, loads with their ledgers, and what the extract can and cannot give."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from revscore import company
from revscore.core.coded import Coded
from revscore.people import NotAllowed
from revscore.ui import report, session, tables, upload
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_NAMED = 4  # loads that are named one by one


def show(now: Now | None) -> None:
    """The page, beside the extract that is shown (None without one)."""
    store = session.store()
    dataset = now.dataset if now else company.current(store, st.session_state.get("data") or "")
    st.title("Data", anchor=False)
    st.caption(md(_standing(now)) if now else "Nothing is loaded yet.")
    files, warehouse, loads, gives = st.tabs([":material/upload: Upload", ":material/database: Warehouse", ":material/history: Loads",
                                              ":material/fact_check: What the extract gives"], key="data-tab", on_change="rerun")
    if files.open:
        with files:
            _if_allowed(upload.files)
    if warehouse.open:
        with warehouse:
            _if_allowed(upload.warehouse)
    if loads.open:
        with loads:
            if session.actor().own_rows:
                st.markdown(":material/visibility_off: The ledgers of the loads quote records of the whole team, so they are for those who see them.")
            else:
                report.loads(store, dataset)
    if gives.open:
        with gives:
            if now:
                _gives(now.x)
            else:
                st.info("Nothing is loaded yet. Upload an extract first.", icon=":material/upload:")


def _if_allowed(part: Callable[[], None]) -> None:
    """A part of the page, or why it is not for this reader."""
    try:
        part()
    except NotAllowed as no:
        st.markdown(f":material/block: {md(str(no))}")


def _standing(now: Now) -> str:
    """Whose data is shown, as of when, from which loads: all of it of the extract that is shown."""
    data, made_up = now.x.data, " It is made up; upload an extract to see your own company." if now.dataset == company.SAMPLE else ""
    loads = [str(one) for one in data.stand.loads]
    of = f"{len(loads)} loads" if len(loads) > _NAMED else f"load{'s' if len(loads) > 1 else ''} {listed(loads)}"
    return f"Shown: {company.called(now.dataset)}, as of {data.as_of.day} {data.as_of:%b %Y %H:%M} UTC, from {of}.{made_up}"


def _gives(x: Coded) -> None:
    """Its tables, and the metrics that need more than it has."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Tables", anchor=False)
        tables.plain(_tables(x), "tables", "content", counts=["Rows"], wide="Columns")
        if x.data.derived:
            st.subheader("Rebuilt, not recorded", anchor=False)
            tables.plain(pd.DataFrame([{"Table": report.table_title(name), "How": text} for name, text in x.data.derived.items()]), "derived", wide="How")
    with right:
        lacking = company.lacking(x)
        st.subheader("Metrics that need more than this extract has", anchor=False)
        if len(lacking):
            shown = pd.DataFrame({"Name": lacking["label"], "Needs": lacking["needs"].str.removeprefix("needs "), "Metric": lacking["metric"]})
            tables.plain(shown, "lacking", "content", wide="Needs")
        else:
            st.success("None: every metric can be had.", icon=":material/check_circle:")
        if x.missing_rates:
            st.warning(md(f"No exchange rate for {', '.join(x.missing_rates)}: amounts in it are left out, never taken one to one."), icon=":material/currency_exchange:")


def _tables(x: Coded) -> pd.DataFrame:
    return pd.DataFrame([{"Table": report.table_title(name), "Rows": len(frame), "Source": "rebuilt" if name in x.data.derived else "as exported",
                          "Columns": ", ".join(c.replace("_", " ") for c in frame.columns)} for name, frame in x.data.tables.items()])
