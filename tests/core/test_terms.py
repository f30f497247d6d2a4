"""Definitions: read, written back, validated."""

from __future__ import annotations

import json

import pytest

from revscore.core.terms import Terms, TermsError


def test_defaults_are_valid_and_hashable() -> None:
    assert hash(Terms()) == hash(Terms()) and Terms().digest == Terms().digest


def test_config_survives_json() -> None:
    terms = Terms(reporting_tz="Asia/Kolkata", opp_open_stages=("Qualify", "Close plan"), pipeline_entry_stage="Close plan", retention_period=(20000, 20365),
                  fiscal_445_year_starts=(("FY26", 20121, 52),))
    assert Terms.from_config(json.loads(json.dumps(terms.to_config()))) == terms


@pytest.mark.parametrize(("config", "words"), [
    ({"reporting_tz": "Mars/Olympus"}, "is no time zone"), ({"fiscal_start_month": 13}, "from 1 to 12"), ({"pipeline_entry_stage": "Nowhere"}, "none of the open stages"),
    ({"conversion_window_days": {"sql->mql": 3}}, "does not go forward"), ({"conversion_window_days": {"mql->sql": 0}}, "above 0"),
    ({"attribution": {"weights": {"u_shaped": {"FT": 0.5, "LC": 0.6}}}}, "add up to 1.1"), ({"opp_open_stages": []}, "at least one open stage"),
    ({"attribution": {"person_mode": "random"}}, "explicit, account or hybrid"), ({"fiscal_start_month": "May"}, "cannot be read"),
    ({"lead_stages": ["inquiry", "mql", "mql", "sal", "sql", "opportunity", "won"]}, "named twice"), ({"lead_exit_stages": ["sal"]}, "named twice"), ({"opp_won_stage": " "}, "has no name"),
    ({"stats": {"spc_baseline_points": 10**9}}, "from 2 to 520"), ({"stats": {"confidence": 1.5}}, "from 0.5 to 0.9999"), ({"rmst_tau_days": -1}, "from 1 to 36,500"),
    ({"attribution": {"lookback_days": float("nan")}}, "from 0 to 36,500"), ({"hygiene": {"stale_days": "x"}}, "must be a number"), ({"stall_days": {"mql": 1e12}}, "from 0 to 36,500"),
    ({"conversion_window_days": {"mql->sql": 1e12}}, "at most 36,500"), ({"attribution": {"weights": {"u_shaped": {"FT": 1.5, "LC": -0.5}}}}, "none is below 0")])
def test_what_cannot_be_used_is_refused_with_a_sentence(config: dict, words: str) -> None:
    with pytest.raises(TermsError, match=words):
        Terms.from_config(config)
