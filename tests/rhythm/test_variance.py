"""The way from a target to the number: exact, over the handoffs, said of the inputs that changed."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.core.terms import Target
from revscore.core.view import View
from revscore.intake import load_folder
from revscore.rhythm import variance as module
from revscore.rhythm.variance import variances


@pytest.fixture
def x(monkeypatch: pytest.MonkeyPatch) -> Coded:
    """The golden company (few of everything, so that the limit of five is lowered) with a target of pipeline created for its running quarter."""
    monkeypatch.setattr(module, "FEW", 1)
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    quarter = terms.calendar.holding(Coded(data, terms).as_of_day, "quarter")
    goal = Target("T1", "pipeline.created.value", quarter.start, quarter.end, "", "sales", 500_000.0, "up", "linear")
    return Coded(data, replace(terms, targets=(goal,)))


def quarter(x: Coded) -> View:
    return View.of(x.terms.calendar.holding(x.as_of_day, "quarter"))


def test_the_way_balances_and_ends_at_the_number_itself(x: Coded) -> None:
    found, = variances(x, quarter(x))
    frame = compute(x, CARDS["pipeline.created"], quarter(x))
    actual = frame[frame["measure"] == "value"]["value"].iloc[0]
    assert found.unexplained == pytest.approx(0, abs=1e-6)
    assert found.rows["effect"].iloc[0] == found.standing.expected and found.rows["effect"].iloc[-1] == pytest.approx(actual)
    assert list(found.rows["id"]) == ["start", "asked", "mqls", "rate", "size", "end"]


def test_inputs_multiply_to_both_numbers_and_the_step_between_is_theirs_alone(x: Coded) -> None:
    found, = variances(x, quarter(x))
    then, now = (prod(pair[place] for pair in found.inputs.values()) for place in (0, 1))
    assert found.rows.set_index("id")["effect"][["mqls", "rate", "size"]].sum() == pytest.approx(now - then)
    assert found.rows.set_index("id")["effect"]["asked"] == pytest.approx(then - found.standing.expected)


def test_too_few_records_and_no_target_have_no_way(x: Coded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", 10_000)
    assert variances(x, quarter(x)) == ()
    assert variances(Coded(x.data, replace(x.terms, targets=())), quarter(x)) == ()
    assert variances(x, View()) == ()
