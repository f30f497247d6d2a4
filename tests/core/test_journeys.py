"""Journeys: people, windows, anchors and credit, in hand-typed cases and against a plain-loop reading of the rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_extract import CAMPAIGNS, coded, day, deal, merged

from revscore.core.coded import Coded
from revscore.core.encode import ordered
from revscore.core.journeys import MODES, matches, span_of
from revscore.core.metrics.one_deal import audit
from revscore.core.terms import MODELS


K1 = [("K1", 0, "A1")]
ROLE = [("O1", "K1")]


def touch(number: int, at: float, campaign: str = "C1", person: str = "K1", *rest: object) -> tuple[object, ...]:
    return (f"T{number:02d}", person, campaign, at, *rest)


def one(touches: list[tuple[object, ...]], contacts: list[tuple[object, ...]] = K1, roles: list[tuple[object, ...]] = ROLE, *, config: dict | None = None,
        as_of: float = 300, opp: dict | None = None, **more: list[tuple[object, ...]]) -> Coded:
    return coded(as_of, config, **merged(opp or deal(won=200), contacts=contacts, opp_contact_roles=roles, touches=touches, campaigns=CAMPAIGNS, **more))


def seen(x: Coded, mode: str = "hybrid") -> dict:
    return audit(x, "O1")[mode]


# -- people (A2) -----------------------------------------------------------------------------------------------------------------------------

def test_roles_win_over_the_account_and_the_account_stands_in_without_them():
    contacts = [("K1", 0, "A1"), ("K2", 0, "A1"), ("K3", 0, "A2")]
    with_roles, without_roles = one([], contacts), one([], contacts, [])
    assert [seen(with_roles, m)["persons"] for m in MODES] == [["K1"], ["K1", "K2"], ["K1"]]
    assert [seen(without_roles, m)["persons"] for m in MODES] == [[], ["K1", "K2"], ["K1", "K2"]]


def test_account_people_are_contacts_and_leads_of_their_own_each_once():
    leads = [("L1", 0, "A1"), ("L2", 0, "A1", 50, "K1", "O1"), ("L3", 0, "A1", None, None, None, "L1"), ("L4", 0, "A1", None, None, None, None, True)]
    assert seen(one([], leads=leads), "account")["persons"] == ["K1", "L1"]


def test_roles_of_unknown_contacts_are_no_roles():
    x = one([], roles=[("O1", "K9"), ("O9", "K1")])
    assert seen(x)["persons"] == ["K1"] and not x.journeys().has_roles.any()


def test_deal_without_account_and_roles_has_no_people():
    x = one([touch(1, 50)], roles=[], opp=deal(account=None, won=200))
    assert all(seen(x, mode)["persons"] == [] and seen(x, mode)["credit_by_campaign"]["linear"] == {} for mode in MODES)


def test_touches_of_merged_and_converted_leads_belong_to_the_contact():
    leads = [("L1", 20, None, 100, "K1", "O1"), ("L2", 10, None, None, None, None, "L1")]
    x = one([touch(1, 30, "C1", "L2"), touch(2, 40, "C2", "L1"), touch(3, 50, "C3", "K1")], leads=leads)
    assert seen(x)["touches_create_span"] == ["T01", "T02", "T03"]


def test_unknown_mode_is_named():
    with pytest.raises(KeyError, match="none of explicit, account, hybrid"):
        one([]).journeys("everyone")


# -- window (A1, A3) ---------------------------------------------------------------------------------------------------------------------------

def test_window_is_inclusive_at_both_ends():
    x = one([touch(1, -265 - 1e-6), touch(2, -265, "C2"), touch(3, 100), touch(4, 100 + 1e-6, "C2"), touch(5, 200), touch(6, 200 + 1e-6, "C3")])
    assert seen(x)["touches_create_span"] == ["T02", "T03"]
    assert seen(x)["touches_close_span"] == ["T02", "T03", "T04", "T05"]


def test_open_deal_runs_to_as_of_and_nothing_after_it_counts():
    x = one([touch(1, 150), touch(2, 250), touch(3, 301)], opp=deal())
    assert seen(x)["touches_close_span"] == ["T01", "T02"]


def test_ineligible_touches_change_nothing():
    plain = [touch(1, 50), touch(2, 60, "C2")]
    odd = [touch(3, 55, "C3", "K1", False), touch(4, 55, "C3", "K1", True, "sales"), touch(5, 55, "C99"), touch(6, 55, "C3", "K77"),
           touch(7, 50.1), touch(8, -400, "C3"), touch(9, 250, "C3"), touch(10, 400, "C3")]
    assert audit(one(plain), "O1") == audit(one(plain + odd), "O1")


def test_sent_only_touches_count_when_the_team_says_so():
    x = one([touch(1, 50, "C1", "K1", False)], config={"attribution": {"responses_only": False}})
    assert seen(x)["touches_create_span"] == ["T01"]


def test_lookback_is_a_definition():
    x = one([touch(1, 50), touch(2, 95, "C2")], config={"attribution": {"lookback_days": 10}})
    assert seen(x)["touches_create_span"] == ["T02"]


def test_deal_closed_before_it_was_entered_counts_nothing_after_its_close():
    x = one([touch(1, 50), touch(2, 90, "C2")], opp=deal(created=100, entry=60, won=80))
    assert seen(x)["touches_create_span"] == seen(x)["touches_close_span"] == ["T01"]


def test_deal_without_creation_date_counts_from_its_first_event():
    x = one([touch(1, 50), touch(2, 70, "C2")], opp={"opportunities": [("O1", None, "A1")], "opp_history": [("E1", "O1", 60, "Discovery", 10.0, 90)]})
    assert seen(x)["touches_create_span"] == ["T01"] and seen(x)["touches_close_span"] == ["T01", "T02"]


# -- anchors (A4) --------------------------------------------------------------------------------------------------------------------------------

def test_anchors_of_a_full_journey():
    leads = [("L1", 40, None, 100, "K1", "O1")]
    x = one([touch(1, 10), touch(2, 40 + 1 / 24, "C2"), touch(3, 41.1, "C3"), touch(4, 99, "C4"), touch(5, 150, "C5"), touch(6, 199, "C6")], leads=leads)
    assert seen(x)["anchors"] == {"FT": "T01", "LC": "T02", "OC": "T04", "CW": "T06"}


def test_equal_instants_go_by_touch_id():
    x = one([("T9", "K1", "C1", 50), ("T10", "K2", "C2", 50), ("T8", "K1", "C3", 50)], [("K1", 0, "A1"), ("K2", 0, "A1")], [])
    assert seen(x)["touches_create_span"] == ["T10", "T8", "T9"]
    assert seen(x)["anchors"]["FT"] == "T10" and seen(x)["anchors"]["OC"] == "T9"


def test_source_is_the_earliest_lead_that_converted_into_the_deal():
    leads = [("L1", 30, None, 100, "K1", "O1"), ("L2", 20, None, 100, "K2", "O1"), ("L3", 5, None, 100, "K3", "O1", None, True)]
    contacts = [("K1", 0, "A1"), ("K2", 90, "A1"), ("K3", 0, "A1")]
    x = one([touch(1, 20, "C1", "K2"), touch(2, 30, "C2", "K1"), touch(3, 4, "C3", "K3")], contacts, [("O1", k) for k in ("K1", "K2", "K3")], leads=leads)
    assert seen(x)["anchors"]["LC"] == "T01" and "T03" not in seen(x)["touches_close_span"]


def test_without_a_lead_the_earliest_created_person_is_the_source_ties_by_id():
    contacts = [("K2", 20, "A1"), ("K1", 20, "A1"), ("K0", 25, "A1")]
    x = one([touch(1, 10, "C1", "K2"), touch(2, 10, "C2", "K1"), touch(3, 5, "C3", "K0")], contacts, [("O1", k) for k in ("K0", "K1", "K2")])
    assert seen(x)["anchors"]["LC"] == "T02"


def test_a_contact_counts_from_its_leads_creation():
    leads = [("L1", 20, None, 60, "K1", None)]
    x = one([touch(1, 20), touch(2, 60, "C2")], [("K1", 60, "A1")], leads=leads)
    assert seen(x)["anchors"]["LC"] == "T01"


def test_tolerance_is_a_definition():
    leads = [("L1", 40, None, 100, "K1", "O1")]
    x = one([touch(1, 40.4, "C2")], leads=leads, config={"attribution": {"lc_tolerance_minutes": 10}})
    assert "LC" not in seen(x)["anchors"]


# -- credit (A5) -----------------------------------------------------------------------------------------------------------------------------------

def test_absent_components_are_dropped_and_the_rest_scaled():
    x = one([touch(1, 50), touch(2, 60, "C2"), touch(3, 70, "C3")])  # nobody touched at creation (day 0): no LC
    credit = seen(x)["credit_by_campaign"]
    assert credit["w_shaped"] == pytest.approx({"C1": 3 / 7, "C2": 1 / 7, "C3": 3 / 7})
    assert credit["u_shaped"] == pytest.approx({"C1": 4 / 6, "C2": 1 / 6, "C3": 1 / 6})
    assert credit["lead_create"] == {"C1": 1.0}


def test_one_touch_holds_all_anchors():
    credit = seen(one([touch(1, 0, "C4")]))["credit_by_campaign"]
    assert all(credit[model] == {"C4": pytest.approx(1.0)} for model in MODELS)


def test_marketing_after_creation_only():
    credit = seen(one([touch(1, 150, "C4")]))["credit_by_campaign"]
    assert {model for model in MODELS if credit[model]} == {"last_touch_close", "full_path"}


def test_no_touch_no_credit():
    assert not any(seen(one([]))["credit_by_campaign"].values())


def test_time_decay_halves_per_half_life_and_never_underflows():
    x = one([touch(1, 80), touch(2, 90, "C2")], config={"attribution": {"half_life_days": 10}})
    assert seen(x)["credit_by_campaign"]["time_decay"] == pytest.approx({"C1": 1 / 3, "C2": 2 / 3})
    tiny = one([touch(1, 40), touch(2, 50, "C2")], config={"attribution": {"half_life_days": 0.001}})
    assert seen(tiny)["credit_by_campaign"]["time_decay"] == {"C2": 1.0}


def test_weights_are_definitions_and_nothing_left_goes_to_the_first_touch():
    x = one([touch(1, 50), touch(2, 60, "C2")], config={"attribution": {"weights": {"u_shaped": {"LC": 1.0}, "w_shaped": {"FT": 0.5, "OC": 0.5}}}})
    assert seen(x)["credit_by_campaign"]["u_shaped"] == {"C1": 1.0}
    assert seen(x)["credit_by_campaign"]["w_shaped"] == {"C1": 0.5, "C2": 0.5}


def test_one_journey_alone_is_the_same_as_among_others():
    x = coded(**merged(deal("O1", won=200), deal("O2", 120), deal("O3", 90, account="A2"), contacts=[("K1", 0, "A1"), ("K2", 3, "A2")], campaigns=CAMPAIGNS,
                       touches=[touch(k, 10 * k, f"C{1 + k % 5}", f"K{1 + k % 2}") for k in range(1, 15)]))
    j = x.journeys()
    for opp in range(3):
        rows = slice(*j.first[opp:opp + 2])
        for model in MODELS:
            for span in ("create", "close"):
                assert np.array_equal(j.of(opp).weights(model, span), j.weights(model, span)[rows])


def test_helpers():
    left, right = matches(np.array([2, 0, 1]), np.array([0, 0, 2]))
    assert left.tolist() == [0, 1, 1] and right.tolist() == [2, 0, 1]
    order = ordered((np.array([1, 0, 1, 1]),), lambda: pd.Series(["b", "c", "a", "d"]), np.arange(4))
    assert order.tolist() == [1, 2, 0, 3]
    assert ordered((np.zeros(0, dtype=int),), lambda: pd.Series([], dtype="str"), np.zeros(0, dtype=int)).tolist() == []


@pytest.mark.parametrize("tables", [{}, deal(won=200), merged(deal(), touches=[], opp_contact_roles=[], contacts=[], campaigns=[], leads=[])])
def test_empty_tables(tables):
    x = coded(**tables)
    for mode in MODES:
        j = x.journeys(mode)
        assert len(j) == 0 and all(len(j.weights(model, "close")) == 0 for model in MODELS)


# -- against a plain reading of the rules -----------------------------------------------------------------------------------------------------

TIMES = st.integers(0, 60).map(lambda k: k * 4.25)
LEAD = st.tuples(TIMES, st.booleans(), st.sampled_from([None, "A1"]), st.sampled_from([None, "K1", "K2"]), st.sampled_from([None, "O1", "O2"]))
TOUCH = st.tuples(st.sampled_from(["K1", "K2", "K3", "L1", "L2", "L9"]), st.sampled_from(["C1", "C2", "C3", "C9"]), TIMES, st.booleans())
DEAL = st.tuples(TIMES, st.one_of(st.none(), TIMES), st.sampled_from([None, "A1"]))


@st.composite
def extracts(draw: st.DrawFn) -> dict:
    leads = [(f"L{k}", at, account, at + 5 if done else None, contact if done else None, opp if done else None)
             for k, (at, done, account, contact, opp) in enumerate(draw(st.lists(LEAD, max_size=2)), 1)]
    touches = [(f"T{k}", *row) for k, row in enumerate(draw(st.lists(TOUCH, max_size=9)))]
    deals = [deal(f"O{k}", created, account=account, won=close, amount=100.0 * k)
             for k, (created, close, account) in enumerate(draw(st.lists(DEAL, min_size=1, max_size=2)), 1)]
    roles = draw(st.lists(st.tuples(st.sampled_from(["O1", "O2"]), st.sampled_from(["K1", "K2", "K3"])), unique=True, max_size=3))
    contacts = [("K1", 3, "A1"), ("K2", 30, "A1"), ("K3", 30, None)]
    return merged(*deals, leads=leads, contacts=contacts, touches=touches, opp_contact_roles=roles, campaigns=CAMPAIGNS[:3])


def plain(tables: dict, opp: str, mode: str) -> dict:
    """METRICS A1 to A5 in loops, one deal."""
    contacts = {k: (created, account) for k, created, account in tables["contacts"]}
    leads = {row[0]: row for row in tables["leads"]}
    person = {k: k for k in contacts} | {k: row[4] if row[3] is not None and row[4] in contacts else k for k, row in leads.items()}
    created = {k: min([leads[n][1] for n in leads if person[n] == k], default=at) for k, (at, _) in contacts.items()} | {k: leads[k][1] for k in leads if person[k] == k}
    at0, account = next((row[1], row[2]) for row in tables["opportunities"] if row[0] == opp)
    closed = [row[2] for row in tables["opp_history"] if row[1] == opp and row[3] == "Closed Won"]
    entered = [row[2] for row in tables["opp_history"] if row[1] == opp and row[3] != "Closed Won"]
    won = closed[0] if closed and closed[0] >= entered[0] else None  # the last event decides
    explicit = {c for o, c in tables["opp_contact_roles"] if o == opp}
    whole = {k for k, (_, a) in contacts.items() if account and a == account} | {k for k, r in leads.items() if person[k] == k and account and r[2] == account}
    people = explicit if mode == "explicit" or (mode == "hybrid" and explicit) else whole
    first: dict = {}
    for name, who, campaign, at, response in sorted(tables["touches"], key=lambda t: (t[3], t[0])):
        if response and who in person and campaign in ("C1", "C2", "C3"):
            first.setdefault((person[who], campaign, day(at).date()), (at, name, person[who], campaign))
    end = won if won is not None else 300
    close = sorted(t for t in first.values() if t[2] in people and at0 - 365 <= t[0] <= end)
    converting = sorted((r[1], k) for k, r in leads.items() if r[5] == opp)
    source = (person[converting[0][1]], converting[0][0]) if converting else min(((k, created[k]) for k in people), key=lambda p: (p[1], p[0]), default=(None, 0))
    out = {"close": close, "create": [t for t in close if t[0] <= at0], "credit": {}}
    for model in MODELS:
        span = out[span_of(model, "pipeline_created")]
        lc = [t for t in span if t[2] == source[0] and t[0] <= source[1] + 1 / 24]
        held = {"FT": span[:1], "LC": lc[-1:], "OC": [t for t in span if t[0] <= at0][-1:], "CW": span[-1:]}
        rule = {"first_touch": {"FT": 1}, "lead_create": {"LC" if lc else "FT": 1}, "last_touch": {"OC": 1}, "last_touch_close": {"CW": 1},
                "u_shaped": {"FT": .4, "LC": .4, "MID": .2}, "w_shaped": {"FT": .3, "LC": .3, "OC": .3, "MID": .1},
                "full_path": {"FT": .225, "LC": .225, "OC": .225, "CW": .225, "MID": .1}}.get(model, {})
        held["MID"] = [t for t in span if not any(t in held[a] for a in rule if a != "MID")]
        weight = {t: 1.0 if model == "linear" else 2 ** (-(at0 - t[0]) / 30) if model == "time_decay" else
                  sum(w / len(held[a]) for a, w in rule.items() if t in held[a]) for t in span}
        total = sum(weight.values())
        out["credit"][model] = {c: sum(w for t, w in weight.items() if t[3] == c) / total for c in {t[3] for t in span} if sum(w for t, w in weight.items() if t[3] == c)}
    return out


@settings(max_examples=80, deadline=None)
@given(extracts())
def test_equals_the_plain_reading(tables):
    x = coded(**tables)
    for (opp, *_) in tables["opportunities"]:
        found = audit(x, opp)
        for mode in MODES:
            said = plain(tables, opp, mode)
            assert found[mode]["touches_close_span"] == [t[1] for t in said["close"]]
            assert found[mode]["touches_create_span"] == [t[1] for t in said["create"]]
            for model in MODELS:
                assert found[mode]["credit_by_campaign"][model] == pytest.approx(said["credit"][model]), model
