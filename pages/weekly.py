"""Weekly review: pace → coverage → what changed in seven days → what moved, aged, slipped → can the forecast be relied on → are promises kept?"""

import streamlit as st

from revscore.ui import frame
from revscore.ui.blocks import pipeline, published, quality, review, speed, targets

if now := frame.open_page("Weekly review"):
    numbers = review.weekly_review(now)
    review.weekly_answer(numbers)
    review.section(now, "Pace and coverage", "Do we build and close enough?")
    review.pace_and_coverage(now, numbers)
    targets.targets(now)
    review.section(now, "Seven days", "What changed the pipeline?")
    pipeline.bridge(now, week=True)
    review.section(now, "Movement", "Is it moving forward?", numbers.flow, columns=3, fold=True)
    pipeline.aging(now)
    review.section(now, "Hygiene", "Can we rely on the forecast?")
    left, right = st.columns(2, gap="small")
    with left:
        quality.hygiene(now)
    with right:
        quality.categories(now)
    review.section(now, "Promises", "Do we answer in time?", numbers.speed, fold=True)
    left, right = st.columns(2, gap="small")
    with left:
        speed.weeks(now, "speed_to_lead")
    with right:
        speed.weeks(now, "follow_up")
    speed.breaches(now)
    published.close(now, "weekly")
