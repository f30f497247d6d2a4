"""The reader's choices live in the address: read here, in one place, into one frozen `View`.

Every choice is a keyed widget bound to the address, so a pasted link gives the same numbers. Words in the address are the labels that
readers see (`?segment=SMB&owner=Ada+Nayfield&period=FY26Q2`); a word that the data do not know is ignored, with a sentence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from revscore.core.calendars import GRAINS, Grain, Period, date_of, day_number
from revscore.core.coded import Coded
from revscore.core.view import DIMENSIONS, View
from revscore.ui.words import listed

BOUND = "query-params"
DEFAULT_PERIOD, DEFAULT_GRAIN = "This quarter", "month"
CUSTOM, ALL_TIME = "Custom dates", "All time"
TITLES = {"segment": "Segment", "region": "Region", "owner": "Owner", "source": "Source", "campaign": "Campaign", "type": "Deal type"}


@dataclass(frozen=True)
class Choice:
    """What the reader chose: the `view`, the period's name, and the sentences about words that were ignored."""

    view: View
    period_name: str
    ignored: tuple[str, ...] = ()

    @property
    def period_text(self) -> str:
        return self.period_name if self.view.period is None else f"{self.period_name} ({self.view.period.dates()})"


def presets(x: Coded) -> dict[str, Callable[[], Period | None]]:
    """The named periods, each as a function of the extract's as-of day."""
    calendar, today = x.terms.calendar, x.as_of_day
    this = {grain: calendar.holding(today, grain) for grain in GRAINS}

    def last_twelve() -> Period:
        month = this["month"]
        return Period(calendar.start(int(calendar.codes([month.start], "month")[0]) - 11, "month"), month.end, "last 12 months")

    return {
        "This quarter": lambda: this["quarter"], "Last quarter": lambda: calendar.shifted(this["quarter"]),
        "This month": lambda: this["month"], "Last month": lambda: calendar.shifted(this["month"]),
        "This week": lambda: this["week"], "Last week": lambda: calendar.shifted(this["week"]),
        "This fiscal year": lambda: this["year"], "Last fiscal year": lambda: calendar.shifted(this["year"]),
        "Last 12 months": last_twelve, ALL_TIME: lambda: None,
    }


def period_of(x: Coded, name: str, dates: Sequence[dt.date] = ()) -> Period | None:
    """The period called `name`: a preset, custom `dates` (first and last day) or the calendar's notation (FY26Q2, 2026-05, from..to).

    Raises ValueError with a sentence for a name that is none of these.
    """
    named = {key.casefold(): make for key, make in presets(x).items()}
    if name.casefold() in named:
        return named[name.casefold()]()
    if name.casefold() == CUSTOM.casefold():
        if len(dates) < 2:
            raise ValueError("Custom dates need a first and a last day")
        first, last = sorted(day_number(day) for day in dates[:2])
        return Period(first, last + 1, f"{date_of(first)}..{date_of(last)}")
    return x.terms.calendar.parse(name)


def period_options(x: Coded) -> list[str]:
    """Presets, then the quarters and months that the extract covers, newest first."""
    calendar, today = x.terms.calendar, x.as_of_day
    recent = [calendar.label(int(calendar.codes([today], grain)[0]) - back, grain) for grain, count in (("quarter", 8), ("month", 18)) for back in range(count)]
    return [*presets(x), CUSTOM, *recent]


def options_of(x: Coded, dimension: str) -> list[str]:
    """The labels that can be chosen, "(missing)" last when records lack the value."""
    labels = list(x.dims[dimension].labels[1:])
    lacking = any((codes[dimension] == 0).any() for codes in x.codes.values() if dimension in codes)
    return [*labels, x.dims[dimension].labels[0]] if lacking and labels else labels


