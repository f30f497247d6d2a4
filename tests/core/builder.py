"""Small extracts for tests, typed by hand: `extract(leads=[...], lead_events=[...], opportunities=[...], deal_events=[...])`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from revscore.core import schema
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.terms import Terms

AS_OF = "2026-06-30T12:00:00Z"


def table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """`rows` as a canonical table; text dates become dates, absent columns stay absent."""
    columns = {}
    for column in schema.TABLES[name].columns:
        if rows and not any(column.name in row for row in rows):
            continue
        values = pd.Series([row.get(column.name) for row in rows], dtype="object")
        if column.type == "ts":
            values = pd.to_datetime(values, utc=True, format="ISO8601")
        elif column.type == "date":
            values = pd.to_datetime(values)
        columns[column.name] = values
    return schema.conform(name, pd.DataFrame(columns))


def extract(as_of: str = AS_OF, terms: Terms | None = None, **tables: list[dict[str, Any]]) -> Coded:
    """A coded extract. `lead_events=("L1", "mql", "2026-06-01T10:00Z")` and `deal_events=("O1", at, stage, amount, close date)` are short forms."""
    made: dict[str, pd.DataFrame] = {}
    for name, rows in tables.items():
        if name == "lead_events":
            name, rows = "lead_stage_history", [{"event_id": f"E{k:04}", "lead_id": lead, "stage": stage, "entered_at": at} for k, (lead, stage, at) in enumerate(rows)]
        elif name == "deal_events":
            name, rows = "opp_history", [{"event_id": f"E{k:04}", "opp_id": opp, "changed_at": at, "stage": stage, "amount": amount, "close_date": close,
                                          "forecast_category": rest[0] if rest else "pipeline"} for k, (opp, at, stage, amount, close, *rest) in enumerate(rows)]
        made[name] = table(name, rows)
    data = CrmData(made, pd.Timestamp(as_of))
    return Coded(data, (terms or Terms()).with_tables(data))


def lead(lead_id: str, created_at: str = "2026-05-01T00:00Z", **more: Any) -> dict[str, Any]:
    return {"lead_id": lead_id, "created_at": created_at, "segment": "SMB", **more}


def deal(opp_id: str, created_at: str = "2026-05-01T00:00Z", **more: Any) -> dict[str, Any]:
    return {"opp_id": opp_id, "created_at": created_at, "type": "new_business", "segment": "SMB", "currency": "USD", **more}
