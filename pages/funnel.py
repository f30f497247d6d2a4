"""Funnel: how far leads get, how long it takes, where they leak."""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import funnel, review, wins

if now := frame.open_page("Funnel"):
    review.summary(now, funnel.SUMMARY)
    left, right = st.columns(2, gap="small")
    with left:
        funnel.steps(now)
    with right:
        funnel.curves(now)
    funnel.heat(now)
    wins.conversion(now)
    funnel.leakage(now)