def make_view(x: Coded, period: str = DEFAULT_PERIOD, grain: str = DEFAULT_GRAIN, dates: Sequence[dt.date] = (), **where: Sequence[str]) -> Choice:
    """The choice that these words mean. A word that is not understood is left out and named in `ignored`."""
    ignored: list[str] = []
    try:
        found = period_of(x, period, dates)
    except (ValueError, OverflowError):
        found = period_of(x, DEFAULT_PERIOD)
        ignored.append(f"“{period}” is no period here; {DEFAULT_PERIOD.lower()} is shown. Write FY26Q2, FY26, 2026-05 or 2026-05-01..2026-06-15.")
        period = DEFAULT_PERIOD
    known: dict[str, tuple[str, ...]] = {}
    for dimension, words in where.items():
        options = options_of(x, dimension)
        for word in words:
            if word not in options:
                ignored.append(f"{TITLES[dimension]} “{word}” is not in this extract and was ignored.")
        known[dimension] = tuple(word for word in words if word in options)
    if grain not in GRAINS:
        ignored.append(f"Trend by “{grain}” is not known here; {DEFAULT_GRAIN} is shown. Choose {listed(GRAINS, 'or')}.")
    chosen: Grain = grain if grain in GRAINS else DEFAULT_GRAIN  # type: ignore[assignment]
    return Choice(View.of(found, chosen, **known), found.label if found and found.label and period == CUSTOM else period, tuple(ignored))


# -- the widgets -------------------------------------------------------------------------------------------------------------------------

def filters(x: Coded) -> Choice:
    """Draw the filters (once, in app.py) and give what they say."""
    asked = {dimension: st.query_params.get_all(dimension) for dimension in DIMENSIONS if dimension in st.query_params}
    written_grain = st.query_params.get("grain", DEFAULT_GRAIN)  # read before the widget, which drops a word it does not know
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        period = st.selectbox("Period", _with_written(x, period_options(x)), index=0, key="period", bind=BOUND, accept_new_options=True, label_visibility="collapsed",
                              width=180, help="Choose a period, or write one: FY26Q2, FY26, 2026-05, 2026-05-01..2026-06-15")
        dates: Sequence[dt.date] = ()
        if period == CUSTOM:
            picked = st.date_input("From – to", (date_of(x.as_of_day - 29), date_of(x.as_of_day)), key="dates", bind=BOUND, label_visibility="collapsed", width=240)
            dates = picked if isinstance(picked, tuple) else (picked,)
        grain = st.segmented_control("Trend by", GRAINS, default=DEFAULT_GRAIN, required=True, key="grain", bind=BOUND, label_visibility="collapsed",
                                     format_func=str)
        where = {dimension: _picker(x, dimension) for dimension in DIMENSIONS if len(x.dims[dimension]) > 1}
        if any(where.values()):
            st.button("Clear", icon=":material/close:", type="tertiary", key="clear-filters", on_click=clear)
    unknown = {dimension: [word for word in words if word not in options_of(x, dimension)] for dimension, words in asked.items()}
    return make_view(x, period or DEFAULT_PERIOD, written_grain if grain == DEFAULT_GRAIN and written_grain not in GRAINS else grain or DEFAULT_GRAIN, dates,
                     **{name: [*where.get(name, []), *unknown.get(name, [])] for name in DIMENSIONS})


def _with_written(x: Coded, options: list[str]) -> list[str]:
    """The options, and the period that the reader wrote, once it is understood."""
    written = st.session_state.get("period") or st.query_params.get("period")
    return options if written is None or written in options else [*options, written]


def _picker(x: Coded, dimension: str) -> list[str]:
    """One dimension's choice. (Not in a popover: a bound widget in a closed one loses its place in the address when the page changes.)"""
    return st.multiselect(TITLES[dimension], options_of(x, dimension), key=dimension, bind=BOUND, placeholder=TITLES[dimension], label_visibility="collapsed", width=146)


def clear() -> None:
    """Choose nothing in every dimension (the period stays)."""
    for dimension in DIMENSIONS:
        if dimension in st.session_state:
            st.session_state[dimension] = []
