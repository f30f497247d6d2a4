"""Tables: frames of records or numbers with readable headings and formats. Data stay data: nothing here is Markdown."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.units import Unit
from revscore.ui import picks
from revscore.ui.words import humanised

_MONEY = ("amount", "value", "budget", "cost", "pipeline", "won_value")
_HIDDEN = ("record",)


def table(frame: pd.DataFrame, x: Coded, key: str, height: int | str = "auto", formats: dict[str, Unit] | None = None, labels: dict[str, str] | None = None,
          opens: bool = False) -> int | None:
    """`frame` as a table; with `opens`, the position of the row that was just chosen to be opened. `formats` gives columns their unit; `labels` their heading, where the column's name will not do."""
    shown, drawn = _ready(frame, x, key, height, formats or {}, labels or {})
    if not opens:
        st.dataframe(shown, **drawn)
        return None
    state = st.dataframe(shown, on_select="rerun", selection_mode="single-row", **drawn)
    return picks.clicked(key, [row for row in state["selection"]["rows"] if row < len(shown)])


def cells(frame: pd.DataFrame, x: Coded, key: str, height: int | str = "auto", formats: dict[str, Unit] | None = None,
          labels: dict[str, str] | None = None) -> tuple[int, str] | None:
    """`frame` as a table whose cells are numbers of their own: row and column of the cell that was just chosen to be opened."""
    shown, drawn = _ready(frame, x, key, height, formats or {}, labels or {})
    state = st.dataframe(shown, on_select="rerun", selection_mode="single-cell", **drawn)
    return picks.clicked(key, [(row, name) for row, name in state["selection"]["cells"] if row < len(shown) and name in shown.columns])


def several(frame: pd.DataFrame, x: Coded, key: str, height: int | str = "auto", formats: dict[str, Unit] | None = None, labels: dict[str, str] | None = None) -> list[int]:
    """`frame` as a table of which several rows can be chosen: their positions."""
    shown, drawn = _ready(frame, x, key, height, formats or {}, labels or {})
    state = st.dataframe(shown, on_select="rerun", selection_mode="multi-row", **drawn)
    return [row for row in state["selection"]["rows"] if row < len(shown)]


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
            config[name] = st.column_config.NumberColumn(label, format="localized")
        else:
            config[name] = st.column_config.TextColumn(label)
    return shown, {"hide_index": True, "column_config": config, "key": key, "height": height, "row_height": 40, "placeholder": "–"}
