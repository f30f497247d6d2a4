"""Retention and governance by hand where workbooks differ: other zones and currencies, what comes after as-of, nothing at all, ties."""

from __future__ import annotations

import math

import numpy as np
import pytest

from revscore.core import ask
from revscore.core.calendars import Period, day_number
from revscore.core.compute import compute, curve
from revscore.core.drill import open_number
from revscore.core.made import Number, bearing
from revscore.core.metrics import CARDS
from revscore.core.metrics.retention import default_period
from revscore.core.review import line
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.rhythm import governance
from tests.core.builder import extract

YEAR = Period(day_number("2025-06-01"), day_number("2026-06-01"))


def row(account: str, day: str, movement: str, amount: float, currency: str = "USD", segment: str = "SMB") -> dict:
    return {"account_id": account, "effective_date": day, "movement": movement, "amount": amount, "currency": currency, "segment": segment}


def of(x, card: str, view: View = View(), **params) -> dict[str, float]:
    frame = compute(x, CARDS[card], view, **params)
    return dict(zip(frame["measure"], frame["value"], strict=True))


def test_churn_and_return_is_kept_and_churn_after_the_period_does_not_count() -> None:
    x = extract(arr_ledger=[row("A", "2024-01-01", "new", 100), row("A", "2025-09-01", "churn", -100), row("A", "2026-02-01", "reactivation", 80),
                            row("B", "2024-01-01", "new", 50), row("B", "2026-06-02", "churn", -50)])
    found = of(x, "retention", period=YEAR)
    assert found["nrr"] == pytest.approx(130 / 150) and found["logo_retention"] == 1 and found["churn"] == 0 and found["net_contraction"] == 20
    assert found["grr_movement_variant"] == pytest.approx(50 / 150)  # the movements alone would say that A is gone


def test_the_first_day_of_the_period_is_a_movement_inside_it() -> None:
    x = extract(arr_ledger=[row("A", "2025-05-31", "new", 100), row("B", "2025-06-01", "new", 70), row("A", "2026-05-31", "expansion", 10), row("A", "2026-06-01", "expansion", 99)])
    found = of(x, "retention", period=YEAR)
    assert found["opening_arr"] == 100 and found["closing_arr"] == 110 and found["accounts"] == 1
    assert of(x, "retention.new_accounts", View(YEAR))["value"] == 70


def test_the_ledger_after_as_of_does_not_exist_yet() -> None:
    """As-of is a day of the reporting zone: 30 June 23:30 in New York is 1 July in UTC."""
    rows = [row("A", "2025-01-01", "new", 100), row("A", "2026-07-01", "churn", -100)]
    for zone, left in (("America/New_York", 1.0), ("UTC", 0.0)):
        x = extract("2026-07-01T03:30:00Z", Terms(reporting_tz=zone), arr_ledger=rows)
        assert of(x, "retention", period=Period(YEAR.start, day_number("2026-07-02")))["nrr"] == left


def test_twelve_complete_fiscal_months_unless_the_definitions_name_others() -> None:
    assert default_period(extract(arr_ledger=[])) == YEAR
    assert default_period(extract(terms=Terms(fiscal_start_month=7), arr_ledger=[])) == YEAR
    named = Period(day_number("2025-01-01"), day_number("2025-07-01"))
    assert default_period(extract(terms=Terms(retention_period=(named.start, named.end)), arr_ledger=[])) == named


def test_a_balance_of_rounding_is_nothing_and_money_without_a_rate_is_left_out() -> None:
    x = extract(arr_ledger=[row("A", "2024-01-01", "new", 0.004), row("B", "2024-01-01", "new", 10), row("B", "2025-12-01", "churn", -9.996),
                            row("C", "2024-01-01", "new", 500, "XAU")])
    found = of(x, "retention", period=YEAR)
    assert found["accounts"] == 1 and found["churn"] == 10 and found["logo_retention"] == 0
    left_out = open_number(x, CARDS["retention"], period=YEAR).left_out.set_index("account_id")["why"].to_dict()
    assert left_out == {"A": "no balance before the period", "C": "no exchange rate for its currency"}


def test_an_account_goes_by_its_latest_segment() -> None:
    x = extract(accounts=[{"account_id": "A", "name": "Acme", "segment": "Enterprise"}],
                arr_ledger=[row("A", "2024-01-01", "new", 100, segment="SMB"), row("A", "2025-12-01", "expansion", 10, segment="Mid-Market")])
    frame = compute(x, CARDS["retention"], by="segment", period=YEAR)
    assert set(frame["segment"]) == {"Mid-Market"}


