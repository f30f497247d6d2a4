"""What changed, exactly: the win rates and the way between them, a rate over its groups, sales velocity over its levers, on unseen workbooks."""

from __future__ import annotations

from functools import cache
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.drill import open_number
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.view import View
from revscore.intake import load_folder
from revscore.rhythm import changes, speed, wins
from revscore.rhythm.asks import LEAST, ask
from tests.oracles.workbooks import write

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
SEEDS = (0, 203, 311, 2010)  # 0: the golden workbook


@cache
def book(seed: int) -> Coded:
    if not seed:
        return Coded(*load_folder(GOLDEN)[:2])
    with TemporaryDirectory() as folder:
        return Coded(*load_folder(write(Path(folder), seed))[:2])


def periods(x: Coded) -> list[Period | None]:
    now = x.terms.calendar.holding(x.as_of_day, "quarter")
    return [now, *(x.terms.calendar.shifted(now, -back) for back in (1, 2)), None]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_steps_between_any_two_win_rates_add_up_and_open_to_their_deals(seed):
    x = book(seed)
    for period in periods(x):
        view = View(period)
        values = {name: one.value for name, one in zip(wins.RATES, wins._of(x, view, True).lines, strict=True)}
        for start, end in permutations(wins.RATES, 2):
            way = wins.way(x, view, start, end)
            if not len(way.rows):
                continue
            assert (way.path.start, way.path.end) == pytest.approx((values[start], values[end]))
            assert way.path.left_over == pytest.approx(0, abs=1e-12)
            assert way.rows["to"].iloc[-2] == pytest.approx(values[end])
            for step in way.path.steps:
                deals = wins.deals(x, view, start, end, step.id)
                assert len(deals) == len(step.records) and deals["opp_id"].is_unique
                assert ((deals["won_before"] != deals["won_after"]) | (deals["of_before"] != deals["of_after"])).all()


def test_the_win_rates_of_the_golden_workbook():
    x = book(0)
    view = View(x.terms.calendar.parse("FY26Q1"))
    shown = {name: one.value for name, one in zip(wins.RATES, wins._of(x, view, True).lines, strict=True)}
    assert shown["decided_count"] == 0.5 and shown["decided_value"] == pytest.approx(28000 / 48000) and shown["created_count"] == 0.125
    way = wins.way(x, view, "decided_count", "created_count")
    assert sum(step.effect for step in way.path.steps) == pytest.approx(-0.375)
    assert wins.rates(x, View(x.terms.calendar.parse("FY26Q2"))).settled is False  # no deal created in it is through its window


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rate_over_any_dimension_leaves_nothing_unexplained(seed):
    x = book(seed)
    for one in (ask("winrate.closed_in_period"), ask("winrate.closed_in_period", "value_rate"), ask("funnel.cohort_conversion", pair="mql->opportunity", settled=True)):
        for by in changes.dimensions(x, View(), one):
            for period in periods(x)[:3]:
                found = changes.change(x, View(period), one, by)
                if not found.known:
                    continue
                split = found.split
                assert split.left_over == pytest.approx(0, abs=1e-12) and split.left_over_top == pytest.approx(0, abs=1e-6)
                assert found.rows["to"].iloc[-2] == pytest.approx(split.after)
                now = compute(x, CARDS[one.card], View(found.period).narrowed(**dict(one.own)))
                row = now[now["measure"] == CARDS[one.card].measure(one.stat).name].iloc[0]
                assert (split.groups["n1"].sum(), split.groups["d1"].sum()) == pytest.approx((row["numerator"], row["denominator"]))


@pytest.mark.parametrize("by", ["owner", "campaign"])
def test_owners_and_campaigns_of_few_are_not_told_apart(by):
    for seed in SEEDS:
        x = book(seed)
        for period in periods(x)[:3]:
            found = changes.change(x, View(period), ask("winrate.closed_in_period"), by)
            if found.split is not None and len(found.split.groups):
                groups = found.split.groups
                own = groups[~groups["group"].str.contains("with fewer than")]
                assert (own[["d0", "d1"]].min(axis=1) >= LEAST).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_levers_add_up_to_the_change_of_sales_velocity(seed):
    x = book(seed)
    for period in periods(x)[:3]:
        found = speed.levers(x, View(period))
        if not len(found.frame) or found.frame["effect"].isna().any():
            continue
        assert found.left_over == pytest.approx(0, abs=1e-6 * max(abs(found.now), abs(found.before), 1))
        now = compute(x, CARDS["velocity.sales_velocity"], View(period))
        assert found.now == pytest.approx(now.loc[now["measure"] == "per_day", "value"].iloc[0])
        assert found.rows["to"].iloc[-2] == pytest.approx(found.now)


def test_velocity_of_a_period_that_is_over_counts_the_deals_that_were_open_then():
    x = book(0)
    before = x.terms.calendar.shifted(x.terms.calendar.holding(x.as_of_day, "quarter"))
    card = CARDS["velocity.sales_velocity"]
    today, then = (compute(x, card, View(before), **params)["open_opportunities"].iloc[0] for params in ({}, {"then": True}))
    level = compute(x, CARDS["pipeline.open"], View(before))
    assert then == level.loc[level["measure"] == "count", "value"].iloc[0]
    open_now = compute(x, CARDS["pipeline.open"], View())
    assert today == open_now.loc[open_now["measure"] == "count", "value"].iloc[0] != then


def test_each_part_of_a_split_has_rows_that_give_it_back():
    golden = book(0)
    view = View(golden.terms.calendar.holding(golden.as_of_day, "quarter"))
    one = ask("winrate.closed_in_period", label="Win rate")
    by = changes.dimensions(golden, view, one)[0]
    found = changes.change(golden, view, one, by)
    for kind in ("mix", "rate", "total"):
        made = changes.effect(golden, view, one, found, by, found.split.groups["group"].iloc[0], kind).made
        rates = [part for part in made.parts if isinstance(part, Number)]
        assert len(rates) == 4 and made.given_back(golden) == pytest.approx(found.split.groups[kind].iloc[0], abs=1e-12)
        for rate in rates:
            rows = open_number(golden, rate.card, rate.view, rate.row_name)
            whole = rows.counted["base"].sum() + rows.not_counted["base"].sum()
            assert whole == 0 or rows.counted["contribution"].sum() / whole == pytest.approx(rate.value(golden))
