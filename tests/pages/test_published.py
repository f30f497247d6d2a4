"""Closing a review, published numbers beside today's, parts and receipts in the drawer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from revscore.store import Store
from tests.governance.company import LATER, keep, one, opened, publish, tables


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A company whose closed quarter reads differently a month later: an amount edited, a deal gone."""
    path = tmp_path / "store.sqlite"
    store = opened(path)
    publish(store)
    rows = tables()
    one(rows["opp_history"], event_id="D2-2")["amount"] = 3500.0
    rows["opportunities"] = [row for row in rows["opportunities"] if row["opp_id"] != "D3"]
    rows["opp_history"] = [row for row in rows["opp_history"] if row["opp_id"] != "D3"]
    keep(store, rows, LATER)
    store.close()
    return path


@pytest.fixture
def own(filled: Path, tmp_path: Path) -> Path:
    """The small company in a store that a test may write to."""
    return Path(shutil.copy(filled, tmp_path / "own.sqlite"))


def said(test) -> str:
    return "\n".join([*(m.value for m in test.markdown), *(c.value for c in test.caption)]).replace("\\", "")


def receipts(test) -> list[str]:
    return [block.value for block in test.code]


def test_without_a_publication_the_page_says_how_to_make_one(app, filled):
    test = app(filled, "restatement")
    assert not test.exception and "Nothing is published yet" in said(test)


def test_a_review_is_closed_with_a_button_that_says_what_it_keeps(app, own):
    test = app(own, "weekly", period="This quarter")
    test.button(key="close-and-publish").click().run()
    assert not test.exception and "numbers** of the weekly review are kept" in said(test) and "**Loads**: 1" in said(test)
    test.text_input(key="closed-by").set_value("Ada")
    test.button(key="close-and-publish").click()  # a run of the whole app, which would close the dialog
    test.button(key="publish").click().run()
    assert not test.exception
    store = Store(own)
    [publication] = store.publications("company")
    assert (publication.review, publication.published_by) == ("weekly", "Ada")
    values = store.published(publication.id)
    assert {"bookings.won_value", "pipeline.bridge"} <= {value.metric for value in values}
    store.close()
    page = app(own, "restatement")
    assert not page.exception and f"Nothing was restated: all {len(values)} numbers read today as they were published." in said(page)


def test_the_page_shows_each_value_then_and_today_and_why(app, company):
    test = app(company, "restatement")
    assert not test.exception
    assert "published numbers read differently today" in said(test) and "Causes: vanished and edited." in said(test)
    frame = next(d.value for d in test.dataframe if "As published" in d.value.columns).set_index("Number")
    assert frame.loc["Bookings", ["As published", "Today", "Difference", "Vanished", "Edited", "Unexplained"]].tolist() == ["$10.0k", "$6.50k", "−$3.50k", "−$4.00k", "+$500", "0"]
    shown = len(frame)
    test.toggle(key="all-published").set_value(True).run()
    assert len(next(d.value for d in test.dataframe if "As published" in d.value.columns)) > shown


def test_a_row_opens_to_the_records_of_each_leg_and_both_receipts(app, company):
    test = app(company, "restatement")
    names = next(d.value for d in test.dataframe if "As published" in d.value.columns)["Number"].tolist()
    test.session_state["published-values"] = {"selection": {"rows": [names.index("Bookings")], "columns": [], "cells": []}}
    test.run()
    assert not test.exception and "Vanished −$4.00k and Edited +$500; unexplained 0." in said(test)
    lists = [d.value for d in test.dataframe if "change" in d.value.columns]
    assert [(frame["id"].tolist(), frame["change"].tolist()) for frame in lists] == [(["D3"], [-4000.0]), (["D2"], [500.0])]
    then, now = receipts(test)
    assert "10000.0" in then and "6500.0" in now and "SHA-256" in then


def test_verify_on_the_page(app, company):
    test = app(company, "restatement")
    test.button(key="verify-now").click().run()
    assert not test.exception and "all are what was published" in test.success[0].value


def test_a_number_shows_its_receipt(app, filled):
    test = app(filled, "pipeline", period="All time")
    test.button(key="open-summary-bookings-won-value-value").click().run()
    [text] = receipts(test)
    assert not test.exception and all(word in text for word in ("bookings.won_value", "Loads        1", "Definitions", "counted", "SHA-256"))


def test_a_derived_number_opens_to_its_parts(app, filled):
    test = app(filled, "velocity", period="All time")
    test.button(key="open-summary-velocity-sales-velocity-per-day").click().run()
    assert not test.exception and "open deals × win rate × average deal" in said(test)
    assert {"Open deals", "Win rate", "Average deal", "Sales cycle, mean"} <= {metric.label.replace("\\", "") for metric in test.metric}
    assert "Made of" in receipts(test)[0] and test.button(key="open-part-1").help == "Open Win rate to its rows"
