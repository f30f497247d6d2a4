"""RevOps triage: how many records need somebody → routing, owners, duplicates, orphans → completeness → broken promises and who has to know → records that
went round the rules → disputed numbers. The order of METRICS section 18."""

import streamlit as st

from revscore.ui import dispute, frame
from revscore.ui.blocks import review, triage, worklist

if now := frame.open_page("RevOps triage"):
    found = triage.found(now)
    triage.answer(now)
    triage.put_right(now)
    triage.rates(now)
    triage.exceptions_summary(now)
    everything = st.toggle("Open all lists", key="all-kinds", help="Every list under each other")
    worklist.group(now, "Routing and owners", "Does every lead reach somebody, and belong to something?", found, everything)
    worklist.group(now, "Completeness", "Is what we need filled in, and can the forecast be relied on?", found, everything)
    worklist.group(now, "Broken promises", "Which promises are broken now, who has to act, and who has to know?", found, everything)
    triage.breaches_by_owner(now)
    worklist.group(now, "Round the rules", "Which records went round the rules, and are the rules kept?", found, everything)
    triage.bypasses_by_week(now)
    review.section(now, "Disputed numbers", "Which numbers does somebody not believe?")
    dispute.disputed(now)
