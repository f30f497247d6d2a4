"""How numbers are written."""

from __future__ import annotations

import pytest

from revscore.core import units as u


@pytest.mark.parametrize(("value", "unit", "text"), [
    (1_234_567, u.CURRENCY, "$1.23M"), (178_000, u.CURRENCY, "$178k"), (-15_250, u.CURRENCY, "−$15.2k"), (999_999, u.CURRENCY, "$1.00M"), (0, u.CURRENCY, "$0"),
    (2_040_000_000, u.CURRENCY, "$2.04B"), (0.6315, u.RATIO, "63.1 %"), (14.46, u.DAYS, "14.5 days"), (75, u.MINUTES, "1 h 15 min"), (45.2, u.MINUTES, "45 min"),
    (1.6396, u.MULTIPLE, "1.64×"), (8_800, u.DEALS, "8,800"), (None, u.CURRENCY, "–"), (float("nan"), u.RATIO, "–"), (3_808.94, u.CURRENCY_PER_DAY, "$3.81k a day")])
def test_text(value: object, unit: u.Unit, text: str) -> None:
    assert u.text(value, unit) == text


def test_nouns_agree_with_their_number() -> None:
    assert u.named(1, u.DEALS) == "1 deal" and u.named(214, u.DEALS) == "214 deals"


@pytest.mark.parametrize(("now", "before", "unit", "text"), [
    (0.5, 0.4, u.RATIO, "+10.0 pp"), (120, 100, u.CURRENCY, "+20.0 %"), (90, 100, u.DEALS, "−10.0 %"), (5, 0, u.DEALS, "–"), (None, 3, u.DEALS, "–"), (12, 14, u.DAYS, "−2.0 days")])
def test_change(now: object, before: object, unit: u.Unit, text: str) -> None:
    assert u.change(now, before, unit) == text


@pytest.mark.parametrize(("minutes", "day", "text"), [(584 * 60, 480, "73 business days"), (200, 480, "3 h 20 min"), (480, 480, "8 h 00 min"), (720, 480, "1.5 business days"),
                                                     (60, float("nan"), "1 h 00 min"), (None, 480, "–")])
def test_open_time_beyond_a_day_is_written_in_business_days(minutes: object, day: float, text: str) -> None:
    assert u.business(minutes, day) == text


def test_every_unit_has_every_notation() -> None:
    for unit in (u.LEADS, u.CURRENCY, u.CURRENCY_PER_DAY, u.RATIO, u.DAYS, u.MINUTES, u.MULTIPLE):
        assert u.axis(unit) and u.spreadsheet(unit) and u.column(unit)
