"""Tables: frames of records or numbers with readable headings and formats. Data stay data: nothing here is Markdown."""

from __future__ import annotations

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
    shown = frame.drop(columns=[name for name in _HIDDEN if name in frame.columns])
    shown, config = shown.copy(deep=False), {}
    for name in shown.columns:
        label, column = (labels or {}).get(name, humanised(str(name))), shown[name]
        unit = (formats or {}).get(name)
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
    drawn = {"hide_index": True, "column_config": config, "key": key, "height": height, "row_height": 40, "placeholder": "–"}
    if not opens:
        st.dataframe(shown, **drawn)
        return None
    state = st.dataframe(shown, on_select="rerun", selection_mode="single-row", **drawn)
    return picks.clicked(key, [row for row in state["selection"]["rows"] if row < len(shown)])
