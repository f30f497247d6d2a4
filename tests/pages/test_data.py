"""The data page by itself: upload, recognise, correct, answer, store; loads with their ledgers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from revscore import company
from revscore.company import shown
from revscore.export.returns import written
from revscore.people import LOCAL
from revscore.ui import bench
from tests.extracts import DEALS, HISTORY, LEADS, leads, source
from tests.people import ANN

AS_OF = pd.Timestamp("2026-03-31T23:59:59Z")
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
    assert "Loaded as load" in words(page) and "My company" in page.caption[0].value
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
    assert not page.exception and "stage of Zwischenstand: lost" in words(page)
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
    company.load(store, "company", leads(), as_of=pd.Timestamp("2026-03-31T12:00:00Z"), by=LOCAL)
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


# -- what speaks against a load, files that come back, memory -------------------------------------------------------------------------------

def loaded(store, text: str = DEALS, by=ANN, **more) -> None:
    assert company.load(store, "company", [source("deals.csv", text)], as_of=AS_OF, by=by, **more).status == "loaded"


def test_a_correction_is_asked_about_and_needs_a_reason(page, store):
    loaded(store)
    upload(page, ("deals.csv", DEALS.replace("2500", "2600")))
    day = page.date_input[0]
    day.set_value(AS_OF.date()).run()
    assert "There is another extract for the same day already (load 2" in words(page) and button(page, "Store").disabled
    changes = next(d.value for d in page.dataframe if "Changed" in d.value.columns).set_index("Table")
    assert changes.loc["Opportunity history", "Changed"] == 1
    assert any("Open pipeline" in d.value.get("Number", pd.Series(dtype="str")).tolist() for d in page.dataframe)
    next(c for c in page.checkbox if c.label.startswith("Yes, count")).check().run()
    assert button(page, "Store").disabled
    next(t for t in page.text_input if t.label.startswith("Why?")).set_value("Dune's amount was wrong").run()
    button(page, "Store").click().run()
    assert not page.exception and store.loads("company")[0].why == "Dune's amount was wrong" and store.loads("company")[0].corrects == 2


def test_who_is_overtaken_is_asked_and_told_by_whom(page, store):
    upload(page, ("deals.csv", DEALS.replace("2500", "2600")))
    page.date_input[0].set_value(AS_OF.date()).run()
    loaded(store)                                                                     # another one, meanwhile
    button(page, "Store").click().run()
    assert not page.exception and "loaded by ann" in words(page) and len(store.loads("company")) == 1
    assert any(c.label.startswith("Yes, count") for c in page.checkbox)


def test_a_double_click_is_one_load_and_one_good_word(page, store):
    upload(page, ("leads.csv", LEADS))
    work = page.session_state["bench"]
    company.save(store, work.draft, by=LOCAL)                                                   # the first of two clicks, whose page never came
    work.sent = True
    button(page, "Store 3 rows").click().run()
    assert "Loaded as load 2" in words(page) and "Already" not in words(page) and len(store.loads("company")) == 1


def test_rows_to_mend_and_accepted_rows_are_offered_after_the_load_and_later(page, store):
    upload(page, ("leads.csv", LEADS))
    button(page, "Store 3 rows").click().run()
    labels = [b.label for b in page.get("download_button")]
    assert labels == ["Accepted rows · Excel", "Accepted rows · CSV (zip)", "1 row to mend · Excel", "1 row to mend · CSV"]
    [(place, frame)] = company.to_mend(store.ledger(2)[1], store.load(2)).items()
    upload(page, ("back.csv", written({place: frame.assign(created_at="2026-03-06")}, ".csv").decode("utf-8-sig")))
    assert "Completes load 2. 4 rows read: 4 kept" in words(page) and not page.date_input
    button(page, "Store 4 rows").click().run()
    assert "Loaded as load 3" in words(page) and store.load(3).corrects == 2


@pytest.mark.parametrize(("name", "content"), [("setup.exe", "MZ this is a program"), ("notes", "a,b\n1,2\n"), ("deals.csv.lnk", "x")])
def test_a_file_of_another_type_gets_our_sentence(page, name, content):
    upload(page, (name, content))
    assert any(name in e.value.replace("\\", "") and "load .xlsx, .csv" in e.value.replace("\\", "") for e in page.error)


def test_nothing_of_an_upload_stays(page, store):
    upload(page, ("leads.csv", LEADS))
    assert page.session_state["bench"].draft is not None
    button(page, "Store 3 rows").click().run()
    work = page.session_state["bench"]
    assert (work.draft, work.found, work.sums) == (None, None, {}) and not page.file_uploader[0].value
    upload(page, ("leads.csv", LEADS.replace("SMB", "Mid")))
    page.switch_page("pages/glossary.py").run()
    assert not page.exception and "bench" not in page.session_state


def test_what_closed_windows_left_behind_is_dropped():
    class Files:
        file_storage = {"here": 1, "gone": 1}

        def remove_session_files(self, session: str) -> None:
            del self.file_storage[session]

    class Server:
        def is_active_session(self, session: str) -> bool:
            return session == "here"

    keeper, left = bench.Keeper(Server(), Files()), bench.Bench(token="x", draft=object())
    keeper.benches["gone"] = left
    keeper.sweep(100.0)
    keeper.sweep(115.0)
    assert "gone" in Files.file_storage and left.draft is not None                    # a broken line may come back
    keeper.sweep(131.0)
    assert list(Files.file_storage) == ["here"] and left.draft is None
