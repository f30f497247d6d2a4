"""Small extracts for the tests of journeys and attribution: rows as short tuples, days counted from 1 January 2025, 12:00 UTC."""

from __future__ import annotations

from typing import Any

import pandas as pd

from revscore.core import schema
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.terms import Terms

DAY0 = pd.Timestamp("2025-01-01T12:00:00Z")
COLUMNS = {
    "leads": "lead_id created_at account_id converted_at converted_contact_id converted_opportunity_id duplicate_of is_test source_campaign_id segment",
    "lead_stage_history": "event_id lead_id stage entered_at",
    "contacts": "contact_id created_at account_id lead_id",
    "accounts": "account_id segment",
    "opportunities": "opp_id created_at account_id segment loss_reason type currency",
    "opp_history": "event_id opp_id changed_at stage amount close_date",
    "opp_contact_roles": "opp_id contact_id",
    "touches": "touch_id person_id campaign_id occurred_at is_response owner_function",
    "campaigns": "campaign_id name budget actual_cost currency start_date",
    "activities": "activity_id person_id occurred_at type direction is_automated user_id",
    "users": "user_id function",
    "fx_rates": "currency kind start_date rate_to_corp",
}
DEFAULTS = {"is_test": False, "is_response": True, "owner_function": "marketing", "type": "new_business", "direction": "outbound", "is_automated": False,
            "currency": "USD"}


def day(number: float) -> pd.Timestamp:
    return DAY0 + pd.Timedelta(days=number)


def table(name: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows in the order of `COLUMNS`, the rest of each row by default; numbers in date columns are days."""
    columns = COLUMNS[name].split()
    filled = [[*row, *(DEFAULTS.get(c) if name != "activities" or c != "type" else "call" for c in columns[len(row):])] for row in rows]
    frame = pd.DataFrame(filled, columns=columns, dtype=object)
    out = {}
    for column in columns:
        spec, values = schema.TABLES[name].column(column), frame[column]
        if spec.type in ("ts", "date"):
            values = pd.to_datetime([None if pd.isna(v) else day(v) for v in values], utc=True)
            values = pd.Series(values) if spec.type == "ts" else pd.Series(values).dt.tz_localize(None).dt.normalize()
        out[column] = pd.Series(values).astype(schema.DTYPES[spec.type])
    return schema.conform(name, pd.DataFrame(out))


def coded(as_of: float = 300, config: dict[str, Any] | None = None, **tables: list[tuple[Any, ...]]) -> Coded:
    """An extract of the rows given (other tables absent) at day `as_of`."""
    data = CrmData({name: table(name, rows) for name, rows in tables.items()}, day(as_of))
    return Coded(data, Terms.from_config(config or {}).with_tables(data))


def deal(opp: str = "O1", created: float = 100, *, account: str | None = "A1", segment: str | None = None, amount: float = 1000.0,
         entry: float | None = None, won: float | None = None, lost: float | None = None, loss_reason: str | None = None,
         kind: str = "new_business") -> dict[str, list[tuple[Any, ...]]]:
    """The rows of one deal: in pipeline from `entry` (its creation by default), closed when `won` or `lost` is given."""
    entered = created if entry is None else entry
    history = [(f"{opp}-1", opp, entered, "Discovery", amount, entered + 60)]
    for stage, at in (("Closed Won", won), ("Closed Lost", lost)):
        if at is not None:
            history.append((f"{opp}-2", opp, at, stage, amount, at))
    return {"opportunities": [(opp, created, account, segment, loss_reason, kind)], "opp_history": history}


def merged(*parts: dict[str, list[tuple[Any, ...]]], **more: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of several deals and further rows, table by table."""
    out: dict[str, list[tuple[Any, ...]]] = {}
    for part in (*parts, more):
        for name, rows in part.items():
            out[name] = out.get(name, []) + rows
    return out


CAMPAIGNS = [(f"C{k}", f"Campaign {k}", 100.0, 50.0) for k in range(1, 7)]
