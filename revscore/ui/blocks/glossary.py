"""The glossary: every number with its definition, unit, owners, meetings, needs, and the definitions in force."""

from __future__ import annotations

import streamlit as st

from revscore.core.metric import Better, Metric
from revscore.core.metrics import CARDS
from revscore.core.review import needed
from revscore.ui.blocks.in_force import in_force
from revscore.ui.session import Now
from revscore.ui.words import listed, md, owners

_FAMILIES = {"funnel": "Funnel", "leakage": "Leakage", "velocity": "Velocity", "pipeline": "Pipeline", "opp": "Opportunities", "slippage": "Slippage", "winrate": "Win rate",
             "deal_size": "Deal size", "bookings": "Bookings", "sla": "SLA & handoffs", "attribution": "Attribution", "campaign": "Campaigns", "targets": "Targets", "dq": "Data quality", "shared": "Shared by all functions", "stats": "Honest statistics"}
_MEETINGS = {"WPR": "weekly review", "WTR": "weekly triage", "MRC": "monthly review", "CSU": "campaign stand-up", "QGV": "quarterly governance", "RET": "campaign retro"}
_BETTER = {Better.UP: "higher is better", Better.DOWN: "lower is better", Better.CONTEXT: "for context: neither way is better"}


def glossary(now: Now) -> None:
    """All cards, searched and grouped."""
    asked = st.text_input("Search", key="find", bind="query-params", placeholder="Search a number, a word, a stage …", label_visibility="collapsed", icon=":material/search:")
    found = [card for card in CARDS.values() if _matches(card, asked or "")]
    st.caption(f"{len(found)} of {len(CARDS)} numbers · definitions in force: version {now.x.terms.digest[:12]}")
    if not found:
        st.markdown(f"### Nothing here speaks of {md(asked)}")
        st.markdown("Try a shorter word, or the name that the CRM uses.")
    for family in dict.fromkeys(card.family for card in found):
        st.markdown(f"### {_FAMILIES.get(family, family.capitalize())}")
        for card in (card for card in found if card.family == family):
            _entry(now, card, opened=bool(asked) and len(found) <= 3)


def _matches(card: Metric, asked: str) -> bool:
    text = " ".join((card.id, card.label, card.question, card.definition, *(m.label for m in card.measures))).casefold()
    return all(word in text for word in asked.casefold().split())


def _entry(now: Now, card: Metric, opened: bool) -> None:
    missing = now.x.data.missing(card.needs)
    with st.expander(f"**{card.label}** — {card.question}", expanded=opened, icon=":material/hide_source:" if missing else None):
        st.markdown(card.definition)
        named = [m.label or m.name for m in card.measures]
        facts = {"Unit": card.headline.unit.name, "Reads": _BETTER[card.better], "Owners": owners(card.owners), "Measures": listed(named),
                 "Meetings": listed([_MEETINGS.get(code, code) for code in card.meetings]), "Population": card.population,
                 "Settles after": card.settles_after, "Needs": needed(card.needs) if card.needs else "", "Id": card.id}
        st.markdown("  \n".join(f"**{name}**: {md(value)}" for name, value in facts.items() if value))
        st.markdown("**In force**")
        st.markdown("  \n".join(f"{name}: {md(value)}" for name, value in in_force(card.id, now.x.terms, now.x.as_of_day).items()))
        if missing:
            st.caption(f"This extract lacks {md(needed(missing))}: the number is not shown.")

