"""Fund, fix, retire or wait: what the record of a campaign speaks for, and when it speaks for nothing."""

from __future__ import annotations

import pytest

from revscore.rhythm.campaigns import FIX, FUND, RETIRE, WAIT, _proposal

NAN = float("nan")
PAID = {"low": 60_000.0, "high": 120_000.0, "cost": 50_000.0, "n": 12.0, "still_open_share": 0.1, "age_days": 300.0}


@pytest.mark.parametrize(("change", "proposal", "word"), [
    ({}, FUND, "under every model for $50,000"),
    ({"n": 9.0}, WAIT, "too few to tell"),
    ({"low": 0.0}, FIX, "depends on the model"),
    ({"low": 0.0, "high": 30_000.0}, RETIRE, "at most $30,000 won under any model"),
    ({"low": 0.0, "high": 0.0, "n": 0.0}, RETIRE, "nothing won under any model"),
    ({"low": 0.0, "high": 30_000.0, "still_open_share": 0.4}, FIX, "40.0 % of its deals still open"),
    ({"still_open_share": 0.6}, WAIT, "60.0 % of its deals are still open"),
    ({"age_days": 40.0}, WAIT, "40 days old"),
    ({"low": 0.0, "high": 0.0, "n": 0.0, "still_open_share": NAN}, WAIT, "no deal that it touched"),
])
def test_what_the_record_speaks_for(change: dict, proposal: str, word: str) -> None:
    found, why = _proposal(PAID | change, lambda value: f"${value:,.0f}")
    assert found == proposal and word in why
