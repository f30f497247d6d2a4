"""Scorecard: are we on course, together?"""

from revscore.ui import frame
from revscore.ui.blocks import review

if now := frame.open_page("Scorecard"):
    review.course(now)
