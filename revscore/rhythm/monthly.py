"""The monthly revenue council, in the order of the meeting: what no team can hit alone → targets → conversion of mature cohorts and at equal age → win
rate, velocity, retention → campaigns → tests → decisions and actions → whether reports agree."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from revscore.core.coded import Coded
from revscore.core.review import Line
from revscore.core.view import View
from revscore.rhythm import campaigns, funnel, goals, governance, retention, shared, solo
from revscore.rhythm.asks import ask, made

_CONVERSION = (ask("funnel.cohort_conversion", label="MQL → SAL", pair="mql->sal", settled=True),
               ask("funnel.cohort_conversion", label="SAL → SQL", pair="sal->sql", settled=True),
               ask("funnel.cohort_conversion", label="SQL → opportunity", pair="sql->opportunity", settled=True),
               ask("funnel.cohort_conversion", label="MQL → opportunity", pair=funnel.MAIN_PAIR, settled=True))
_WINS = (ask("winrate.closed_in_period"), ask("winrate.cohort", label="Win rate of the cohort", settled=True))
_VELOCITY = (ask("velocity.sales_velocity"), ask("velocity.cycle_time_won", "median", "Sales cycle, median"), ask("velocity.time_to_close_km", "median", "Time to decision, median"))


@dataclass(frozen=True)
class Monthly:
    shared: tuple[Line, ...]
    joints: tuple[solo.Joint, ...]  # whether one function could win them alone
    targets: tuple[goals.Standing, ...]
    conversion: tuple[Line, ...]
    equal_age: str
    wins: tuple[Line, ...]
    velocity: tuple[Line, ...]
    retention: tuple[Line, ...]
    campaigns: pd.DataFrame
    evidence: pd.DataFrame  # for funding, fixing and retiring campaigns
    tests: pd.DataFrame
    decisions: tuple[Line, ...]
    reports: tuple[Line, ...]
    definitions: tuple[Line, ...]
    changes: pd.DataFrame  # of definitions


def monthly(x: Coded, view: View) -> Monthly:
    """The monthly review under `view`."""
    return Monthly(made(x, view, shared.TILES), solo.joints(x, view), goals.standings(x, view), made(x, view, _CONVERSION), funnel.equal_age(x, view), made(x, view, _WINS), made(x, view, _VELOCITY),
                   retention.ratios(x, view), campaigns.scorecard(x, view), campaigns.evidence(x, view), governance.tests(x, view), made(x, view, governance.DECISIONS), made(x, view, governance.REPORTS),
                   made(x, view, governance.DEFINITIONS), governance.definition_changes(x, view))
