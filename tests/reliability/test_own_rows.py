"""The quick form of `own_rows`: the places that show rows are known, every card of the golden company is opened, two pages are searched; and the control."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st

from revscore import company
from revscore.core.coded import Coded
from revscore.intake import load_folder
from revscore.people import EVERY_ROLE, LOCAL, Actor, sight
from revscore.store import Store
from tests.pages.conftest import filled  # noqa: F401
from tests.reliability import own_rows


@pytest.fixture(scope="module")
def golden() -> Coded:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    return Coded(data, terms)


def seller(x: Coded, own: bool = True) -> Actor:
    return Actor("seller@x.example", EVERY_ROLE, own_rows.owner_of(x), own)


def test_rows_are_shown_in_known_places_only():
    assert own_rows.rows_shown_elsewhere() == []


def test_every_card_opens_to_own_rows_and_its_number_stays(golden):
    opened, every, shown, wrong = own_rows.cards(golden, seller(golden))
    assert opened > 40 and every > shown > 0 and wrong == []
    assert own_rows.cards(golden, seller(golden, own=False))[3], "the control: without the restriction there are rows of others"


def test_a_record_that_nobody_owns_is_nobodys_own(golden):
    deals = golden.data.table("opportunities")
    none = Actor("new@x.example", EVERY_ROLE, "no such owner", own_rows=True)
    assert len(sight.shown(golden, deals[["opp_id"]], none)) == 0 and len(sight.shown(golden, deals[["opp_id"]], Actor("x", EVERY_ROLE, "", True))) == 0
    assert len(sight.shown(golden, pd.DataFrame({"record": ["strange"]}), seller(golden))) == 0
    assert len(sight.shown(golden, deals[["opp_id"]], LOCAL)) == len(deals) and len(sight.shown(golden, pd.DataFrame({"segment": ["a", "b"]}), none)) == 2


def test_pages_send_nothing_of_others_to_the_browser(filled, monkeypatch):
    st.cache_resource.clear()
    monkeypatch.setenv("REVSCORE_DB", str(filled))
    store = Store(filled)
    x = company.coded(store, "company")
    store.close()
    looked, leaks = own_rows.walk_pages(x, seller(x), ("pipeline", "triage"), drawers=2)
    assert looked > 3 and leaks == {}
    open_ = own_rows.walk_pages(x, seller(x, own=False), ("pipeline", "triage"), drawers=2)[1]
    assert any("," in where for where in open_) and "triage" in open_, "the control: in drawers, and on a page"
    st.cache_resource.clear()
