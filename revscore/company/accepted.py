"""The accepted rows of a load as files that come back: loaded again they are the same load, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.core.data import CrmData
from revscore.intake.returned import ACCEPTED


def accepted(data: CrmData, hints: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Name of a table -> its rows as text, under the names of its columns; and "config": the instant, the definitions that came with the extract, and what was
    rebuilt. Instants are UTC to the microsecond, numbers have every digit."""
    out = {name: pd.DataFrame({column: _text(frame[column], schema.TABLES[name].column(column).type) for column in frame.columns}, dtype="str")
           for name, frame in data.tables.items()}
    config = {**hints, "as_of": data.as_of.isoformat(), ACCEPTED: dict(data.derived)}
    said = {key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in config.items()}
    return {"config": pd.DataFrame({"key": list(said), "value": list(said.values())}, dtype="str"), **out}


def _text(values: pd.Series, kind: str) -> pd.Series:
    if kind == "ts":
        text = values.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    elif kind == "date":
        text = values.dt.strftime("%Y-%m-%d")
    elif kind == "num":
        text = values.astype("str")
        long = text.str.contains("e", regex=False, na=False)  # 1e-07: written out, as an amount is
        text = text.where(~long, pd.Series([np.format_float_positional(value) if e else "" for value, e in zip(values, long, strict=True)], index=values.index, dtype="str"))
    elif kind == "bool":
        text = values.astype("str").str.lower()
    else:
        text = values.astype("str")
    return text.where(values.notna(), "").astype("str")
