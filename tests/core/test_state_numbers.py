"""A number that speaks of as-of alone has no periods: no trend that begins today."""

from __future__ import annotations

from pathlib import Path

import pytest

from revscore.core.coded import Coded
from revscore.core.metrics import CARDS
from revscore.core.review import is_state, line
from revscore.core.view import View
from revscore.intake import load_folder


@pytest.fixture(scope="module")
def x() -> Coded:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    return Coded(data, terms)


@pytest.mark.parametrize("card", ["dq.orphans", "dq.exception_rate", "dq.duplicates", "forecast.hygiene", "forecast.category_totals", "sla.breach_ageing", "velocity.aging"])
def test_a_state_has_no_series(x: Coded, card: str) -> None:
    assert is_state(x, CARDS[card])
    assert not len(line(x, CARDS[card], View()).series)


@pytest.mark.parametrize("card", ["dq.routing_failure", "shared.handoff_yield", "shared.joint_pipeline", "pipeline.open"])
def test_what_happened_on_many_days_has_one(x: Coded, card: str) -> None:
    assert not is_state(x, CARDS[card])
    assert len(line(x, CARDS[card], View()).series)
