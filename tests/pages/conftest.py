"""A small company in a store of its own, for tests that run the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from revscore.core import schema
from revscore.core.data import CrmData
from revscore.store import Store

ROOT = Path(__file__).parents[2]
AS_OF = pd.Timestamp("2026-06-15T12:00:00Z")


def _frame(table: str, rows: list[dict]) -> pd.DataFrame:
    dtypes = {column.name: schema.DTYPES[column.type] for column in schema.TABLES[table].columns}
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("us") if dtypes[name].endswith("UTC]") else frame[name].astype(dtypes[name])
    return schema.conform(table, frame)


def small_company() -> CrmData:
    """Forty leads and twelve deals over four months; one account name that would be Markdown."""
    days = pd.date_range("2026-02-02T10:00:00Z", periods=40, freq="3D")
    leads, events = [], []
    for k, day in enumerate(days):
        lead = f"L{k:02d}"
        leads.append({"lead_id": lead, "segment": ("SMB", "Enterprise")[k % 2], "region": ("EMEA", "AMER")[k % 3 == 0], "owner_id": f"U{k % 3}", "created_at": day,
                      "lead_source": "Web", "is_test": False})
        for step, stage in enumerate(("inquiry", "mql", "sal", "sql")[: 1 + k % 4]):
            events.append({"event_id": f"{lead}-{step}", "lead_id": lead, "stage": stage, "entered_at": day + pd.Timedelta(days=2 * step)})
    deals, history = [], []
    for k in range(12):
        day, deal = days[3 * k], f"O{k:02d}"
        deals.append({"opp_id": deal, "name": f"![deal](http://x.example/{k})", "segment": ("SMB", "Enterprise")[k % 2], "region": "EMEA", "type": "new_business", "owner_id": f"U{k % 3}",
                      "created_at": day, "currency": "USD", "loss_reason": "Price" if k % 4 == 3 else None, "next_step": "=cmd|'/c calc'!A1"})
        path = ["Prospecting", "Discovery", "Proposal", ("Negotiation", "Closed Won", "Closed Won", "Closed Lost")[k % 4]]
        for step, stage in enumerate(path):
            history.append({"event_id": f"{deal}-{step}", "opp_id": deal, "changed_at": day + pd.Timedelta(days=5 * step), "stage": stage, "amount": 1000.0 * (k + 1),
                            "close_date": (day + pd.Timedelta(days=15 if k % 4 else 60)).tz_localize(None).normalize(), "forecast_category": "pipeline"})
    users = [{"user_id": f"U{k}", "name": name, "function": "sales"} for k, name in enumerate(("Ada *Bold* Nayfield", "Bo Chen", "Cy Duarte"))]
    tables = {"leads": leads, "lead_stage_history": events, "opportunities": deals, "opp_history": history, "users": users}
    return CrmData({name: _frame(name, rows) for name, rows in tables.items()}, AS_OF)


def _store(path: Path, data: CrmData) -> None:
    store = Store(path)
    rows = sum(len(frame) for frame in data.tables.values())
    ledger = pd.DataFrame({"file": ["small.xlsx"], "read": [rows], "kept": [rows]})
    store.save_load("company", data, ledger, ledger.iloc[:0], files=(), rows_read=rows, rows_kept=rows, rows_quarantined=0, by="test")
    store.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "store.sqlite"
    _store(path, small_company())
    return path


@pytest.fixture(scope="session")
def aimed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company with targets: one for April 2026 that was missed, three for May, of which only leads are enough for a call, and two for June, which is running."""
    path = tmp_path_factory.mktemp("aimed") / "store.sqlite"
    data = small_company()
    rows = [{"target_id": f"T{k}", "metric_id": metric, "period_start": start, "period_end": end, "value": value, "direction": "up", "owner_function": "sales", "pacing": pacing}
            for k, (metric, start, end, value, pacing) in enumerate([
                ("bookings.won.value", "2026-05-01", "2026-05-31", 9000.0, "linear"), ("pipeline.created.value", "2026-05-01", "2026-05-31", 900_000.0, "linear"),
                ("funnel.entries.mql", "2026-05-01", "2026-05-31", 5.0, "linear"), ("funnel.entries.mql", "2026-04-01", "2026-04-30", 50.0, "linear"),
                ("bookings.won.value", "2026-06-01", "2026-06-30", 90_000.0, "linear"), ("winrate.count", "2026-06-01", "2026-06-30", 0.4, "none")])]
    frame = pd.DataFrame(rows).assign(period_start=lambda f: pd.to_datetime(f["period_start"]).dt.as_unit("us"), period_end=lambda f: pd.to_datetime(f["period_end"]).dt.as_unit("us"))
    _store(path, CrmData({**data.tables, "targets": schema.conform("targets", frame)}, AS_OF))
    return path


@pytest.fixture(scope="session")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company in two loads: as it stood on 15 May, and a month later."""
    path = tmp_path_factory.mktemp("twice") / "store.sqlite"
    whole, day = small_company(), pd.Timestamp("2026-05-15T12:00:00Z")
    when = {"leads": "created_at", "lead_stage_history": "entered_at", "opportunities": "created_at", "opp_history": "changed_at"}
    early = {name: frame[frame[when[name]] <= day] if name in when else frame for name, frame in whole.tables.items()}
    _store(path, CrmData({name: frame.reset_index(drop=True) for name, frame in early.items()}, day))
    _store(path, whole)
    return path


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company whose extract has leads without any row, and nothing else."""
    path = tmp_path_factory.mktemp("bare") / "store.sqlite"
    _store(path, CrmData({"leads": schema.empty("leads")}, AS_OF))
    return path


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """`app(store, page, **address)` runs a page and gives the AppTest; the pages that prepare a meeting with all their screens open, unless `everything="false"`."""

    def run(store: Path, page: str = "scorecard", **address: str | list[str]) -> AppTest:
        st.cache_resource.clear()
        monkeypatch.setenv("REVSCORE_DB", str(store))
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in ({"everything": "true"} | address if page in ("weekly", "monthly") else address).items():
            test.query_params[name] = value
        test.run()
        return test if page == "scorecard" else test.switch_page(f"pages/{page}.py").run()

    yield run
    st.cache_resource.clear()
