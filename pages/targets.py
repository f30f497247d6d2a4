"""Targets: what have we promised, and do the parts add up?"""

from revscore.ui import frame
from revscore.ui.blocks import target_setting

if now := frame.open_page("Targets"):
    target_setting.page(now)
