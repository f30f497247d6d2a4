"""Decisions: what is to be decided, what was, on which state of the numbers, and what came of it."""

from revscore.ui import frame
from revscore.ui.blocks import decisions

if now := frame.open_page("Decisions"):
    decisions.page(now)
