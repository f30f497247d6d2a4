"""Codes are as narrow as they can be, and nothing that is made of them runs over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from revscore.core.facts import paired
from revscore.core.terms import Terms
from tests.core.builder import extract


@pytest.mark.parametrize("narrow", ["uint8", "int16", "int32"])
def test_two_codes_are_one_number_however_narrow_they_are(narrow: str) -> None:
    code, other = np.array([0, 1, 120], dtype=narrow), np.array([7, 0, 99], dtype="int32")
    assert paired(code, other, 1_000_000_000).tolist() == [7, 1_000_000_000, 120_000_000_099]


def test_more_than_255_forecast_categories_keep_their_words() -> None:
    words = [f"word {k:03}" for k in range(300)]
    x = extract(opportunities=[{"opp_id": f"O{k:03}", "created_at": "2026-01-01T00:00Z", "type": "new_business"} for k in range(300)],
                deal_events=[(f"O{k:03}", "2026-01-02T00:00Z", "Discovery", 10.0, "2026-09-30", word) for k, word in enumerate(words)])
    assert [x.opps.categories[code] for code in x.opps.events.category] == words


def test_a_path_of_very_many_stages_knows_what_is_a_step_back() -> None:
    stages = tuple(f"s{k:03}" for k in range(200))
    terms = Terms()
    terms = replace(terms, lead_stages=(*stages, *terms.lead_stages))
    steps = [("L1", "s150"), ("L1", "s199"), ("L1", "s001"), ("L1", "mql"), ("L2", "s199"), ("L2", "sal"), ("L2", "mql")]
    x = extract(terms=terms, leads=[{"lead_id": lead, "created_at": "2026-01-01T00:00Z"} for lead in ("L1", "L2")],
                lead_events=[(lead, stage, f"2026-02-{day:02}T00:00Z") for day, (lead, stage) in enumerate(steps, start=1)])
    assert x.leads.events.regressed.tolist() == [False, False, True, False, False, False, True]
    assert x.leads.entry.tolist() == [150, 199]
