"""Oracle of the numbers that no team can reach alone: one function per metric id."""

from __future__ import annotations

from datetime import timedelta

from tests.oracles.attribution_answers import eligible, pacing, people
from tests.oracles.book import Book, Record, mean, rated, ratio
from tests.oracles.deal_answers import entered_in
from tests.oracles.sla_answers import clocks, decision


def joint_pipeline(book: Book) -> Record:
    deals, mode = entered_in(book, book.quarter), "hybrid"  # the mode that A2 calls the default

    def joint(opp: Record) -> bool:
        who = people(book, opp, mode)
        worked = any(a["hands_on"] and a["by"] == "sales" and a["who"] in who and a["occurred_at"] <= opp["created_at"] for a in book.activities)
        return worked and bool(eligible(book, opp, mode, "create"))

    both = [o for o in deals if joint(o)]
    value, created = (sum(book.money(o, o["entry"]) for o in some) for some in (both, deals))
    return {"period": book.current, "opps": sorted(o["opp_id"] for o in both), "count": len(both), "value": value, "share_of_created": ratio(value, created)}


def handoff_yield(book: Book) -> Record:
    window = timedelta(days=book.window_days("mql->opportunity"))
    mature = [r for r in book.f0 if "mql" in r["reached"] and r["reached"]["mql"] + window <= book.as_of]

    def clean(lead: Record) -> bool:
        first = {c["type"]: c for c in clocks(book) if c["lead_id"] == lead["lead_id"] and c["pass"] == 1}
        if not {"speed_to_lead", "acceptance"} <= set(first) or any(first[kind]["status"] != "met" for kind in ("speed_to_lead", "acceptance")):
            return False
        return not decision(first["acceptance"]["handoff"])["exit"] and "opportunity" in lead["reached"] and lead["reached"]["opportunity"] <= lead["reached"]["mql"] + window

    good = sorted(r["lead_id"] for r in mature if clean(r))
    return {"mature_mqls": len(mature), "clean_handoffs_to_opportunity": good, **rated(book, len(good), len(mature))}


def weakest_link(book: Book) -> Record:
    whole = sorted((t for t in book.targets if not t["segment"]), key=lambda t: t["target_id"])
    chosen = book.report.get("weakest_link_legs")
    if chosen is None:
        chosen = []
        for function in {t["owner_function"] for t in whole}:
            mine = [t for t in whole if t["owner_function"] == function]
            chosen.append(next((t for t in mine if t["pacing"] != "none"), mine[0])["target_id"])
    rows, legs = pacing(book), {}
    for target in sorted(book.targets, key=lambda t: t["target_id"]):
        if target["target_id"] in chosen:
            row = rows[target["target_id"]]
            pace = row.get("pace_index")
            legs[f"{target['owner_function']}:{target['target_id']}"] = row["attainment"] if pace is None else pace
    known = {name: value for name, value in legs.items() if value is not None}
    capped = [min(1.0, value) for value in known.values()]
    return {"legs": legs, "score": min(capped, default=None), "weakest": min(sorted(known), key=known.get, default=None), "average_for_contrast": mean(capped)}


SHARED = {"shared.joint_pipeline": joint_pipeline, "shared.handoff_yield": handoff_yield, "shared.weakest_link": weakest_link}
