"""The menu: pages by group, the look of the window, and the door before it. It needs nothing but Streamlit, so that it stands while everything else is still being loaded."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from revscore.ui import door, way_back

_ROOT = Path(__file__).resolve().parents[2]
_ICON, _LOGO = (str(Path(__file__).with_name(name)) for name in ("favicon.png", "logo.png"))
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {  # group -> (file, title, icon); the first page is the home
    "Meetings": (("scorecard", "Scorecard", "dashboard"), ("weekly", "Weekly review", "event_repeat"), ("monthly", "Monthly review", "calendar_month"), ("triage", "RevOps triage", "healing"),
                 ("actions", "Actions", "task_alt"), ("decisions", "Decisions", "gavel"), ("backlog", "Backlog", "low_priority")),
    "Explore": (("funnel", "Funnel", "filter_alt"), ("velocity", "Velocity", "speed"), ("sla", "SLA & handoffs", "handshake"),
                ("pipeline", "Pipeline", "stacked_bar_chart"), ("wins", "Win rate", "trophy"), ("campaigns", "Campaigns", "campaign"),
                ("retention", "Retention", "autorenew"), ("quality", "Data quality", "fact_check")),
    "Manage": (("targets", "Targets", "flag"), ("data", "Data", "database"), ("restatement", "Published numbers", "verified"), ("definitions", "Definitions", "rule"), ("people", "People", "group"), ("glossary", "Glossary", "menu_book")),
}

# Sizes that read from the back of a meeting room; only what the theme cannot say.
_STYLE = """<style>
[data-testid="stMainBlockContainer"] {padding: 1rem 3rem 3rem}
[data-testid="stHeader"], [data-testid="stHeader"] div {background: transparent; pointer-events: none}
.st-key-door {padding-top: 14vh}
.st-key-door-card {padding: 2rem 2.2rem; border-radius: 16px}
[data-testid="stHeader"] button, [data-testid="stHeader"] a {pointer-events: auto}
[data-testid="stMetricLabel"] p {font-size: 1.1rem; font-weight: 600; line-height: 1.3}
[data-testid="stMetricValue"] {line-height: 1.12}
[data-testid="stMetricDeltaDescription"] p {font-size: .94rem}
[data-testid="stMetricChart"] {margin-top: .35rem}
[data-testid="stCaptionContainer"] p {font-size: .96rem; line-height: 1.3}
[class*="st-key-tile-"] {position: relative; padding: .7rem 1rem .55rem}
[class*="st-key-tile-"] [class*="st-key-open-"] {position: absolute; top: 2.6rem; right: .6rem; width: auto}
[class*="st-key-tile-"] [class*="st-key-course-"] {position: absolute; top: .75rem; right: .9rem; width: auto}
[class*="st-key-chart-"] {gap: .75rem}
[class*="st-key-finding-"] h3 {font-size: 1.45rem; line-height: 1.3; padding: 0}
[class*="st-key-section-"] h3 {padding: .2rem 0 0}
[class*="st-key-section-"] h3 span span {font-weight: 400}
[class*="st-key-chart-"] {position: relative}
[class*="st-key-chart-"] > [class*="st-key-rows-"] {position: absolute; top: .6rem; right: .8rem; width: auto}
[class*="st-key-finding-"] {padding-right: 2.5rem}
[class*="st-key-section-"] [data-testid="stMarkdownContainer"], [class*="st-key-finding-"] [data-testid="stMarkdownContainer"] {margin-bottom: 0}
[class*="st-key-lacking-"] {padding: .5rem 1rem; border-style: dashed}
.st-key-as-of-banner {border-left: 4px solid; border-radius: 4px; padding: .15rem 1rem; gap: .5rem}
.st-key-page-head {align-items: baseline}
.st-key-page-head h1 {padding: 0}
.st-key-grain p {text-transform: capitalize}
[class*="st-key-action-row-"] {border-top: 1px solid color-mix(in srgb, currentColor 14%, transparent); padding-top: .6rem}
.st-key-filters {gap: .5rem}
.st-key-filters button[aria-label="Clear all"] {display: none}
.st-key-no-filters {display: none}
.st-key-answer p {font-size: 1.4rem; line-height: 1.35}
[class*="st-key-screen-"] summary p {font-size: 1.25rem; line-height: 1.5}
[class*="st-key-screen-"] summary {padding-top: .55rem; padding-bottom: .55rem}
</style>"""


def page() -> st.Page:
    """Draw the menu; the page that is to be run. Whoever is not let in gets the door instead, and the run ends there: no page can be had without it."""
    st.set_page_config(page_title="revscore", page_icon=_ICON, layout="wide", initial_sidebar_state="expanded")
    st.html(_STYLE)
    pages = {group: [st.Page(_ROOT / "pages" / f"{file}.py", title=title, icon=f":material/{icon}:", default=file == "scorecard")
                     for file, title, icon in entries] for group, entries in PAGES.items()}
    stands, meeting = door.standing(), "meeting" in st.query_params
    page = st.navigation(pages, position="sidebar" if stands.at == "inside" and not meeting else "hidden", expanded=True)
    if stands.at != "inside":
        door.show(stands, _LOGO)
    st.logo(_LOGO, size="large", icon_image=_ICON)
    way_back.back([one for group in pages.values() for one in group])
    if not meeting:
        door.inside()
    return page
