"""The address: words become one frozen view; unknown words are left out with a sentence."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pytest

from revscore.core.calendars import day_number
from revscore.core.coded import Coded
from revscore.core.statistics import kaplan_meier
from revscore.core.terms import Terms
from revscore.ui import state
from revscore.ui.blocks import speed
from revscore.ui.words import humanised, md
from tests.pages.conftest import small_company


@pytest.fixture(scope="module")
def x() -> Coded:
    return Coded(small_company(), Terms())


def days(choice: state.Choice) -> tuple[str, str]:
    period = choice.view.period
    return str(dt.date(1970, 1, 1) + dt.timedelta(period.start)), str(dt.date(1970, 1, 1) + dt.timedelta(period.last))


@pytest.mark.parametrize(("name", "first", "last"), [
    ("This quarter", "2026-05-01", "2026-07-31"), ("Last quarter", "2026-02-01", "2026-04-30"), ("This month", "2026-06-01", "2026-06-30"),
    ("Last month", "2026-05-01", "2026-05-31"), ("This week", "2026-06-15", "2026-06-21"), ("This fiscal year", "2026-02-01", "2027-01-31"),
    ("Last 12 months", "2025-07-01", "2026-06-30"), ("FY27Q1", "2026-02-01", "2026-04-30"), ("fy27q1", "2026-02-01", "2026-04-30"),
    ("2026-05", "2026-05-01", "2026-05-31"), ("2026-05-03..2026-05-09", "2026-05-03", "2026-05-09"), ("last month", "2026-05-01", "2026-05-31")])
def test_periods_by_name(x, name, first, last):
    assert days(state.make_view(x, name)) == (first, last)


def test_all_time_is_no_period(x):
    assert state.make_view(x, "All time").view.period is None


def test_custom_dates_hold_both_days_in_any_order(x):
    choice = state.make_view(x, state.CUSTOM, dates=(dt.date(2026, 5, 9), dt.date(2026, 5, 3)))
    assert days(choice) == ("2026-05-03", "2026-05-09")
    assert choice.view.period.start == day_number("2026-05-03")


def test_what_is_no_period_falls_back_and_says_so(x):
    for word in ("someday", "FY26Q9", "2026-13", "2026-05-09..2026-05-01", "<b>", ""):
        choice = state.make_view(x, word)
        assert days(choice) == ("2026-05-01", "2026-07-31")
        assert len(choice.ignored) == 1


def test_labels_select_and_unknown_ones_are_named(x):
    choice = state.make_view(x, "All time", owner=["Bo Chen", "Nobody"], segment=["SMB"])
    assert choice.view.chosen == {"owner": ("Bo Chen",), "segment": ("SMB",)}
    assert choice.ignored == ("Owner “Nobody” is not in this extract and was ignored.",)


def test_the_order_of_words_in_the_address_does_not_matter(x):
    assert state.make_view(x, "All time", owner=["Bo Chen", "Cy Duarte"]).view == state.make_view(x, "All time", owner=["Cy Duarte", "Bo Chen"]).view


def test_every_option_that_is_offered_is_understood(x):
    for name in state.period_options(x):
        assert not state.make_view(x, name, dates=(dt.date(2026, 1, 1), dt.date(2026, 1, 2))).ignored, name


def test_an_unknown_grain_is_the_default_and_named(x):
    choice = state.make_view(x, grain="fortnight")
    assert choice.view.grain == "month" and len(choice.ignored) == 1 and "“fortnight”" in choice.ignored[0]
    assert not state.make_view(x, grain="quarter").ignored


def test_a_curve_is_named_only_where_five_are_still_followed():
    days = np.arange(1.0, 11.0)
    few, many = kaplan_meier(np.arange(1.0, 8.0), np.ones(7, bool)), kaplan_meier(days, np.ones(10, bool))
    assert few.at_risk_at(few.quantile(0.5)) == 4
    assert speed._halfway((("Enterprise", few), ("SMB", many)), "decided") == "Half are decided: SMB after 5.0 days"


@pytest.mark.parametrize("text", ["![x](http://a.b/c)", "a *b* _c_ `d`", "$1 and $2", "<script>", ":red[x] ~~y~~", "# head", "- item", "| a | b |", "a\nb\\c"])
def test_escaped_text_has_no_live_mark(text):
    escaped = md(text)
    assert "\n" not in escaped
    live = [k for k, letter in enumerate(escaped) if letter in "`*_[]<>!|~$:#" and not (k and escaped[k - 1] == "\\")]
    assert not live


# What remark-gfm turns into links after the escapes of a text are undone.
AUTOLINKS = re.compile(r"(?:https?://|www(?=\.))[-.\w]+|(?:^|(?<=\s|[^\w]))[-.\w+]+@[-\w]+(?:\.[-\w]+)+", re.IGNORECASE | re.ASCII)


@pytest.mark.parametrize("text", ["ada@example.com", "mail x.y+z@mail.co.uk now", "mailto:a@b.co", "http://a.example/x", "HTTPS://B.example", "www.c.example", "http://http://x.example", "-@b.example"])
def test_an_address_in_data_is_no_link(text):
    assert AUTOLINKS.search(text)
    shown = re.sub(r"\\(.)", r"\1", md(text))
    assert not AUTOLINKS.search(shown)
    assert shown.replace("\N{WORD JOINER}", "") == text


@pytest.mark.parametrize(("name", "said"), [("created_at", "Created"), ("opp_id", "Deal"), ("lead_id", "Lead"), ("close_date", "Close date"), ("age_days", "Age (days)"), ("over_p75_days", "Over p75 (days)"),
                                            ("waited_minutes", "Waited (minutes)"), ("days", "Days"), ("opportunity", "Opportunity")])
def test_a_column_is_named_as_readers_name_it(name, said):
    assert humanised(name) == said
