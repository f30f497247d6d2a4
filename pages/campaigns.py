"""Campaigns: what each brought and cost, and how much hangs on the attribution model."""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import campaigns, governance, review

if now := frame.open_page("Campaigns"):
    review.summary(now, campaigns.SUMMARY)
    campaigns.models(now)
    left, right = st.columns([3, 2], gap="small")
    with left:
        campaigns.agreement(now)
    with right:
        campaigns.sourced(now)
    campaigns.scorecard(now)
    governance.tests(now)
