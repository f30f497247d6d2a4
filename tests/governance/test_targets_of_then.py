"""What was published stands on the targets of then: set since, changed since, or set between the look and the close."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from revscore import company
from revscore.governance.verify import extract_of, verify
from revscore.rhythm import target_setting as setting
from revscore.rhythm.target_setting import Aim, Setting
from revscore.store import Store

from .company import QUARTER, opened, publish

from tests.people import ANN

BOOKINGS = Aim("bookings.won.value", "", "sales", QUARTER.start, QUARTER.end)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "store.sqlite")
    yield store
    store.close()


def set_to(store: Store, value: float, was: Aim = BOOKINGS) -> Aim:
    return setting.set_target(store, "company", company.coded(store, "company"), was, Setting(value, "up", "linear", valid_from=QUARTER.start), ANN)


def targets(x) -> list[float]:
    return [one.value for one in x.terms.targets]


def test_a_target_set_later_changes_nothing_of_what_was_published(store):
    first = set_to(store, 9000.0)
    publication = publish(store)
    set_to(store, 12_000.0, first)
    assert targets(extract_of(store, publication)) == [9000.0] and targets(company.coded(store, "company")) == [12_000.0]
    assert not [found for _, some in verify(store, publication) for found in some]


def test_a_review_that_was_looked_at_before_the_target_was_set_is_worked_out_without_it(store):
    frozen = company.coded(store, "company")
    set_to(store, 9000.0)
    publication = publish(store, x=frozen)
    assert targets(extract_of(store, publication)) == [] and not [found for _, some in verify(store, publication) for found in some]


def test_the_key_of_what_is_shown_follows_the_targets_and_nothing_is_encoded_again(store, tmp_path, monkeypatch):
    monkeypatch.setenv("REVSCORE_FACTS", str(tmp_path / "facts"))

    def kept() -> set[str]:
        return {str(one) for one in (tmp_path / "facts").rglob("*") if one.is_file()}

    before, x = company.state_of(store, "company"), company.coded(store, "company")
    assert x.opps.n == 8 and (facts := kept())
    set_to(store, 9000.0)
    y = company.coded(store, "company")
    assert company.state_of(store, "company") != before and y.terms.digest != x.terms.digest
    assert y.opps.n == 8 and kept() == facts
