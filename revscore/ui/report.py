"""What became of a load, and of all loads before: counts that balance, messages with their place, rows to mend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from revscore import company
from revscore.company import ALREADY, ASKS, LOADED, REFUSED, Draft, LoadReport, Message
from revscore.core.schema import TABLES
from revscore.export.returns import fits_workbook, written
from revscore.export.safe import csv_bytes
from revscore.store import LoadInfo, Store
from revscore.ui import session, tables
from revscore.ui.words import md

_ACTIONS = {"quarantined": "Held back", "mended": "Mended", "note": "Remark"}
_FEW_LINES = 8  # that are shown without scrolling
_FEW_ROWS = 20_000  # of a load whose accepted rows are offered as a workbook too
_LOOK = {LOADED: (st.success, ":material/check_circle:"), ALREADY: (st.info, ":material/content_copy:"), REFUSED: (st.error, ":material/block:"),
         ASKS: (st.warning, ":material/help:")}


def summary(found: LoadReport) -> None:
    """One sentence, and per file rows read = rows kept + rows held back; what is no row, and what is not taken over."""
    show, icon = _LOOK[found.status] if found.load_id or found.status != LOADED else (st.info, ":material/fact_check:")
    show(md(found.text), icon=icon)
    for sentence in found.missing:
        st.warning(md(sentence), icon=":material/table_view:")
    if found.files and found.status != REFUSED:
        files = [f for f in found.files if f.rows_read] or found.files
        frame = pd.DataFrame([{"File": f.file, "Rows read": f.rows_read, "Kept": f.rows_loaded, "Held back": f.rows_quarantined, "Totals and footers left out": "; ".join(f.footers),
                               "Columns not used": ", ".join(f.unused)} for f in files])
        tables.plain(tables.filled(frame), f"summary-{found.status}-{found.load_id}", "content",
                     counts=["Rows read", "Kept", "Held back"])
        reasons = pd.DataFrame([{"Held back": rows, "Why": reason, "File": f.file} for f in files for reason, rows in f.reasons.items()])
        if len(reasons):
            tables.plain(reasons, f"reasons-{found.status}-{found.load_id}", _height(reasons), counts=["Held back"], wide="Why")


def problems(found: LoadReport) -> None:
    """Why nothing was stored, with the place of each fault."""
    rows = [m for f in found.files for m in f.messages] or found.messages
    if len(rows) > 1:  # one alone is in the sentence above
        _said(rows, "What is wrong, and what to do", f"problems-{found.status}")


def messages(found: LoadReport, draft: Draft | None = None) -> None:
    """Remarks and single findings, folded away; the rows to mend as files."""
    notes = [*found.messages, *(m for f in found.files for m in f.messages)]
    if not notes:
        return
    with st.expander(f"{len(notes):,} remark{'s' if len(notes) > 1 else ''}: what was mended, held back or decided", icon=":material/receipt_long:"):
        _said(notes, "Remark", f"messages-{found.status}-{found.load_id}")
        if draft is not None and found.rows_quarantined:
            st.caption("Mend them in the CRM and export again; or store the others now: the rows to mend are then offered as a file, and come back as a correction.")


def _said(some: Sequence[Message], title: str, key: str) -> None:
    """Sentences with their place."""
    frame = tables.filled(pd.DataFrame({"File": [m.file for m in some], "Sheet": [m.sheet or "" for m in some], "Row": pd.array([m.row or None for m in some], dtype="Int64"),
                                        "Column": [m.column or "" for m in some], title: [m.text for m in some]}))
    tables.plain(frame, key, _height(frame), counts=["Row"], wide=title)


def _height(frame: pd.DataFrame) -> str:
    return "content" if len(frame) <= _FEW_LINES else "auto"


def rows_of(store: Store, load: LoadInfo) -> None:
    """The rows of a load as files: those that were accepted, and those to mend, which complete the load when they come back. For those
    who may load: the rows are the whole company's."""
    if not session.actor().may("load"):
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"rows-of-{load.id}"):
        name, frames = f"load {load.id}", lambda: company.accepted(store.data_of(load.dataset, [load.id]), load.terms_hints)
        if sum(load.table_rows.values()) <= _FEW_ROWS and _fits(load.dataset, load.id, load.content_sha256, frames):
            _download("Accepted rows · Excel", lambda: written(frames(), ".xlsx"), f"accepted {name}.xlsx", f"accepted-xlsx-{load.id}")
        _download("Accepted rows · CSV (zip)", lambda: written(frames(), ".zip"), f"accepted {name}.zip", f"accepted-zip-{load.id}")
        if not load.rows_quarantined:
            return
        held = company.to_mend(store.ledger(load.id)[1], load)
        rows = f"{load.rows_quarantined:,} row{'s' if load.rows_quarantined > 1 else ''} to mend"
        if fits_workbook(held):
            _download(f"{rows} · Excel", lambda: written(held, ".xlsx"), f"to mend {name}.xlsx", f"mend-xlsx-{load.id}")
        suffix = ".csv" if len(held) == 1 else ".zip"
        _download(f"{rows} · CSV", lambda: written(held, suffix), f"to mend {name}{suffix}", f"mend-csv-{load.id}")
        st.caption("Mend the cells, leave the last four columns as they are, and upload the file here: the rows then complete this load.", width="stretch")


