"""Shared metrics: numbers that no team can hit alone. METRICS section 14."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core.calendars import DAY_US, NEVER
from revscore.core.coded import Coded
from revscore.core.facts import Facts
from revscore.core.made import Made, Number
from revscore.core.metric import derived, metric, rate, total
from revscore.core.metrics.attribution import credited_deals
from revscore.core.metrics.common import DEAL_DRILL, DEAL_NEEDS, LEAD_CHANGES, LEAD_DRILL, words
from revscore.core.metrics.targets import pacing
from revscore.core.sla import ACCEPTANCE, MET, OUTCOMES, SPEED
from revscore.core.terms import MQL, OPPORTUNITY, Target
from revscore.core.units import CURRENCY, DEALS, MULTIPLE, RATIO
from revscore.core.view import View

_ALL = ("marketing", "sales", "cs", "revops")
_PAIR = f"{MQL}->{OPPORTUNITY}"
STEPS = ("clean", "not_accepted_in_time", "late_first_touch", "no_opportunity_in_time", "no_handoff", "waiting")
STEP_LABELS = ("Clean handoff", "Not accepted in time", "First touch too late", "No opportunity in time", "No handoff in the first pass", "Window not over yet")


@metric("shared.joint_pipeline", "Joint pipeline created", "How much of the new pipeline did marketing and sales work on together before the deal?",
        total("value", CURRENCY, label="Joint pipeline"), total("count", DEALS, label="Joint deals"),
        rate("share_of_created", "value", "created", label="Share of pipeline created", records="n"),
        owners=_ALL, meetings=("MRC",), by=("worked_by",), drill=DEAL_DRILL,
        needs=(*DEAL_NEEDS, "opp_history.amount", "touches.touch_id", "activities.activity_id"), population="O1 deals that entered the pipeline")
def joint_pipeline(x: Coded) -> Facts:
    """Amount at entry of the deals that entered the pipeline in the period and whose people had, before the deal was created, both a marketing touch
    (within the lookback) and a hands-on activity by sales. People are those with a contact role, of the whole account where there is none. Beside it
    the share of all pipeline created, and what each of the other deals lacked.
    """
    j, activities = x.journeys("hybrid"), x.people.activities
    by_sales = np.flatnonzero(activities.hands_on & ((activities.function == "sales") | (not x.data.has("users.function"))))
    opp, _ = j.within(activities.person[by_sales], activities.at[by_sales], np.full(j.n, np.iinfo("int64").min), j.create_end)
    sold = np.zeros(j.n, dtype=bool)
    sold[opp] = True
    deal, day, amount = credited_deals(x, "pipeline_created")
    touched, sold = j.cut[deal] > 0, sold[deal]
    joint = touched & sold
    worked = np.select([joint, touched, sold], [1, 2, 3], 4)
    names, labels = ("both", "marketing", "sales", "neither"), ("Both", "Marketing only", "Sales only", "Neither")
    return x.make_facts("opp", deal, day, {"value": np.where(joint, amount, 0.0), "count": joint.astype(float), "created": amount, "n": np.ones(len(deal))},
                        own={"worked_by": (worked, words("worked_by", names, labels))}, why=np.where(joint, 0, worked - 1),
                        whys=("", "no hands-on activity by sales before the deal", "no marketing touch before the deal", "neither before the deal"),
                        detail={"amount_at_entry": amount}, left_out=x.opps.left_out)


@metric("shared.handoff_yield", "Clean-handoff yield", "How many MQLs are taken up in time and become an opportunity?",
        rate("yield", "clean", "mature", "n", label="Clean handoffs to an opportunity"), owners=_ALL, meetings=("MRC",), by=("step",), drill=LEAD_DRILL,
        needs=(*LEAD_CHANGES, "activities.person_id", "activities.occurred_at"), population="F0 leads that reached MQL", settles_after="the window of MQL to opportunity")
def handoff_yield(x: Coded) -> Facts:
    """Mature MQLs whose first pass met speed to lead, was accepted in time, and reached opportunity within the window ÷ mature MQLs, by the date of the
    MQL. Mature = the whole window has passed. An MQL without a handoff in its first pass is not clean. The step says where a handoff failed first.
    """
    leads, stages, c = x.leads, x.terms.lead_stages, x.clocks
    reached = leads.reached[stages.index(MQL)]
    lead = np.flatnonzero((reached != NEVER) & leads.in_f0)
    start, goal = reached[lead], leads.reached[stages.index(OPPORTUNITY), lead]
    window = int(x.terms.window(_PAIR) * DAY_US)
    mature, arrived = x.as_of - start >= window, (goal != NEVER) & (goal - start <= window)

    def of(mask: np.ndarray) -> np.ndarray:
        out = np.zeros(leads.n, dtype=bool)
        out[c.lead[(c.number == 1) & mask]] = True
        return out[lead]

    handed = np.zeros(leads.n, dtype=bool)
    handed[x.passes.lead[x.passes.number == 1]] = True
    quick = of((c.type == SPEED) & (c.status == MET))
    accepted = of((c.type == ACCEPTANCE) & (c.status == MET) & (c.outcome == OUTCOMES.index("accepted")))
    step = np.select([~mature, ~handed[lead], ~quick, ~accepted, ~arrived], [6, 5, 3, 2, 4], 1)
    clean = step == 1
    return x.make_facts("lead", lead, x.days(start), {"n": np.ones(len(lead)), "mature": mature.astype(float), "clean": clean.astype(float)},
                        own={"step": (step, words("step", STEPS, STEP_LABELS))}, why=~mature, whys=("", "window not over yet"),
                        detail={"mql_at": start, "opportunity_at": goal}, left_out=leads.left_out)


def legs(x: Coded, targets: tuple[str, ...] = (), running: bool = False) -> pd.DataFrame:
    """One row per function, its leg: of its targets for the whole company the first (by id) that is paced, else the first. `targets` names them
    instead; `running` prefers targets whose period holds as-of. Columns of `targets.pacing`, `leg` (function:target) and `value` (pace index, else
    attainment; missing when the extract or the pacing profile cannot say)."""
    def order(t: Target) -> tuple[bool, bool, str]:
        return running and not t.start <= x.as_of_day < t.end, t.pacing in ("", "none"), t.target_id

    ours = [t for t in x.terms.targets if (t.target_id in targets if targets else not t.segment and t.owner_function)]
    first = ours if targets else {t.owner_function: t for t in sorted(ours, key=order, reverse=True)}.values()
    ids = tuple(sorted(t.target_id for t in first))
    frame = pacing.build(x, target_ids=ids) if ids else pacing.build(x).iloc[:0]
    frame = frame[frame["measure"] == "attainment"].drop(columns="measure")
    paced = ~frame["pacing"].isin(("", "none")) & frame["expected_share"].isna()  # a pace that nobody knows is not the attainment of the whole
    frame = frame.assign(value=frame["pace_index"].fillna(frame["attainment"]).astype(float).mask(paced), leg=frame["owner_function"] + ":" + frame["target_id"])
    return frame.sort_values("leg").reset_index(drop=True)


def _leg_parts(x: Coded, view: View, stat: str, row: pd.Series, *, targets: tuple[str, ...] = (), running: bool = False) -> Made:
    found = legs(x, targets, running).dropna(subset=["value"])
    found = found[found["leg"] == row["leg"]] if stat == "leg" else found
    parts = tuple(Number.of(pacing, View(), "attainment" if np.isnan(part.pace_index) else "pace_index", f"{part.owner_function}: {part.metric_id} ({part.target_id})",
                            target_ids=(part.target_id,)) for part in found.itertuples())
    says, value = {"score": ("the lowest leg, 1 at the most", lambda *legs: min(1.0, *legs)),
                   "average": ("the average of the legs, each 1 at the most", lambda *legs: np.mean(np.minimum(legs, 1.0)))}.get(stat, ("the leg itself", lambda leg: leg))
    return Made(parts, says, value)


@metric("shared.weakest_link", "Weakest link", "How far is the function that is furthest behind?", derived("score", RATIO, label="Weakest link"),
        derived("average", RATIO, label="Average, for contrast"), derived("leg", MULTIPLE, label="Pace or attainment of the leg"),
        owners=_ALL, meetings=("MRC",), needs=("targets.value", "targets.owner_function"), population="one target of each function", made_of=_leg_parts)
def weakest_link(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, targets: tuple[str, ...] = (),
                 running: bool = False) -> pd.DataFrame:
    """The lowest over the functions of min(1, pace index, or attainment where the target is not paced) of each function's leg: the score moves only
    when the worst leg moves. The average is shown only to expose the difference. A function's leg is its first target for the whole company, a paced
    one first. A leg that the extract cannot measure is shown without a value and does not count. Each leg opens as the target's own number.
    """
    found = legs(x, targets, running)
    capped = found["value"].clip(upper=1.0)
    score, average = (capped.min(), capped.mean()) if capped.notna().any() else (np.nan, np.nan)
    weakest = found["leg"].iloc[int(found["value"].argmin())] if capped.notna().any() else ""
    head = pd.DataFrame({"measure": ["score", "average"], "value": [score, average], "n": float(capped.notna().sum()), "leg": [weakest, ""]})
    return pd.concat([head, found.assign(measure="leg")], ignore_index=True)
