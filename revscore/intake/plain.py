"""The plain schema: tables that are canonical already. Words and rows stay exactly as they are; only types are read.

`load_folder` is the short way for a folder of canonical CSVs with its config.json (tests, batch jobs); `prepare` reads the same files
through the gate, with a ledger.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from revscore.core import schema
from revscore.core.data import CrmData
from revscore.core.terms import Terms
from revscore.intake.dates import read_dates
from revscore.intake.numbers import read_booleans, read_numbers


def read_text(path: Path) -> pd.DataFrame:
    """A UTF-8 CSV as text: nothing is read as a number, a date or as missing ("NA" is a word)."""
    return pd.read_csv(path, dtype="str", keep_default_na=False, na_filter=False, encoding="utf-8-sig", quoting=csv.QUOTE_MINIMAL)


def typed(kind: schema.ColumnType, text: pd.Series, zone: str) -> tuple[pd.Series, Any]:
    """(values, mask of filled cells that do not fit) of a canonical column; a time without a zone is UTC, empty is missing."""
    if kind in ("ts", "date"):
        dates = read_dates(text, kind, zone, naive="UTC")
        return dates.values, dates.bad
    if kind == "num":
        numbers = read_numbers(text, decimal=".")
        return numbers.values, numbers.bad
    if kind == "bool":
        return read_booleans(text)
    return text.where(text != ""), (text == "\x00").to_numpy()


def read_table(table: str, text: pd.DataFrame, zone: str) -> pd.DataFrame:
    """The canonical frame of a text frame.

    Raises ValueError with table, column, row and cell when a cell does not fit, or a needed column is not there.
    """
    spec = schema.TABLES[table]
    absent = [name for name in spec.needed if name not in text.columns]
    if absent:
        raise ValueError(f"{table}: column {', '.join(absent)} is not there; add it, or leave the table out")
    out = {}
    for column in spec.columns:
        if column.name in text.columns:
            values, bad = typed(column.type, text[column.name], zone)
            if bad.any():
                row = int(bad.argmax())
                raise ValueError(f"{table}, row {row + 2}, column {column.name}: {text[column.name].iloc[row]!r} is not a {column.type}")
            out[column.name] = values
    return schema.conform(table, pd.DataFrame(out, index=text.index))


def load_folder(path: Path | str) -> tuple[CrmData, Terms, Mapping[str, Any]]:
    """Canonical CSVs (named as their tables) and config.json of one folder: `(data, terms, config)`.

    Raises
    ------
    ValueError         a cell or a config key that cannot be read, or no `as_of` in config.json
    FileNotFoundError  no config.json
    """
    folder = Path(path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if "as_of" not in config:
        raise ValueError(f"{folder / 'config.json'}: as_of is not there; add the instant of the extract, such as 2026-11-16T13:00:00Z")
    zone = config.get("reporting_tz", "UTC")
    tables = {table: read_table(table, read_text(folder / f"{table}.csv"), zone)
              for table in schema.TABLES if (folder / f"{table}.csv").is_file()}
    as_of = read_dates(pd.Series([config["as_of"]], dtype="str"), "ts", zone).values.iloc[0]
    data = CrmData(tables, as_of)
    return data, Terms.from_config(config).with_tables(data), config
