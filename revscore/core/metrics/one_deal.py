"""Attribution of one deal: its journey, the anchors and the share that each model gives to every touch. METRICS section 13."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from revscore.core.calendars import iso
from revscore.core.coded import Coded
from revscore.core.facts import Facts
from revscore.core.journeys import ANCHORS, MODES, Journeys, span_of
from revscore.core.made import Made, Number
from revscore.core.metric import Better, metric, study, total
from revscore.core.metrics.attribution import NEEDS, ORIGINS, origins
from revscore.core.terms import MODELS
from revscore.core.units import RATIO
from revscore.core.view import View


def audit(x: Coded, opp: str) -> dict[str, Any]:
    """One deal under all modes and models: `{mode: {persons, touches_close_span, touches_create_span, anchors, credit_by_campaign}, sourced_by}`.

    Anchors are those of the close span; linear and time decay are shown as for created pipeline. Raises KeyError for an unknown opportunity.
    """
    place = x.opp_index.get_indexer([opp])[0]
    if place < 0:
        raise KeyError(f"opportunity “{opp}” is not in this extract")
    out: dict[str, Any] = {mode: _audited(x, x.journeys(mode).of(place)) for mode in MODES}
    out["sourced_by"] = ORIGINS[origins(x)[0][place] - 1]
    return out


def _audited(x: Coded, j: Journeys) -> dict[str, Any]:
    touch_id = x.data.table("touches")["touch_id"].iloc[x.people.touches.row[j.touch]].to_list()
    names = x.data.table("campaigns")["campaign_id"].to_numpy(dtype=object)
    anchors = {name: int(j.anchor(name, "close")[0]) for name in ANCHORS}
    credit = {}
    for model in MODELS:
        weight = pd.Series(j.weights(model, span_of(model, "pipeline_created"))).groupby(names[j.campaign], sort=False).sum()
        credit[model] = {str(name): float(value) for name, value in weight.items() if value > 0}
    return {"persons": sorted(x.people.ids[j.person].tolist()), "touches_close_span": touch_id, "touches_create_span": touch_id[:int(j.cut[0])],
            "anchors": {name: touch_id[row] for name, row in anchors.items() if row >= 0}, "credit_by_campaign": credit}


def _one_touch(x: Coded, view: View, stat: str, row: pd.Series, *, opp: str = "", mode: str = "") -> Made:
    def build(x: Coded, opp: str, mode: str, touch: str) -> Facts:
        j, touches = x.journeys(mode).of(x.opp_index.get_indexer([opp])[0]), x.people.touches
        place = np.flatnonzero(x.data.table("touches")["touch_id"].iloc[touches.row[j.touch]].to_numpy() == touch)
        share = j.weights("w_shaped", span_of("w_shaped", "pipeline_created"))[place]
        return x.make_facts("touch", touches.row[j.touch[place]], x.days(j.at[place]), {"credit": share})

    card = replace(opportunity_examples, id="attribution.credit_of_touch", label="Credit of the touch", build=build, measures=(total("credit", RATIO),), made_of=None, drill=())
    return Made((Number.of(card, View(), "credit", opp=opp, mode=mode, touch=str(row["touch_id"])),), "the share of this touch", lambda share: share)


@metric("attribution.opportunity_examples", "Attribution of one deal", "Why did these campaigns get this deal's credit?",
        study("credit", RATIO, label="Share of the deal"), better=Better.CONTEXT, owners=("revops",), meetings=("RET",), needs=NEEDS,
        made_of=_one_touch)
def opportunity_examples(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: Any = None, *, opp: str = "", mode: str = "") -> pd.DataFrame:
    """The journey of one deal: a row per eligible touch in order, with its person, campaign and span, the anchors that it holds, and the
    share of the deal that each model credits to it; people without a touch close the list. Without `opp`, nothing.
    """
    columns = ["measure", "opp", "mode", "person", "touch_id", "campaign", "at", "in_create_span", "anchors", *MODELS, "value"]
    place = x.opp_index.get_indexer([opp])[0]
    if place < 0:
        return pd.DataFrame(columns=columns)
    j, touches = x.journeys(mode).of(place), x.people.touches
    held = np.array([""] * len(j), dtype=object)
    for name in ANCHORS:
        row = int(j.anchor(name, "close")[0])
        if row >= 0:
            held[row] = f"{held[row]} {name}".strip()
    frame = pd.DataFrame({
        "person": x.people.ids[touches.person[j.touch]], "touch_id": x.data.table("touches")["touch_id"].iloc[touches.row[j.touch]].to_numpy(),
        "campaign": x.data.table("campaigns")["campaign_id"].to_numpy(dtype=object)[j.campaign], "at": [iso(at) for at in j.at],
        "in_create_span": j.inside("create"), "anchors": held, **{model: j.weights(model, span_of(model, "pipeline_created")) for model in MODELS}})
    silent = sorted(set(x.people.ids[j.person]) - set(frame["person"]))
    frame = pd.concat([frame, pd.DataFrame({"person": silent})], ignore_index=True) if silent else frame
    return frame.assign(measure="credit", opp=opp, mode=j.mode, value=frame["w_shaped"])[columns]
