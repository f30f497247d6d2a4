"""Backlog: which idea is next, and why; what became of those that were done."""

from revscore.ui import frame
from revscore.ui.blocks import backlog

if now := frame.open_page("Backlog"):
    backlog.page(now)
