"""Monthly review: what no team can hit alone → targets → conversion → wins, velocity, retention → campaigns, tests → decisions, reports, definitions → next."""

from revscore.ui import agenda, frame

if now := frame.open_page("Monthly review"):
    agenda.page(now, "monthly")
