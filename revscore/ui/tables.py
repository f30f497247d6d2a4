"""Tables: frames of records or numbers with readable headings and formats. Data stay data: nothing here is Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.units import Unit
from revscore.people import sight
from revscore.ui import picks, session, stage
from revscore.ui.words import humanised, md

_HIDDEN = ("record",)
_ROW, _MOST, _FIRST = 40, 25, 15  # height of a row; a table of more rows than the second shows the third, with half a row to say that it goes on


def table(frame: pd.DataFrame, x: Coded, key: str, height: int | str = "auto", formats: dict[str, Unit] | None = None, labels: dict[str, str] | None = None,
          opens: bool = False, board: Sequence[str] = ()) -> int | None:
    """`frame` as a table; with `opens`, the position of the row that was just chosen to be opened, by its box or by a click on any of its cells. `formats` gives columns their unit; `labels` their heading, where the column's name will not do.
    `board`: the columns that the stage of a meeting shows (all)."""
    frame, places = _of_reader(frame, x)
    if stage.on_board():
        return _on_board(frame, x, key, formats or {}, labels or {}, board)
    shown, drawn = _ready(frame, x, key, height, formats or {}, labels or {})
    if not opens:
        st.dataframe(shown, **drawn)
        return None
    selection = st.dataframe(shown, on_select="rerun", selection_mode=["single-row", "single-cell"], **drawn)["selection"]
    chosen = picks.clicked(key, [(row, "") for row in selection.get("rows", []) if row < len(shown)] + [tuple(cell) for cell in selection.get("cells", []) if cell[0] < len(shown)])
    return None if chosen is None else int(places[chosen[0]])


def cells(frame: pd.DataFrame, x: Coded, key: str, height: int | str = "auto", formats: dict[str, Unit] | None = None,
          labels: dict[str, str] | None = None, board: Sequence[str] = ()) -> tuple[int, str] | None:
    """`frame` as a table whose cells are numbers of their own: row and column of the cell that was just chosen to be opened."""
    frame, places = _of_reader(frame, x)
    if stage.on_board():
        return _on_board(frame, x, key, formats or {}, labels or {}, board)
    shown, drawn = _ready(frame, x, key, height, formats or {}, labels or {})
    state = st.dataframe(shown, on_select="rerun", selection_mode="single-cell", **drawn)
    return picks.clicked(key, [(int(places[row]), name) for row, name in state["selection"]["cells"] if row < len(shown) and name in shown.columns])


def several(frame: pd.DataFrame, x: Coded, key: str, height: int | str = "auto", formats: dict[str, Unit] | None = None, labels: dict[str, str] | None = None) -> list[int]:
    """`frame` as a table of which several rows can be chosen: their positions."""
    frame, places = _of_reader(frame, x)
    shown, drawn = _ready(frame, x, key, height, formats or {}, labels or {})
    state = st.dataframe(shown, on_select="rerun", selection_mode="multi-row", **drawn)
    return [int(places[row]) for row in state["selection"]["rows"] if row < len(shown)]


def _of_reader(frame: pd.DataFrame, x: Coded) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows of `frame` that the reader sees, and their positions in it; a sentence where some are not shown."""
    places = sight.shown(x, frame, session.actor())
    if len(places) < len(frame):
        st.caption(f":material/visibility_off: Only your own records are shown: {len(places):,} of {len(frame):,}.")
    return frame.iloc[places], places


_LARGE = 105  # larger letters that a row of the stage holds
_NAMES, _IDS = ("name", "account", "company", "title", "decision"), ("opp_id", "lead_id", "account_id", "contact_id", "campaign_id", "decision_id", "action_id")


def named(row: pd.Series) -> str:
    """How a record of a table is called: its name with its id, or what there is of them."""
    name, id_ = (next((str(row[column]) for column in columns if column in row.index and pd.notna(row[column]) and str(row[column]) != ""), "") for columns in (_NAMES, _IDS))
    if not name and not id_:
        id_ = next((str(row[column]) for column in row.index if column.endswith("_id") and pd.notna(row[column])), "")
    return f"{name} ({id_})" if name and id_ and name != id_ else name or id_


