"""What speaks against a load, shown before anything is stored: why it is asked, what would change, a few numbers before and after, and the reader's word."""

from __future__ import annotations

import streamlit as st

from revscore.company import Asked, LoadReport
from revscore.store import OLDER, OTHER, SMALLER
from revscore.ui import tables
from revscore.ui.words import md

_TITLES = {OLDER: "This extract is older than what is loaded", OTHER: "There is another extract for this day", SMALLER: "This extract is much smaller than the last"}
_YES = {OLDER: "Yes, bring the older extract in", OTHER: "Yes, count this one instead", SMALLER: "Yes, it is complete"}


def doubts(found: LoadReport, key: str) -> tuple[set[str], str, bool]:
    """Ask about each doubt: (keys that were confirmed, the reason that was given, whether something is still open)."""
    confirmed: set[str] = set()
    why, lacks = "", False
    for at, one in enumerate(found.asked):
        with st.container(border=True, key=f"doubt-{one.doubt.kind}"):
            st.markdown(f"**:material/help: {_TITLES[one.doubt.kind]}**")
            st.markdown(md(one.doubt.text))
            if one.doubt.load.id not in {other.doubt.load.id for other in found.asked[:at]}:
                _change(one)
            if st.checkbox(_YES[one.doubt.kind], key=f"confirm-{one.doubt.key}-{key}"):
                confirmed.add(one.doubt.key)
            if one.doubt.kind == OTHER and one.doubt.key in confirmed:
                why = st.text_input("Why? It is kept with the load, for everybody who asks later", key=f"why-{key}", max_chars=300, width=900,
                                    placeholder="The export of 9 a.m. lacked the team in EMEA") or ""
                lacks = not why.strip()
    return confirmed, why, len(confirmed) < len(found.asked) or lacks


def _change(one: Asked) -> None:
    left, right = st.columns(2, gap="large")
    there = f"Load {one.doubt.load.id}"
    with left:
        st.caption(f"Rows: what would be new, gone or changed against load {one.doubt.load.id}")
        tables.plain(one.rows.rename(columns={"table": "Table", "before": there, "now": "This extract", "new": "New", "vanished": "Gone", "changed": "Changed"}),
                     f"rows-{one.doubt.key}", "content", counts=[there, "This extract", "New", "Gone", "Changed"])
    with right:
        st.caption("The numbers that each of the two gives by itself")
        tables.plain(one.figures.rename(columns={"label": "Number", "before": there, "now": "This extract"}), f"figures-{one.doubt.key}", "content",
                     column_config={name: st.column_config.TextColumn(alignment="right") for name in (there, "This extract")})
