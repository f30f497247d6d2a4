"""Actions: who does what until when, and did it move its number?"""

from revscore.ui import frame
from revscore.ui.blocks import actions

if now := frame.open_page("Actions"):
    actions.page(now)
