"""As of which day the data are shown: the latest, or as they stood at an earlier load (`?as_of=2026-11-09`)."""

from __future__ import annotations

import streamlit as st

from revscore import company
from revscore.core.ask import AskError
from revscore.core.calendars import date_of
from revscore.core.coded import Coded
from revscore.ui import session
from revscore.ui.state import BOUND
from revscore.ui.words import md

LATEST = "Latest"
KEY = "as_of"


def choose(dataset: str) -> tuple[str, str]:
    """The day chosen ("" = the latest), and a sentence about a day in the address that cannot be shown ("" = none). The control is drawn in the
    sidebar where there is a choice: loads of an earlier day, or a day that the address names."""
    zone = company.terms_of(session.store(), dataset).reporting_tz
    days = list(dict.fromkeys(f"{load.as_of.tz_convert(zone):%Y-%m-%d}" for load in session.store().loads(dataset)))
    asked, ignored = str(st.session_state.get(KEY) or st.query_params.get(KEY) or LATEST).strip(), ""
    options = [LATEST, *days[1:]]
    if asked not in options and asked not in days:
        ignored = _refused(asked, zone, days)
        options += [] if ignored else [asked]
    if ignored or asked in days[:1]:
        st.session_state[KEY] = LATEST
    if len(options) == 1:
        return "", ignored
    picked = st.sidebar.selectbox("As of", options, key=KEY, bind=BOUND, help="Every load stays readable as it stood on its day")
    return ("" if picked in (None, LATEST) else picked), ignored


def _refused(asked: str, zone: str, days: list[str]) -> str:
    """Why the day `asked` cannot be shown; "" when it can."""
    try:
        at = company.instant(asked, zone)
    except AskError as error:
        return f"{error}; the latest data are shown."
    return f"{asked} is after the latest extract ({days[0]}), which is shown." if days and f"{at.tz_convert(zone):%Y-%m-%d}" > days[0] else ""


def banner(x: Coded) -> None:
    """Says that these are not the latest data, and leads back to them."""
    day = date_of(x.as_of_day)
    with st.container(horizontal=True, vertical_alignment="center", key="as-of-banner"):
        st.markdown(f":material/history: As of **{md(f'{day.day} {day:%b %Y}')}**, not the latest.", width="content")
        st.button("Show the latest", type="tertiary", key="as-of-latest", on_click=latest)


def latest() -> None:
    """Back to the latest data."""
    st.session_state[KEY] = LATEST
