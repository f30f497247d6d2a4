"""Weekly review: last week's actions → pace → coverage → seven days → signals → leakage and aging → promises → exceptions → new actions."""

from revscore.ui import agenda, frame

if now := frame.open_page("Weekly review"):
    agenda.page(now, "weekly")
