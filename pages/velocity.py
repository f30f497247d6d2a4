"""Velocity: how long deals and leads take, with those not finished."""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import pipeline, review, speed

if now := frame.open_page("Velocity"):
    review.summary(now, speed.VELOCITY_SUMMARY)
    speed.decisions(now)
    left, right = st.columns(2, gap="small")
    with left:
        speed.stage_days(now)
    with right:
        speed.lead_days(now)
    speed.levers(now)
    pipeline.aging(now)
