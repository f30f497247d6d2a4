"""Forecast: rules that an open deal must keep to be believed, and what stands in each category. METRICS section 8."""

from __future__ import annotations

import numpy as np

from revscore.core.calendars import DAY_US, NEVER, NO_DAY, instants
from revscore.core.coded import Coded
from revscore.core.facts import Facts
from revscore.core.metric import Better, metric, rate, total
from revscore.core.metrics.common import DEAL_CHANGES, DEAL_DRILL, DEAL_NEEDS, listed_flags, words
from revscore.core.metrics.stages import push_count
from revscore.core.requirements import is_missing
from revscore.core.units import CURRENCY, DEALS

RULES = ("H1_close_date_past", "H2_amount_missing", "H3_commit_too_early", "H4_commit_without_next_step", "H5_omitted_late_stage", "H6_stale", "H7_pushed_repeatedly")
RULE_LABELS = ("Close date has passed", "No amount", "Commit too early", "Commit without a next step", "Late stage, yet omitted", "Nothing happens", "Pushed again and again")
NO_CATEGORY = "(missing)"


def forecast_deals(x: Coded) -> np.ndarray:
    """Positions of the open O1 deals at or beyond the pipeline entry stage, omitted ones included."""
    opps = x.opps
    return np.flatnonzero(opps.in_o1 & (opps.now.rank >= x.terms.pipeline_entry_rank) & (opps.now.rank < opps.open_stages))


def last_sign_of_life(x: Coded) -> np.ndarray:
    """By deal: the instant of its last change or of the last activity that names it; NEVER without either."""
    opps, frame = x.opps, x.data.table("activities")
    last = np.full(opps.n, np.iinfo("int64").min)
    there = opps.now.event >= 0
    last[there] = opps.events.at[opps.now.event[there]]
    at, opp = instants(frame["occurred_at"], x.as_of), x.opp_index.get_indexer(frame["opp_id"])
    known = (at != NEVER) & (opp >= 0)
    np.maximum.at(last, opp[known], at[known])
    return np.where(last == np.iinfo("int64").min, NEVER, last)


def violations(x: Coded) -> np.ndarray:
    """[rule, deal] which of the forecast deals break which rule, in the order of `forecast_deals`."""
    def make() -> np.ndarray:
        opps, rules, now = x.opps, x.terms.hygiene, x.opps.now
        opp = forecast_deals(x)
        event, rank, close = now.event[opp], now.rank[opp], now.close_day[opp]
        category = np.array(opps.categories, dtype=object)[opps.events.category[event]] if len(opp) else np.zeros(0, dtype=object)
        late = x.terms.opp_stages.index(rules.commit_min_stage) if rules.commit_min_stage in x.terms.opp_stages else opps.open_stages - 1
        commit = category == rules.commit_category
        no_step = is_missing(x, x.data.table("opportunities")["next_step"])[opp] & x.data.has("opportunities.next_step")
        pushes = x.facts(push_count)
        pushed = np.bincount(pushes.record, weights=pushes.values["later_month"], minlength=opps.n)[opp]
        idle = (x.as_of - last_sign_of_life(x)[opp]) / DAY_US
        return np.array([(close < x.as_of_day) & (close != NO_DAY), ~(now.amount[opp] > 0), commit & (rank < late), commit & no_step,
                         (category == x.terms.omitted_category) & (rank >= late), idle > rules.stale_days, pushed >= rules.push_threshold])

    return x.once("violations", make)


def hygiene_notes(x: Coded) -> tuple[str, ...]:
    """What the rules could not look at in this extract."""
    notes = [] if x.data.has("activities.opp_id") else ["No activity names its deal: “nothing happens” goes by the deal's own changes alone."]
    if not x.data.has("opportunities.next_step"):
        notes.append("The extract has no next step: that rule is not checked.")
    if not x.data.has("opp_history.forecast_category"):
        notes.append("The extract has no forecast category: the rules for commit and omitted are not checked.")
    return tuple(notes)


@metric("forecast.hygiene", "Forecast hygiene", "Which open deals can the forecast not rely on?", rate("violation_rate", "violates", "n", label="Deals that break a rule"),
        *(total(rule, DEALS, label=label) for rule, label in zip(RULES, RULE_LABELS, strict=True)), better=Better.DOWN, owners=("sales", "revops"),
        meetings=("WPR",), needs=(*DEAL_CHANGES, "opp_history.amount", "opp_history.close_date"), drill=DEAL_DRILL,
        population="O1, open at or beyond the pipeline entry stage, omitted included")
def hygiene(x: Coded) -> Facts:
    """Open deals that break at least one rule ÷ open deals. A deal breaks a rule when its close date has passed (H1); its amount is missing or not
    above 0 (H2); it is commit below the earliest stage for that (H3), or commit without a next step (H4); it is omitted at or beyond that stage (H5);
    neither the deal changed nor an activity named it for longer than the stale limit (H6); or its close date was pushed to a later month as often
    as the limit or more (H7). A deal may break several. The state at as-of.

    Without activities that name their deal, H6 goes by the deal's own changes alone; without next steps H4 is not checked.
    """
    opp, broken, opps = forecast_deals(x), violations(x), x.opps
    values = {"n": np.ones(len(opp)), "violates": broken.any(axis=0).astype(float), **{rule: row.astype(float) for rule, row in zip(RULES, broken, strict=True)}}
    return x.make_facts("opp", opp, np.full(len(opp), x.as_of_day), values, left_out=opps.left_out,
                        detail={"broken": listed_flags(broken, RULE_LABELS), "idle_days": (x.as_of - last_sign_of_life(x)[opp]) / DAY_US})


@metric("forecast.category_totals", "Forecast categories", "What stands in which forecast category?", total("value", CURRENCY, label="Open amount"),
        total("count", DEALS, label="Deals"), better=Better.CONTEXT, owners=("sales",), meetings=("WPR",), by=("category",), drill=DEAL_DRILL,
        needs=(*DEAL_NEEDS, "opp_history.amount", "opp_history.forecast_category"), population="O1, open at or beyond the pipeline entry stage, omitted included")
def category_totals(x: Coded) -> Facts:
    """Amount and number of the open deals at or beyond the pipeline entry stage, by forecast category, omitted ones included. The state at as-of."""
    opp, opps = forecast_deals(x), x.opps
    codes = opps.events.category[opps.now.event[opp]] if len(opp) else np.zeros(0, dtype="uint8")
    labels = tuple(name.replace("_", " ").capitalize() for name in opps.categories[1:])
    return x.make_facts("opp", opp, np.full(len(opp), x.as_of_day), {"value": opps.now.amount[opp], "count": np.ones(len(opp))},
                        own={"category": (codes, words("category", opps.categories[1:], labels))}, left_out=opps.left_out)
