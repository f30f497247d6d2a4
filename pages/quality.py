"""Data quality: can we trust the data? Exceptions by kind and owner → routing, owners, duplicates, orphans → required fields → open breaches."""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import quality, review, speed

if now := frame.open_page("Data quality"):
    quality.answer(now)
    review.summary(now, quality.SUMMARY)
    review.section(now, "Exceptions", "What is to be put right, and by whom?", "dq.exception_rate")
    left, right = st.columns(2, gap="small")
    with left:
        quality.kinds(now)
    with right:
        quality.owners(now)
    review.section(now, "Reach", "Does every lead reach someone, and belong to something?")
    review.summary(now, quality.REACH, "reach")
    review.section(now, "Completeness", "Is what we need filled in?", "dq.lead_completeness", "dq.opp_completeness")
    quality.fields(now, "dq.lead_completeness", "leads")
    quality.fields(now, "dq.opp_completeness", "deals")
    speed.breaches(now)