def _on_board(frame: pd.DataFrame, x: Coded, key: str, formats: dict[str, Unit], labels: dict[str, str], board: Sequence[str]) -> None:
    """`frame` on the stage of a meeting: large letters, the first rows, the rest in words, nothing to scroll."""
    kept = [name for name in board or frame.columns if name in frame.columns and name not in _HIDDEN]
    shown = pd.DataFrame({labels.get(name, humanised(str(name))): [md(text) for text in _texts(frame[name].iloc[:stage.rows()], formats.get(name), x)] for name in kept})
    right = [place for place, name in enumerate(kept, start=1) if name in formats or pd.api.types.is_numeric_dtype(frame[name].dtype) and not pd.api.types.is_bool_dtype(frame[name].dtype)]
    board_key = f"{'large' if large(shown) else 'board'}-{key}"
    with st.container(key=board_key, gap="xsmall"):
        if right:
            st.html(f"<style>{', '.join(f'.st-key-{board_key} :is(th, td):nth-child({place}), .st-key-{board_key} :is(th, td):nth-child({place}) *' for place in right)} {{text-align: right !important}}</style>")
        st.table(shown, border="horizontal", hide_index=True)
        if len(frame) > len(shown):
            st.caption(f"and {len(frame) - len(shown):,} more")


def large(shown: pd.DataFrame) -> bool:
    """Whether a table of words may stand in larger letters on the stage: it has few rows, and none of them is cut."""
    wide = sum(max(len(str(name)), *shown[name].str.len()) for name in shown.columns) if len(shown) else 0
    return 2 * len(shown) + 1 < stage.rows() and wide <= _LARGE


def _texts(column: pd.Series, unit: Unit | None, x: Coded) -> list[str]:
    """The cells of a column as words."""
    if unit is not None:
        return [units.text(value, unit, x.terms.corporate_currency) for value in column]
    there = column.notna()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        said = [f"{value.day} {value:%b %Y}" if known else "" for value, known in zip(column, there, strict=True)]
    elif pd.api.types.is_bool_dtype(column.dtype):
        said = ["yes" if value else "no" for value in column]
    elif pd.api.types.is_numeric_dtype(column.dtype):
        said = [f"{value:,.1f}".removesuffix(".0") if known else "" for value, known in zip(column, there, strict=True)]
    else:
        said = [str(value) if known else "" for value, known in zip(column, there, strict=True)]
    return [text or units.MISSING for text in said]


def _ready(frame: pd.DataFrame, x: Coded, key: str, height: int | str, formats: dict[str, Unit], labels: dict[str, str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame as it is shown, and how."""
    shown = frame.drop(columns=[name for name in _HIDDEN if name in frame.columns])
    shown, config = shown.copy(deep=False), {}
    for name in shown.columns:
        label, column = labels.get(name, humanised(str(name))), shown[name]
        unit = formats.get(name)
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            has_time = bool((column.dropna() != column.dropna().dt.normalize()).any())
            config[name] = st.column_config.DatetimeColumn(label, format="D MMM YYYY HH:mm" if has_time else "D MMM YYYY")
        elif unit is not None:
            shown[name] = [units.text(value, unit, x.terms.corporate_currency) for value in column]
            config[name] = st.column_config.TextColumn(label, alignment="right")
        elif pd.api.types.is_bool_dtype(column.dtype):
            config[name] = st.column_config.CheckboxColumn(label)
        elif pd.api.types.is_numeric_dtype(column.dtype):
            config[name] = st.column_config.NumberColumn(label, format="%.1f" if str(name).endswith("_days") else "localized")
        else:
            config[name] = st.column_config.TextColumn(label)
    return shown, {"hide_index": True, "column_config": config, "key": key, "height": _tall(len(shown)) if height == "auto" else height, "row_height": _ROW, "placeholder": "–"}


def _tall(rows: int) -> int | str:
    """The height of a table of so many rows: all of them without scrolling, as far as they fit a page."""
    return "content" if rows <= _MOST else round(_ROW * (_FIRST + 1.5))


def filled(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` without the columns in which nothing stands."""
    return frame[[name for name in frame if (frame[name].notna() & frame[name].astype("str").ne("")).any()]]


def plain(frame: pd.DataFrame, key: str, height: int | str = "auto", counts: Sequence[str] = (), wide: str = "", **more: Any) -> Any:
    """`frame` as it is, with headings of its own: `counts` are columns of counts, `wide` is one of sentences; a cell without a value is empty. `more`: as `st.dataframe`
    takes it; gives what that gives."""
    config = {name: st.column_config.NumberColumn(format="localized") for name in counts} | ({wide: st.column_config.TextColumn(width="large")} if wide else {})
    return st.dataframe(frame, hide_index=True, key=key, height=height, placeholder="", column_config=config | more.pop("column_config", {}), **more)
