"""The solo test: a count that one function makes is not shared, a product of rates is; contributions add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.terms import Target
from revscore.core.view import View
from revscore.intake import load_folder
from revscore.rhythm.solo import Input, joints, solo_test

NAN = float("nan")
RATES = (Input("handed over", "revops", (0.9, 0.8, 0.8)), Input("in time", "sales", (0.7, 0.9, 0.6)), Input("converted", "marketing", (0.5, 0.4, 0.5)))


def test_a_count_of_leads_is_not_shared():
    found = solo_test((Input("MQLs", "marketing", (300.0, 420.0, 350.0)),), 400.0)
    assert not found.shared and found.alone[0].meets and found.alone[0].reached == 420 and found.alone[0].best == 1 and found.smallest == ("marketing",)


def test_a_product_of_rates_that_needs_two_is_shared():
    found = solo_test(RATES, 0.4)  # from 0.8 × 0.6 × 0.5 = 0.24
    assert found.shared and not found.met and found.baseline == pytest.approx(0.24)
    assert {one.function: round(one.reached, 3) for one in found.alone} == {"revops": 0.27, "sales": 0.36, "marketing": 0.24}
    assert found.smallest == ("revops", "sales") and found.together == pytest.approx(0.9 * 0.9 * 0.5)


def test_one_function_that_reaches_it_is_flagged_and_named():
    found = solo_test(RATES, 0.35)
    assert not found.shared and [one.function for one in found.alone if one.meets] == ["sales"] and found.smallest == ("sales",)


def test_contributions_add_up_to_the_change():
    found = solo_test(RATES, 0.4)
    assert sum(one.contribution for one in found.alone) == pytest.approx(found.together - found.baseline)


def test_nobody_reaches_what_is_out_of_reach_and_nobody_is_needed_for_what_is_met():
    assert solo_test(RATES, 0.9).smallest == () and not solo_test(RATES, 0.9).met and solo_test(RATES, 0.9).shared
    assert solo_test(RATES, 0.2).met and not solo_test(RATES, 0.2).shared and solo_test(RATES, 0.2).smallest == ()


def test_the_inputs_of_a_function_are_those_of_one_period():
    found = solo_test((Input("a", "sales", (0.9, 0.1, 0.5)), Input("b", "sales", (0.1, 0.9, 0.5)), Input("c", "marketing", (1.0, 1.0, 1.0))), 0.5)
    assert found.alone[0].reached == pytest.approx(0.25) and found.alone[0].best == 2  # not 0.9 × 0.9


def test_a_target_at_most_is_reached_from_above():
    found = solo_test((Input("days", "sales", (30.0, 50.0)), Input("steps", "marketing", (1.2, 1.0))), 40.0, "down")
    assert [one.meets for one in found.alone] == [True, False] and found.smallest == ("sales",)


def test_an_input_without_a_baseline_cannot_be_tested_and_a_gap_in_the_past_is_no_best():
    assert solo_test((Input("a", "sales", (0.5, NAN)),), 0.5) is None
    assert solo_test((Input("a", "sales", (NAN, 0.4, 0.3)),), 0.5).alone[0].reached == 0.4


@pytest.fixture(scope="module")
def golden() -> Coded:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    return Coded(data, terms)


def test_the_inputs_of_joint_metrics_give_them_back_in_every_full_period(golden):
    quarter = golden.terms.calendar.holding(golden.as_of_day, "quarter")
    x = Coded(golden.data, replace(golden.terms, targets=(Target("A", "funnel.entries.mql", quarter.start, quarter.end, "", "marketing+sales", 10.0, "up", "linear"),)))
    found = {one.metric_id: one for one in joints(x, View())}
    assert {"shared.handoff_yield.yield", "shared.joint_pipeline.value", "funnel.entries.mql"} <= set(found)
    for one in found.values():
        if one.solo is not None:
            assert one.solo.baseline == pytest.approx(one.behind().value(x))
            for reach in one.solo.alone:
                assert reach.reached == pytest.approx(one.behind(reach.function).made.given_back(x))
        for place, period in enumerate(one.periods):
            product = np.prod([part.values[place] for part in one.inputs])
            card, stat = one.metric_id.rpartition(".")[::2] if one.metric_id != "funnel.entries.mql" else ("funnel.entries", "count")
            if one.inputs and np.isfinite(product):
                own = {"stage": "mql"} if card == "funnel.entries" else {}
                assert product == pytest.approx(Number.of(CARDS[card], View.of(period, **own), stat).value(x))


def test_a_target_in_an_odd_period_says_why_it_is_not_tested(golden):
    odd = Period(golden.as_of_day - 10, golden.as_of_day + 10)
    x = Coded(golden.data, replace(golden.terms, targets=(Target("A", "bookings.won.value", odd.start, odd.end, "", "sales", 10.0, "up", "linear"),)))
    found = next(one for one in joints(x, View()) if one.metric_id == "bookings.won.value")
    assert found.solo is None and found.sentence("USD").startswith("Bookings is not tested. Its period is none of the calendar")
