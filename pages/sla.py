"""SLA & handoffs: which promises are kept, where they break, who still waits."""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import review, speed

if now := frame.open_page("SLA & handoffs"):
    review.summary(now, speed.SLA_SUMMARY)
    speed.chosen_weeks(now)
    left, right = st.columns(2, gap="small")
    with left:
        speed.promises(now)
    with right:
        speed.by_region(now)
    speed.response(now)
    speed.breaches(now)
