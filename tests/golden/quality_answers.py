"""Answers of forecast hygiene, data quality and the shared metrics, in the shape of `expected.json`. `Answers` is the one of `answers.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from revscore.core.drill import open_number
from revscore.core.metrics import CARDS, forecast, quality, shared
from revscore.core.requirements import Cells, deal_cells, lead_cells
from revscore.core.view import View

if TYPE_CHECKING:
    from tests.golden.answers import Answers


def forecasts(a: Answers) -> dict[str, Any]:
    rate = a.rate("forecast.hygiene", "violation_rate")
    rules = {rule: a.ids("forecast.hygiene", measure=rule) for rule in forecast.RULES}
    broken = sorted({opp for ids in rules.values() for opp in ids})
    categories = a.ask("forecast.category_totals", by="category").pivot(index="category", columns="measure", values="value")
    return {"forecast.hygiene": {"open": rate["n"], "violations": {opp: [rule for rule in forecast.RULES if opp in rules[rule]] for opp in broken},
                                 "by_rule": {rule: len(ids) for rule, ids in rules.items() if ids}, "violation_rate": rate["rate"]},
            "forecast.category_totals": {name or "(missing)": {"count": int(row["count"]), "value": float(row["value"])} for name, row in categories.iterrows()}}


def completeness(a: Answers, kind: str, entity: str, cells: Cells) -> dict[str, Any]:
    card, records = f"dq.{kind}_completeness", f"dq.complete_{'leads' if kind == 'lead' else 'deals'}"
    cell, record = a.rate(card, "cell_rate"), a.rate(records, "record_rate")
    stages = a.ask(card, by="stage")
    stages = stages[stages["measure"] == "cell_rate"]
    by_field = {}
    for field in cells.fields:
        ids = a.x.ids(entity)[np.unique(cells.record[(cells.field == cells.fields.index(field)) & ~cells.filled])]
        if len(ids):
            by_field[field] = sorted(ids)
    return {"cells_required": cell["n"], "cells_filled": cell["x"], "cell_rate": cell["rate"], "records": record["n"], "records_complete": record["x"],
            "record_rate": record["rate"], "missing": by_field,
            "by_stage": {row.stage: [int(row.numerator), int(row.denominator)] for row in stages.itertuples()}}


def qualities(a: Answers) -> dict[str, Any]:
    handoffs, idle, twice = (a.rate(f"dq.{name}", "rate") for name in ("routing_failure", "unassigned", "duplicates"))
    failed = open_number(a.x, CARDS["dq.routing_failure"]).counted["lead_id"]
    orphans = {name: a.ids("dq.orphans", measure=name) for name in ("opps_without_account", "opps_without_contact_role", "open_opps_without_contact_role",
                                                                   "touches_unknown_person", "touches_unknown_campaign")}
    exceptions = {}
    for kind, entity, names, (record, flags) in (("lead", "lead", quality.LEAD_EXCEPTIONS, quality.lead_exceptions(a.x)),
                                                 ("opp", "opp", quality.DEAL_EXCEPTIONS, quality.deal_exceptions(a.x))):
        rows = np.flatnonzero(flags.any(axis=0))
        exceptions |= {f"{kind}s_in_scope": len(record),
                       f"{kind}_exceptions": {a.x.ids(entity)[record[row]]: [name for name, up in zip(names, flags[:, row], strict=True) if up] for row in rows}}
    return {"dq.lead_completeness": completeness(a, "lead", "lead", lead_cells(a.x)), "dq.opp_completeness": completeness(a, "opp", "opp", deal_cells(a.x)),
            "dq.routing_failure": {"handoffs": handoffs["n"], "failed": sorted(failed), "rate": handoffs["rate"]},
            "dq.unassigned": {"open_leads": idle["n"], "unassigned": a.ids("dq.unassigned"), "rate": idle["rate"]},
            "dq.duplicates": {"leads": twice["n"], "duplicates": a.ids("dq.duplicates"), "rate": twice["rate"], "already_merged": a.value("dq.duplicates", "already_merged")},
            "dq.orphans": orphans, "dq.exception_rate": {**exceptions, "rate": a.value("dq.exception_rate", "rate")}}


def shares(a: Answers) -> dict[str, Any]:
    view, joint = View(a.current), "shared.joint_pipeline"
    legs = shared.legs(a.x, tuple(a.report.get("weakest_link_legs", ())))
    whole = a.ask("shared.weakest_link", targets=tuple(a.report.get("weakest_link_legs", ()))).set_index("measure")
    score, average = (whole.loc[name, "value"] for name in ("score", "average"))
    return {"shared.joint_pipeline": {"period": a.current.label, "opps": a.ids(joint, view), **{name: a.value(joint, name, view) for name in ("count", "value", "share_of_created")}},
            "shared.handoff_yield": {"mature_mqls": a.rate("shared.handoff_yield", "yield")["n"], "clean_handoffs_to_opportunity": a.ids("shared.handoff_yield"),
                                     **a.rate("shared.handoff_yield", "yield")},
            "shared.weakest_link": {"legs": {row.leg: none(row.value) for row in legs.itertuples()}, "score": none(score), "weakest": whole.loc["score", "leg"] or None,
                                    "average_for_contrast": none(average)}}


def none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def answers(a: Answers) -> dict[str, Any]:
    return forecasts(a) | qualities(a) | shares(a)
