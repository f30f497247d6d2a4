"""The funnel explorer: a cohort from stage to stage, conversion by cohort, the time it takes, where leads leak."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.compute import curve
from revscore.core.metrics import CARDS
from revscore.core.statistics import Survival
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask, frame_of, measured

COHORTS = 12
MAIN_PAIR = "mql->opportunity"
TILES: tuple[Ask, ...] = (
    ask("funnel.entries", label="Inquiries", stage="inquiry"), ask("funnel.entries", label="MQLs", stage="mql"), ask("funnel.entries", label="SQLs", stage="sql"),
    ask("funnel.cohort_conversion", label="MQL → opportunity", pair=MAIN_PAIR, settled=True))


def pairs_in_a_row(x: Coded) -> tuple[str, ...]:
    """The stage pairs that follow each other and have a window, up to the opportunity."""
    stages = x.terms.lead_stages
    return tuple(pair for pair in (f"{a}->{b}" for a, b in zip(stages, stages[1:], strict=False)) if pair in dict(x.terms.conversion_window_days))


def named(pair: str) -> str:
    """ "mql->sql" as readers write it: "MQL → SQL". """
    first, *rest = (stage_name(part) for part in pair.split("->"))
    return " → ".join((first, *(name if name.isupper() else name.lower() for name in rest)))


def stage_name(stage: str) -> str:
    return stage.upper() if len(stage) <= 3 and stage != "won" else stage.capitalize()


def steps(x: Coded, view: View) -> pd.DataFrame:
    """One row a stage of those who reached it in the period: entered, converted, still open; the rate of the mature, with its n."""
    found = frame_of(x, "funnel.cohort_conversion", view, ("pair",))
    if not len(found):
        return pd.DataFrame()
    mature, so_far, waiting = (measured(found, name).set_index("pair") for name in ("rate_mature", "rate_to_date", "still_open_share"))
    rows = []
    for pair in (pair for pair in pairs_in_a_row(x) if pair in mature.index):
        rate = mature.loc[pair]
        rows.append({"id": pair.split("->")[0], "pair": pair, "stage": stage_name(pair.split("->")[0]), "entered": rate["n"], "converted": so_far.loc[pair, "numerator"], "still_open": waiting.loc[pair, "numerator"],
                     "rate": rate["value"], "n": rate["denominator"], **{name: rate[name] for name in ("low", "high", "flag", "maturity", "numerator", "denominator")}})
    if not rows:
        return pd.DataFrame()
    last = pairs_in_a_row(x)[-1].split("->")[1]
    reached = measured(frame_of(x, "funnel.entries", view.narrowed(stage=last)), "count")
    rows.append({"id": last, "pair": "", "stage": stage_name(last), "entered": float(reached["value"].sum()), "rate": np.nan, "n": np.nan})
    return pd.DataFrame(rows)


def heat(x: Coded, view: View) -> pd.DataFrame:
    """Conversion of the mature by cohort (the last twelve of the view's grain) and stage pair: cohort, column, value, n, flag, maturity."""
    calendar = x.terms.calendar
    last = int(calendar.codes(np.array([x.as_of_day]), view.grain)[0])
    window = Period(calendar.start(last - COHORTS + 1, view.grain), calendar.start(last + 1, view.grain))
    found = measured(frame_of(x, "funnel.cohort_conversion", view.during(window), ("pair",), view.grain), "rate_mature")
    if not len(found):
        return found
    shown = [*pairs_in_a_row(x), *(pair for pair, _ in x.terms.conversion_window_days if pair not in pairs_in_a_row(x))]
    order = {pair: place for place, pair in enumerate(shown)}
    found = found.assign(place=found["pair"].map(order)).sort_values(["start", "place"], kind="stable")
    return found.assign(cohort=found["period"], column=found["pair"].map(named))[
        ["cohort", "column", "pair", "start", "end", "value", "n", "low", "high", "numerator", "denominator", "flag", "maturity"]].reset_index(drop=True)


def conversion_curves(x: Coded, view: View, pair: str = MAIN_PAIR) -> tuple[tuple[str, Survival], ...]:
    """How the cohort of the period converts with age, beside the cohort before it."""
    card = CARDS["funnel.km_conversion"]
    if x.data.missing(card.needs):
        return ()
    if view.period is None:
        return _known((("all", curve(x, card, view, pair=pair)),))
    before = x.terms.calendar.shifted(view.period)
    return _known(((view.period.name, curve(x, card, view, pair=pair)),
                   (before.name, curve(x, card, view.during(before), pair=pair))))


def _known(curves: tuple[tuple[str, Survival], ...]) -> tuple[tuple[str, Survival], ...]:
    return tuple((name, found) for name, found in curves if found.n)


def equal_age(x: Coded, view: View, pair: str = MAIN_PAIR) -> str:
    """The same-age comparison of the period's cohort with the one before, as a sentence; "" when it cannot be made."""
    card = CARDS["funnel.equal_age_comparison"]
    if x.data.missing(card.needs) or view.period is None:
        return ""
    older = x.terms.calendar.shifted(view.period)
    found = frame_of(x, card.id, view, pair=pair, older=older, younger=view.period).iloc[0]
    if pd.isna(found["value"]) or not found["age_days"]:
        return ""
    said = "a real difference" if found["different"] else "no difference beyond chance"
    return (f"At the same age of {found['age_days']:.0f} days, {found['younger_x']:.0f} of {found['younger_n']:.0f} converted against {found['older_x']:.0f} of "
            f"{found['older_n']:.0f} in {older.label or older.dates()}: {said}.")


def leakage(x: Coded, view: View) -> pd.DataFrame:
    """Leads by stage and what became of them: group (stage), value, n per fate that leaks."""
    found = measured(frame_of(x, "leakage.leads", view, ("stage",)), "leak_rate")
    return found.assign(group=found["stage"].map(stage_name)) if len(found) else found


def reasons(x: Coded, view: View, keep: int = 10) -> pd.DataFrame:
    """The most frequent reasons of leads that leaked: id (of the stage), stage, fate, reason, leads."""
    found = measured(frame_of(x, "leakage.leads", view, ("stage", "fate", "reason")), "leak_rate")
    if not len(found):
        return found
    gone = found[found["numerator"] > 0].sort_values("numerator", ascending=False, kind="stable").head(keep)
    return gone.assign(id=gone["stage"], stage=gone["stage"].map(stage_name), leads=gone["numerator"])[["id", "stage", "fate", "reason", "leads"]].reset_index(drop=True)


