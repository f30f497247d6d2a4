"""Monthly review: what no team can hit alone → cohort conversion, mature and at equal age → win rate, cycle, velocity, retention → campaigns → decisions → reports."""

from revscore.ui import frame
from revscore.ui.blocks import campaigns, funnel, governance, published, review, shared, speed, targets

if now := frame.open_page("Monthly review"):
    numbers = review.monthly_review(now)
    review.monthly_answer(numbers)
    targets.targets(now)
    review.section(now, "Together", "What can no team hit alone?", numbers.shared, columns=3)
    shared.legs(now)
    review.section(now, "Conversion", "Of the leads whose time is up, do more convert?", numbers.conversion)
    funnel.heat(now)
    review.section(now, "Wins", "Do we win more, and faster?", numbers.wins)
    speed.levers(now)
    funnel.curves(now)
    review.section(now, "Retention", "What became of last year's recurring revenue?", numbers.retention, columns=3)
    review.section(now, "Campaigns", "What came back for the money?")
    campaigns.scorecard(now, numbers.campaigns)
    review.section(now, "Decisions", "Do we decide, do it, and does it work?", numbers.decisions)
    governance.waiting(now)
    review.section(now, "Reports", "Do our reports show the same numbers?", numbers.reports)
    governance.reports(now)
    published.close(now, "monthly")
