"""Four windows of four people at once, as `tests.reliability.browsers` has twenty of them."""

from __future__ import annotations

from tests.reliability import browsers


def test_four_sessions_at_once_are_all_answered(chromium, sample):
    figures = browsers.Figures(4)
    with browsers.windows(chromium, sample, 4) as screens:
        browsers.open_all(screens, ["", "funnel", "pipeline", "data"], figures, "all open a page at once", seconds=60)
    assert not figures.faults and len(figures.seconds["all open a page at once"]) == 4
