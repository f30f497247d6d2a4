"""Every number that a page draws opens: tiles, charts and tables, on every page, of a company with all that an extract can have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from revscore.intake import load_folder
from tests.pages.conftest import ROOT, _store
from tests.pages.test_pages import said

PAGES = ("scorecard", "weekly", "monthly", "funnel", "pipeline", "velocity", "sla", "campaigns", "wins", "retention", "quality", "triage", "restatement")
DRAWN = ("vega_lite_chart", "arrow_vega_lite_chart", "dataframe", "arrow_data_frame", "metric")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company with every table."""
    path = tmp_path_factory.mktemp("whole") / "store.sqlite"
    _store(path, load_folder(ROOT / "tests/golden/data")[0])
    return path


def drawn(test: Any) -> Iterator[tuple[str, str, bool]]:
    """Kind, place (the keys of the containers around it) and whether it opens: by its own marks, rows or cells, or by a button beside it."""
    def walk(block: Any, place: str) -> Iterator[tuple[str, str, bool]]:
        around = [child for child in block.children.values()]
        button = any(getattr(child, "type", "") == "button" and str(child.key).startswith(("rows-", "open-")) for child in around)
        for child in around:
            if hasattr(child, "children"):
                yield from walk(child, f"{place}/{getattr(child, 'key', None) or ''}".replace("//", "/"))
            elif child.type in DRAWN:
                yield child.type, place, button or bool(len(getattr(child.proto, "selection_mode", ())))

    yield from walk(test.main, "")


@pytest.mark.parametrize("page", PAGES)
def test_whatever_a_page_draws_of_numbers_opens(app, whole, page):
    for period in ("This quarter", "All time"):
        test = app(whole, page, period=period)
        assert not test.exception
        found = list(drawn(test))
        assert found or page == "restatement" or "Nothing is left" in said(test)
        assert [(kind, place) for kind, place, opens in found if not opens] == [], period


def opened(test: Any, key: str, cell: tuple[int, str]) -> Any:
    """The page after the reader chose a cell."""
    test.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": [cell]}}
    return test.run()


def shown(test: Any, key: str) -> Any:
    return next(one.value for one in test.dataframe if one.key == key)


def data_of(test: Any, chart: str) -> pd.DataFrame:
    """What a chart was given to draw."""
    drawing = next(one for kind in DRAWN[:2] for one in test.get(kind) if one.proto.id.endswith(f"drawing-{chart}"))
    sent = drawing.proto.datasets[0].data.data if drawing.proto.datasets else drawing.proto.data.data
    return pa.ipc.open_stream(sent).read_pandas()


def counted(test: Any) -> Any:
    return next(one.value for one in test.dataframe if "contribution" in one.value.columns)


def receipts(test: Any) -> str:
    return "\n".join(one.value for one in test.code)


def test_a_reason_opens_to_the_leads_that_gave_it(app, whole):
    test = app(whole, "funnel", period="All time")
    reasons = shown(test, "reasons")
    for row in range(len(reasons)):
        test = opened(app(whole, "funnel", period="All time"), "reasons", (row, "leads"))
        assert not test.exception
        assert len(counted(test)) == reasons["leads"].iloc[row] and "SHA-256" in receipts(test)


def test_a_cell_of_a_segment_opens_to_the_accounts_of_that_segment(app, whole):
    first = shown(app(whole, "retention"), "segments")
    for column in ("accounts", "opening_arr", "nrr", "grr", "logo_retention"):
        test = opened(app(whole, "retention"), "segments", (0, column))
        assert not test.exception and "SHA-256" in receipts(test)
        assert set(counted(test)["segment"]) == {first["segment"].iloc[0]}
        assert first[column].iloc[0] in (*(one.value.replace("\\", "") for one in test.metric), f"{len(counted(test)):,}", "–")


def test_a_point_of_net_retention_opens_to_its_year(app, whole):
    test = app(whole, "retention")
    test.session_state["drawing-retention-trend"] = {"selection": {"pick": [{"period": data_of(test, "retention-trend")["period"].iloc[-1]}]}}
    test.run()
    assert not test.exception and "the year to" in " ".join(one.label for one in test.metric)
    assert len(counted(test)) and "SHA-256" in receipts(test)


def test_a_controlled_test_opens_to_its_arms(app, whole):
    rows = shown(app(whole, "campaigns"), "tests")
    test = opened(app(whole, "campaigns"), "tests", (len(rows) - 1, "difference"))
    assert not test.exception
    assert rows["arm"].iloc[-1] in receipts(test) and "successes ÷ people" in receipts(test) and "People of the control arm" in receipts(test)


def test_a_report_opens_to_what_it_says_and_what_is_canonical(app, whole):
    rows = shown(app(whole, "monthly"), "reports")
    for column in ("value", "canonical", "off_by_share"):
        test = opened(app(whole, "monthly"), "reports", (0, column))
        assert not test.exception and "SHA-256" in receipts(test)
        there = next(one.value for one in test.dataframe if "canonical" in one.value.columns and "contribution" in one.value.columns)
        assert len(there) >= 1 and (there["source"].str.replace("_", " ") == rows["source"].iloc[0]).all()


def test_the_parts_of_a_split_open_to_the_rates_that_they_are_worked_out_from(app, whole):
    period = "This quarter"
    rows = shown(app(whole, "wins", period=period), "groups-winrate.closed_in_period")
    for column in ("mix", "rate", "total"):
        test = opened(app(whole, "wins", period=period), "groups-winrate.closed_in_period", (0, column))
        assert not test.exception
        assert rows[column].iloc[0] in [one.value.replace("\\", "") for one in test.metric] and "SHA-256" in receipts(test) and "Share of" in " ".join(one.label for one in test.metric)
        assert test.button(key="open-part-0")
    for column in ("before", "now"):
        test = opened(app(whole, "wins", period=period), "groups-winrate.closed_in_period", (0, column))
        assert not test.exception and f"{rows[column].iloc[0]}" in said(test).replace("\\", "")


@pytest.mark.parametrize(("page", "chart"), [("velocity", "decisions"), ("velocity", "win-chance"), ("sla", "response"), ("funnel", "curves")])
def test_a_point_of_a_curve_opens_to_those_it_follows(app, whole, page, chart):
    test = app(whole, page, period="All time")
    test.session_state[f"drawing-{chart}"] = {"selection": {"pick": [{"curve": data_of(test, chart)["curve"].iloc[-1], "t": 10.0}]}}
    test.run()
    assert not test.exception
    assert "are followed for so long" in said(test) and "SHA-256" in receipts(test)
