"""The total below a report, held against the rows above it."""

from __future__ import annotations

import pytest

from revscore.intake import Source
from revscore.intake.desk import Desk
from revscore.intake.match import recognise
from revscore.intake.read import read
from revscore.intake.sums import check_sums

HEAD = "Opportunity ID,Opportunity Name,Stage,Amount,Currency,Close Date\n"
ROWS = "7001,A,Prospecting,1000.50,{0},2026-03-13\n7002,B,Prospecting,\"3,000.00\",{1},2026-03-13\n"


def said(below: str, *currencies: str) -> list[str]:
    """What is said of a file with two rows of 4,000.50 in all and these lines below."""
    sheets, problems = read([Source("deals.csv", (HEAD + ROWS.format(*currencies or ("USD", "USD")) + below).encode())])
    matches = recognise(sheets).matches
    desk = Desk(matches, {}, "UTC", *[None] * 2)
    check_sums(matches[0], desk)
    assert not problems and len(sheets[0].frame) == 2
    return desk.messages


@pytest.mark.parametrize("below", ["Total,,,999999.00,,", "Grand Total:,,,\"3,999.50\",,", "Grand Totals (2 records)\n,,,\"5,000.00\",,\n"])
def test_another_sum_is_said_with_both(below):
    """Not: a cut or doubled extract whose own total says so, dropped without a word."""
    [one] = said(below)
    assert "4,000.50" in one and "“Amount”" in one


@pytest.mark.parametrize("below", ["Total,,,4000.50,,", "Total,,,\"4,000.50\",,", "Total,,,4001,,", "Total,,,,,", "Subtotal,,,1000.50,,", "Count,,,2,,", "Total,,,1,,\nTotal,,,2,,", ""])
def test_the_same_sum_and_lines_of_something_else_say_nothing(below):
    assert not said(below)


def test_a_total_over_several_currencies_is_not_held_against_their_sum():
    assert not said("Total,,,999999.00,,", "USD", "EUR")
