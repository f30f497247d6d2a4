"""Stores to test on: a SQLite file, and PostgreSQL when REVSCORE_TEST_POSTGRES names a server (as a superuser: each test has a schema of its own)."""

from __future__ import annotations

import os
import uuid
from importlib.util import find_spec

import pandas as pd
import pytest
from sqlalchemy import URL, create_engine, make_url

from revscore.core.data import CrmData
from revscore.store import LoadFile, LoadResult, Store
from tests.extracts import canonical


def _own_database(url: URL, name: str) -> URL:
    """The address of the database `name` on the server of `url`, made if it is not there."""
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        if not connection.exec_driver_sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'").scalar():
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return url.set(database=name)


@pytest.fixture
def server():
    """The address of an empty store on a PostgreSQL server."""
    server = os.environ.get("REVSCORE_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL server: set REVSCORE_TEST_POSTGRES to its URL")
    if find_spec("psycopg") is None:
        pytest.skip("no PostgreSQL driver: pip install \"psycopg[binary]\"")
    name = f"revscore_test_{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # stores of one database share its lock for writing
        url = _own_database(url, f"revscore_test_{worker}")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    yield url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """The address of an empty store, on each engine."""
    return tmp_path / "store.sqlite" if request.param == "sqlite" else request.getfixturevalue("server")


@pytest.fixture
def store(place):
    store = Store(place)
    yield store
    store.close()


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC").as_unit("us")


def crm(as_of: str, derived: dict[str, str] | None = None, **tables: dict[str, list]) -> CrmData:
    """CrmData from columns: `crm("2026-03-02", accounts={"account_id": ["A1"], "name": ["Acme"]})`."""
    return CrmData(canonical(tables), utc(as_of), derived or {})


def load(store: Store, data: CrmData, dataset: str = "company", **more) -> LoadResult:
    rows = sum(len(frame) for frame in data.tables.values())
    nothing = pd.DataFrame({"file": pd.Series(dtype="str")})
    return store.save_load(dataset, data, more.pop("sheets", nothing), more.pop("findings", nothing),
                           **{"files": [LoadFile("deals.csv", "0" * 64)], "rows_read": rows, "rows_kept": rows, "rows_quarantined": 0,
                              "by": "ann", **more})


def same(left: CrmData, right: CrmData) -> None:
    assert set(left.tables) == set(right.tables)
    for name in left.tables:
        pd.testing.assert_frame_equal(left.tables[name], right.tables[name])
