"""Restatement: each cause by its name, all at once, and anything at all: the legs are the difference."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revscore.core.coded import Coded
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.governance.restatement import CAUSES, Change, Restated, behind, change, restated
from revscore.store import Publication, Store

from .company import AS_OF, LATER, QUARTER, TEAM_A, Rows, keep, one, opened, publish, tables


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "store.sqlite")
    yield store
    store.close()


def today(store: Store, publication: Publication, rows: dict[str, Rows]) -> tuple[Change, dict[tuple[str, str], Restated]]:
    """A month later another extract comes; the published values beside today's."""
    keep(store, rows, LATER)
    way = change(store, publication)
    return way, {(value.metric, value.measure): restated(way, value) for value in store.published(publication.id)}


def legs(one: Restated) -> dict[str, float]:
    return {cause: leg for cause, leg in one.legs.items() if leg and not math.isnan(leg)}


def records(way: Change, one: Restated, cause: str) -> list[str]:
    return behind(way, one.number, cause)["record"].tolist()


WINDOWS = {"conversion_window_days": {"inquiry->mql": 30, "mql->sal": 30, "sal->sql": 30, "sql->opportunity": 30, "mql->opportunity": 60, "mql->won": 90}}
BOOKINGS, WIN_RATE, OPEN, CREATED = ("bookings.won_value", "value"), ("winrate.closed_in_period", "count_rate"), ("pipeline.open", "value"), ("pipeline.created", "value")


def test_nothing_changed(store):
    publication = publish(store)
    way, found = today(store, publication, tables())
    assert found[BOOKINGS].published == 10_000 and all(one.difference == 0 or math.isnan(one.difference) for one in found.values())
    assert len({id(x) for x in way.states}) == 1


def test_a_deal_that_vanished(store):
    publication, rows = publish(store), tables()
    rows["opportunities"] = [row for row in rows["opportunities"] if row["opp_id"] != "D3"]
    rows["opp_history"] = [row for row in rows["opp_history"] if row["opp_id"] != "D3"]
    way, found = today(store, publication, rows)
    assert legs(found[BOOKINGS]) == {"vanished": -4000} and records(way, found[BOOKINGS], "vanished") == ["D3"]
    assert legs(found[WIN_RATE]) == {"vanished": pytest.approx(3 / 4 - 4 / 5)}


def test_an_amount_that_was_edited(store):
    publication, rows = publish(store), tables()
    one(rows["opp_history"], event_id="D2-2")["amount"] = 3500.0
    way, found = today(store, publication, rows)
    assert legs(found[BOOKINGS]) == {"edited": 500} and legs(found[WIN_RATE]) == {}
    [row] = behind(way, found[BOOKINGS].number, "edited").to_dict("records")
    assert (row["record"], row["name"], row["before"], row["after"], row["change"]) == ("D2", "Deal 2", 3000, 3500, 500)


def test_an_owner_who_moved_to_another_team_takes_the_past_along_and_it_is_said(store):
    """The number of a team changes after the fact when its deals get an owner of another team: the sum of the teams stays, each team's history moves."""
    publication, rows = publish(store, View.of(QUARTER, owner=TEAM_A)), tables()
    one(rows["opportunities"], opp_id="D1")["owner_id"] = "U3"
    way, found = today(store, publication, rows)
    assert found[BOOKINGS].published == 3000 and legs(found[BOOKINGS]) == {"re_owned": -2000} and records(way, found[BOOKINGS], "re_owned") == ["D1"]
    whole = publish(store, View(QUARTER))
    assert all(not one.changed for one in (restated(change(store, whole), value) for value in store.published(whole.id)))


def test_a_stage_event_that_was_back_dated(store):
    """Won in April, entered as won on 30 March: the closed quarter grows after it was closed."""
    publication, rows = publish(store), tables()
    rows["opp_history"].append({"event_id": "D5-3", "opp_id": "D5", "changed_at": "2026-03-30T12:00:00Z", "stage": "Closed Won", "amount": 6000.0, "close_date": "2026-03-30",
                                "forecast_category": "closed"})
    way, found = today(store, publication, rows)
    assert legs(found[BOOKINGS]) == {"late_dated": 6000} and legs(found[OPEN]) == {"late_dated": -6000} and records(way, found[OPEN], "late_dated") == ["D5"]