def _download(label: str, data: Callable[[], bytes], name: str, key: str) -> None:
    st.download_button(label, data, file_name=name, icon=":material/download:", on_click="ignore", key=key)


@st.cache_resource(max_entries=20, show_spinner=False)
def _fits(dataset: str, load_id: int, content: str, _frames: Callable[[], dict[str, pd.DataFrame]]) -> bool:
    return fits_workbook(_frames())


def as_first(found: LoadReport) -> LoadReport:
    """The report of the second of two clicks, as the first would have said it."""
    return replace(found, status=LOADED, text=f"Loaded as load {found.load_id}.", files=tuple(replace(file, status=LOADED) for file in found.files))


def loads(store: Store, dataset: str) -> None:
    """All loads of a data set; the chosen one opens with its ledger."""
    every = store.loads(dataset)
    if not every:
        st.info("Nothing has been loaded yet. Upload an extract first.", icon=":material/upload:")
        return
    frame = tables.filled(pd.DataFrame([_line(load) for load in every]))
    st.caption("Choose a load to open its ledger. A load is never changed: a correction is a new load.")
    picked = tables.plain(frame, f"loads-{dataset}", counts=["Rows read", "Kept", "Held back"], on_select="rerun", selection_mode="single-row",
                          column_config={name: st.column_config.DatetimeColumn(f"{name} (UTC)", format="D MMM YYYY HH:mm", timezone="UTC") for name in ("As of", "Loaded")})
    rows = picked["selection"]["rows"]
    if rows and rows[0] < len(every):
        ledger(store, every[rows[0]])


def _line(load: LoadInfo) -> dict[str, object]:
    return {"Load": load.id, "As of": load.as_of, "Loaded": load.loaded_at, "By": load.loaded_by, "Files": ", ".join(f.name for f in load.files),
            "Rows read": load.rows_read, "Kept": load.rows_kept, "Held back": load.rows_quarantined,
            "Corrects": f"load {load.corrects}: {load.why or 'no reason given'}" if load.corrects else "", "Tables": ", ".join(f"{rows:,} {_lower(table_title(name))}" for name, rows in load.table_rows.items())}


def _lower(title: str) -> str:
    """ "leads", "SLA policies". """
    return title if title[:2].isupper() else title[:1].lower() + title[1:]



def ledger(store: Store, load: LoadInfo) -> None:
    """The account of one load: every sheet, every finding."""
    sheets, findings = store.ledger(load.id)
    st.subheader(f"Ledger of load {load.id}", anchor=False)
    unused = int(sheets["read"].sum()) - load.rows_read
    st.caption(f"{load.rows_read:,} rows read = {load.rows_kept:,} kept + {load.rows_quarantined:,} held back"
               + (f"; {unused:,} further rows are in sheets that are not used. " if unused else ". ")
               + "Titles, totals and blank lines are no rows; they are counted apart.")
    if load.corrects:
        st.caption(md(f"A correction of load {load.corrects}: {load.why or 'no reason was given'}."))
    rows_of(store, load)
    sheets = sheets.assign(table=[", ".join(table_title(name) for name in names.split(", ")) for names in sheets["table"]]) if "table" in sheets else sheets
    tables.plain(sheets.rename(columns=str.capitalize).rename(columns={"Table": "Feeds", "Footer": "Titles, totals", "Quarantined": "Held back"}), f"sheets-{load.id}", "content",
                 counts=["Read", "Kept", "Mended", "Held back", "Titles, totals"])
    if not len(findings):
        st.caption("Nothing was mended, held back or remarked on.")
        return
    shown = findings.drop(columns=[c for c in ("raw", "code") if c in findings.columns])
    shown = shown.assign(action=shown["action"].replace(_ACTIONS))
    actions = [name for name in _ACTIONS.values() if shown["action"].eq(name).any()]
    chosen = st.segmented_control("Findings", actions, selection_mode="multi", default=actions, key=f"actions-{load.id}")
    shown = shown[shown["action"].isin(chosen)]
    tables.plain(shown.rename(columns=str.capitalize).rename(columns={"Text": "Cell as in the file"}), f"findings-{load.id}", counts=["Row"], wide="Reason")
    with st.container(horizontal=True):
        st.download_button("All findings", csv_bytes(shown), file_name=f"findings of load {load.id}.csv", mime="text/csv", icon=":material/download:",
                           on_click="ignore", key=f"findings-csv-{load.id}")
    if load.derived:
        for table, sentence in load.derived.items():
            st.caption(md(f"{table_title(table)}: {sentence}"))


def table_title(name: str) -> str:
    """ "Opportunity history", "Opportunity history: amount". """
    table, _, column = name.partition(".")
    title = TABLES[table].title if table in TABLES else table
    return f"{title}: {column.replace('_', ' ')}" if column else title