def test_nothing_before_the_period_is_no_rate() -> None:
    found = of(extract(arr_ledger=[]), "retention")
    assert math.isnan(found["nrr"]) and found["opening_arr"] == 0


def test_a_period_asked_for_by_name_is_the_period_of_retention() -> None:
    x = extract(arr_ledger=[row("A", "2024-01-01", "new", 100), row("A", "2026-03-01", "churn", -100)])
    view = ask.view_of(x, [], "2026-03", "")
    found, _ = ask.tidy(x, [CARDS["retention"]], view)
    assert found.set_index("measure")["value"]["nrr"] == 0 and set(found["period"]) == {"2026-03"}


# -- governance ----------------------------------------------------------------------------------------------------------------------------

def decision(k: int, raised: str, decided: str | None = None, status: str = "decided") -> dict:
    return {"decision_id": f"D{k}", "raised_at": raised, "decided_at": decided, "status": status}


def test_a_decision_of_tomorrow_is_open_today() -> None:
    x = extract(decisions=[decision(1, "2026-06-20T12:00Z", "2026-07-02T12:00Z"), decision(2, "2026-06-01T12:00Z", "2026-06-11T12:00Z"),
                           decision(3, "2026-07-01T12:00Z"), decision(4, "2026-01-01T12:00Z", None, "withdrawn")])
    assert of(x, "governance.decision_velocity")["decided"] == 1
    opened = open_number(x, CARDS["governance.decision_time"], measure="open").counted
    assert opened[["decision_id", "age_days"]].values.tolist() == [["D1", 10.0]]
    assert curve(x, CARDS["governance.decision_time"]).n == 2
    assert open_number(x, CARDS["governance.decision_velocity"]).left_out["decision_id"].tolist() == ["D4"]


def action(k: int, due: str = "2026-06-10", done: str | None = None, status: str = "done", **more) -> dict:
    return {"action_id": f"A{k}", "due_date": due, "completed_at": done, "status": status, "created_at": "2026-05-01T00:00Z", **more}