def test_an_event_after_as_of_restates_nothing(store):
    publication, rows = publish(store), tables()
    rows["opp_history"].append({"event_id": "D5-3", "opp_id": "D5", "changed_at": "2026-04-02T12:00:00Z", "stage": "Closed Won", "amount": 6000.0, "close_date": "2026-04-02",
                                "forecast_category": "closed"})
    _, found = today(store, publication, rows)
    assert not any(one.changed for one in found.values())


def test_a_deal_that_was_entered_late(store):
    publication, rows = publish(store), tables()
    rows["opportunities"].append({**rows["opportunities"][0], "opp_id": "D9", "name": "Deal 9"})
    rows["opp_history"] += [{**row, "event_id": row["event_id"].replace("D0", "D9"), "opp_id": "D9"} for row in rows["opp_history"] if row["opp_id"] == "D0"]
    way, found = today(store, publication, rows)
    assert legs(found[BOOKINGS]) == {"new": 1000} and records(way, found[CREATED], "new") == ["D9"]


def test_definitions_that_changed(store):
    """MQL to SAL within 14 days, then within 30: more leads convert, though none did anything."""
    publication = publish(store)
    store.save_terms("company", WINDOWS, "ann", "a longer window")
    way, found = today(store, publication, tables())
    cohort = found["funnel.cohort_conversion", "rate_mature"]
    assert (cohort.published, cohort.today) == (3 / 6, 6 / 6) and legs(cohort) == {"definitions": pytest.approx(0.5)}
    assert records(way, cohort, "definitions") == ["L3", "L4", "L5"] and not found[BOOKINGS].changed


def everything(rows: dict[str, Rows]) -> dict[str, Rows]:
    """One of each cause."""
    rows["opportunities"] = [row for row in rows["opportunities"] if row["opp_id"] != "D0"]
    rows["opp_history"] = [row for row in rows["opp_history"] if row["opp_id"] != "D0"]
    one(rows["opp_history"], event_id="D2-2")["amount"] = 3500.0
    one(rows["opportunities"], opp_id="D1")["owner_id"] = "U3"
    rows["opp_history"].append({"event_id": "D5-3", "opp_id": "D5", "changed_at": "2026-03-30T12:00:00Z", "stage": "Closed Won", "amount": 6000.0, "close_date": "2026-03-30",
                                "forecast_category": "closed"})
    rows["opportunities"].append({**rows["opportunities"][0], "opp_id": "D9", "name": "Deal 9", "owner_id": "U1"})
    rows["opp_history"] += [{**row, "event_id": row["event_id"].replace("D4", "D9"), "opp_id": "D9", "stage": row["stage"].replace("Lost", "Won")}
                            for row in rows["opp_history"] if row["opp_id"] == "D4"]
    return rows


def test_all_at_once(store):
    publication = publish(store, View.of(QUARTER, owner=TEAM_A))
    store.save_terms("company", WINDOWS, "ann", "a longer window")
    way, found = today(store, publication, everything(tables()))
    assert found[BOOKINGS].published == 3000 and legs(found[BOOKINGS]) == {"vanished": -1000, "re_owned": -2000, "late_dated": 6000, "new": 5000}
    assert found[BOOKINGS].today == 11_000
    for one_ in found.values():
        if one_.split:
            assert one_.unexplained == pytest.approx(0, abs=1e-9)
    assert {cause for one_ in found.values() for cause in legs(one_)} == set(CAUSES) - {"edited"}
    for cause in CAUSES:
        for value in found.values():
            opened_ = behind(way, value.number, cause)
            assert value.legs[cause] == 0 or math.isnan(value.legs[cause]) or len(opened_), (value.number.label, cause)


