"""The data page: upload, warehouse, loads with their ledgers, and what the extract can and cannot give."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from revscore import company
from revscore.core.coded import Coded
from revscore.people import NotAllowed
from revscore.store import NothingLoaded, Store
from revscore.ui import report, session, tables, upload
from revscore.ui.words import md


def show() -> None:
    store = session.store()
    dataset = st.session_state.get("data") or company.current(store)
    st.title("Data", anchor=False)
    _standing(store, dataset)
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
            _gives(store, dataset)


def _if_allowed(part: Callable[[], None]) -> None:
    """A part of the page, or why it is not for this reader."""
    try:
        part()
    except NotAllowed as no:
        st.markdown(f":material/block: {md(str(no))}")


def _standing(store: Store, dataset: str) -> None:
    """Whose data is shown, as of when, from how many loads."""
    loads = store.loads(dataset)
    if not loads:
        st.caption("Nothing is loaded yet.")
        return
    newest = loads[0]
    made_up = " It is made up; upload an extract to see your own company." if dataset == company.SAMPLE else ""
    st.caption(md(f"Shown: {company.called(dataset)}, as of {newest.as_of:%d %b %Y %H:%M} UTC, from {len(loads)} load{'s' if len(loads) > 1 else ''}.{made_up}"))


def _gives(store: Store, dataset: str) -> None:
    try:
        _, x = session.standing(dataset)
    except NothingLoaded as nothing:
        st.info(md(nothing))
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader("Tables", anchor=False)
        st.dataframe(_tables(x), hide_index=True, key="tables", height="content", column_config=tables.counts("Rows"))
    with right:
        lacking = company.lacking(x)
        st.subheader("Metrics that need more than this extract has", anchor=False)
        if len(lacking):
            st.dataframe(lacking.rename(columns={"metric": "Metric", "label": "Name", "needs": "Needs"}), hide_index=True, key="lacking", height="content",
                         column_config={"Needs": st.column_config.TextColumn(width="large")})
        else:
            st.success("None: every metric can be had.", icon=":material/check_circle:")
        if x.data.derived:
            st.subheader("Rebuilt, not recorded", anchor=False)
            st.dataframe(pd.DataFrame([{"Table": report.table_title(name), "How": text} for name, text in x.data.derived.items()]), hide_index=True, key="derived",
                         column_config={"How": st.column_config.TextColumn(width="large")})
        if x.missing_rates:
            st.warning(md(f"No exchange rate for {', '.join(x.missing_rates)}: amounts in it are left out, never taken one to one."), icon=":material/currency_exchange:")


def _tables(x: Coded) -> pd.DataFrame:
    return pd.DataFrame([{"Table": report.table_title(name), "Rows": len(frame), "Columns": ", ".join(c.replace("_", " ") for c in frame.columns),
                          "Source": "rebuilt" if name in x.data.derived else "as exported"} for name, frame in x.data.tables.items()])
