"""What became of a load, and of all loads before: counts that balance, messages with their place, rows to mend."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from revscore import company
from revscore.company import ALREADY, ASKS, LOADED, REFUSED, Draft, LoadReport
from revscore.core.schema import TABLES
from revscore.export.safe import csv_bytes
from revscore.store import LoadInfo, Store
from revscore.ui.words import md

_LOOK = {LOADED: (st.success, ":material/check_circle:"), ALREADY: (st.info, ":material/content_copy:"), REFUSED: (st.error, ":material/block:"),
         ASKS: (st.warning, ":material/help:")}


def summary(found: LoadReport) -> None:
    """One sentence, and per file rows read = rows kept + rows quarantined."""
    show, icon = _LOOK[found.status] if found.load_id or found.status != LOADED else (st.info, ":material/fact_check:")
    show(md(found.text), icon=icon)
    if found.files and found.status != REFUSED:
        frame = pd.DataFrame([{"File": f.file, "Rows read": f.rows_read, "Kept": f.rows_loaded, "Quarantined": f.rows_quarantined,
                               "Why": "; ".join(f"{n:,} × {reason}" for reason, n in f.reasons.items())} for f in found.files])
        st.dataframe(frame, hide_index=True, key=f"summary-{found.status}-{found.load_id}", column_config=_counts("Rows read", "Kept", "Quarantined"))


def problems(found: LoadReport) -> None:
    """Why nothing was stored, with the place of each fault."""
    rows = [{"File": m.file, "Sheet": m.sheet or "", "Row": m.row, "Column": m.column or "", "What is wrong, and what to do": m.text}
            for m in (*found.messages, *(m for f in found.files for m in f.messages))]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key=f"problems-{found.status}", column_config={"What is wrong, and what to do": st.column_config.TextColumn(width="large")})


def messages(found: LoadReport, draft: Draft | None = None) -> None:
    """Remarks and single findings, folded away; the rows to mend as files."""
    notes = [*found.messages, *(m for f in found.files for m in f.messages)]
    if not notes:
        return
    with st.expander(f"{len(notes):,} remarks: what was mended, held back or decided", icon=":material/receipt_long:"):
        st.dataframe(pd.DataFrame([{"File": m.file, "Sheet": m.sheet or "", "Row": m.row, "Column": m.column or "", "Remark": m.text} for m in notes]),
                     hide_index=True, key=f"messages-{found.status}-{found.load_id}", column_config={"Remark": st.column_config.TextColumn(width="large")})
        if draft is not None and found.rows_quarantined:
            mend_files(company.with_raw(draft.intake.ledger), "draft")


def mend_files(findings: pd.DataFrame, key: str) -> None:
    """A download per sheet of its quarantined rows, under the headings of the file."""
    for place, frame in company.to_mend(findings).items():
        st.download_button(f"{len(frame):,} rows to mend · {md(place)}", csv_bytes(frame), file_name=f"to-mend {place}.csv".replace("/", "-"), mime="text/csv",
                           icon=":material/download:", on_click="ignore", key=f"mend-{key}-{place}")


def loads(store: Store, dataset: str) -> None:
    """All loads of a data set; the chosen one opens with its ledger."""
    every = store.loads(dataset)
    if not every:
        st.info("Nothing has been loaded yet. Upload an extract first.", icon=":material/upload:")
        return
    frame = pd.DataFrame([_line(load) for load in every])
    st.caption("Choose a load to open its ledger. A load is never changed: a correction is a new load.")
    picked = st.dataframe(frame, hide_index=True, key=f"loads-{dataset}", on_select="rerun", selection_mode="single-row",
                          column_config=_counts("Rows read", "Kept", "Quarantined") | {
                              "As of": st.column_config.DatetimeColumn(format="D MMM YYYY HH:mm", timezone="UTC"),
                              "Loaded": st.column_config.DatetimeColumn(format="D MMM YYYY HH:mm", timezone="UTC")})
    rows = picked["selection"]["rows"]
    if rows and rows[0] < len(every):
        ledger(store, every[rows[0]])


def _line(load: LoadInfo) -> dict[str, object]:
    return {"Load": load.id, "As of": load.as_of, "Loaded": load.loaded_at, "By": load.loaded_by, "Files": ", ".join(f.name for f in load.files),
            "Rows read": load.rows_read, "Kept": load.rows_kept, "Quarantined": load.rows_quarantined,
            "Tables": ", ".join(f"{rows:,} {name.replace('_', ' ')}" for name, rows in load.table_rows.items())}


def ledger(store: Store, load: LoadInfo) -> None:
    """The account of one load: every sheet, every finding."""
    sheets, findings = store.ledger(load.id)
    st.subheader(f"Ledger of load {load.id}", anchor=False)
    unused = int(sheets["read"].sum()) - load.rows_read
    st.caption(f"{load.rows_read:,} rows read = {load.rows_kept:,} kept + {load.rows_quarantined:,} quarantined"
               + (f"; {unused:,} further rows are in sheets that are not used. " if unused else ". ")
               + "Titles, totals and blank lines are no rows; they are counted apart.")
    st.dataframe(sheets.rename(columns=str.capitalize).rename(columns={"Table": "Feeds", "Footer": "Titles, totals"}), hide_index=True, key=f"sheets-{load.id}",
                 column_config=_counts("Read", "Kept", "Mended", "Quarantined", "Titles, totals"))
    if not len(findings):
        st.caption("Nothing was mended, held back or remarked on.")
        return
    shown = findings.drop(columns=[c for c in ("raw", "code") if c in findings.columns])
    actions = sorted(shown["action"].unique())
    chosen = st.segmented_control("Findings", actions, selection_mode="multi", default=actions, key=f"actions-{load.id}")
    shown = shown[shown["action"].isin(chosen)]
    st.dataframe(shown.rename(columns=str.capitalize).rename(columns={"Text": "Cell as in the file"}), hide_index=True, key=f"findings-{load.id}",
                 column_config={"Reason": st.column_config.TextColumn(width="large")})
    with st.container(horizontal=True):
        st.download_button("All findings", csv_bytes(shown), file_name=f"findings of load {load.id}.csv", mime="text/csv", icon=":material/download:",
                           on_click="ignore", key=f"findings-csv-{load.id}")
        mend_files(findings, f"{load.id}")
    if load.derived:
        for table, sentence in load.derived.items():
            st.caption(md(f"{table_title(table)}: {sentence}"))


def table_title(name: str) -> str:
    """ "Opportunity history", "Opportunity history: amount". """
    table, _, column = name.partition(".")
    title = TABLES[table].title if table in TABLES else table
    return f"{title}: {column.replace('_', ' ')}" if column else title


def _counts(*names: str) -> dict[str, object]:
    return {name: st.column_config.NumberColumn(format="localized") for name in names}
