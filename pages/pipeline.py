"""Pipeline: what changed it, where deals are lost, which stand still or slip."""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import pipeline, quality, review

if now := frame.open_page("Pipeline"):
    review.summary(now, pipeline.SUMMARY)
    pipeline.bridge(now)
    left, right = st.columns(2, gap="small")
    with left:
        pipeline.stages(now)
    with right:
        pipeline.moved(now)
    pipeline.slipped(now)
    pipeline.aging(now)
    left, right = st.columns(2, gap="small")
    with left:
        quality.hygiene(now)
    with right:
        quality.categories(now)
