"""Numbers by an own grammar: decimal marks by column, currencies, no surprises of `float()`."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from revscore.intake.numbers import Numbers, read_booleans, read_numbers


def read(*values: str, decimal: str | None = None) -> Numbers:
    return read_numbers(pd.Series(values, dtype="str"), decimal)


@pytest.mark.parametrize(("text", "value", "currency"), [
    ("1234.5", 1234.5, None), ("1,234.50", 1234.5, None), ("1.234,50", 1234.5, None), ("€ 1.234,56", 1234.56, "EUR"), ("1.234,56 €", 1234.56, "EUR"),
    ("USD 1,234.50", 1234.5, "USD"), ("$1,234,567", 1234567, "USD"), ("(500)", -500, None), ("-1 234,5", -1234.5, None), ("1'000.25 CHF", 1000.25, "CHF"),
    ("£12", 12, "GBP"), ("12 %", 12, None), (".5", 0.5, None), ("−3", -3, None), ("0.125", 0.125, None),
])
def test_forms(text: str, value: float, currency: str | None) -> None:
    got = read(text)
    assert got.values[0] == value
    assert (None if pd.isna(got.currency[0]) else got.currency[0]) == currency


@pytest.mark.parametrize("text", ["nan", "inf", "1e5", "1_000", "١٢٣٤", "1,2,3", "12abc", "1.2.3", "--5", "(5", "XYZ 5", "0x10", "1,23,456.7.8", "9" * 400, "USD " + "9" * 400])
def test_what_float_would_take_or_guess_is_refused(text: str) -> None:
    got = read(text, "7")
    assert math.isnan(got.values[0])
    assert got.bad.tolist() == [True, False]


def test_the_column_decides_on_marks() -> None:
    assert read("1.000", "12,5").values.tolist() == [1000, 12.5]
    assert read("1.000", "12.5").values.tolist() == [1, 12.5]
    assert read("1,000", "12.5").values.tolist() == [1000, 12.5]
    assert read("1.000").doubt
    assert read("1.000", decimal=",").values[0] == 1000


def test_a_currency_decides_on_three_digits_unless_its_column_does() -> None:
    assert read("KWD 12.500", "KWD 1234.500").values.tolist() == [12.5, 1234.5]
    assert read("$12.500", "$1,234.500").values.tolist() == [12.5, 1234.5]
    assert read("€ 12.500", "12,500.00 USD").values.tolist() == [12500, 12500]        # two currencies, each in its own way
    assert read("USD 12.500", "USD 12.50").bad.tolist() == [True, False]
    assert read("KWD 12.500").doubt and not read("EUR 12.500").doubt
    assert read("KWD 12.500", decimal=".").values[0] == 12.5


def test_blanks_are_marks_of_thousands_only() -> None:
    assert read("1 234 567", "1'234'567.5", "12 345,5 kr").values.tolist()[0] == 1234567
    assert read("1000 2000", "1000\n2000", "1 00", "1  000", "5").bad.tolist() == [True] * 4 + [False]


def test_booleans() -> None:
    values, bad = read_booleans(pd.Series(["TRUE", "no", "1", "Ja", "", "maybe"], dtype="str"))
    assert values.tolist()[:4] == [True, False, True, True]
    assert values.isna().tolist()[4:] == [True, True]
    assert bad.tolist() == [False] * 5 + [True]