def test_the_records_of_a_total_add_up_to_its_leg(store):
    publication = publish(store)
    way, found = today(store, publication, everything(tables()))
    for cause in CAUSES:
        for key in (BOOKINGS, OPEN, CREATED):
            assert behind(way, found[key].number, cause)["change"].sum() == pytest.approx(found[key].legs[cause])


def test_events_whose_made_up_ids_moved_are_the_same_events(store):
    publication, rows = publish(store), tables()
    rows["opp_history"] = [{**row, "event_id": f"{row['opp_id']}:{99 - place}"} for place, row in enumerate(rows["opp_history"])][::-1]
    _, found = today(store, publication, rows)
    assert not any(one.changed for one in found.values())


def test_a_derived_number_opens_to_the_records_of_its_parts(store):
    publication, rows = publish(store), tables()
    one(rows["opp_history"], event_id="D2-2")["amount"] = 3500.0
    way, found = today(store, publication, rows)
    velocity = found["velocity.sales_velocity", "per_day"]
    assert set(legs(velocity)) == {"edited"} and behind(way, velocity.number, "edited")["part"].tolist() == ["Average deal"]


EVENTS = [f"D{k}-{step}" for k in range(8) for step in range(3)]


@given(gone=st.sets(st.integers(0, 7), max_size=4), amounts=st.dictionaries(st.sampled_from(EVENTS), st.floats(0, 9e5), max_size=5),
       owners=st.dictionaries(st.integers(0, 7), st.sampled_from(["U1", "U2", "U3", "U4", None]), max_size=5),
       late=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 60), st.sampled_from(["Prospecting", "Proposal", "Closed Won", "Closed Lost"])), max_size=4),
       new=st.integers(0, 3), lost=st.sets(st.sampled_from(EVENTS), max_size=3), terms=st.sampled_from([None, "Proposal"]), team=st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_changes_the_legs_are_the_difference(gone, amounts, owners, late, new, lost, terms, team):
    rows = tables()
    for event, amount in amounts.items():
        one(rows["opp_history"], event_id=event)["amount"] = amount
    for deal, owner in owners.items():
        rows["opportunities"][deal]["owner_id"] = owner
    rows["opp_history"] = [row for row in rows["opp_history"] if row["event_id"] not in lost and int(row["opp_id"][1]) not in gone]
    rows["opp_history"] += [{"event_id": f"late{k}", "opp_id": f"D{deal}", "changed_at": AS_OF - pd.Timedelta(days=day), "stage": stage, "amount": 10.0 * k, "close_date": "2026-03-20",
                             "forecast_category": "pipeline"} for k, (deal, day, stage) in enumerate(late) if deal not in gone]
    rows["opportunities"] = [row for row in rows["opportunities"] if int(row["opp_id"][1]) not in gone]
    for k in range(new):
        rows["opportunities"].append({**tables()["opportunities"][k], "opp_id": f"N{k}"})
        rows["opp_history"] += [{**row, "event_id": f"N{k}{row['event_id']}", "opp_id": f"N{k}"} for row in tables()["opp_history"] if row["opp_id"] == f"D{k}"]
    if not rows["opportunities"] or not rows["opp_history"]:
        return
    with TemporaryDirectory() as folder:
        store = opened(Path(folder) / "store.sqlite")
        publication = publish(store, View.of(QUARTER, owner=TEAM_A) if team else View(QUARTER))
        if terms:
            store.save_terms("company", {"pipeline_entry_stage": terms}, "ann", "later")
        way, found = today(store, publication, rows)
        newest = replace(store.data("company"), as_of=AS_OF)
        x = Coded(newest, Terms.from_config(store.terms("company")[0]).with_tables(newest))
        for value in found.values():
            right = value.number.value(x)
            assert value.today == right or (math.isnan(value.today) and math.isnan(right))
            if value.split:
                assert sum(value.legs.values()) == pytest.approx(value.difference, abs=1e-6)
        for key in (BOOKINGS, OPEN, CREATED):
            for cause in CAUSES:
                assert behind(way, found[key].number, cause)["change"].sum() == pytest.approx(found[key].legs[cause], abs=1e-6)
        store.close()
