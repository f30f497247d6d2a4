"""Classic mistakes of scorecards, each as a test that names the wrong reading it excludes."""

from __future__ import annotations

import numpy as np
import pytest

from revscore.core.calendars import Period, day_number
from revscore.core.compute import compute, curve
from revscore.core.metrics import CARDS, pipeline
from revscore.core.terms import Terms
from revscore.core.view import View
from tests.core.builder import deal, extract, lead


def value(x, card_id: str, measure: str = "", view: View = View(), column: str = "value", **params):
    card = CARDS[card_id]
    frame = compute(x, card, view, **params)
    return frame.loc[frame["measure"] == (measure or card.headline.name), column].iloc[0]


def month(text: str) -> View:
    return View(Terms().calendar.parse(text))


class TestFunnel:
    def test_a_skipped_stage_keeps_the_lead_in_the_funnel(self) -> None:
        """Excludes: "all stages" funnels that lose a lead which skipped one."""
        x = extract(leads=[lead("L1")], lead_events=[("L1", "mql", "2026-05-02T00:00Z"), ("L1", "sql", "2026-05-05T00:00Z")])
        assert value(x, "funnel.entries", "count", View.of(stage="sal")) == 1
        assert value(x, "funnel.entries", "imputed", View.of(stage="sal")) == 1

    def test_stages_before_the_entry_stage_are_never_invented(self) -> None:
        """Excludes: a sales-generated lead that becomes an MQL backwards."""
        x = extract(leads=[lead("L1")], lead_events=[("L1", "sql", "2026-05-05T00:00Z")])
        assert value(x, "funnel.entries", "count", View.of(stage="mql")) == 0

    def test_a_recycled_lead_is_one_mql(self) -> None:
        """Excludes: an MQL count that grows with every return."""
        x = extract(leads=[lead("L1")], lead_events=[("L1", "mql", "2026-04-02T00:00Z"), ("L1", "recycled", "2026-04-05T00:00Z"), ("L1", "mql", "2026-06-02T00:00Z")])
        assert value(x, "funnel.entries", "count", View.of(stage="mql")) == 1
        assert value(x, "funnel.entries", "count", View.of(Period(day_number("2026-06-01"), day_number("2026-07-01")), stage="mql")) == 0
        assert value(x, "funnel.movement", "count", View.of(move="re_mql")) == 1

    def test_early_converters_of_an_open_cohort_wait_with_their_peers(self) -> None:
        """Excludes: 100 % conversion of a cohort in which only the quick ones could have converted."""
        x = extract(leads=[lead(f"L{k}") for k in range(3)],
                    lead_events=[("L0", "mql", "2026-06-25T00:00Z"), ("L0", "sal", "2026-06-25T01:00Z"), ("L1", "mql", "2026-06-25T00:00Z"), ("L2", "mql", "2026-06-01T00:00Z")])
        view = View.of(pair="mql->sal")
        assert value(x, "funnel.cohort_conversion", "rate_mature", view) == 0  # of L2 alone: 0 / 1
        assert value(x, "funnel.cohort_conversion", "rate_mature", view, "denominator") == 1
        assert value(x, "funnel.cohort_conversion", "rate_to_date", view) == pytest.approx(1 / 3)

    def test_a_window_is_inclusive_to_the_second(self) -> None:
        """Excludes: windows in calendar days."""
        terms = Terms(conversion_window_days=(("mql->sal", 1),))
        x = extract(terms=terms, leads=[lead("L1"), lead("L2")],
                    lead_events=[("L1", "mql", "2026-05-01T10:00:00Z"), ("L1", "sal", "2026-05-02T10:00:00Z"),
                                 ("L2", "mql", "2026-05-01T10:00:00Z"), ("L2", "sal", "2026-05-02T10:00:01Z")])
        assert value(x, "funnel.cohort_conversion", "rate_mature", View.of(pair="mql->sal"), "numerator") == 1

    def test_the_reporting_zone_decides_the_month(self) -> None:
        """Excludes: months in UTC."""
        rows = {"leads": [lead("L1")], "lead_events": [("L1", "mql", "2026-05-01T02:30Z")]}
        x = extract(terms=Terms(reporting_tz="America/New_York"), **rows)
        assert value(x, "funnel.entries", "count", View.of(Terms().calendar.parse("2026-04"), stage="mql")) == 1
        x = extract(terms=Terms(reporting_tz="Asia/Kolkata"), **rows)
        assert value(x, "funnel.entries", "count", View.of(Terms().calendar.parse("2026-05"), stage="mql")) == 1

    def test_no_data_is_no_rate(self) -> None:
        """Excludes: 0 % where nothing was decided."""
        x = extract(leads=[lead("L1")], lead_events=[("L1", "inquiry", "2026-06-29T00:00Z")])
        assert np.isnan(value(x, "funnel.cohort_conversion", "rate_mature", View.of(pair="mql->sal")))


