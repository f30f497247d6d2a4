"""Forecast hygiene at the edges of its rules (METRICS section 8)."""

from __future__ import annotations

import pytest

from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from tests.core.builder import extract


@pytest.mark.parametrize(("moved_at", "stale"), [("2026-05-31T12:00Z", 0.0), ("2026-05-31T11:59Z", 1.0)], ids=["exactly 30 days", "a minute more"])
def test_a_deal_is_stale_after_the_limit_not_at_it(moved_at: str, stale: float) -> None:
    x = extract(opportunities=[{"opp_id": "O1", "segment": "SMB", "type": "new_business", "currency": "USD", "created_at": moved_at}],
                deal_events=[("O1", moved_at, "Discovery", 100.0, "2026-07-31")])
    found = compute(x, CARDS["forecast.hygiene"]).set_index("measure")["value"]
    assert found["H6_stale"] == stale
