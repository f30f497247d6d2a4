"""Published numbers: what reviews published, beside the same question today, and why it differs."""

from revscore.ui import frame
from revscore.ui.blocks import published

if now := frame.open_page("Published numbers"):
    if chosen := published.choose(now):
        published.answer(now, chosen)
        published.values(now, chosen)
        published.checked(now, chosen)
