"""The plain workbook: one sheet per canonical table with exactly its column names, plus a sheet `config` of keys and values (lists as JSON)."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from . import faults, workbook
from .terms import CONFIG


def write(folder: Path, tables: dict[str, pd.DataFrame]) -> faults.Faults:
    """Write `plain/northlight.xlsx`; the planted faults come back."""
    tables, planted = faults.plain(tables)
    config = [("key", "value"), *((key, json.dumps(value) if isinstance(value, (dict, list)) else value) for key, value in CONFIG.items())]
    workbook.write(folder / "plain" / "northlight.xlsx",
                   {"config": config} | {name: [list(frame.columns), *frame.itertuples(index=False)] for name, frame in tables.items()})
    return [(fault, f"plain/northlight.xlsx: {place}", count) for fault, place, count in planted]
