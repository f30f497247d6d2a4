"""The RevOps triage as a page: the answer first, lists that are acted on, nothing hidden, sentences for what an extract lacks, data never as markup."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.receipt import receipt
from revscore.core.terms import Terms
from revscore.rhythm import disputes, triage
from revscore.store import Store
from tests.core.builder import table
from tests.pages.test_pages import said
from tests.people import BO
from tests.rhythm.test_exceptions import AS_OF, PLANTED, Tables, clean, of

_FAULTS = ("unassigned", "moved_back", "sla_breach_open")


def _save(path: Path, tables: Tables, *, as_of: str = AS_OF) -> None:
    store = Store(path)
    data = CrmData({name: table(name, rows) for name, rows in tables.items()}, pd.Timestamp(as_of))
    count = sum(len(frame) for frame in data.tables.values())
    ledger = pd.DataFrame({"file": ["small.xlsx"], "read": [count], "kept": [count]})
    store.save_load("company", data, ledger, ledger.iloc[:0], files=(), rows_read=count, rows_kept=count, rows_quarantined=0, by="test")
    store.close()


def _faulty() -> Tables:
    tables = copy.deepcopy(clean())
    for kind in _FAULTS:
        PLANTED[kind][1](tables)
    of(tables, "opp_history", event_id="O03-3")["close_date"] = "2026-06-20"
    of(tables, "opportunities", opp_id="O00")["name"] = "![deal](http://x.example) <img src=x>"
    return tables


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    _save(tmp_path / "store.sqlite", _faulty())
    return tmp_path / "store.sqlite"


def chosen(test, key: str, *rows: int):
    """The page after these rows of a list were chosen."""
    test.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    test.run()
    assert not test.exception
    return test


def sent(test, key: str, button: str):
    """The page after `button` was pressed while the first row of a list is chosen."""
    test.button(key=button).click()
    return chosen(test, key, 0)


def plain(test) -> str:
    """What is said, as readers see it."""
    return said(test).replace("\\", "")


def opened(test):
    test.toggle(key="all-kinds").set_value(True).run()
    assert not test.exception
    return test


def test_the_answer_comes_first_and_what_has_nothing_is_one_line(app, faulty) -> None:
    test = app(faulty, "triage")
    assert not test.exception
    text = plain(test)
    assert "exceptions are open" in text and "older than 5 business days; most:" in text
    assert [metric.label for metric in test.metric][:5] == ["Exception rate", "Routing failures", "Unassigned leads", "Duplicate leads", "Orphans"]
    nothing = next(caption.value for caption in test.caption if "Nothing found" in caption.value)
    assert "stages skipped" in nothing and "suspected duplicates" in nothing
    assert "owner at 80 % of the target, manager at 100 %" in text


def test_a_clean_company_says_that_nothing_is_open(app, tmp_path) -> None:
    _save(tmp_path / "store.sqlite", clean())
    test = app(tmp_path / "store.sqlite", "triage")
    assert not test.exception
    assert "No exception is open in this selection." in said(test) and "No promise is broken and open" in said(test) and "None. Any number can be disputed" in said(test)


def test_chosen_rows_are_assigned_put_right_and_accepted_and_stay_to_be_seen(app, faulty) -> None:
    test = opened(app(faulty, "triage"))
    chosen(test, "triage-unassigned", 0)
    test.text_input(key="text-triage-unassigned-assign").set_value("Give it to EMEA")
    test.selectbox(key="to-triage-unassigned").set_value("Bo Chen")
    sent(test, "triage-unassigned", "save-triage-unassigned")
    store = Store(faulty)
    log = triage.handled(store, "company")["unassigned|Lead|L00"]
    assert (log.status, log.to, log.note, log.by) == ("assigned", "Bo Chen", "Give it to EMEA", "local")
    assert any("Bo Chen by" in str(frame.value.get("state", "")) for frame in test.dataframe)

    test = chosen(opened(app(faulty, "triage")), "triage-hygiene", 0)
    test.segmented_control(key="what-triage-hygiene").set_value("accept")
    chosen(test, "triage-hygiene", 0)
    sent(test, "triage-hygiene", "save-triage-hygiene")
    assert "Say why it is fine as it is." in [error.value for error in test.error]
    test.text_input(key="text-triage-hygiene-accept").set_value("Signed")
    sent(test, "triage-hygiene", "save-triage-hygiene")
    assert triage.handled(store, "company")["hygiene|Deal|O03"].status == "accepted"
    assert "Put right or accepted" in said(opened(app(faulty, "triage")))
    store.close()


def test_a_kind_opens_to_its_records_and_an_owner_to_the_promises(app, faulty) -> None:
    test = app(faulty, "triage")
    kinds = next(frame.value for frame in test.dataframe if "label" in frame.value)
    chosen(test, "triage-kinds", kinds["label"].tolist().index("Nobody owns it"))
    assert any(frame.value.get("id", pd.Series()).tolist() == ["L00"] for frame in test.dataframe)
    test = chosen(app(faulty, "triage"), "breach-owners", 0)
    assert any("told" in frame.value and "next_told" in frame.value for frame in test.dataframe)


def test_a_row_opens_to_the_record_and_its_history(app, faulty) -> None:
    test = chosen(opened(app(faulty, "triage")), "triage-moved_back", 0)
    sent(test, "triage-moved_back", "rows-of-triage-moved_back")
    assert any("stage" in frame.value and "Negotiation" in frame.value["stage"].tolist() for frame in test.dataframe)


def test_names_from_data_are_never_markup(app, faulty) -> None:
    test = chosen(opened(app(faulty, "triage")), "triage-moved_back", 0)
    sent(test, "triage-moved_back", "rows-of-triage-moved_back")
    text = said(test)
    assert "@" not in text  # an address would be made a link
    assert r"\!\[deal\]" in text and r"\<img" in text
    assert not re.search(r"(?<!\\)(!\[|<img|<b>)", text)


@pytest.mark.parametrize("tables", [{"leads": [{"lead_id": "L1", "created_at": "2026-06-01T00:00Z"}]},
                                    {"opportunities": [{"opp_id": "O1", "created_at": "2026-06-01T00:00Z"}],
                                     "opp_history": [{"event_id": "1", "opp_id": "O1", "changed_at": "2026-06-01T00:00Z", "stage": "Discovery"}]}])
def test_a_poor_extract_says_what_each_kind_needs(app, tmp_path, tables) -> None:
    _save(tmp_path / "store.sqlite", tables)
    test = app(tmp_path / "store.sqlite", "triage")
    assert not test.exception
    lacking = [caption.value for caption in test.caption if "Not judged" in caption.value]
    assert lacking and any("routing log" in sentence and "which this extract lacks" in sentence for sentence in lacking)


def test_what_a_later_load_no_longer_shows_is_said_to_be_done(app, faulty) -> None:
    test = chosen(opened(app(faulty, "triage")), "triage-unassigned", 0)
    sent(test, "triage-unassigned", "save-triage-unassigned")
    _save(faulty, clean(), as_of="2026-07-01T12:00:00Z")
    assert "No longer found, so done: Lead L00 (nobody owns it, RevOps)" in plain(app(faulty, "triage"))


def test_disputed_numbers_show_then_and_now_and_are_answered(app, faulty) -> None:
    store = Store(faulty)
    data = store.data("company")
    x = Coded(data, Terms().with_tables(data))
    number = Number.of(CARDS["dq.exception_rate"])
    disputes.dispute(store, "company", number, receipt(x, number), "*Mine* are <i>fine</i>", BO)
    test = app(faulty, "triage")
    assert not test.exception and "1 number is disputed" in plain(test) and "1 of 1 disputed numbers waits for an answer" in said(test)
    chosen(test, "disputes", 0)
    assert not re.search(r"(?<!\\)<i>", said(test)) and r"\*Mine\*" in said(test)
    key = disputes.disputes(store, "company")[0].id[-12:]
    test.segmented_control(key=f"how-{key}").set_value("give")
    chosen(test, "disputes", 0)
    test.text_input(key=f"answer-text-{key}-give").set_value("Cy")
    sent(test, "disputes", f"answer-send-{key}")
    assert disputes.disputes(store, "company")[0].to == "Cy"
    test = chosen(app(faulty, "triage"), "disputes", 0)
    test.text_input(key=f"answer-text-{key}-explained").set_value("Two leads had no owner")
    sent(test, "disputes", f"answer-send-{key}")
    done = disputes.disputes(store, "company")[0]
    assert (done.answer, done.text, done.answered_by) == ("explained", "Two leads had no owner", "local")
    assert "The disputed number is answered" in said(app(faulty, "triage"))
    store.close()


def test_the_form_disputes_a_number_once_and_says_who_owns_it(monkeypatch, faulty) -> None:
    def script() -> None:
        import streamlit as st

        from revscore import company
        from revscore.core.made import Number
        from revscore.core.metrics import CARDS
        from revscore.core.receipt import receipt
        from revscore.ui import session, state
        from revscore.ui.dispute import dispute_form
        from revscore.ui.session import Now

        x = company.coded(session.store(), "company")
        number = Number.of(CARDS["dq.exception_rate"])
        st.title("form")
        dispute_form(Now("company", "1", x, state.make_view(x)), number, receipt(x, number))

    st.cache_resource.clear()
    monkeypatch.setenv("REVSCORE_DB", str(faulty))
    test = AppTest.from_function(script, default_timeout=60).run()
    test.button[0].click().run()
    assert "Say what is wrong" in test.error[0].value
    test.text_area[0].set_value("Never")
    test.button[0].click().run()
    assert not test.exception
    assert "RevOps has 5 business days to answer" in test.success[0].value.replace("\\", "")
    test.button[0].click().run()  # the second of two quick clicks
    assert not test.exception and not test.error and "RevOps has 5 business days to answer" in test.success[0].value.replace("\\", "")
    store = Store(faulty)
    assert [(one.why, one.function, one.raised_by) for one in disputes.disputes(store, "company")] == [("Never", "revops", "local")]
    store.close()
    st.cache_resource.clear()