class TestDeals:
    HISTORY = [("O1", "2026-05-01T10:00Z", "Discovery", 100, "2026-05-30"), ("O1", "2026-05-20T10:00Z", "Closed Lost", 100, "2026-05-20"),
               ("O1", "2026-06-05T10:00Z", "Proposal", 120, "2026-06-20"), ("O1", "2026-06-20T10:00Z", "Closed Won", 130, "2026-06-20")]

    def test_a_reopened_deal_has_one_outcome(self) -> None:
        """Excludes: a deal that is lost in May and won in June."""
        x = extract(opportunities=[deal("O1")], deal_events=self.HISTORY)
        assert value(x, "winrate.closed_in_period", "count_rate", month("2026-06")) == 1
        assert np.isnan(value(x, "winrate.closed_in_period", "count_rate", month("2026-05")))
        assert value(x, "opp.movement", "count", View.of(move="reopened")) == 1

    def test_the_cycle_counts_from_the_first_creation_to_the_last_win(self) -> None:
        """Excludes: negative cycles and cycles to the planned close date."""
        x = extract(opportunities=[deal("O1")], deal_events=self.HISTORY)
        assert value(x, "velocity.cycle_time_won", "median") == pytest.approx(50 + 10 / 24)

    def test_created_pipeline_is_not_restated_by_later_amounts(self) -> None:
        x = extract(opportunities=[deal("O1")], deal_events=self.HISTORY)
        assert value(x, "pipeline.created", "value", month("2026-05")) == 100

    def test_reopening_is_no_creation(self) -> None:
        x = extract(opportunities=[deal("O1")], deal_events=self.HISTORY)
        assert value(x, "pipeline.created", "value", month("2026-06")) == 0

    def test_ties_are_ordered_by_stage_and_lost_comes_last(self) -> None:
        """Excludes: a state that depends on the order of the file."""
        rows = [("O1", "2026-05-01T10:00Z", "Closed Lost", 5, "2026-05-30"), ("O1", "2026-05-01T10:00Z", "Discovery", 7, "2026-05-30")]
        for history in (rows, rows[::-1]):
            assert value(extract(opportunities=[deal("O1")], deal_events=history), "winrate.closed_in_period", "lost") == 1

    def test_a_stuck_deal_raises_the_median(self) -> None:
        """Excludes: averages over the deals that have left."""
        fast = [(f"O{k}", at, stage, 1, "2026-07-01") for k in range(3) for at, stage in (("2026-03-01T00:00Z", "Discovery"), ("2026-03-03T00:00Z", "Proposal"))]
        stuck = [(f"S{k}", "2026-03-01T00:00Z", "Discovery", 1, "2026-07-01") for k in range(4)]
        x = extract(opportunities=[deal(o) for o in ("O0", "O1", "O2", "S0", "S1", "S2", "S3")], deal_events=fast + stuck)
        assert np.isnan(curve(x, CARDS["velocity.opp_stage_first_visit_km"], View.of(stage="Discovery")).quantile(0.5)), "not reached"

    def test_a_push_within_the_month_is_a_push(self) -> None:
        """Excludes: counters that see only later months, and that pulling in takes a push back."""
        days = ["2026-04-01", "2026-04-30", "2026-05-15", "2026-04-20"]
        x = extract(opportunities=[deal("O1")], deal_events=[("O1", f"2026-03-0{k + 1}T00:00Z", "Discovery", 1, day) for k, day in enumerate(days)])
        assert value(x, "slippage.push_count", "any_later") == 2
        assert value(x, "slippage.push_count", "later_month") == 1
        assert value(x, "slippage.push_count", "days") == 29 + 15

    def test_a_missing_rate_is_never_one_to_one(self) -> None:
        x = extract(opportunities=[deal("O1", currency="XAU")], deal_events=self.HISTORY)
        assert value(x, "bookings.won_value", "value") == 0
        assert x.missing_rates == ("XAU",)

    def test_excluded_loss_reasons_are_in_no_rate(self) -> None:
        x = extract(opportunities=[deal("O1", loss_reason="Duplicate")], deal_events=self.HISTORY[:2])
        assert np.isnan(value(x, "winrate.closed_in_period", "count_rate"))

    def test_a_deal_that_came_and_went_shows_in_the_bridge(self) -> None:
        """Excludes: bridges from two snapshots that lose what was created and won inside."""
        x = extract(opportunities=[deal("O1")], deal_events=[("O1", "2026-06-25T10:00Z", "Discovery", 50, "2026-06-29"), ("O1", "2026-06-29T10:00Z", "Closed Won", 60, "2026-06-29")])
        frame = compute(x, pipeline.bridge, by="leg")
        legs = frame[frame["measure"] == "value"].set_index("leg")["value"]
        assert (legs["created"], legs["increased"], legs["won"]) == (50, 10, 60)
        assert pipeline.unexplained(frame) == 0


def test_ratio_totals_are_recomputed_not_added() -> None:
    """Excludes: a total rate that is the sum, or the mean, of its groups' rates."""
    history = [("A", "2026-05-01T10:00Z", "Closed Won", 1, "2026-05-10")] + [(o, "2026-05-01T10:00Z", "Closed Lost", 1, "2026-05-10") for o in ("B", "C", "D")]
    x = extract(opportunities=[deal("A", segment="SMB"), *(deal(o, segment="Enterprise") for o in "BCD")], deal_events=history)
    assert value(x, "winrate.closed_in_period", "count_rate") == 0.25
