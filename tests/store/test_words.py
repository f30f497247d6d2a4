"""What people write, however strange or long, is kept alike on both engines: what a database cannot hold is left out or cut, and nothing breaks on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from revscore.store import Entry, Store
from tests.store.conftest import crm, load
from tests.store.test_migrations import PAIRS, VALUE, publication

LONG = "ä" * 500


def test_long_titles_and_labels_are_cut_before_they_are_sealed(store: Store) -> None:
    load(store, crm("2026-03-02", accounts={"account_id": ["A"]}))
    id_ = store.publish(replace(publication(), title=LONG, published_by=LONG), [(replace(VALUE, label=LONG), PAIRS)])
    kept = store.publications("company")[0]
    assert kept.title == LONG[:199] + "…" and kept.published_by == LONG[:319] + "…" and store.published(id_)[0].label == LONG[:299] + "…"
    assert store.broken_seal(kept) == ()


@pytest.mark.parametrize("strange", ["a\0b", "half \ud800 a character", "\u202eright to left", "😀" * 400], ids=["nul", "surrogate", "bidi", "emoji"])
def test_strange_words_go_in_and_come_out(store: Store, strange: str) -> None:
    load(store, crm("2026-03-02", accounts={"account_id": ["A"]}), by=strange)
    (kept,) = store.append("company", Entry("action", strange, "raised", {strange: strange}, strange))
    assert store.entries("company", record=strange) == (kept,) == store.entries("company") and "\0" not in kept.record
    store.save_terms("company", {"why": strange}, strange, strange)
    store.save_mapping("company", "sheet", {"columns": {strange: strange}}, strange)
    id_ = store.publish(replace(publication(), title=strange, published_by=strange, view={"where": {"owner": [strange]}}), [(replace(VALUE, label=strange), PAIRS)])
    assert store.broken_seal(store.publications("company")[0]) == () and store.published(id_)
    assert len({store.loads("company")[0].loaded_by, store.terms_history("company")[0].saved_by, kept.by}) == 1
