"""A company of eight deals and six leads, small enough to be checked in the head, and ways to change its next extract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from revscore import company
from revscore.core.calendars import Period, day_number
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.view import View
from revscore.governance import publishing
from revscore.store import Publication, Store
from tests.extracts import canonical
from tests.people import ANN

AS_OF, LATER = pd.Timestamp("2026-03-31T18:00:00Z"), pd.Timestamp("2026-04-30T18:00:00Z")
QUARTER = Period(day_number("2026-01-01"), day_number("2026-04-01"), "Q1")
TEAM_A = ("U1", "U2")
Rows = list[dict[str, Any]]


def tables() -> dict[str, Rows]:
    """Deals D0 to D7 of 1,000 × (k + 1), entered in January, D0 to D3 won in March, D4 lost, D5 to D7 open; owners U1 … U4 in turn. Leads L0 to
    L5, MQL on 1 February, SAL k × 5 days later."""
    deals = [{"opp_id": f"D{k}", "name": f"Deal {k}", "segment": ("SMB", "Enterprise")[k % 2], "type": "new_business", "currency": "USD", "owner_id": f"U{k % 4 + 1}",
              "created_at": "2026-01-05T10:00:00Z", "region": "EMEA", "lead_source": "Web"} for k in range(8)]
    history: Rows = []
    for k in range(8):
        end = "Closed Won" if k < 4 else "Closed Lost" if k == 4 else "Proposal"
        for step, (day, stage) in enumerate((("2026-01-12", "Discovery"), ("2026-02-10", "Proposal"), (f"2026-03-{10 + k:02d}", end))):
            history.append({"event_id": f"D{k}-{step}", "opp_id": f"D{k}", "changed_at": f"{day}T12:00:00Z", "stage": stage, "amount": 1000.0 * (k + 1),
                            "close_date": f"2026-03-{10 + k:02d}", "forecast_category": "pipeline"})
    leads = [{"lead_id": f"L{k}", "email": f"l{k}@x.example", "segment": "SMB", "region": "EMEA", "owner_id": "U1", "created_at": "2026-01-20T09:00:00Z", "lead_source": "Web",
              "is_test": False} for k in range(6)]
    stages: Rows = []
    for k in range(6):
        for step, (at, stage) in enumerate((("2026-01-20T09:00:00Z", "inquiry"), ("2026-02-01T09:00:00Z", "mql"),
                                            (str(pd.Timestamp("2026-02-01T10:00:00Z") + pd.Timedelta(days=5 * k)), "sal"))):
            stages.append({"event_id": f"L{k}-{step}", "lead_id": f"L{k}", "stage": stage, "entered_at": at})
    users = [{"user_id": f"U{k}", "name": f"Person {k}", "function": "sales"} for k in range(1, 5)]
    return {"opportunities": deals, "opp_history": history, "leads": leads, "lead_stage_history": stages, "users": users}


def extract(rows: Mapping[str, Rows], as_of: pd.Timestamp) -> CrmData:
    return CrmData(canonical(rows), as_of)


def one(rows: Rows, **where: Any) -> dict[str, Any]:
    """The row with these values."""
    return next(row for row in rows if all(row[name] == value for name, value in where.items()))


def keep(store: Store, rows: Mapping[str, Rows], as_of: pd.Timestamp) -> None:
    data, nothing = extract(rows, as_of), pd.DataFrame({"file": pd.Series(dtype="str")})
    n = sum(map(len, data.tables.values()))
    store.save_load("company", data, nothing, nothing, files=(), rows_read=n, rows_kept=n, rows_quarantined=0, by="test")


NUMBERS = (("bookings.won_value", "value", {}), ("winrate.closed_in_period", "count_rate", {}), ("winrate.closed_in_period", "value_rate", {}), ("pipeline.open", "value", {}),
           ("pipeline.created", "value", {}), ("deal_size", "median", {}), ("velocity.cycle_time_won", "median", {}), ("velocity.sales_velocity", "per_day", {}),
           ("funnel.cohort_conversion", "rate_mature", {"pair": "mql->sal"}), ("funnel.km_conversion", "t50", {}))


def numbers(view: View = View(QUARTER), some: Sequence[tuple[str, str, dict[str, str]]] = NUMBERS) -> list[Number]:
    return [Number.of(CARDS[card], view.narrowed(**own), stat) for card, stat, own in some]


def publish(store: Store, view: View = View(QUARTER), x: Coded | None = None) -> Publication:
    return publishing.publish(store, x or company.coded(store, "company"), numbers(view), "weekly", "Weekly review", view, ANN)


def opened(path: Path) -> Store:
    """A store with the company as of the end of March."""
    store = Store(path)
    keep(store, tables(), AS_OF)
    return store
