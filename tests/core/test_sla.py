"""SLA clocks on a few hand-typed leads. March 2025, New York; from the 9th on 09:00 there is 13:00 UTC. As-of is Friday 28 March, noon."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revscore.core import schema
from revscore.core.calendars import Period, day_number
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.data import CrmData
from revscore.core.metrics import sla
from revscore.core.terms import OpenWindow, SlaPolicy, Terms
from revscore.core.view import View
from revscore.intake import load_folder

GOLDEN = Path(__file__).parents[1] / "golden"
AS_OF = "2025-03-28T16:00Z"
HOURS = tuple(OpenWindow("US", "America/New_York", weekday, 540, 1020) for weekday in range(5))
POLICIES = (SlaPolicy("S", "speed_to_lead", "", 60), SlaPolicy("A", "acceptance", "", 480), SlaPolicy("F", "follow_up", "", 3, "business_days", 2),
            SlaPolicy("M", "meeting_set", "", 3, "business_days"), SlaPolicy("R", "recycle", "", 2, "business_days"))
TERMS = Terms(reporting_tz="America/New_York", business_calendars=HOURS, region_calendars=(("AMER", "US"),), default_calendar="US", sla_policies=POLICIES)


def table(name: str, *rows: dict[str, object]) -> pd.DataFrame:
    frame = pd.DataFrame([{column: None for column in schema.TABLES[name].names} | row for row in rows], columns=list(schema.TABLES[name].names))
    for column in schema.TABLES[name].columns:
        if column.type == "ts":
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True, format="ISO8601")
    return schema.conform(name, frame)


def when(text: str) -> str:
    """"10 13:00" is 10 March 2025, 13:00 UTC."""
    day, clock = text.split()
    return f"2025-03-{int(day):02d}T{clock}:00Z"


def extract(history: str, activities: str = "", touches: str = "", *, terms: Terms = TERMS, lead: dict[str, object] | None = None,
            pauses: tuple[tuple[str, str | None], ...] = (), routing: str = "", without: tuple[str, ...] = ()) -> Coded:
    """One lead. `history` "mql 10 14:00, sal 10 15:00"; `activities` "call 10 14:30, auto …, reply …, meeting …"."""
    kinds = {"call": ("call", "outbound", False, "U1"), "auto": ("email", "outbound", True, "U1"), "reply": ("email", "inbound", False, None),
             "meeting": ("meeting", "outbound", False, "U1"), "marketer": ("call", "outbound", False, "U2")}
    def items(text: str) -> list[tuple[str, str]]:
        return [(item.split(" ", 1)[0], when(item.split(" ", 1)[1])) for item in text.split(", ") if item]

    tables = {
        "leads": table("leads", {"lead_id": "L1", "created_at": when("3 14:00"), "segment": "SMB", "region": "AMER", **(lead or {})}),
        "lead_stage_history": table("lead_stage_history", *({"event_id": f"E{k}", "lead_id": "L1", "stage": stage, "entered_at": at}
                                                            for k, (stage, at) in enumerate(items(history)))),
        "users": table("users", {"user_id": "U1", "function": "sales"}, {"user_id": "U2", "function": "marketing"}),
        "activities": table("activities", *({"activity_id": f"A{k}", "person_id": "L1", "occurred_at": at, "type": kinds[kind][0],
                                             "direction": kinds[kind][1], "is_automated": kinds[kind][2], "user_id": kinds[kind][3]}
                                            for k, (kind, at) in enumerate(items(activities)))),
        "touches": table("touches", *({"touch_id": f"T{k}", "person_id": "L1", "campaign_id": "C1", "occurred_at": at, "is_response": False,
                                       "owner_function": kind} for k, (kind, at) in enumerate(items(touches)))),
        "sla_pauses": table("sla_pauses", *({"lead_id": "L1", "sla_type": "*", "paused_at": when(a), "resumed_at": b and when(b)} for a, b in pauses)),
        "routing_log": table("routing_log", *({"lead_id": "L1", "attempted_at": at, "result": result} for result, at in items(routing))),
    }
    return Coded(CrmData({name: frame for name, frame in tables.items() if name not in without}, pd.Timestamp(AS_OF)), terms)


def clock(x: Coded, sla_type: str, number: int = 1) -> pd.Series:
    frame = x.clocks.frame(x)
    return frame[(frame["sla_type"] == sla_type) & (frame["pass"] == number)].iloc[0]


def kinds(x: Coded) -> list[str]:
    return x.clocks.frame(x)["sla_type"].tolist()


@pytest.mark.parametrize(("history", "activities", "status", "elapsed"), [
    ("mql 10 14:00", "call 10 14:30", "met", 30),
    ("mql 10 14:00", "call 10 15:00", "met", 60),  # exactly at the target
    ("mql 10 14:00", "call 10 15:01", "breached_closed", 61),
    ("mql 10 14:00", "call 10 14:00", "met", 0),  # at the start itself
    ("mql 10 14:00", "call 10 13:59", "breached_open", 14 * 480 + 120),  # before the start
    ("mql 10 14:00", "auto 10 14:01, reply 10 14:02, marketer 10 14:03, meeting 10 14:40", "met", 40),
    ("mql 10 14:00, disqualified 10 14:40", "", "cancelled", 40),
    ("mql 10 14:00, disqualified 10 14:40", "call 10 14:40", "met", 40),  # the touch is not after the exit
    ("mql 10 14:00, disqualified 10 14:40", "call 10 14:50", "cancelled", 40),
    ("mql 10 14:00, recycled 10 16:00", "", "breached_closed", 120),
    ("mql 28 15:30", "", "running", 30),
    ("mql 28 15:00", "", "running", 60),  # at the target, not beyond it
    ("mql 28 14:59", "", "breached_open", 61),
    ("mql 14 20:30", "call 17 13:15", "met", 45),  # over a weekend
])
def test_speed_to_lead(history: str, activities: str, status: str, elapsed: float) -> None:
    got = clock(extract(history, activities), "speed_to_lead")
    assert (got["status"], got["elapsed_min"]) == (status, elapsed)


def test_a_touch_at_the_start_of_the_next_pass_belongs_to_that_pass() -> None:
    x = extract("mql 10 14:00, recycled 10 14:30, mql 12 14:00", "call 12 14:00")
    assert clock(x, "speed_to_lead", 1)["status"] == "cancelled"
    assert clock(x, "speed_to_lead", 2)["elapsed_min"] == 0


def test_a_regression_starts_no_clock_and_a_pass_without_mql_has_none() -> None:
    assert kinds(extract("mql 10 14:00, sal 10 15:00, mql 11 14:00, sal 11 15:00")).count("speed_to_lead") == 1
    assert kinds(extract("sal 10 14:00, recycled 11 14:00, mql 12 14:00")) == ["speed_to_lead", "acceptance", "follow_up"]


def test_every_pass_has_its_own_clocks() -> None:
    history = ", ".join(f"mql {day} 14:00, recycled {day} 18:00" for day in range(10, 15))
    x = extract(history, "call 12 14:10")
    frame = x.clocks.frame(x)
    speed = frame[frame["sla_type"] == "speed_to_lead"]
    assert speed["pass"].tolist() == [1, 2, 3, 4, 5]
    assert speed["status"].tolist() == ["breached_closed", "breached_closed", "met", "breached_closed", "breached_closed"]
    assert len(x.passes.lead) == 5


@pytest.mark.parametrize(("history", "outcome", "status", "end"), [
    ("mql 10 14:00, sal 10 15:00", "accepted", "met", "10 15:00"),
    ("mql 10 14:00, sql 11 14:00", "accepted", "met", "11 14:00"),  # skips sal, exactly at 480 minutes
    ("mql 10 14:00, disqualified 12 14:00", "rejected", "breached_closed", "12 14:00"),
    ("mql 10 14:00, recycled 10 15:00, disqualified 10 16:00", "rejected", "met", "10 15:00"),  # the first exit decides
    ("sal 10 13:30, mql 10 14:00, sal 10 16:00", "accepted", "met", "10 16:00"),  # what came before the mql does not count
])
def test_acceptance(history: str, outcome: str, status: str, end: str) -> None:
    got = clock(extract(history), "acceptance")
    assert (got["outcome"], got["status"], got["end"]) == (outcome, status, pd.Timestamp(when(end)))


def test_a_conversion_accepts_and_satisfies_like_any_later_stage() -> None:
    x = extract("mql 10 14:00", lead={"converted_at": pd.Timestamp(when("11 13:30"))})
    assert clock(x, "acceptance")["outcome"] == "accepted"
    assert clock(x, "follow_up")["status"] == "met"
    assert clock(x, "meeting_set")["start"] == pd.Timestamp(when("11 13:30"))


@pytest.mark.parametrize(("history", "activities", "status", "end"), [
    ("mql 10 14:00", "call 10 15:00, call 11 15:00", "met", "11 15:00"),  # the second of two touches
    ("mql 10 14:00", "call 10 15:00, reply 10 16:00", "met", "10 16:00"),
    ("mql 10 14:00", "meeting 10 16:00", "met", "10 16:00"),
    ("mql 10 14:00, sql 12 15:00", "", "met", "12 15:00"),
    ("mql 10 14:00", "call 10 15:00, call 13 21:00", "met", "13 21:00"),  # at the close of the third day
    ("mql 10 14:00", "call 10 15:00, call 13 21:01", "breached_closed", "13 21:01"),
    ("mql 10 14:00, disqualified 11 15:00", "call 10 15:00", "cancelled", "11 15:00"),
    ("mql 10 14:00, disqualified 17 15:00", "call 10 15:00", "breached_closed", "17 15:00"),
    ("mql 10 14:00, recycled 11 15:00", "call 10 15:00", "breached_closed", "11 15:00"),  # giving up early is no compliance
    ("mql 10 14:00", "call 10 15:00", "breached_open", None),
    ("mql 26 14:00", "call 26 15:00", "running", None),
])
def test_follow_up(history: str, activities: str, status: str, end: str | None) -> None:
    got = clock(extract(history, activities), "follow_up")
    assert got["status"] == status
    assert pd.isna(got["end"]) if end is None else got["end"] == pd.Timestamp(when(end))


@pytest.mark.parametrize(("history", "activities", "status", "elapsed"), [
    ("mql 10 14:00, sal 11 14:00", "meeting 10 15:00", "met", 0),  # booked before: counts as at the start
    ("mql 10 14:00, sal 11 14:00", "meeting 11 16:00", "met", 120),
    ("mql 10 14:00, sal 11 14:00, disqualified 12 14:00", "", "cancelled", 480),
    ("mql 10 14:00, sal 11 14:00, disqualified 17 14:00", "", "breached_closed", 1920),
])
def test_meeting_set(history: str, activities: str, status: str, elapsed: float) -> None:
    got = clock(extract(history, activities), "meeting_set")
    assert (got["status"], got["elapsed_min"]) == (status, elapsed)


@pytest.mark.parametrize(("history", "touches", "status"), [
    ("mql 10 14:00, recycled 11 14:00", "marketing 12 14:00", "met"),
    ("mql 10 14:00, recycled 11 14:00", "marketing 11 14:00", "breached_open"),  # at the exit itself is not after it
    ("mql 10 14:00, recycled 11 14:00", "sales 12 14:00", "breached_open"),
    ("mql 10 14:00, recycled 11 14:00, mql 12 14:00", "marketing 12 14:00", "cancelled"),
    ("mql 10 14:00, recycled 11 14:00, mql 20 14:00", "", "breached_closed"),
])
def test_recycle(history: str, touches: str, status: str) -> None:
    assert clock(extract(history, touches=touches), "recycle")["status"] == status


def test_an_open_pause_hides_due_and_a_clock_met_before_it_stays_met() -> None:
    waiting = clock(extract("mql 28 14:00", pauses=(("28 14:30", None),)), "speed_to_lead")
    assert (waiting["status"], waiting["elapsed_min"]) == ("paused", 30) and pd.isna(waiting["due"])
    x = extract("mql 28 14:00", "call 28 14:10", pauses=(("28 14:30", None),))
    assert clock(x, "speed_to_lead")["status"] == "met" and pd.isna(clock(x, "speed_to_lead")["due"])
    by_start = compute(x, sla.compliance_by_start, View.of(sla_type="speed_to_lead")).set_index("measure")["value"]
    assert by_start["met_but_not_yet_due"] == 1
    assert compute(x, sla.compliance, View.of(sla_type="speed_to_lead"))["denominator"].iloc[0] == 0


def terms_with(*policies: SlaPolicy) -> Terms:
    return Terms(reporting_tz="America/New_York", business_calendars=HOURS, default_calendar="US", sla_policies=policies)


def test_policy_is_the_segments_own_else_the_general_one_and_the_one_in_force_on_the_start_date() -> None:
    day = day_number("2025-03-12")
    general = SlaPolicy("G", "speed_to_lead", "", 30)
    old, new = SlaPolicy("O", "speed_to_lead", "SMB", 60, effective_to=day - 1), SlaPolicy("N", "speed_to_lead", "SMB", 90, effective_from=day)
    terms = terms_with(new, old, general)
    assert clock(extract("mql 12 03:30", terms=terms), "speed_to_lead")["policy_id"] == "O"  # still the 11th in New York
    assert clock(extract("mql 12 04:00", terms=terms), "speed_to_lead")["policy_id"] == "N"
    assert clock(extract("mql 12 14:00", terms=terms, lead={"segment": "Enterprise"}), "speed_to_lead")["policy_id"] == "G"
    assert clock(extract("mql 12 14:00", terms=terms, lead={"segment": None}), "speed_to_lead")["policy_id"] == "G"


def test_without_a_policy_in_force_there_is_no_clock_and_it_says_so() -> None:
    x = extract("mql 12 14:00", terms=terms_with(SlaPolicy("E", "speed_to_lead", "Enterprise", 60)))
    assert len(x.clocks) == 0
    assert [x.clocks.left_out.whys[why] for why in x.clocks.left_out.why] == ["no SLA policy in force"] * 3
    assert len(x.facts(sla.speed_to_lead_minutes).left_out.why) == 1
    assert compute(x, sla.compliance)["value"].isna().iloc[0]
    assert compute(x, sla.acceptance_rate).set_index("measure")["value"]["pending"] == 1


def test_a_policy_of_calendar_time_runs_around_the_clock() -> None:
    terms = terms_with(SlaPolicy("S", "speed_to_lead", "", 600, clock="calendar"), SlaPolicy("F", "follow_up", "", 1, "business_days", 1, "calendar"))
    x = extract("mql 14 20:30", "call 15 06:00", terms=terms)
    assert clock(x, "speed_to_lead")["elapsed_min"] == 570
    assert clock(x, "follow_up")["due"] == pd.Timestamp(when("16 04:00"))  # the end of Saturday in New York


def test_a_region_without_a_calendar_runs_on_the_default_one() -> None:
    assert clock(extract("mql 14 20:30", "call 17 13:15", lead={"region": "LATAM"}), "speed_to_lead")["calendar"] == "US"
    assert clock(extract("mql 14 20:30", "call 17 13:15", lead={"region": None}), "speed_to_lead")["elapsed_min"] == 45


def test_absent_tables_cost_their_types_and_empty_tables_do_not() -> None:
    assert kinds(extract("mql 10 14:00", without=("activities",))) == ["acceptance"]
    assert kinds(extract("mql 10 14:00, recycled 10 15:00", without=("touches",))) == ["speed_to_lead", "acceptance", "follow_up"]
    assert kinds(extract("mql 10 14:00")) == ["speed_to_lead", "acceptance", "follow_up"]
    assert kinds(extract("", without=("lead_stage_history",))) == []


def test_test_and_merged_leads_have_no_clocks() -> None:
    assert kinds(extract("mql 10 14:00", lead={"is_test": True})) == []


def test_compliance_counts_by_due_date_and_never_before_it() -> None:
    x = extract("mql 27 20:30, sal 27 20:40", "call 27 20:45")
    view = View.of(Period(day_number("2025-03-28"), day_number("2025-03-29")), sla_type="speed_to_lead")
    assert compute(x, sla.compliance, view)["numerator"].iloc[0] == 1  # due on Friday morning
    facts = x.facts(sla.compliance)
    follow_up = facts.codes["sla_type"] == 3
    assert [facts.whys[why] for why in facts.why[follow_up]] == ["running, not yet due"]


def test_speed_is_split_into_routing_and_response() -> None:
    x = extract("mql 10 14:00", "call 10 14:50", routing="failed 10 14:01, assigned 10 14:20, assigned 10 14:30")
    got = compute(x, sla.speed_decomposition).set_index("measure")["value"]
    assert (got["routing_lag_median"], got["rep_response_median"], got["n"]) == (20, 30, 1)
    early = compute(extract("mql 10 14:00", "call 10 14:10", routing="assigned 10 14:20"), sla.speed_decomposition).set_index("measure")["value"]
    assert early["rep_response_median"] == 0


def test_escalation_levels_may_have_other_shares() -> None:
    terms = Terms(reporting_tz="America/New_York", business_calendars=HOURS, default_calendar="US", sla_policies=POLICIES[:1],
                  escalation_levels=((1, 50, "rep"), (2, 150, "lead"), (3, 300, "boss")))
    def got(start: str) -> tuple[str, int]:
        c = clock(extract(f"mql 28 {start}", terms=terms), "speed_to_lead")
        return c["status"], c["level"]

    assert [got(s) for s in ("15:31", "15:30", "15:00", "14:59", "14:30", "13:00")] == [
        ("running", 0), ("running", 1), ("running", 1), ("breached_open", 1), ("breached_open", 2), ("breached_open", 3)]


def test_breach_ageing_counts_open_breaches_by_bucket_and_running_ones_only_as_escalated() -> None:
    x = extract("mql 28 15:10", terms=TERMS)
    got = compute(x, sla.breach_ageing).set_index("measure")["value"]
    assert (got["open_breaches"], got["escalated"]) == (0, 1)
    late = extract("mql 27 15:00", terms=TERMS)  # 360 + 180 − 60 = 480 minutes late: the whole of 8 hours
    speed = View.of(sla_type="speed_to_lead")
    assert compute(late, sla.breach_ageing, speed, by="bucket").query("measure == 'open_breaches' and value > 0")["bucket"].tolist() == ["4-8h"]


def test_golden_clocks() -> None:
    """Every clock of the golden workbook: all 153, field by field."""
    data, terms, _ = load_folder(GOLDEN / "data")
    x = Coded(data, terms)
    want = pd.DataFrame(json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))["instances"]["sla_instances"])
    got = x.clocks.frame(x)
    both = want.merge(got, on=["lead_id", "pass", "sla_type"], suffixes=("_want", "_got"))
    assert len(want) == len(got) == len(both) == 153
    for column in ("segment", "calendar", "status"):
        assert (both[f"{column}_want"] == both[f"{column}_got"]).all(), column
    for column in ("start", "due", "end"):
        wanted = pd.to_datetime(both[f"{column}_want"], utc=True)
        assert ((wanted == both[f"{column}_got"]) | (wanted.isna() & both[f"{column}_got"].isna())).all(), column
    for column in ("elapsed_min", "overdue_min", "pct_of_target"):
        assert np.allclose(both[f"{column}_want"], both[f"{column}_got"], rtol=0, atol=1e-6), column
    assert both["outcome_want"].fillna("").eq(both["outcome_got"].fillna("")).all()
    follow_up = both[both["sla_type"] == "follow_up"]
    assert (follow_up["touches_want"] == follow_up["touches_got"]).all()
