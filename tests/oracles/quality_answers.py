"""Oracle of forecast hygiene and data quality: one function per metric id."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

from tests.oracles.book import PATH, Book, Record, ratio
from tests.oracles.deal_answers import push_count
from tests.oracles.sla_answers import clocks, handoffs


def in_forecast(book: Book) -> list[Record]:
    """Open O1 deals at or beyond the entry stage, omitted ones included."""
    return [o for o in book.o1 if o["fate"] == "open" and o["now"]["rank"] >= book.entry_rank]


def violations(book: Book, opp: Record) -> list[str]:
    rule, now = book.config["hygiene"], opp["now"]
    late, commit = now["rank"] >= book.ranks[rule["commit_min_stage"]], now["forecast_category"] == rule["commit_category"]
    moves = [e["at"] for e in opp["events"]] + [a["occurred_at"] for a in book.activities if a["opp_id"] == opp["opp_id"]]
    broken = {"H1_close_date_past": now["close_date"] is not None and now["close_date"] < book.today,
              "H2_amount_missing": now["amount"] is None or now["amount"] <= 0,
              "H3_commit_too_early": commit and not late,
              "H4_commit_without_next_step": commit and book.missing(opp["next_step"]),
              "H5_omitted_late_stage": now["forecast_category"] == book.config["omitted_category"] and late,
              "H6_stale": book.as_of - max(moves) > timedelta(days=rule["stale_days"]),
              "H7_pushed_repeatedly": push_count(book)["later_calendar_month"].get(opp["opp_id"], 0) >= rule["push_threshold"]}
    return [name for name, is_broken in broken.items() if is_broken]


def hygiene(book: Book) -> Record:
    deals = in_forecast(book)
    found = {o["opp_id"]: broken for o in deals if (broken := violations(book, o))}
    return {"open": len(deals), "violations": found, "by_rule": dict(Counter(name for broken in found.values() for name in broken)), "violation_rate": ratio(len(found), len(deals))}


def category_totals(book: Book) -> Record:
    out: Record = {}
    for opp in in_forecast(book):
        row = out.setdefault(opp["now"]["forecast_category"], {"count": 0, "value": 0.0})
        row["count"] += 1
        row["value"] += book.money(opp, opp["now"])
    return out


# -- completeness ------------------------------------------------------------------------------------------------------------------------


def required(book: Book, kind: str) -> dict[str, list[str]]:
    fields = defaultdict(list)
    for row in book.rows("required_fields"):
        if row["object"] == kind:
            fields[row["stage"]].append(row["field"])
    return fields


def lead_cells(book: Book, lead: Record) -> list[tuple[str, str, bool]]:
    """(stage, field, filled) of every required cell of a lead."""
    fields, furthest = required(book, "lead"), max((PATH.index(s) for s in lead["reached"]), default=-1)
    stages = PATH[:furthest + 1] + (["exit"] if lead["status"] in book.config["lead_exit_stages"] else [])
    return [(stage, field, not book.missing(lead["events"][-1]["reason"] if field == "reason" else lead[field])) for stage in stages for field in fields[stage]]


def opp_cells(book: Book, opp: Record) -> list[tuple[str, str, bool]]:
    fields = required(book, "opportunity")
    highest = max((e["rank"] for e in opp["events"] if book.fate(e) == "open"), default=-1)
    stages = book.open_stages[:highest + 1] + ([opp["now"]["stage"]] if opp["fate"] in ("won", "lost") else [])

    def filled(field: str) -> bool:
        if field == "primary_contact":
            return any(r["opp_id"] == opp["opp_id"] and r["is_primary"] for r in book.roles)
        return not book.missing(opp["now"][field] if field in ("amount", "close_date") else opp[field])

    return [(stage, field, filled(field)) for stage in stages for field in fields[stage]]


def completeness(records: dict[str, list[tuple[str, str, bool]]]) -> Record:
    cells = [cell for mine in records.values() for cell in mine]
    missing, by_stage = defaultdict(set), defaultdict(lambda: [0, 0])
    for name, mine in records.items():
        for stage, field, filled in mine:
            by_stage[stage][0] += filled
            by_stage[stage][1] += 1
            if not filled:
                missing[field].add(name)
    done, complete = sum(filled for _, _, filled in cells), sum(all(filled for _, _, filled in mine) for mine in records.values())
    return {"cells_required": len(cells), "cells_filled": done, "cell_rate": ratio(done, len(cells)), "records": len(records), "records_complete": complete,
            "record_rate": ratio(complete, len(records)), "missing": {field: sorted(names) for field, names in missing.items()}, "by_stage": dict(by_stage)}


def lead_completeness(book: Book) -> Record:
    return completeness({r["lead_id"]: lead_cells(book, r) for r in book.f0})


def opp_completeness(book: Book) -> Record:
    return completeness({o["opp_id"]: opp_cells(book, o) for o in book.o0})


# -- routing, owners, duplicates, orphans --------------------------------------------------------------------------------------------------


def routing_failure(book: Book) -> Record:
    mine = handoffs(book)
    failed = [h["lead"]["lead_id"] for h in mine if any(r["lead_id"] == h["lead"]["lead_id"] and r["result"] != "assigned" and h["mql"]["at"] <= r["attempted_at"] < h["next"]
                                                        for r in book.routing)]
    return {"handoffs": len(mine), "failed": sorted(failed), "rate": ratio(len(failed), len(mine))}


def open_leads(book: Book) -> list[Record]:
    return [r for r in book.f0 if r["status"] in ("mql", "sal", "sql") and not r["converted_at"]]


def unassigned(book: Book) -> Record:
    leads = open_leads(book)
    mine = [r["lead_id"] for r in leads if r["owner_type"] != "user"]
    return {"open_leads": len(leads), "unassigned": sorted(mine), "rate": ratio(len(mine), len(leads))}


def later_copies(book: Book) -> list[str]:
    """Every lead but the earliest of a group with one e-mail address."""
    groups = defaultdict(list)
    for lead in sorted(book.f0, key=lambda r: (r["created_at"], r["lead_id"])):
        address = (lead["email"] or "").strip().lower()
        if address:
            groups[address].append(lead["lead_id"])
    return sorted(name for names in groups.values() for name in names[1:])


def duplicates(book: Book) -> Record:
    copies = later_copies(book)
    return {"leads": len(book.f0), "duplicates": copies, "rate": ratio(len(copies), len(book.f0)), "already_merged": sum(1 for r in book.leads if r["duplicate_of"])}


def without_role(book: Book, opps: list[Record]) -> list[str]:
    named = {r["opp_id"] for r in book.roles}
    return sorted(o["opp_id"] for o in opps if o["opp_id"] not in named)


def orphans(book: Book) -> Record:
    known = {**book.lead, **book.contact}
    return {"opps_without_account": sorted(o["opp_id"] for o in book.o0 if not o["account_id"]), "opps_without_contact_role": without_role(book, book.o0),
            "open_opps_without_contact_role": without_role(book, [o for o in book.o0 if o["fate"] == "open"]),
            "touches_unknown_person": sorted(t["touch_id"] for t in book.touches if t["person_id"] not in known),
            "touches_unknown_campaign": sorted(t["touch_id"] for t in book.touches if t["campaign_id"] not in book.campaign_ids)}


def exception_rate(book: Book) -> Record:
    leads, opps, copies = open_leads(book), in_forecast(book), later_copies(book)
    breached, roleless = {c["lead_id"] for c in clocks(book) if c["status"] == "breached_open"}, without_role(book, opps)

    def of_lead(lead: Record) -> list[str]:
        tries = sorted((r for r in book.routing if r["lead_id"] == lead["lead_id"]), key=lambda r: r["attempted_at"])
        found = {"unassigned": lead["owner_type"] != "user", "routing_failed": bool(tries) and tries[-1]["result"] != "assigned", "duplicate": lead["lead_id"] in copies,
                 "missing_required": not all(filled for _, _, filled in lead_cells(book, lead)), "sla_breach_open": lead["lead_id"] in breached}
        return [name for name, yes in found.items() if yes]

    def of_opp(opp: Record) -> list[str]:
        found = {"hygiene": bool(violations(book, opp)), "orphan_account": not opp["account_id"], "no_contact_role": opp["opp_id"] in roleless,
                 "missing_required": not all(filled for _, _, filled in opp_cells(book, opp))}
        return [name for name, yes in found.items() if yes]

    lead_found = {r["lead_id"]: found for r in leads if (found := of_lead(r))}
    opp_found = {o["opp_id"]: found for o in opps if (found := of_opp(o))}
    return {"leads_in_scope": len(leads), "lead_exceptions": lead_found, "opps_in_scope": len(opps), "opp_exceptions": opp_found,
            "rate": ratio(len(lead_found) + len(opp_found), len(leads) + len(opps))}


QUALITY = {"forecast.hygiene": hygiene, "forecast.category_totals": category_totals, "dq.lead_completeness": lead_completeness, "dq.opp_completeness": opp_completeness,
           "dq.routing_failure": routing_failure, "dq.unassigned": unassigned, "dq.duplicates": duplicates, "dq.orphans": orphans, "dq.exception_rate": exception_rate}
