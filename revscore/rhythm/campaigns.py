"""Campaigns: what each brought and cost, and how much of its credit hangs on the attribution model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.drill import describe
from revscore.core.figures import fold
from revscore.core.metric import functions
from revscore.core.metrics import CARDS
from revscore.core.metrics.campaigns import touches_of
from revscore.core.sums import keep
from revscore.core.terms import MODEL_LABELS, MODELS
from revscore.core.view import View
from revscore.rhythm.asks import LEAST, frame_of, measured

MODEL_NAMES = dict(zip(MODELS, MODEL_LABELS, strict=True))
SHOWN_MODELS = ("first_touch", "last_touch", "linear", "w_shaped")
BASES = {"pipeline_created": "Pipeline created", "won": "Won"}


def scorecard(x: Coded, view: View) -> pd.DataFrame:
    """One row a campaign, most W-shaped pipeline first; those of fewer than ten inquiries follow by name, not ranked (METRICS X3)."""
    found = frame_of(x, "campaign.scorecard_fytd", view)
    if not len(found):
        return found
    found = found.drop_duplicates("campaign") if "measure" not in found else measured(found, "roi")
    few = found["inquiries"].fillna(0) < LEAST
    ranked = found[~few].sort_values("pipeline_attributed_w", ascending=False, kind="stable")
    return pd.concat([ranked, found[few].sort_values("name", kind="stable")], ignore_index=True)


def models(x: Coded, view: View, basis: str = "pipeline_created", keep: int = 12) -> pd.DataFrame:
    """Credit by campaign and model, the largest campaigns first: group, campaign (missing: those folded together), model, value."""
    found = frame_of(x, "attribution.totals_fytd", view.narrowed(basis=basis), ("campaign",))
    if not len(found):
        return found
    rows = found[found["measure"].isin(SHOWN_MODELS)]
    rows = rows.assign(group=labelled(x, rows["campaign"]), model=rows["measure"])
    folded = fold(rows, keep=keep, other="other campaigns", within="model")
    return folded.assign(campaign=folded["group"].where(folded["group"].isin(rows["group"])))


def totals(x: Coded, view: View, basis: str = "pipeline_created") -> pd.DataFrame:
    """What each model credits to campaigns and leaves without a touch: model, credited, no_touch, total. The totals are all the same."""
    found = frame_of(x, "attribution.totals_fytd", view.narrowed(basis=basis), ("campaign",))
    if not len(found):
        return found
    found = found[found["measure"].isin(MODELS)]
    bare = found["campaign"] == "(no marketing touch)"
    out = pd.DataFrame({"total": found.groupby("measure")["value"].sum(), "no_touch": found[bare].groupby("measure")["value"].sum()}).fillna(0.0)
    out = out.reindex([model for model in MODELS if model in out.index])
    return out.assign(credited=out["total"] - out["no_touch"], model=[MODEL_NAMES[name] for name in out.index])[["model", "credited", "no_touch", "total"]].reset_index(drop=True)


def agreement(x: Coded, view: View, basis: str = "pipeline_created") -> pd.DataFrame:
    """Per campaign the range of credit and rank over the models, and the verdict."""
    found = frame_of(x, "attribution.agreement", view, basis=basis)
    if not len(found):
        return found
    return found.assign(name=labelled(x, found["campaign"]))


FUND, FIX, RETIRE, WAIT = "Fund", "Fix", "Retire", "Wait"
_YOUNG, _UNDECIDED, _SETTLED = 90, 0.5, 0.2  # days of age and share of open deals below which nothing is proposed; share of open deals up to which a campaign is settled


def evidence(x: Coded, view: View) -> pd.DataFrame:
    """What the record of each campaign with a cost speaks for, over its whole life up to as-of, whatever the period: name, campaign, proposal, why, cost, low and high (won
    by the least and the most generous of the nine models), n (won deals touched), still_open_share; what to fund first, most cost first in each.

    *Fund*: won more than its cost under every model, on ten deals or more. *Retire*: under no model, and its deals are decided. *Wait*: too young, most of its
    deals open, or nothing of it can be told. *Fix*: all else, the way from its MQLs to deals first. A proposal for a decision, not a verdict: credit is a rule, not a cause.
    """
    found = scorecard(x, view.during(None))
    if not len(found):
        return pd.DataFrame()
    ranges = agreement(x, view.during(None), "won")
    ranges = (ranges.set_index("campaign") if len(ranges) else pd.DataFrame(columns=["low", "high", "n"])).reindex(found["campaign"])
    out = found[["name", "campaign", "cost", "cost_is_budget", "still_open_share", "age_days"]].assign(
        **{name: pd.to_numeric(ranges[name]).fillna(0.0).to_numpy(dtype=float) for name in ("low", "high", "n")}).dropna(subset=["cost"])
    out = out[out["cost"] > 0].reset_index(drop=True)
    money = partial(units.text, unit=units.CURRENCY, currency=x.terms.corporate_currency)
    said = [_proposal(row, money) for row in out.to_dict("records")]
    out = out.assign(proposal=[one for one, _ in said], why=[why for _, why in said]).drop(columns="age_days")
    return out.sort_values(["proposal", "cost"], key=lambda c: c.map({FUND: 0, FIX: 1, RETIRE: 2, WAIT: 3}) if c.name == "proposal" else -c, kind="stable").reset_index(drop=True)


def _proposal(row: Mapping[str, Any], money: Callable[..., str]) -> tuple[str, str]:
    low, high, cost, n, still, age = (row[name] for name in ("low", "high", "cost", "n", "still_open_share", "age_days"))
    won = f"{money(low)} to {money(high)} won" if high > low else f"{money(high)} won"
    if still == still and still > _UNDECIDED:
        return WAIT, f"{units.text(still, units.RATIO)} of its deals are still open"
    if age == age and age < _YOUNG:
        return WAIT, f"{age:,.0f} days old"
    if low > cost and n >= LEAST:
        return FUND, f"{won} under every model for {money(cost)}"
    if still != still and not n:
        return WAIT, f"no deal that it touched, so credit says nothing of the {money(cost)}"
    if high < cost and (still != still or still <= _SETTLED):
        return RETIRE, f"{f'at most {money(high)} won under any model' if high else 'nothing won under any model'} for {money(cost)}"
    if n < LEAST:
        return WAIT, f"{units.named(n, units.DEALS)} won: too few to tell"
    return FIX, f"{won} for {money(cost)}: it depends on the model" if high > cost else f"{won} for {money(cost)}, {units.text(still, units.RATIO)} of its deals still open"


def deals(x: Coded, view: View, campaign: str, basis: str) -> pd.DataFrame:
    """The deals that a campaign (its id) touched, with the credit it has from each under every model; a column of credit adds up to the chart's mark."""
    card = CARDS["attribution.totals_fytd"]
    facts = x.facts(card)
    rows = keep(facts, view.narrowed(basis=basis, campaign=campaign), x.dims)
    rows = rows[facts.values["credited"][rows] != 0]
    frame = describe(x, facts, rows, card).drop(columns=["campaign", "basis"])
    return frame.assign(**{MODEL_NAMES[model]: facts.values[model][rows] for model in MODELS}).sort_values(MODEL_NAMES["w_shaped"], ascending=False, kind="stable").reset_index(drop=True)


def touches(x: Coded, view: View, campaign: str) -> pd.DataFrame:
    """The touches of a campaign in the period: touch, person, when, what."""
    return touches_of(x, view, campaign).drop(columns=["campaign_id"])


def labelled(x: Coded, campaigns: pd.Series) -> pd.Series:
    """Campaign ids as readers know them."""
    names = x.data.table("campaigns").dropna(subset=["campaign_id"]).drop_duplicates("campaign_id").set_index("campaign_id")["name"]
    return campaigns.map(names).fillna(campaigns)


def sourced(x: Coded, view: View) -> pd.DataFrame:
    """Pipeline created by the function whose touch came first: origin, value, n. Adds up to all of it."""
    found = measured(frame_of(x, "attribution.sourced_by_fytd", view, ("origin",)), "value")
    return found.assign(group=[functions((origin,)) for origin in found["origin"]]) if len(found) else found
