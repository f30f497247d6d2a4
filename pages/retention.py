"""Retention: what became of last year's recurring revenue, account by account."""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import retention

if (now := frame.open_page("Retention")) and (found := retention.review(now)):
    retention.answer(now, found)
    retention.ratios(now, found)
    left, right = st.columns([3, 2], gap="small")
    with left:
        retention.bridge(now, found)
    with right:
        retention.trend(now, found)
    left, right = st.columns(2, gap="small")
    with left:
        retention.changed(now, found, grew=False)
    with right:
        retention.changed(now, found, grew=True)
    retention.segments(now, found)
