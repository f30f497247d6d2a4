"""The data page by itself: upload, recognise, correct, answer, store; loads with their ledgers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from revscore import company
from revscore.company import shown
from tests.extracts import DEALS, HISTORY, LEADS, leads

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with a small sample company, for the page to open."""
    place = tmp_path / "store.sqlite"
    monkeypatch.setenv("REVSCORE_DB", str(place))
    small = tmp_path / "leads.csv"
    small.write_text(LEADS, encoding="utf-8")
    monkeypatch.setattr(shown, "SAMPLE_FILE", small)
    st.cache_resource.clear()
    store = company.open_store(place)
    company.ensure_sample(store)
    yield store
    store.close()
    st.cache_resource.clear()


@pytest.fixture
def page(store):
    at = AppTest.from_file(APP, default_timeout=60).switch_page("pages/data.py").run()
    assert not at.exception
    return at


def upload(at: AppTest, *files: tuple[str, str]) -> AppTest:
    at.file_uploader[0].set_value([(name, text.encode(), "text/csv") for name, text in files]).run()
    assert not at.exception
    return at


def button(at: AppTest, start: str):
    return next(b for b in at.button if b.label.startswith(start))


def words(at: AppTest) -> str:
    return " ".join(str(e.value) for kind in (at.info, at.success, at.warning, at.error, at.caption, at.subheader, at.markdown) for e in kind).replace("\\", "")


def test_it_says_whose_data_are_shown(page):
    assert page.title[0].value == "Data"
    assert "Sample company" in page.caption[0].value


def test_an_upload_is_shown_before_it_is_stored(page, store):
    upload(page, ("leads.csv", LEADS))
    assert "4 rows read: 3 kept and 1 held back" in words(page)
    frame = next(d.value for d in page.dataframe if "Holds" in d.value.columns)
    assert frame["Holds"].tolist() == ["Leads"] and frame["Headings used"].tolist() == ["6 of 6"]
    assert not store.loads("company")


def test_storing_loads_once_and_the_page_shows_the_own_company(page, store):
    upload(page, ("leads.csv", LEADS))
    button(page, "Store 3 rows").click().run()
    assert not page.exception
    assert "Loaded as load" in words(page) and "Your company" in page.caption[0].value
    assert [load.rows_quarantined for load in store.loads("company")] == [1]
    upload(page, ("leads again.csv", LEADS))
    assert "Already loaded" in words(page) and not any(b.label.startswith("Store") for b in page.button)
    button(page, "Put these files away").click().run()
    assert "Already loaded" not in words(page) and len(store.loads("company")) == 1


def test_a_refused_file_says_why_and_offers_nothing_to_store(page, store):
    upload(page, ("notes.csv", "%PDF-1.7 this is no table"))
    assert any("Refused" in e.value for e in page.error)
    assert not any(b.label.startswith("Store") for b in page.button)


def test_questions_of_stages_are_asked_and_the_answer_counts(page, store):
    upload(page, ("deals.csv", DEALS.replace("Dune,Discovery", "Dune,Zwischenstand")))
    question = next(s for s in page.selectbox if "Zwischenstand" in s.label)
    question.set_value("lost")
    button(page, "Use these answers").click().run()
    assert not page.exception and "stage:Zwischenstand = lost" in words(page)
    button(page, "Store").click().run()
    x = company.coded(store, "company")
    assert x.opps.lost.sum() == 2


def test_a_sheet_that_nothing_is_known_of_can_be_mapped_by_hand(page, store):
    upload(page, ("kontakte.csv", "Ref,Wann,Woher\nK1,2026-03-02,Messe\nK2,2026-03-03,Web\n"))
    next(s for s in page.selectbox if s.label == "This sheet holds").set_value("lead").run()
    assert not page.exception and "lead id or email" in words(page)
    key = next(key for key in page.session_state._state.filtered_state if key.startswith("columns-") and key.endswith("-lead"))
    page.session_state[key] = {"edited_rows": {0: {"Goes to": "lead_id"}, 1: {"Goes to": "created_at"}}, "added_rows": [], "deleted_rows": []}
    page.run()
    button(page, "Read again this way").click().run()
    button(page, "Store 2 rows").click().run()
    assert company.coded(store, "company").data.table("leads")["lead_id"].tolist() == ["K1", "K2"]


def test_loads_open_with_their_ledger(page, store):
    company.load(store, "company", leads(), as_of=pd.Timestamp("2026-03-31T12:00:00Z"))
    page.session_state["data-tab"] = ":material/history: Loads"
    page.run()
    page.session_state["loads-company"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page.run()
    assert not page.exception
    assert "9 rows read = 8 kept + 1 held back" in words(page)
    assert any("to mend" in b.label for b in page.get("download_button"))


def test_what_the_extract_cannot_give_is_listed(page, store):
    page.session_state["data-tab"] = ":material/fact_check: What the extract gives"
    page.run()
    assert not page.exception
    lacking = next(d.value for d in page.dataframe if "Needs" in d.value.columns)
    assert "bookings.won_value" in lacking["Metric"].tolist()


def test_a_name_in_the_data_is_never_markdown(page):
    hostile = "![](http://evil.example/x.png)"
    upload(page, (f"{hostile.replace('/', '_')}.csv", LEADS.replace("segment", hostile)))
    shown_as_markdown = [e.value for kind in (page.markdown, page.caption, page.info, page.warning, page.error, page.success) for e in kind]
    assert not any("![](" in str(text) for text in shown_as_markdown)


def test_two_files_are_one_load(page, store):
    upload(page, ("leads.csv", LEADS), ("lead_stage_history.csv", HISTORY))
    button(page, "Store 8 rows").click().run()
    assert len(store.loads("company")) == 1 and len(store.loads("company")[0].files) == 2
