"""Headline metrics against SQL written by hand: the golden workbook, a random one, and the sample company. The steps that several queries share are in `sql.py`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from revscore.core.calendars import DAY_US, Period, date_of
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.intake import Source, load_folder, prepare
from tests.oracles.sql import database
from tests.oracles.workbooks import write

ROOT = Path(__file__).parents[2]


def sample_company() -> Coded:
    intake = prepare([Source("northlight.xlsx", ROOT / "sample_data" / "plain" / "northlight.xlsx")])
    return Coded(intake.data, Terms.from_config(intake.config).with_tables(intake.data))


class Case:
    """An extract, the same as a database, and the quarter that holds as-of."""

    def __init__(self, x: Coded) -> None:
        self.x, self.db = x, database(x)
        self.quarter = x.terms.calendar.holding(x.as_of_day, "quarter")
        self.before = x.terms.calendar.shifted(self.quarter)

    def sql(self, query: str, period: Period | None = None, **given: Any) -> list[sqlite3.Row]:
        period = period or self.quarter
        return self.db.execute(query, {"first": str(date_of(period.start)), "last": str(date_of(period.last)), **given}).fetchall()

    def value(self, card: str, measure: str, view: View = View(), column: str = "value", **params: Any) -> float | None:
        frame = compute(self.x, CARDS[card], view, **params)
        found = frame.loc[frame["measure"] == measure, column]
        return None if not len(found) or found.isna().iloc[0] else float(found.iloc[0])


@pytest.fixture(scope="module", params=["golden", "random", "sample"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    if request.param == "sample":
        return Case(sample_company())
    folder = ROOT / "tests" / "golden" / "data" if request.param == "golden" else write(tmp_path_factory.mktemp("book"), 311)
    data, terms, _ = load_folder(folder)
    return Case(Coded(data, terms))


def close(a: float | None, b: float | None) -> bool:
    return a is b is None or (a is not None and b is not None and a == pytest.approx(b, rel=1e-9, abs=1e-6))


def test_stage_entries(case: Case) -> None:
    """Leads by the stage they reached in the quarter; skipped stages are imputed and counted apart."""
    for period in (case.before, case.quarter):
        for row in case.sql("select stage, count(*) as count, sum(imputed) as imputed from reached where day(at) between :first and :last group by stage", period):
            view = View.of(period, stage=row["stage"])
            assert (case.value("funnel.entries", "count", view), case.value("funnel.entries", "imputed", view)) == (row["count"], row["imputed"])


def test_cohort_conversion(case: Case) -> None:
    """Of the leads whose whole window has passed, those that reached the second stage within it; early converters wait with their peers."""
    for pair, days in case.x.terms.conversion_window_days:
        first, _, last = pair.partition("->")
        if last == "won":
            continue
        row, = case.sql("""select count(*) as n, sum(s.at + :window <= d.as_of) as mature, sum(s.at + :window <= d.as_of and t.at <= s.at + :window) as converted
                           from reached s cross join definition d left join reached t on t.lead_id = s.lead_id and t.stage = :last where s.stage = :first_stage""",
                        window=days * DAY_US, first_stage=first, **{"last": last})
        view = View.of(pair=pair)
        assert case.value("funnel.cohort_conversion", "rate_mature", view, "numerator") == (row["converted"] or 0), pair
        assert case.value("funnel.cohort_conversion", "rate_mature", view, "denominator") == (row["mature"] or 0), pair


def test_mql_acceptance(case: Case) -> None:
    """Of the handoffs that began in the quarter (first MQL of a pass) and were decided: did SAL or beyond come before an exit?"""
    for period in (case.before, case.quarter):
        row, = case.sql("""with handoff as (select lead_id, pass, min(place) as place from passes where stage = 'mql' group by lead_id, pass),
                                decided as (select h.lead_id, min(p.place) as place, m.at from handoff h join lead_event m using (lead_id, place)
                                            left join passes p on p.lead_id = h.lead_id and p.pass = h.pass and p.place > h.place
                                                 and (p.is_exit or p.rank >= (select rank from path where stage = 'sal'))
                                            group by h.lead_id, h.pass)
                           select count(*) as handoffs, sum(not e.is_exit) as accepted, count(e.lead_id) as decided
                           from decided d left join lead_event e using (lead_id, place) where day(d.at) between :first and :last""", period)
        assert case.value("sla.acceptance_rate", "acceptance", View(period), "numerator") == (row["accepted"] or 0)
        assert case.value("sla.acceptance_rate", "acceptance", View(period), "denominator") == row["decided"]


def test_win_rate_by_count_and_value(case: Case) -> None:
    """Deals closed now, by their close date in the quarter: won of all decided. A re-opened deal counts once, by its last outcome."""
    for period in (case.before, case.quarter):
        row, = case.sql("""select sum(kind = 'won') as won, count(*) as n, 1.0 * sum(kind = 'won') / count(*) as by_count,
                                  total(value * (kind = 'won')) / nullif(total(value), 0) as by_value
                           from now where kind in ('won', 'lost') and close_date between :first and :last""", period)
        assert case.value("winrate.closed_in_period", "count_rate", View(period), "denominator") == row["n"]
        assert close(case.value("winrate.closed_in_period", "count_rate", View(period)), row["by_count"])
        assert close(case.value("winrate.closed_in_period", "value_rate", View(period)), row["by_value"])


def test_open_pipeline(case: Case) -> None:
    """Open deals at or beyond the entry stage that are not omitted."""
    row, = case.sql("select count(*) as n, total(value) as value from now where eligible")
    assert case.value("pipeline.open", "count") == row["n"] and close(case.value("pipeline.open", "value"), row["value"])


def test_pipeline_created_by_segment(case: Case) -> None:
    """The amount at the first event at or beyond the entry stage, by the day of that event."""
    for period in (case.before, case.quarter):
        rows = case.sql("select o.segment, count(*) as n, total(e.value) as value from entry e join o1 o using (opp_id) where day(e.at) between :first and :last group by o.segment", period)
        assert case.value("pipeline.created", "count", View(period)) == sum(row["n"] for row in rows)
        for row in rows:
            assert close(case.value("pipeline.created", "value", View.of(period, segment=row["segment"])), row["value"])


def test_bookings_and_coverage(case: Case) -> None:
    """Won with the close date in the quarter; what is open and closes in the quarter over what the target leaves."""
    row, = case.sql("""select (select total(value) from now where kind = 'won' and close_date between :first and :last) as won,
                              (select total(value) from now where eligible and close_date between :first and :last) as open""")
    assert close(case.value("bookings.won_value", "value", View(case.quarter)), row["won"])
    target = 2 * row["won"] + 1000
    assert close(case.value("pipeline.coverage", "coverage", View(case.quarter), target=target), row["open"] / (target - row["won"]))


def test_median_sales_cycle(case: Case) -> None:
    """Days from creation to the win of the deals won in the quarter; the median is the middle one, or the mean of the two in the middle."""
    for period in (case.before, case.quarter):
        row, = case.sql("""with days as (select (w.at - o.created_at) / 86400e6 as d, row_number() over (order by w.at - o.created_at) as k, count(*) over () as n
                                         from now c join o1 o using (opp_id) join win w using (opp_id) where c.kind = 'won' and c.close_date between :first and :last)
                           select avg(d) as median from days where k in ((n + 1) / 2, (n + 2) / 2)""", period)
        assert close(case.value("velocity.cycle_time_won", "median", View(period)), row["median"])


def test_pushes(case: Case) -> None:
    """A change of the close date to a later one while the deal is open before and after; and those into a later calendar month."""
    row, = case.sql("""select sum(b.close_date > a.close_date) as later, sum(substr(b.close_date, 1, 7) > substr(a.close_date, 1, 7)) as month
                       from change a join change b on b.opp_id = a.opp_id and b.place = a.place + 1 where a.kind = 'open' and b.kind = 'open'""")
    assert case.value("slippage.push_count", "any_later") == (row["later"] or 0)
    assert case.value("slippage.push_count", "later_month") == (row["month"] or 0)


def test_bridge_of_all_open_pipeline(case: Case) -> None:
    """Two states and what lies between. Every deal comes in at most once (was there, created, re-opened, back from omitted or from below the entry stage) and goes out at most once."""
    days = 60
    rows = case.sql("""
        with t as (select as_of - :days * 86400000000 as t0 from definition),
             then_ as (select c.* from change c, t where place = (select max(place) from change d where d.opp_id = c.opp_id and d.at <= t.t0)),
             again as (select c.opp_id, c.value from change c, t where place = (select min(place) from change d where d.opp_id = c.opp_id and d.at > t.t0 and d.kind = 'open')),
             deal as (select n.opp_id, n.value as a1, n.kind, n.eligible as e, coalesce(h.eligible, 0) as s,
                        case when h.eligible then 'open_start' when en.at > t.t0 then 'created' when h.kind <> 'open' and g.opp_id is not null then 'reopened'
                             when h.kind = 'open' then 'other_in' end as way_in,
                        case when h.eligible then h.value when en.at > t.t0 then en.value when h.kind <> 'open' and g.opp_id is not null then g.value
                             when h.kind = 'open' then h.value end as base
                      from now n cross join t left join then_ h using (opp_id) left join entry en using (opp_id) left join again g using (opp_id)),
             booked as (select * from deal where way_in is not null and (s or e or kind = 'won' or (kind = 'lost' and way_in in ('created', 'reopened'))))
        select way_in as leg, total(base) as value, count(*) as n from booked group by way_in
        union all select 'increased', total(a1 - base), count(*) from booked where a1 > base
        union all select 'decreased', total(base - a1), count(*) from booked where a1 < base
        union all select case when e then 'open_end' when kind = 'open' then 'other_out' else kind end, total(a1), count(*) from booked group by 1""", days=days)
    frame = compute(case.x, CARDS["pipeline.bridge"], by="leg", t0=case.x.as_of - days * DAY_US)
    legs = {(leg, measure): value for leg, measure, value in zip(frame["leg"], frame["measure"], frame["value"], strict=True) if measure in ("value", "count")}
    wanted = {row["leg"]: row for row in rows if row["n"]}
    assert {leg for leg, _ in legs} == set(wanted)
    for leg, row in wanted.items():
        assert legs[leg, "count"] == row["n"] and close(legs[leg, "value"], row["value"]), leg


def test_net_revenue_retention(case: Case) -> None:
    """Closing over opening balance of the accounts that had one when the period began; new accounts are no part of it."""
    if "retention" not in CARDS:
        pytest.skip("retention is not computed yet")
    day = case.x.as_of_day
    period = Period(day - 400, day - 35)
    row, = case.sql("""with balance as (select account_id, total(amount * rate) filter (where effective_date < :first) as opening,
                                               total(amount * rate) filter (where effective_date <= :last) as closing
                                        from (select l.*, coalesce(r.rate, 1.0) as rate from arr_ledger l left join rates r using (currency)) group by account_id)
                       select count(*) as n, total(opening) as opening, total(closing) as closing, sum(closing >= 0.005) as kept,
                              total(min(opening, closing)) as least from balance where opening >= 0.005""", period)
    assert case.value("retention", "accounts", period=period) == row["n"] and case.value("retention", "logos_kept", period=period) == (row["kept"] or 0)
    assert close(case.value("retention", "nrr", period=period), row["closing"] / row["opening"] if row["opening"] else None)
    assert close(case.value("retention", "grr", period=period), row["least"] / row["opening"] if row["opening"] else None)
