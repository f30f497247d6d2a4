"""Exceptions: a clean company has none, every planted fault is found once, what the metrics count agrees, and what is done about them is kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from revscore import company
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.data import CrmData, Stand
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.receipt import receipt
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.intake import Source, load_folder, prepare
from revscore.rhythm import bypasses, disputes, exceptions, triage
from revscore.rhythm.actions import Incomplete
from revscore.store import Overtaken, Store, StoreError
from tests.core.builder import extract
from tests.people import ADA, BO, CY, DI

AS_OF = "2026-06-30T12:00:00Z"
TODAY = date(2026, 6, 30)
Tables = dict[str, list[Any]]


def clean() -> Tables:
    """Fourteen leads and fourteen deals that went by the rules, with everything that the rules are judged by."""
    tables: Tables = {name: [] for name in ("leads", "lead_stage_history", "opportunities", "opp_history", "opp_contact_roles", "activities", "routing_log", "touches", "accounts")}
    for k in range(14):
        lead, day = f"L{k:02}", pd.Timestamp("2026-06-15T09:00Z") + pd.Timedelta(minutes=61 * k)
        tables["leads"].append({"lead_id": lead, "created_at": day, "segment": "SMB", "region": "EMEA", "owner_id": "U1", "owner_type": "user", "email": f"{lead}@x.example", "phone": "1", "is_test": False})
        steps = [("inquiry", 0, ""), ("mql", 1, "")] + ([("disqualified", 2, "No budget")] if k % 2 else [("sal", 2, ""), ("sql", 3, "")])
        for step, (stage, hours, reason) in enumerate(steps):
            tables["lead_stage_history"].append({"event_id": f"{lead}-{step}", "lead_id": lead, "stage": stage, "entered_at": day + pd.Timedelta(hours=hours), "reason": reason})
        tables["activities"] += [{"activity_id": f"A{k:02}{n}", "person_id": lead, "occurred_at": day + pd.Timedelta(minutes=65 + n), "type": kind, "direction": "outbound", "is_automated": False,
                                  "user_id": "U1", "opp_id": f"O{k:02}"} for n, kind in enumerate(("call", "email", "meeting"))]
        tables["routing_log"].append({"lead_id": lead, "attempted_at": day + pd.Timedelta(minutes=61), "result": "assigned", "owner_id": "U1"})
        tables["touches"].append({"touch_id": f"T{k:02}", "person_id": lead, "campaign_id": "C1", "occurred_at": day, "type": "email", "is_response": True, "owner_function": "marketing"})
        deal, born = f"O{k:02}", pd.Timestamp("2026-06-16T08:00Z") + pd.Timedelta(minutes=67 * k)
        tables["opportunities"].append({"opp_id": deal, "name": f"Deal {k}", "account_id": "A1", "segment": "SMB", "type": "new_business", "currency": "USD", "owner_id": "U1", "created_at": born,
                                        "next_step": "call", "loss_reason": "Price" if k % 3 == 2 else None})
        last = ("Negotiation", "Closed Won", "Closed Lost")[k % 3]
        for step, stage in enumerate(["Prospecting", "Discovery", "Proposal"] + (["Negotiation"] if last != "Closed Lost" else []) + ([last] if last != "Negotiation" else [])):
            at = born + pd.Timedelta(days=step)
            tables["opp_history"].append({"event_id": f"{deal}-{step}", "opp_id": deal, "changed_at": at, "stage": stage, "amount": 100.0 + k,
                                          "close_date": at.date() if stage.startswith("Closed") else "2026-08-14", "forecast_category": "pipeline"})
        tables["opp_contact_roles"].append({"opp_id": deal, "contact_id": "K1", "role": "Buyer", "is_primary": True})
    tables["accounts"] = [{"account_id": "A1", "name": "Acme"}]
    tables["campaigns"] = [{"campaign_id": "C1", "name": "Spring"}]
    tables["contacts"] = [{"contact_id": "K1", "account_id": "A1", "email": "k@x.example"}]
    tables["users"] = [{"user_id": "U1", "name": "Ada <b>Nayfield</b>", "function": "sales", "manager_id": "U2", "is_active": True}, {"user_id": "U2", "name": "Bo Chen", "function": "sales", "is_active": True}]
    tables["required_fields"] = [{"object": "lead", "stage": "mql", "field": "phone"}, {"object": "opportunity", "stage": "Discovery", "field": "account_id"}]
    return tables


def coded(tables: Tables, load: int = 1, as_of: str = AS_OF) -> Coded:
    x = extract(as_of, **tables)
    return Coded(CrmData(x.data.tables, x.data.as_of, stand=Stand("sample", (load,))), x.terms)


def planted(fault: Callable[[Tables], None], load: int = 1) -> Coded:
    tables = copy.deepcopy(clean())
    fault(tables)
    return coded(tables, load)


def of(tables: Tables, table: str, **key: str) -> dict[str, Any]:
    return next(row for row in tables[table] if all(row[name] == value for name, value in key.items()))


def events(tables: Tables, table: str, record: str, *gone: str) -> None:
    """Take the events of some stages of a record away."""
    key = "lead_id" if table == "lead_stage_history" else "opp_id"
    tables[table] = [row for row in tables[table] if not (row[key] == record and row["stage"] in gone)]


def add(tables: Tables, table: str, **row: Any) -> None:
    tables[table].append({"event_id": f"X{len(tables[table])}", **row})


def bulk(tables: Tables, count: int) -> None:
    for k in range(count):
        add(tables, "opp_history", opp_id=f"O{k:02}", changed_at=pd.Timestamp("2026-06-25T10:00:00.25Z") + pd.Timedelta(milliseconds=5 * k), stage=("Negotiation", "Closed Won", "Closed Lost")[k % 3], amount=7.0,
            close_date="2026-08-14", forecast_category="pipeline")


PLANTED: dict[str, tuple[str, Callable[[Tables], None]]] = {
    "routing_failed": ("L00", lambda t: of(t, "routing_log", lead_id="L00").update(result="failed")),
    "unassigned": ("L00", lambda t: of(t, "leads", lead_id="L00").update(owner_type="queue", owner_id=None)),
    "duplicate": ("L02", lambda t: of(t, "leads", lead_id="L02").update(email=" l00@X.example ")),
    "orphan_account": ("O02", lambda t: of(t, "opportunities", opp_id="O02").update(account_id=None)),
    "no_contact_role": ("O00", lambda t: t["opp_contact_roles"].remove(of(t, "opp_contact_roles", opp_id="O00"))),
    "orphan_touch": ("T00", lambda t: of(t, "touches", touch_id="T00").update(campaign_id="C9")),
    "missing_required": ("L00", lambda t: of(t, "leads", lead_id="L00").update(phone="n/a")),
    "hygiene": ("O00", lambda t: of(t, "opp_history", event_id="O00-3").update(close_date="2026-06-20")),
    "sla_breach_open": ("L00", lambda t: t.update(activities=[row for row in t["activities"] if row["person_id"] != "L00"])),
    "skipped": ("O00", lambda t: events(t, "opp_history", "O00", "Discovery", "Proposal")),
    "moved_back": ("O00", lambda t: add(t, "opp_history", opp_id="O00", changed_at="2026-06-24T08:00Z", stage="Discovery", amount=100.0, close_date="2026-08-14", forecast_category="pipeline")),
    "closed_no_reason": ("O02", lambda t: of(t, "opportunities", opp_id="O02").update(loss_reason="tbd")),
    "dated_today": ("O00", lambda t: add(t, "opp_history", opp_id="O00", changed_at="2026-06-29T15:00Z", stage="Negotiation", amount=100.0, close_date="2026-06-29", forecast_category="pipeline")),
    "bulk_edit": ("opp 1782381600", lambda t: bulk(t, bypasses.BULK)),
    "owner_inactive": ("O00", lambda t: (t["users"].append({"user_id": "U3", "name": "Gone", "function": "sales", "is_active": False}), of(t, "opportunities", opp_id="O00").update(owner_id="U3"))),
    "out_of_order": ("O00", lambda t: of(t, "opportunities", opp_id="O00").update(created_at="2026-06-17T08:00Z")),
    "amount_late": ("O00", lambda t: of(t, "opp_history", event_id="O00-3").update(amount=None)),
}


def test_a_clean_company_has_none_of_any_kind_and_every_kind_was_judged() -> None:
    x = coded(clean())
    assert {kind.id: exceptions.lacks_of(x, kind) for kind in exceptions.KINDS if exceptions.lacks_of(x, kind)} == {}
    found = exceptions.current(x)
    assert found[["kind", "id", "what"]].to_dict("records") == []
    assert compute(x, CARDS["dq.exception_rate"])["value"].iloc[0] == 0


@pytest.mark.parametrize("kind", [kind.id for kind in exceptions.KINDS])
def test_every_planted_fault_is_found_at_its_record(kind: str) -> None:
    record, fault = PLANTED[kind]
    x = planted(fault)
    found = exceptions.current(x)
    own = found[found["kind"] == kind]
    assert set(own["id"]) == {record}
    assert own["key"].is_unique and (own["age"] >= 0).all() and own["since"].notna().all() and (own["owner"] != "").all() and own["function"].isin(exceptions.FUNCTION_NAMES).all()


def test_moves_of_leads_and_exits_without_a_reason_are_found_too() -> None:
    def fault(t: Tables) -> None:
        events(t, "lead_stage_history", "L00", "sal")
        add(t, "lead_stage_history", lead_id="L02", stage="mql", entered_at="2026-06-24T08:00Z", reason="")
        of(t, "lead_stage_history", event_id="L01-2").update(reason=None)

    found = exceptions.current(planted(fault)).set_index("kind")
    assert found.loc["skipped", ["id", "what"]].tolist() == ["L00", "SAL"]
    assert found.loc["moved_back", ["id", "what"]].tolist() == ["L02", "back to MQL"]
    assert found.loc["closed_no_reason", ["id", "what"]].tolist() == ["L01", "disqualified"]


def test_one_record_less_than_a_bulk_is_none_and_an_import_is_no_edit() -> None:
    assert "bulk_edit" not in set(exceptions.current(planted(lambda t: bulk(t, bypasses.BULK - 1)))["kind"])

    def imported(t: Tables) -> None:
        for row in t["opp_history"]:
            row["changed_at"] = pd.Timestamp("2026-06-16T08:00Z") if row["event_id"].endswith("-0") else row["changed_at"]

    assert "bulk_edit" not in set(exceptions.current(planted(imported))["kind"])


def test_times_without_a_time_of_day_are_not_judged_for_bulk() -> None:
    def dates(t: Tables) -> None:
        for table, column in (("opp_history", "changed_at"), ("lead_stage_history", "entered_at")):
            for row in t[table]:
                row[column] = pd.Timestamp(row[column]).normalize()

    x = planted(dates)
    assert "dates without a time of day" in exceptions.lacks_of(x, exceptions.BY_ID["bulk_edit"])
    assert "bulk_edit" not in set(exceptions.every(x)["kind"])


def test_a_bulk_edit_opens_to_its_records_and_a_deal_to_its_history() -> None:
    x = planted(PLANTED["bulk_edit"][1])
    row = exceptions.current(x).set_index("kind").loc["bulk_edit"]
    assert len(exceptions.behind(x, row["entity"], row["id"], row["record"])["Records of this edit"]) == bypasses.BULK
    deal = exceptions.behind(x, "opp", "O00", 0)
    assert deal["Deal"]["opp_id"].tolist() == ["O00"] and "Negotiation" in deal["Stages"]["stage"].tolist()


def test_states_are_those_that_the_metrics_count() -> None:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    x = Coded(data, terms)
    found = exceptions.current(x)
    count = found["kind"].value_counts()
    rate = compute(x, CARDS["dq.exception_rate"]).set_index("measure")["value"]
    assert all(count.get(name, 0) == rate[name] for name in ("routing_failed", "missing_required", "hygiene"))
    assert count.get("unassigned", 0) == compute(x, CARDS["dq.unassigned"])["numerator"].iloc[0]
    assert count.get("duplicate", 0) == compute(x, CARDS["dq.duplicates"])["numerator"].iloc[0]
    assert count.get("sla_breach_open", 0) == compute(x, CARDS["sla.breach_ageing"])["value"].iloc[0]
    cases, moves = exceptions.every(x), sum(x.facts(CARDS[card]).codes["move"].tolist().count(2) for card in ("funnel.movement", "opp.movement"))
    assert (cases["what"].str.startswith("back to") & (cases["kind"] == "moved_back")).sum() == moves


def test_the_faults_of_the_sample_company_are_found() -> None:
    draft = prepare([Source("northlight.xlsx", company.shown.SAMPLE_FILE)])
    found = exceptions.current(Coded(draft.data, Terms.from_config(draft.config).with_tables(draft.data)))
    touches = found[found["kind"] == "orphan_touch"].set_index("id")["what"]
    assert {f"T9000{k}" for k in (1, 2, 3)} == set(touches.index[touches.str.contains("campaign")]) and {"T90004", "T90005"} == set(touches.index[touches.str.contains("person")])
    assert (found["kind"] == "orphan_account").sum() == 2


# -- clock, owner, recurrence --------------------------------------------------------------------------------------------------------------

def test_age_is_in_business_days_without_weekends_and_holidays() -> None:
    tables = clean()
    tables["business_calendars"] = [{"calendar_id": "OFFICE", "tz": "UTC", "weekday": day, "open": "09:00", "close": "17:00"} for day in range(5)]
    tables["holidays"] = [{"calendar_id": "OFFICE", "date": "2026-06-29", "name": "Feast"}]
    x = coded(tables)
    days = np.array([20629, 20630, 20631, 20632, 20633, 20634])  # Thu 25 June … Tue 30 June 2026
    assert exceptions.business_days(x, days, x.as_of_day).tolist() == [2, 1, 1, 1, 1, 0]


def test_events_are_taken_up_for_four_weeks_and_stay_in_the_weekly_counts() -> None:
    x = coded(planted_tables("moved_back"), as_of="2026-07-21T12:00:00Z")  # 24 June is the first of 28 days
    assert "moved_back" in set(exceptions.current(x)["kind"])
    x = coded(planted_tables("moved_back"), as_of="2026-07-22T12:00:00Z")
    assert "moved_back" not in set(exceptions.current(x)["kind"])
    weekly = exceptions.weekly(x)
    assert weekly["value"].sum() == 1 and weekly["team"].tolist() == ["Sales"]


def planted_tables(kind: str) -> Tables:
    tables = clean()
    PLANTED[kind][1](tables)
    return tables


def test_recurrence_counts_earlier_weeks_of_the_same_owner() -> None:
    def fault(t: Tables) -> None:
        for deal, day in (("O00", "2026-06-22"), ("O03", "2026-06-24"), ("O06", "2026-06-29")):
            add(t, "opp_history", opp_id=deal, changed_at=f"{day}T18:00Z", stage="Discovery", amount=1.0, close_date="2026-08-14", forecast_category="pipeline")

    found = exceptions.current(planted(fault))
    assert found[found["kind"] == "moved_back"].set_index("id")["weeks_before"].to_dict() == {"O00": 0, "O03": 0, "O06": 1}


def test_escalation_names_owner_and_manager_and_who_is_next() -> None:
    x = planted(PLANTED["sla_breach_open"][1])
    told = exceptions.escalation(x, pd.DataFrame({"owner_id": ["U1", "U1", "U1", "", "U1"], "level": [0, 1, 2, 2, 4]}))
    assert told["told"].tolist() == ["Nobody yet", "Ada <b>Nayfield</b> (owner)", "Bo Chen (manager)", "Manager", "Revenue council"]
    assert told["next_told"].tolist() == ["Ada <b>Nayfield</b> (owner) at 80 %", "Bo Chen (manager) at 100 %", "Director at 200 %", "Director at 200 %", "Nobody above"]
    assert exceptions.current(x).query("kind == 'sla_breach_open'")["level"].max() == 4


def test_a_filter_leaves_the_records_of_its_choice() -> None:
    x = planted(lambda t: (PLANTED["owner_inactive"][1](t), PLANTED["unassigned"][1](t)))
    assert set(exceptions.current(x, View.of(owner=("Gone",)))["kind"]) == {"owner_inactive"}


@pytest.mark.parametrize("tables", [{"leads": [{"lead_id": "L1", "created_at": "2026-06-01T00:00Z"}]},
                                    {"opportunities": [{"opp_id": "O1", "created_at": "2026-06-01T00:00Z"}], "opp_history": [{"event_id": "1", "opp_id": "O1", "changed_at": "2026-06-01T00:00Z", "stage": "Discovery"}]}])
def test_poor_extracts_give_sentences(tables: Tables) -> None:
    x = extract(AS_OF, **tables)
    sentences = {kind.id: exceptions.lacks_of(x, kind) for kind in exceptions.KINDS}
    assert "routing log" in sentences["routing_failed"] and sentences["routing_failed"].endswith("which this extract lacks.")
    assert all(sentence == "" or sentence.endswith(".") for sentence in sentences.values()) and sum(map(bool, sentences.values())) > 8
    assert len(exceptions.every(x).columns) == len(exceptions.COLUMNS)


# -- what is done about them ---------------------------------------------------------------------------------------------------------------

def seen(store: Store, x: Coded, kind: str) -> pd.Series:
    found = triage.triaged(x, View(), triage.handled(store, "sample"), TODAY)
    return found[found["kind"] == kind].iloc[0]


def rows(store: Store, x: Coded, kind: str) -> pd.DataFrame:
    found = triage.triaged(x, View(), triage.handled(store, "sample"), TODAY)
    return found[found["kind"] == kind]


def test_an_exception_is_assigned_put_right_and_open_again_when_a_later_load_still_has_it(store: Store) -> None:
    x = planted(PLANTED["unassigned"][1])
    assert seen(store, x, "unassigned")["status"] == "new"
    with pytest.raises(Incomplete, match="who"):
        triage.assign(store, "sample", x, rows(store, x, "unassigned"), " ", "2026-07-03", ADA)
    with pytest.raises(Incomplete, match="which day"):
        triage.assign(store, "sample", x, rows(store, x, "unassigned"), "Bo", "soon", ADA)
    triage.assign(store, "sample", x, rows(store, x, "unassigned"), "Bo", "2026-06-29", ADA)
    assert seen(store, x, "unassigned")[["status", "to", "due", "overdue"]].tolist() == ["assigned", "Bo", "2026-06-29", True]
    with pytest.raises(Incomplete, match="what was done"):
        triage.resolve(store, "sample", x, rows(store, x, "unassigned"), "", BO)
    stale = rows(store, x, "unassigned")
    triage.resolve(store, "sample", x, stale, "Given to Cy", BO)
    with pytest.raises(Overtaken):
        triage.resolve(store, "sample", x, stale, "Given to Di", DI)
    assert seen(store, x, "unassigned")[["status", "came_back"]].tolist() == ["resolved", 0]
    later = planted(PLANTED["unassigned"][1], load=2)
    assert seen(store, later, "unassigned")[["status", "came_back"]].tolist() == ["back", 1]
    triage.assign(store, "sample", later, rows(store, later, "unassigned"), "Bo", "2026-07-10", ADA)
    assert seen(store, later, "unassigned")[["status", "came_back"]].tolist() == ["assigned", 1]


def test_what_somebody_had_in_hand_and_is_found_no_more_is_done(store: Store) -> None:
    x = planted(PLANTED["unassigned"][1])
    triage.assign(store, "sample", x, rows(store, x, "unassigned"), "Bo", "2026-06-29", ADA)
    log = triage.handled(store, "sample")
    assert triage.put_right(x, log) == ()
    assert [one.to for one in triage.put_right(coded(clean(), 2), log)] == ["Bo"]


def test_an_event_that_was_put_right_comes_back_only_when_it_happens_again(store: Store) -> None:
    x = planted(PLANTED["moved_back"][1])
    triage.resolve(store, "sample", x, rows(store, x, "moved_back"), "The customer changed the scope", BO)
    assert seen(store, planted(PLANTED["moved_back"][1], load=2), "moved_back")["status"] == "resolved"

    def again(t: Tables) -> None:
        PLANTED["moved_back"][1](t)
        add(t, "opp_history", opp_id="O00", changed_at="2026-06-26T08:00Z", stage="Prospecting", amount=100.0, close_date="2026-08-14", forecast_category="pipeline")

    assert seen(store, planted(again, load=2), "moved_back")[["status", "came_back"]].tolist() == ["back", 1]


def test_what_is_accepted_stays_with_its_reason_until_it_is_another_matter(store: Store) -> None:
    x = planted(PLANTED["hygiene"][1])
    with pytest.raises(Incomplete, match="why"):
        triage.accept(store, "sample", x, rows(store, x, "hygiene"), "  ", ADA)
    triage.accept(store, "sample", x, rows(store, x, "hygiene"), "Signed, waits for the order number", ADA)
    row = seen(store, planted(PLANTED["hygiene"][1], load=2), "hygiene")
    assert row[["status", "note"]].tolist() == ["accepted", "Signed, waits for the order number"]
    assert not len(triage.by_kind(triage.triaged(x, View(), triage.handled(store, "sample"), TODAY)))
    worse = planted(lambda t: of(t, "opp_history", event_id="O00-3").update(close_date="2026-06-20", amount=0.0), load=2)
    assert seen(store, worse, "hygiene")["status"] == "back"
    triage.reopen(store, "sample", x, rows(store, x, "hygiene"), BO)
    assert seen(store, x, "hygiene")["status"] == "new"


def test_an_old_event_stays_while_somebody_has_it_in_hand(store: Store) -> None:
    x = planted(PLANTED["moved_back"][1])
    triage.assign(store, "sample", x, rows(store, x, "moved_back"), "Bo", "2026-07-10", ADA)
    later = coded(planted_tables("moved_back"), 2, "2026-09-30T12:00:00Z")
    assert "moved_back" not in set(exceptions.current(later)["kind"]) and seen(store, later, "moved_back")["to"] == "Bo"


def test_counts_by_kind_and_team_add_up(store: Store) -> None:
    x = planted(lambda t: (PLANTED["moved_back"][1](t), PLANTED["unassigned"][1](t), PLANTED["orphan_touch"][1](t)))
    found = triage.triaged(x, View(), {}, TODAY)
    kinds, teams = triage.by_kind(found), triage.by_team(found)
    assert kinds["open"].sum() == teams["open"].sum() == len(found) and kinds["old"].sum() == teams["old"].sum()
    assert set(teams["team"]) == {"Sales", "RevOps"}


# -- disputes ------------------------------------------------------------------------------------------------------------------------------

def test_a_dispute_carries_number_and_receipt_and_shows_then_and_now(store: Store) -> None:
    x = coded(clean())
    number = Number.of(CARDS["winrate.closed_in_period"], View.of(segment=("SMB",)))
    with pytest.raises(Incomplete):
        disputes.dispute(store, "sample", number, receipt(x, number), " ", BO)
    one = disputes.dispute(store, "sample", number, receipt(x, number), "We lost more than that", BO, id_="form-1")
    with pytest.raises(Overtaken):
        disputes.dispute(store, "sample", number, receipt(x, number), "We lost more than that", BO, id_="form-1")
    assert one.open and one.function == "sales" and one.then.sha256 == receipt(x, number).sha256 and len(disputes.disputes(store, "sample")) == 1
    assert disputes.again(x, one).text == "unchanged"
    lost = planted(lambda t: [row.update(stage="Closed Lost") for row in t["opp_history"] if row["event_id"] == "O01-4"], load=2)
    then, now = one.then, disputes.again(lost, one)
    assert now.changed and now.shown != then.shown and now.text == "changed"
    assert triage.handled(store, "sample") == {}  # disputes are exceptions of their own kind


def test_a_dispute_is_given_to_somebody_and_answered_once_in_words(store: Store) -> None:
    x = coded(clean())
    number = Number.of(CARDS["dq.exception_rate"])
    one = disputes.dispute(store, "sample", number, receipt(x, number), "Never", BO)
    one = disputes.assign(store, "sample", one, ADA, function="revops", to="Cy")
    with pytest.raises(Incomplete, match="sentence"):
        disputes.answer(store, "sample", one, "explained", "", CY)
    with pytest.raises(Incomplete, match="load"):
        disputes.answer(store, "sample", one, "corrected", "The routing log was cut off", CY)
    done = disputes.answer(store, "sample", one, "corrected", "The routing log was cut off", CY, load=2)
    assert not done.open and done.answered == "Corrected by load 2" and done.to == "Cy" and done.answered_by == "cy"
    with pytest.raises(StoreError, match="answered already"):
        disputes.answer(store, "sample", done, "explained", "Again", CY)
    assert disputes.age(x, done, pd.Timestamp.now("UTC")) == 0


def test_a_number_that_is_gone_says_so(store: Store) -> None:
    x = coded(clean())
    number = Number.of(CARDS["dq.exception_rate"])
    one = disputes.dispute(store, "sample", number, receipt(x, number), "Never", BO)
    assert "not known" in disputes.again(x, replace(one, number={**one.number, "metric": "dq.gone"})).text
