"""What the screens of a meeting draw, beside the trends of their numbers: frames and findings, for the files that leave the house."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.picture import Figure
from revscore.core.units import ACCOUNTS, CURRENCY, CURRENCY_PER_DAY, DEALS, RATIO, RECORDS
from revscore.core.view import View
from revscore.rhythm import changes, funnel, pipeline, quality, retention, shared, speed
from revscore.rhythm.asks import ask, missing, standout
from revscore.rhythm.monthly import Monthly
from revscore.rhythm.target_lines import target_line
from revscore.rhythm.variance import variances
from revscore.rhythm.weekly import Weekly



def figures(x: Coded, view: View, review: Weekly | Monthly | None) -> tuple[Figure, ...]:
    """The figures of a review that was made under `view`, in the order of its screens. What the extract cannot give, or has nothing of, is left out."""
    found = _weekly(x, view, review) if isinstance(review, Weekly) else _monthly(x, view) if isinstance(review, Monthly) else ()
    return tuple(one for one in found if len(one.frame))


# -- weekly --------------------------------------------------------------------------------------------------------------------------------

def _weekly(x: Coded, view: View, review: Weekly) -> Iterator[Figure]:
    currency = x.terms.corporate_currency
    yield Figure("pace", "pace", pace_said(review.progress), review.progress, {"currency": currency})
    if not missing(x, "opp.stage_conversion"):
        frame = pipeline.stages(x, view)
        yield Figure("coverage", "rank", stages_said(frame), frame, {"label": "Advanced"})
    if not missing(x, "forecast.category_totals"):
        frame = quality.categories(x, view)
        yield Figure("coverage", "rank", categories_said(frame, currency), frame, {"unit": CURRENCY, "currency": currency, "label": "Open amount"})
    if not missing(x, "sla.compliance"):
        frame = speed.weeks(x, view, "speed_to_lead")
        name = speed.SLA_NAMES["speed_to_lead"]
        yield Figure("promises", "weeks", kept_said(frame, name), frame, {"label": name})
    if not missing(x, "dq.exception_rate") and (found := quality.rate(x, view, "dq.exception_rate")) is not None:
        frame = quality.exceptions(x, view)
        yield Figure("exceptions", "rank", kinds_said(frame, found), frame.drop(columns="n"), {"unit": RECORDS, "label": "Exceptions"})
    if not missing(x, "forecast.hygiene") and (found := quality.rate(x, view, "forecast.hygiene")) is not None:
        frame = quality.rules(x, view)
        yield Figure("exceptions", "rank", rules_said(found), frame.drop(columns="n"), {"unit": DEALS, "label": "Deals"})


def pace_said(frame: pd.DataFrame) -> str:
    """Which targets are behind what is due by now; those that stand on too few records are not judged."""
    if not len(frame):
        return ""
    told = frame[~frame["thin"].astype(bool)]
    behind = told[told["value"] < told["expected"]]["name"].tolist()
    if behind:
        return f"Behind the pace: {units.listed(behind)}"
    return "Too few records to say whether we are on pace" if not len(told) else "On pace to the targets" if len(told) > 1 else f"{told['name'].iloc[0]} is on pace"


def stages_said(frame: pd.DataFrame) -> str:
    worst = standout(frame)
    return "At which stage do we lose deals?" if worst is None else f"{worst['group']} loses most: {units.text(worst['value'], RATIO)} of the resolved go on"


def categories_said(frame: pd.DataFrame, currency: str) -> str:
    if not len(frame):
        return ""
    most = frame.loc[frame["value"].idxmax()]
    return f"{most['group']} holds most: {units.text(most['value'], CURRENCY, currency)} of {units.text(frame['value'].sum(), CURRENCY, currency)} open"


def kept_said(frame: pd.DataFrame, name: str) -> str:
    """In how many weeks a promise was under its target; weeks of fewer than five are not judged."""
    if not len(frame) or not frame["n"].sum():
        return f"{name}: nothing was due"
    known = frame[frame["n"] >= 5]
    if known["target"].notna().any():
        return f"{name}: under its target in {int((known['rate'] < known['target']).sum())} of {len(known)} weeks"
    return f"{name}: {units.text(frame['met'].sum() / frame['n'].sum(), RATIO)} kept over {len(frame)} weeks"


def kinds_said(frame: pd.DataFrame, found: pd.Series) -> str:
    return f"{frame['group'].iloc[0]}: {units.named(frame['value'].iloc[0], RECORDS)} of {units.text(found['denominator'], RECORDS)}" if len(frame) else ""


def rules_said(found: pd.Series) -> str:
    return f"{units.of(found['numerator'], found['denominator'])} open deals break a forecast rule"


# -- monthly -------------------------------------------------------------------------------------------------------------------------------

def _monthly(x: Coded, view: View) -> Iterator[Figure]:
    currency = x.terms.corporate_currency
    frame = shared.legs(x, view)
    if len(frame):
        yield Figure("together", "rank", legs_said(frame), frame[["group", "value"]], {"unit": RATIO, "label": "Pace or attainment", "reference": 1.0, "reference_name": "on pace"})
    for one in variances(x, view)[:1]:
        line = one.standing.line
        yield Figure("targets", "walk", one.said(currency), one.rows, {"unit": line.measure.unit, "currency": currency, "label": line.label})
    if not missing(x, "funnel.cohort_conversion"):
        frame = funnel.heat(x, view)
        yield Figure("conversion", "heat", "Conversion by cohort and step, of the leads whose window has passed", frame, {"label": "Conversion"})
    yield from _win_rate(x, view)
    yield from _levers(x, view, currency)
    yield from _retention(x, view, currency)


def legs_said(frame: pd.DataFrame) -> str:
    """Which function is furthest from its target. `frame`: `shared.legs`, the weakest first."""
    weakest = frame.iloc[0]
    of = "its target" if weakest["pacing"] in ("", "none") else "what is expected by now"
    return (f"{weakest['function']} is the weakest link: {weakest['about']} at {units.text(weakest['value'], RATIO)} of {of}" if weakest["value"] < 1
            else "Every function is on pace: the shared score is full")


def _win_rate(x: Coded, view: View) -> Iterator[Figure]:
    """What changed the win rate, over the first dimension that tells groups apart."""
    one = ask("winrate.closed_in_period", label="Win rate")
    able = changes.dimensions(x, view, one) if view.period is not None and not missing(x, one.card) else ()
    found = changes.change(x, view, one, able[0]) if able else changes.Change(None, None)
    if found.known:
        yield Figure("wins", "walk", found.said("Win rate"), found.rows, {"unit": RATIO, "label": "Win rate"})


def _levers(x: Coded, view: View, currency: str) -> Iterator[Figure]:
    """Sales velocity from the period before to this one, by lever."""
    found = speed.levers(x, view) if view.period is not None and not missing(x, "velocity.sales_velocity") else speed.Levers()
    if found.known:
        yield Figure("velocity", "walk", found.said, found.rows, {"unit": CURRENCY_PER_DAY, "currency": currency, "label": "Sales velocity"})


def _retention(x: Coded, view: View, currency: str) -> Iterator[Figure]:
    """The way from opening to closing recurring revenue, and net retention month by month."""
    found = retention.retention(x, view)
    if found is None or not len(found.legs):
        return
    yield Figure("retention", "bridge", lost_said(found.legs, currency), found.legs, {"currency": currency, "label": "Recurring revenue", "noun": ACCOUNTS})
    nrr = found.ratios[0]
    if nrr.series["value"].notna().any():
        goal = target_line(x, view, nrr)["target"].to_numpy(dtype=float)
        yield Figure("retention", "trend", "Net retention month by month", nrr.series.assign(low=float("nan"), high=float("nan")), {"unit": RATIO, "label": "Net revenue retention", "target": goal})


def lost_said(legs: pd.DataFrame, currency: str) -> str:
    """Whether expansion made up for what left and shrank. `legs`: of `retention.retention`."""
    value = legs.set_index("id")["value"]
    lost, won = value["churn"] + value["net_contraction"], value["net_expansion"]
    gone, came = (units.text(amount, CURRENCY, currency) for amount in (lost, won))
    return f"Expansion of {came} made up for the {gone} lost" if won >= lost > 0 else f"{gone} lost, {came} of it made up by expansion" if lost > 0 else f"Nothing lost, {came} gained"
