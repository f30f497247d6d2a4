"""The crowd in short: eight sessions on two servers, on both engines, and the control that must fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from revscore import company
from tests.reliability import acts, crowd
from tests.store.conftest import place, server  # noqa: F401  a store on each engine

ROUNDS, THREADS = 2, 4


def test_of_those_who_want_the_same_one_gets_it_and_nobody_sees_two_loads(place: str | Path) -> None:  # noqa: F811
    figures = crowd.judged(str(place), crowd.run(str(place), ROUNDS, THREADS), ROUNDS)
    assert not figures.faults
    assert figures.count(crowd.TOLD) and figures.count(crowd.READ)


def test_without_constraints_and_locks_the_crowd_finds_faults() -> None:
    figures = crowd.control(3, 8)
    assert [one for one in figures.faults if "winners" in one] and figures.count(crowd.TORN)


def test_a_load_that_comes_while_a_page_reads_has_it_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept under a version is of that version, though a load comes between every two looks at the store."""
    import streamlit as st

    from revscore.ui import session

    monkeypatch.setenv("REVSCORE_DB", str(tmp_path / "store.sqlite"))
    st.cache_resource.clear()
    store, coming = session.store(), [2, 3, 4]
    acts.extract(store, 1)
    whole_terms = store.terms

    def terms(dataset: str) -> object:  # `encoded` asks for the definitions before it asks for the data
        found = whole_terms(dataset)
        if coming:
            monkeypatch.setattr(store, "terms", whole_terms)
            acts.extract(store, coming.pop(0))
            monkeypatch.setattr(store, "terms", terms)
        return found

    monkeypatch.setattr(store, "terms", terms)
    version, x = session.standing(acts.DATASET)
    assert not coming and version == company.state_of(store, acts.DATASET)
    assert acts.marks(x) == {"mark 4"} and x.data.stand.loads == (4,)
    assert session.standing(acts.DATASET)[1] is x
    st.cache_resource.clear()
