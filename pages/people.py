"""People: who may come in, and with which roles."""

from revscore.ui import frame
from revscore.ui.blocks import people

if now := frame.open_page("People"):
    people.page(now)
