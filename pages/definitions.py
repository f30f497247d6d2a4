"""Definitions: what every number is worked out by, who asks to change it, and what that would have done."""

from revscore.ui import frame
from revscore.ui.blocks import definitions

if now := frame.open_page("Definitions"):
    definitions.page(now)
