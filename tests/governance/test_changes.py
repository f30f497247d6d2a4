"""Requests to change a definition: proposed with a reason, tried before, approved once and by somebody else, and counted as a change under control."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from revscore import company
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.governance import changes
from revscore.governance.changes import Change
from revscore.people import LOCAL
from revscore.rhythm.actions import Incomplete
from revscore.store import StoreError
from tests.governance.company import QUARTER, keep, tables
from tests.people import ANN, BOB, CLEO, whole
from tests.store.conftest import place, server, store  # noqa: F401

STAGE = Change("c1", "pipeline_entry_stage", new="Proposal", metric="pipeline.created", why="A discovery call is no pipeline")


def terms_of(store) -> Terms:
    return Terms.from_config(store.terms("company")[0])


def test_a_definition_changes_when_somebody_else_approves(store):
    asked = changes.propose(store, "company", STAGE, ANN)
    assert (asked.status, asked.old, asked.proposed_by) == ("proposed", "Discovery", "ann") and terms_of(store).pipeline_entry_stage == "Discovery"
    with pytest.raises(StoreError, match="ann has proposed this change, so somebody else"):
        changes.approve(store, "company", asked, ANN)
    assert terms_of(store).pipeline_entry_stage == "Discovery"
    done = changes.approve(store, "company", asked, BOB, "Agreed in the council")
    assert (done.status, done.settled_by, done.answer, done.terms) == ("approved", "bob", "Agreed in the council", 1)
    assert terms_of(store).pipeline_entry_stage == "Proposal" and "no pipeline" in store.terms_history("company")[0].why
    for again in (lambda: changes.approve(store, "company", asked, CLEO), lambda: changes.reject(store, "company", asked, CLEO, "No"), lambda: changes.withdraw(store, "company", asked, ANN, "No")):
        with pytest.raises(StoreError, match="was approved already, by bob at"):
            again()
    assert store.terms("company")[1] == 1


def test_who_works_alone_approves_alone(store):
    assert changes.approve(store, "company", changes.propose(store, "company", STAGE, LOCAL), LOCAL).status == "approved"


def test_a_request_is_taken_back_by_who_made_it(store):
    asked = changes.propose(store, "company", STAGE, ANN)
    with pytest.raises(StoreError, match="ann has proposed this change, and takes it back"):
        changes.withdraw(store, "company", asked, BOB, "No")
    assert changes.withdraw(store, "company", asked, ANN, "Too early").status == "withdrawn"


def test_of_many_who_approve_one_does_and_the_others_are_told(store):
    asked = changes.propose(store, "company", STAGE, ANN)

    def approve(name: str) -> str:
        try:
            return changes.approve(store, "company", asked, whole(name)).settled_by
        except StoreError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(approve, [f"p{k}" for k in range(8)]))
    winner, = (text for text in said if len(text) == 2)
    assert all(f"was approved already, by {winner}" in text for text in said if text != winner) and store.terms("company")[1] == 1


def test_a_request_on_a_definition_that_has_changed_since_is_not_approved(store):
    one = changes.propose(store, "company", STAGE, ANN)
    other = changes.propose(store, "company", Change("c2", "pipeline_entry_stage", new="Negotiation", metric="pipeline.created", why="Later still"), CLEO)
    apart = changes.propose(store, "company", Change("c3", "hygiene.stale_days", new=45, metric="dq.exception_rate", why="Our cycle is long"), CLEO)
    changes.approve(store, "company", one, BOB)
    with pytest.raises(StoreError, match="was changed after this was proposed \\(it is Proposal now\\)"):
        changes.approve(store, "company", other, BOB)
    assert changes.approve(store, "company", apart, BOB).terms == 2, "another definition is not in its way"
    assert (terms_of(store).pipeline_entry_stage, terms_of(store).hygiene.stale_days, terms_of(store).hygiene.push_threshold) == ("Proposal", 45, 2)


def test_what_a_request_lacks_or_what_would_not_fit_is_said(store):
    for change, says in ((Change("x"), "a definition, a new value, the number that it is made for and the reason"), (Change("x", "stall_days", new=Terms().to_config()["stall_days"], metric="m", why="w"), "a new value"),
                         (Change("x", "pipeline_entry_stage", new="Nowhere", metric="m", why="w"), "none of the open stages"),
                         (Change("x", "attribution.weights.u_shaped", new={"FT": 0.9, "LC": 0.4}, metric="m", why="w"), "add up to 1.3")):
        with pytest.raises(Incomplete, match=says):
            changes.propose(store, "company", change, ANN)
    assert changes.changes(store, "company") == () and store.terms("company") == ({}, 0)
    with pytest.raises(Incomplete, match="Say why it is rejected"):
        changes.reject(store, "company", changes.propose(store, "company", STAGE, ANN), BOB, " ")
    with pytest.raises(StoreError, match="no such request"):
        changes.approve(store, "company", Change("unknown"), BOB)


@pytest.mark.parametrize(("key", "new", "there"), [
    ("corporate_currency", "XYZ", "Corporate currency is USD."), ("pacing_calendar", "MOON", "Calendar of business days is US_EAST."), ("default_calendar", "MOON", "Calendar of regions without one is OFFICE."),
    ("hygiene.commit_min_stage", "Handshake", "First stage of a commit is Prospecting, Discovery, Proposal or Negotiation."), ("pipeline_entry_stage", "Handshake", "Prospecting, Discovery, Proposal or Negotiation.")])
def test_what_does_not_exist_is_refused_with_what_does(store, key, new, there):
    keep(store, tables(), pd.Timestamp("2026-03-31T18:00:00Z"))
    x, change = company.coded(store, "company"), Change("c", key, new=new, metric="pipeline.created", why="w")
    for ask in (lambda: changes.tried(x, View(QUARTER), key, json.dumps(new)), lambda: changes.propose(store, "company", change, ANN, x)):
        with pytest.raises(Incomplete, match=f"There is no “{new}” here.") as refused:
            ask()
        assert str(refused.value).endswith(there)
    assert changes.changes(store, "company") == ()


def test_every_definition_has_a_name_and_can_be_written_back(store):
    config = Terms().to_config()
    found = changes.definitions(config)
    assert set(found) == set(changes.NAMES)
    for key, value in found.items():
        assert Terms.from_config(changes.with_definition(config, key, value)) == Terms(), key
        assert changes.written(value)


def test_a_change_is_tried_on_the_numbers_before_it_holds(store):
    keep(store, tables(), pd.Timestamp("2026-03-31T18:00:00Z"))
    x = company.coded(store, "company")
    found = changes.tried(x, View(QUARTER, grain="month"), "pipeline_entry_stage", json.dumps("Proposal"))
    created = next(one for one in found if one.before.card.id == "pipeline.created")
    assert created.periods.set_index("period").loc["Jan 2026", ["before", "after"]].tolist() == [36_000.0, 0.0], "entered in January, proposed in February"
    assert changes.tried(x, View(QUARTER), "hygiene.push_threshold", "9") == ()
    changes.approve(store, "company", changes.propose(store, "company", STAGE, ANN), BOB)
    after = compute(company.coded(store, "company"), CARDS["pipeline.created"], view=View(QUARTER))
    assert np.isclose(after.loc[after["measure"] == created.after.measure.name, "value"].iloc[0], created.after.value)


def test_an_approved_change_counts_as_one_under_control_once_people_were_told(store):
    keep(store, tables(), pd.Timestamp.now("UTC").floor("s") + pd.Timedelta(days=40))
    asked = changes.propose(store, "company", STAGE, ANN)

    def drift() -> dict[str, float]:
        return dict(compute(company.coded(store, "company"), CARDS["governance.definition_drift"])[["measure", "value"]].itertuples(index=False))

    assert company.coded(store, "company").data.missing(CARDS["governance.definition_drift"].needs) or drift()["changes"] == 0
    with pytest.raises(StoreError, match="Only who works by an approved change"):
        changes.trained(store, "company", asked, ANN, "2026-04-01")
    done = changes.approve(store, "company", asked, BOB)
    assert drift() == {"controlled_rate": 0.0, "changes": 1.0}
    changes.trained(store, "company", done, ANN, f"{pd.Timestamp.now('UTC'):%Y-%m-%d}")
    assert drift() == {"controlled_rate": 1.0, "changes": 1.0}
