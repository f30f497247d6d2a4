"""Every rate says on how many records it stands, and gives way to "x of n" below five of them (METRICS C12)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from revscore.core.calendars import Period, day_number
from revscore.core.compute import compute, finish
from revscore.core.metric import Kind, rate
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.sums import add, sums
from revscore.core.view import View
from tests.core.builder import deal, extract, lead

QUARTER = Period(day_number("2026-05-01"), day_number("2026-08-01"), "FY26Q2")
FLAGS = {2: "suppress", 5: "low_n", 30: "ok"}


def accounts(count: int, closing: float = 17_500.0):
    return extract(accounts=[{"account_id": f"A{k}", "segment": "SMB"} for k in range(count)], arr_ledger=[
        {"account_id": f"A{k}", "effective_date": day, "movement": movement, "amount": amount, "currency": "USD"} for k in range(count)
        for day, movement, amount in (("2025-01-10", "new", 20_000.0), ("2026-02-10", "contraction", closing - 20_000.0))])


def deals(count: int):
    events = [(f"O{k}", at, stage, 100.0, "2026-06-10") for k in range(count) for at, stage in (("2026-05-05T00:00Z", "Discovery"), ("2026-06-10T00:00Z", "Closed Won"))]
    return extract(opportunities=[deal(f"O{k}") for k in range(count)], deal_events=events)


def test_no_rate_is_without_a_flag() -> None:
    for card in CARDS.values():
        if any(measure.kind is Kind.RATE for measure in card.measures) and card.headline.kind not in (Kind.DERIVED, Kind.STUDY):
            x = deals(1)
            if not x.data.missing(card.needs):
                found = compute(x, card)
                rates = found[found["measure"].isin([measure.name for measure in card.measures if measure.kind is Kind.RATE])]
                assert rates["flag"].notna().all(), card.id


@pytest.mark.parametrize("count", FLAGS)
def test_a_rate_of_amounts_counts_its_records_and_has_no_interval(count: int) -> None:
    for x, card, names in ((accounts(count), "retention", ("nrr", "grr", "grr_movement_variant")), (deals(count), "winrate.closed_in_period", ("value_rate",))):
        found = compute(x, CARDS[card]).set_index("measure").loc[list(names)]
        assert found["n"].tolist() == [count] * len(names) and set(found["flag"]) == {FLAGS[count]} and found["low"].isna().all()
        assert (found["denominator"] > 5 * count).all()  # an amount


@pytest.mark.parametrize("count", FLAGS)
def test_a_rate_of_counts_to_date_has_interval_and_flag(count: int) -> None:
    found = compute(deals(count), CARDS["winrate.cohort"]).set_index("measure")
    assert found.loc[["rate_to_date", "open_share"], "flag"].tolist() == [FLAGS[count]] * 2 and found.loc[["rate_to_date", "open_share"], ["low", "high"]].notna().all(axis=None)
    x = extract(leads=[lead(f"L{k}") for k in range(count)], lead_events=[(f"L{k}", "mql", "2026-06-01T10:00Z") for k in range(count)])
    found = compute(x, CARDS["funnel.cohort_conversion"], View.of(pair="mql->sal")).set_index("measure")
    assert found.loc[["rate_to_date", "still_open_share"], "flag"].tolist() == [FLAGS[count]] * 2
    assert line(x, CARDS["funnel.cohort_conversion"], View(), "rate_to_date", own={"pair": "mql->sal"}).moved is None  # young records are no news


def test_two_accounts_show_what_is_left_of_what_and_no_change() -> None:
    two, many = (line(accounts(count), CARDS["retention"], View()) for count in (2, 6))
    assert two.text == "$35.0k of $40.0k" and two.sample == "n = 2" and two.change == "–" and two.thin and two.tone == "neutral"
    assert many.text == "87.5 %" and many.sample == "$105k of $120k, n = 6" and not many.thin


def test_a_rate_by_value_says_itself_that_it_is_one_whatever_its_columns_are_called() -> None:
    """Its own fact `records` decides, so a rate of counts below a column called value is none, and one below a column of another name is."""
    events = [(f"O{k}", at, stage, 100.0 if k < 3 else None, "2026-06-10") for k in range(10)
              for at, stage in (("2026-05-05T00:00Z", "Discovery"), ("2026-06-10T00:00Z", "Closed Won" if k % 2 else "Closed Lost"))]
    x, card = extract(opportunities=[deal(f"O{k}") for k in range(10)], deal_events=events), CARDS["winrate.closed_in_period"]
    gap = card.measure("amount_gap")

    def shown(measure):
        return line(x, replace(card, measures=(measure, gap)), View(QUARTER), measure.name, alone=True)

    amounts = shown(rate("by_amount", "won_value", "lost_value", records="n"))
    assert np.isnan(amounts.value) and amounts.without_amount == 7
    assert np.isnan(shown(rate("by_amount", "won_value", "won", records="n")).value)
    assert shown(rate("share", "won", "closed_value")).value == 5 / 300 and shown(rate("share", "won", "closed_value")).without_amount == 0


def test_sums_of_parts_count_the_same_records() -> None:
    x, card = accounts(6), CARDS["retention"]
    part = sums(x, card, x.facts(card), View())
    found = finish(card, add([part, part]), x).set_index("measure").loc["nrr"]
    assert found["n"] == 12 and found["flag"] == "low_n" and found["value"] == pytest.approx(0.875) and np.isnan(found["low"])