def test_on_time_is_the_local_day_and_due_today_is_not_due_yet() -> None:
    rows = [action(1, done="2026-06-11T03:00Z"), action(2, "2026-06-30", None, "open"), action(3, "2026-06-29", None, "open"), action(4, "2026-06-01", None, "cancelled"),
            action(5, done="2026-07-01T00:00Z")]
    late, early = (of(extract(terms=Terms(reporting_tz=zone), actions=rows), "governance.actions") for zone in ("UTC", "America/New_York"))
    assert late["due"] == 3 and late["completion_rate"] == pytest.approx(1 / 3) and late["on_time_rate"] == 0 and late["overdue"] == 2
    assert early["on_time_rate"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(("numbers", "direction", "verdict"), [
    ((10, 100, 40, 100), "up", "moved"), ((10, 100, 40, 100), "down", "moved_wrong_way"), ((40, 100, 10, 100), "down", "moved"), ((40, 100, 42, 100), "up", "inconclusive"),
    ((5, 9, 40, 100), "up", "insufficient_n"), ((5, 10, 1, 9), "up", "insufficient_n"), ((5, 10, None, None), "up", "not_yet_measurable"), ((None, None, 5, 50), "up", "insufficient_n")])
def test_verdicts_on_actions(numbers, direction: str, verdict: str) -> None:
    names = ("baseline_x", "baseline_n", "after_x", "after_n")
    x = extract(actions=[action(1, done="2026-06-01T00:00Z", measure_at="2026-06-30", direction=direction, **dict(zip(names, numbers, strict=True))),
                         action(2, done="2026-06-01T00:00Z", measure_at="2026-07-01", direction=direction, baseline_x=1, baseline_n=99, after_x=50, after_n=99),
                         action(3, done=None, status="open", measure_at="2026-06-01", direction=direction, baseline_x=1, baseline_n=99, after_x=50, after_n=99)])
    facts = x.facts(CARDS["governance.actions"])
    found = dict(zip(x.ids("action")[facts.record], np.array(facts.own["verdict"].values)[facts.codes["verdict"]], strict=True))
    assert found == {"A1": verdict, "A2": "not_yet_measurable", "A3": ""}


def test_the_tolerance_itself_agrees_and_a_canonical_zero_asks_for_zero() -> None:
    def said(metric: str, source: str, value: float | None) -> dict:
        return {"metric_id": metric, "period": "2026-05", "segment": None, "source": source, "value": value}

    x = extract(reported_values=[said("a", "revscore", 100), said("a", "x", 100.5), said("a", "y", 100.51), said("b", "revscore", 0), said("b", "x", 0), said("b", "y", 0.001),
                                 said("c", "x", 5), said("d", "revscore", None), said("d", "x", 5), said("a", "z", None)])
    opened = open_number(x, CARDS["governance.reporting_consistency"])
    assert opened.counted.iloc[:, 0].tolist() == ["a|2026-05||x", "b|2026-05||x"] and opened.not_counted.iloc[:, 0].tolist() == ["a|2026-05||y", "b|2026-05||y"]
    assert opened.left_out.iloc[:, 0].tolist() == ["c|2026-05||x", "d|2026-05||x"]


def test_a_change_is_controlled_only_by_what_has_happened() -> None:
    base = {"metric_id": "m", "effective_from": "2026-06-01", "rationale": "why", "approved_by": "U1", "dashboards_updated_at": "2026-06-02", "training_at": "2026-06-03"}
    x = extract(definition_changes=[base | {"change_id": "C1"}, base | {"change_id": "C2", "training_at": "2026-07-05"}, base | {"change_id": "C3", "rationale": " "},
                                    base | {"change_id": "C4", "effective_from": "2026-07-01"}])
    assert of(x, "governance.definition_drift") == {"controlled_rate": pytest.approx(1 / 3), "changes": 3}


def test_a_test_that_was_not_split_as_planned_is_invalid_and_three_arms_have_two_verdicts() -> None:
    def arm(test: str, name: str, n: float, hits: float, share: float) -> dict:
        return {"experiment_id": test, "name": test, "arm": name, "n": n, "successes": hits, "planned_share": share}

    x = extract(experiments=[arm("E1", "treatment", 500, 80, 0.5), arm("E1", "control", 650, 60, 0.5), arm("E2", "b", 100, 40, 0.2), arm("E2", "c", 100, 12, 0.2), arm("E2", "control", 300, 30, 0.6),
                             arm("E3", "control", 0, 0, 0.5), arm("E3", "treatment", 0, 0, 0.5), arm("E4", "control", 10, 1, 1.0)])
    found = compute(x, CARDS["stats.experiments"])
    assert list(zip(found["experiment_id"], found["arm"], found["verdict"], strict=True)) == [
        ("E1", "treatment", "invalid_srm"), ("E2", "b", "lift"), ("E2", "c", "inconclusive"), ("E3", "treatment", "inconclusive")]


def test_a_test_is_narrowed_to_one_experiment_and_one_arm() -> None:
    arms = [{"experiment_id": test, "name": test, "arm": arm, "n": 100, "successes": hits, "planned_share": 1 / 3} for test in ("E1", "E2")
            for arm, hits in (("control", 10), ("a", 20), ("b", 30 if test == "E1" else 40))]
    x, card = extract(experiments=arms), CARDS["stats.experiments"]
    found, remarks = ask.tidy(x, [card], ask.view_of(x, ["experiment_id=E2"]), by=("arm",))
    assert found["by"].tolist() == ["a", "b"] and found["value"].tolist() == pytest.approx([0.1, 0.3]) and not remarks
    view = ask.view_of(x, ["experiment_id=E2", "arm=b"])
    assert Number.of(card, view).value(x) == pytest.approx(0.3) and bearing(x, Number.of(card, view)) == ("arm", "experiment_id")
    assert line(x, card, View(), own={"experiment_id": "E2", "arm": "b"}).value == pytest.approx(0.3)


def test_one_lift_of_several_arms_is_exploratory_in_the_frame_and_in_words() -> None:
    def arm(name: str, n: float, hits: float) -> dict:
        return {"experiment_id": "E1", "name": "Offer", "arm": name, "n": n, "successes": hits, "planned_share": 1 / 3}

    arms = [arm("control", 100, 10), arm("A", 98, 20), arm("B", 102, 11)]
    x = extract(experiments=arms)
    found = compute(x, CARDS["stats.experiments"])
    assert list(zip(found["arm"], found["verdict"], found["note"], strict=True)) == [("A", "lift", "exploratory"), ("B", "inconclusive", "exploratory")]
    assert governance.tests(x, View())["verdict"].tolist() == ["lift, exploratory: one of several arms", "inconclusive, exploratory: one of several arms"]
    two = extract(experiments=arms[:2])
    assert compute(two, CARDS["stats.experiments"])["note"].tolist() == [""] and governance.tests(two, View())["verdict"].tolist() == ["lift"]
