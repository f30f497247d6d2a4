"""Win rate: which of the four is meant, why they differ, and what changed it."""

from revscore.ui import frame
from revscore.ui.blocks import wins

if now := frame.open_page("Win rate"):
    if found := wins.rates(now):
        wins.way(now, found)
    wins.changed(now)
