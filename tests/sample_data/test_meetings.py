"""What the sample company's meetings left behind reads as it should through the product: reports, decisions, tests, weekly series, retention."""

from __future__ import annotations

from pathlib import Path

import pytest

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.metrics import CARDS, targets
from revscore.core.terms import Target, Terms
from revscore.intake import Source, prepare

PLAIN = Path(__file__).parents[2] / "sample_data" / "plain" / "northlight.xlsx"


@pytest.fixture(scope="module")
def x() -> Coded:
    found = prepare([Source(PLAIN.name, PLAIN)])
    return Coded(found.data, Terms.from_config(found.config).with_tables(found.data))


def value(x: Coded, card: str, measure: str) -> float:
    frame = compute(x, CARDS[card])
    return float(frame.loc[frame["measure"] == measure, "value"].iloc[0])


def test_the_canonical_values_are_the_ones_that_are_computed(x):
    """The report values named "revscore" are what revscore says of the period."""
    reported = x.data.table("reported_values")
    canonical = reported[reported["source"] == "revscore"]
    assert len(canonical) == 6
    for row in canonical.itertuples():
        period = x.terms.calendar.parse(row.period)
        segment = row.segment if isinstance(row.segment, str) else ""
        found = targets.actual(x, Target("", row.metric_id, period.start, period.end, segment, "", 1.0), CARDS)
        assert row.value == pytest.approx(found, rel=1e-12), row.metric_id


def test_four_of_nine_reports_are_off(x):
    assert value(x, "governance.reporting_consistency", "comparisons") == 9 and value(x, "governance.reporting_consistency", "rate") == pytest.approx(5 / 9)


def test_decisions_and_actions(x):
    assert value(x, "governance.decision_time", "open") == 3
    assert value(x, "governance.actions", "overdue") == 3 and value(x, "governance.actions", "due") == 14
    assert value(x, "governance.definition_drift", "controlled_rate") == pytest.approx(5 / 7)


def test_one_test_lifts_and_one_says_nothing(x):
    assert compute(x, CARDS["stats.experiments"]).set_index("experiment_id")["verdict"].to_dict() == {"E1": "lift", "E2": "inconclusive"}


def test_the_weekly_series_signal(x):
    rates, counts = (compute(x, CARDS[card]) for card in ("stats.p_chart", "stats.xmr"))
    assert rates.loc[rates["outside"].notna(), "t"].tolist() == [19]
    assert counts.loc[counts["run"].notna(), ["t", "run"]].values.tolist() == [[21, "above"]]


def test_revenue_kept(x):
    frame = compute(x, CARDS["retention"]).set_index("measure")["value"]
    assert frame["accounts"] == 161 and 0.84 < frame["grr"] < 0.85 < 0.98 < frame["nrr"] < 0.99
    assert frame["opening_arr"] + frame["net_expansion"] - frame["net_contraction"] - frame["churn"] == pytest.approx(frame["closing_arr"])
    assert Period(*x.terms.retention_period).days == 365
