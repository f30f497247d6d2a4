"""Terms and mappings are only ever added to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from revscore.store import StoreError

from .conftest import crm, load


def test_terms_are_versions(store):
    assert store.terms("company") == ({}, 0)
    assert store.save_terms("company", {"stale_days": 30, "opp_stages": ("Prüfung", "Won"), "rate": 0.1}, "ann", "first") == 1
    assert store.save_terms("company", {"stale_days": 45}, "bob", "council of 2 March") == 2
    assert store.save_terms("company", {"stale_days": 45}, "eve", "again") == 2, "the same terms are no new version"
    assert store.terms("company") == ({"stale_days": 45}, 2)
    assert store.terms("company", version=1) == ({"stale_days": 30, "opp_stages": ["Prüfung", "Won"], "rate": 0.1}, 1)
    assert [(one.version, one.saved_by, one.why) for one in store.terms_history("company")] == [(2, "bob", "council of 2 March"), (1, "ann", "first")]
    assert store.terms("sample") == ({}, 0)
    with pytest.raises(StoreError, match="no version 3"):
        store.terms("company", version=3)


def test_many_who_save_terms_get_a_version_each(store):
    with ThreadPoolExecutor(6) as pool:
        versions = list(pool.map(lambda n: store.save_terms("company", {"stale_days": n}, "ann", "why"), range(6)))
    assert sorted(versions) == [1, 2, 3, 4, 5, 6]


def test_the_newest_mapping_of_a_signature_counts(store):
    assert store.mappings("company") == {}
    store.save_mapping("company", "s1", {"Betrag": "opp_history.amount"}, "ann")
    store.save_mapping("company", "s2", {"Firma": "accounts.name"}, "ann")
    store.save_mapping("company", "s1", {"Betrag": None}, "bob")
    assert store.mappings("company") == {"s1": {"Betrag": None}, "s2": {"Firma": "accounts.name"}}
    assert store.mappings("sample") == {}


def test_the_version_changes_with_loads_and_terms_and_with_nothing_else(store):
    seen = [store.version("company")]

    def changed() -> bool:
        seen.append(store.version("company"))
        return seen[-1] not in seen[:-1]

    load(store, crm("2026-03-02", accounts={"account_id": ["A"]}))
    assert changed()
    load(store, crm("2026-03-02", accounts={"account_id": ["A"]}))
    store.save_mapping("company", "s", {}, "ann")
    load(store, crm("2026-03-02", accounts={"account_id": ["A"]}), "sample")
    store.save_terms("sample", {"a": 1}, "ann", "why")
    assert not changed()
    store.save_terms("company", {"a": 1}, "ann", "why")
    assert changed()
    load(store, crm("2026-02-23", accounts={"account_id": ["B"]}))
    assert changed()
