"""The crowd in short: eight sessions on two servers, on both engines, and the control that must fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability import crowd
from tests.store.conftest import place, server  # noqa: F401  a store on each engine

ROUNDS, THREADS = 2, 4


def test_of_those_who_want_the_same_one_gets_it_and_nobody_sees_two_loads(place: str | Path) -> None:  # noqa: F811
    figures = crowd.judged(str(place), crowd.run(str(place), ROUNDS, THREADS), ROUNDS)
    assert not figures.faults
    assert figures.count(crowd.TOLD) and figures.count(crowd.READ)


def test_without_constraints_and_locks_the_crowd_finds_faults() -> None:
    figures = crowd.control(3, 8)
    assert [one for one in figures.faults if "winners" in one] and figures.count(crowd.TORN)
