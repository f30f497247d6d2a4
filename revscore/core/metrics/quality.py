"""Data quality: required fields, routing, owners, duplicates, orphans, and all exceptions in one rate. METRICS section 10."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core.calendars import DAY_US, NEVER, instants
from revscore.core.coded import Coded
from revscore.core.encode import ordered
from revscore.core.facts import Facts, LeftOut, firsts_of, paired
from revscore.core.metric import Better, metric, rate, total
from revscore.core.metrics import forecast
from revscore.core.metrics.common import DEAL_CHANGES, DEAL_DRILL, LEAD_CHANGES, LEAD_DRILL, LEAD_NEEDS, LEAD_PASSES, listed_flags, words
from revscore.core.requirements import EXIT, Cells, deal_cells, furthest_stage, has_role, is_missing, lead_cells
from revscore.core.sla import BREACHED_OPEN, Timeline
from revscore.core.terms import MQL, SAL, SQL
from revscore.core.units import CELLS, DEALS, LEADS, RECORDS

WORKED = (MQL, SAL, SQL)  # statuses in which a lead is somebody's to work on
LEAD_EXCEPTIONS = ("unassigned", "routing_failed", "duplicate", "missing_required", "sla_breach_open")
DEAL_EXCEPTIONS = ("hygiene", "orphan_account", "no_contact_role", "missing_required")
EXCEPTIONS = ("unassigned", "routing_failed", "duplicate", "sla_breach_open", "hygiene", "orphan_account", "no_contact_role", "missing_required")
EXCEPTION_LABELS = ("Nobody owns it", "Routing failed", "Duplicate", "Promise broken and open", "Forecast rule broken", "No account", "No contact role",
                    "Required field missing")
_LABEL = dict(zip(EXCEPTIONS, EXCEPTION_LABELS, strict=True))
_DEALS = ("opportunities.opp_id", "opp_history.changed_at", "opp_history.stage")
_CELLS = (rate("cell_rate", "filled", "required", label="Required cells filled"), total("missing", CELLS, label="Cells missing"),
          rate("field_rate", "has", "fields", label="Fields filled, each once a record"), total("lacks", CELLS, label="Fields missing, each once a record"))
_BOTH = ("record_id", "kind", "name", "status", "segment", "owner")


def _today(x: Coded, record: np.ndarray) -> np.ndarray:
    return np.full(len(record), x.as_of_day)


# -- completeness --------------------------------------------------------------------------------------------------------------------------

def _cell_facts(x: Coded, entity: str, cells: Cells, left_out: LeftOut, standing: np.ndarray, stands: tuple[str, ...]) -> Facts:
    fields = words("field", cells.fields, tuple(name.replace("_id", "").replace("_", " ").capitalize() for name in cells.fields))
    once = np.zeros(len(cells.record))  # a field that a record needs at several stages is several cells, and one field
    once[np.unique(paired(cells.record, cells.field, len(cells.fields) + 1), return_index=True)[1]] = 1.0
    values = {"required": np.ones(len(cells.record)), "filled": cells.filled.astype(float), "missing": (~cells.filled).astype(float),
              "fields": once, "has": once * cells.filled, "lacks": once * ~cells.filled}
    return x.make_facts(entity, cells.record, _today(x, cells.record), values, left_out=left_out,
                        own={"stage": (cells.stage + 1, words("stage", cells.stages)), "field": (cells.field + 1, fields),
                             "standing": (np.maximum(standing[cells.record] + 1, 0), words("standing", stands))})


def _record_facts(x: Coded, entity: str, population: np.ndarray, cells: Cells, left_out: LeftOut) -> Facts:
    record = np.flatnonzero(population)
    fields = _lacking(cells, len(population))[:, record]
    values = {"records": np.ones(len(record)), "complete": (~fields.any(axis=0)).astype(float), "incomplete": fields.any(axis=0).astype(float)}
    return x.make_facts(entity, record, _today(x, record), values, left_out=left_out,
                        detail={"missing": _fields_text(cells, fields)})


def _lacking(cells: Cells, n: int) -> np.ndarray:
    """[field, record] which of `n` records lack which required field."""
    out = np.zeros((len(cells.fields), n), dtype=bool)
    out[cells.field[~cells.filled], cells.record[~cells.filled]] = True
    return out


def _fields_text(cells: Cells, lacking: np.ndarray) -> np.ndarray:
    return listed_flags(lacking, tuple(name.removesuffix("_id").replace("_", " ") for name in cells.fields))


@metric("dq.lead_completeness", "Required fields of leads", "How many of the fields that leads need by now are filled?",
        *_CELLS,
        owners=("revops", "marketing", "sales"), meetings=("WTR", "MRC"), needs=("required_fields", *LEAD_NEEDS), by=("stage", "field", "standing"), drill=LEAD_DRILL,
        population="required cells of F0 leads")
def lead_completeness(x: Coded) -> Facts:
    """Filled ÷ required cells. A lead needs the required fields of every stage up to the furthest that it reached, and those of the exit while it
    stands in one. Missing is null, blank or a placeholder such as "n/a". A field that the extract does not bring is not judged. The state at as-of.
    """
    leads, stages = x.leads, x.terms.lead_stages
    standing = np.where((leads.status >= len(stages)) & ~leads.taken_up, len(stages), furthest_stage(x))
    return _cell_facts(x, "lead", lead_cells(x), leads.left_out, standing, (*stages, EXIT))


@metric("dq.complete_leads", "Complete leads", "How many leads have all the fields that they need by now?",
        rate("record_rate", "complete", "records", label="Leads with nothing missing"), total("incomplete", LEADS, label="Leads with a missing field"),
        owners=("revops", "marketing", "sales"), meetings=("WTR", "MRC"), needs=("required_fields", *LEAD_NEEDS), drill=LEAD_DRILL, population="F0 leads")
def complete_leads(x: Coded) -> Facts:
    """Leads without a missing required field ÷ leads; what is required as in the required fields of leads. The state at as-of."""
    return _record_facts(x, "lead", x.leads.in_f0, lead_cells(x), x.leads.left_out)


@metric("dq.opp_completeness", "Required fields of deals", "How many of the fields that deals need by now are filled?",
        *_CELLS,
        owners=("sales",), meetings=("WPR",), needs=("required_fields", *_DEALS), by=("stage", "field", "standing"), drill=DEAL_DRILL,
        population="required cells of O0 deals, renewals included")
def opp_completeness(x: Coded) -> Facts:
    """Filled ÷ required cells. A deal needs the required fields of every open stage up to the highest that it reached, and those of Closed Won or
    Closed Lost while it is. A primary contact is a contact role marked as primary; amount and close date are those of the current state. Missing is
    null, blank or a placeholder. A field that the extract does not bring is not judged. The state at as-of.
    """
    return _cell_facts(x, "opp", deal_cells(x), _o0_left_out(x), x.opps.now.rank, x.terms.opp_stages)


@metric("dq.complete_deals", "Complete deals", "How many deals have all the fields that they need by now?",
        rate("record_rate", "complete", "records", label="Deals with nothing missing"), total("incomplete", DEALS, label="Deals with a missing field"),
        owners=("sales",), meetings=("WPR",), needs=("required_fields", *_DEALS), drill=DEAL_DRILL, population="O0 deals, renewals included")
def complete_deals(x: Coded) -> Facts:
    """Deals without a missing required field ÷ deals; what is required as in the required fields of deals. The state at as-of."""
    return _record_facts(x, "opp", x.opps.in_o0, deal_cells(x), _o0_left_out(x))


def _o0_left_out(x: Coded) -> LeftOut:
    """What O0 leaves out: of the deals outside O1 those that are not of another type."""
    out = x.opps.left_out
    rows = ~x.opps.in_o0[out.record]
    return LeftOut(out.record[rows], out.day[rows], {name: column[rows] for name, column in out.codes.items()}, out.why[rows], out.whys)


# -- routing and owners --------------------------------------------------------------------------------------------------------------------

def routing_attempts(x: Coded) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lead position, instant and result of every routing attempt of a known lead up to as-of."""
    log = x.data.table("routing_log")
    lead, at = x.lead_index.get_indexer(log["lead_id"]), instants(log["attempted_at"], x.as_of)
    result = log["result"].fillna("").to_numpy(dtype=object)
    rows = np.flatnonzero((lead >= 0) & (at != NEVER) & (result != ""))
    return lead[rows], at[rows], result[rows]


@metric("dq.routing_failure", "Routing failures", "How many handoffs did the routing not bring to somebody?",
        rate("rate", "failed", "handoffs", label="Handoffs with a routing failure"), better=Better.DOWN, owners=("revops",), meetings=("WTR",),
        needs=(*LEAD_PASSES, "routing_log.lead_id", "routing_log.attempted_at", "routing_log.result"), by=("result",),
        drill=LEAD_DRILL, population="handoffs: passes with an MQL, of F0 leads")
def routing_failure(x: Coded) -> Facts:
    """Handoffs with at least one routing attempt in the pass that did not assign the lead to a user ÷ handoffs (first MQL of a pass), by the date of
    the handoff. Attempts count from that MQL to the next pass. An assignment later in the pass does not take the failure back.
    """
    p, (lead, at, result) = x.passes, routing_attempts(x)

    def count(mine: np.ndarray) -> np.ndarray:
        return Timeline(lead[mine], at[mine]).count(p.lead, p.mql, p.end)

    fallback, other = count(result == "fallback_queue"), count(~np.isin(result, ["assigned", "fallback_queue"]))
    failed = fallback + other > 0
    outcome = np.where(other > 0, 1, np.where(fallback > 0, 2, 3))
    return x.make_facts("lead", p.lead, x.days(p.mql), {"handoffs": np.ones(len(p.lead)), "failed": failed.astype(float)}, left_out=x.leads.left_out,
                        own={"result": (outcome, words("result", ("failed", "fallback_queue", "no_failure"), ("Failed", "Fallback queue", "No failure")))},
                        detail={"pass": p.number, "mql_at": p.mql, "failed_attempts": fallback + other})


def leads_at_work(x: Coded) -> np.ndarray:
    """Positions of the open, unconverted F0 leads in MQL, SAL or SQL."""
    leads = x.leads
    ranks = [x.terms.lead_stages.index(name) for name in WORKED]
    return np.flatnonzero(leads.in_f0 & (leads.converted == NEVER) & np.isin(leads.status, ranks))


@metric("dq.unassigned", "Unassigned leads", "How many leads that should be worked on belong to nobody?",
        rate("rate", "unassigned", "open_leads", label="Without an owner"), better=Better.DOWN, owners=("revops", "sales"), meetings=("WTR",),
        needs=(*LEAD_NEEDS, "leads.owner_type"), by=("status", "owner_type"), drill=LEAD_DRILL, population="open, unconverted F0 leads in MQL, SAL or SQL")
def unassigned(x: Coded) -> Facts:
    """Open leads in MQL, SAL or SQL whose owner is no user (a queue, or nobody) ÷ all such leads. The state at as-of."""
    lead, leads = leads_at_work(x), x.leads
    kind = x.data.table("leads")["owner_type"].fillna("").to_numpy(dtype=object)[lead]
    owner = np.where(kind == "user", 1, np.where(kind == "queue", 2, 3))
    since = leads.events.at[leads.last_event[lead]] if len(lead) else np.zeros(0)
    ranks = {x.terms.lead_stages.index(name): place for place, name in enumerate(WORKED, start=1)}
    status = np.array([ranks.get(rank, 0) for rank in range(len(x.terms.lead_stages))])[leads.status[lead]]
    return x.make_facts("lead", lead, _today(x, lead), {"open_leads": np.ones(len(lead)), "unassigned": (owner != 1).astype(float)}, left_out=leads.left_out,
                        own={"status": (status, words("status", WORKED)), "owner_type": (owner, words("owner_type", ("user", "queue", "nobody"), ("User", "Queue", "Nobody")))},
                        detail={"days_in_status": (x.as_of - since) / DAY_US})


# -- duplicates and orphans ----------------------------------------------------------------------------------------------------------------

def duplicates_of(x: Coded) -> np.ndarray:
    """By lead: position of the lead with the same address that is kept (the earliest; ties by id); −1 for a lead that is kept or has an address of
    its own. Leads outside F0 and missing addresses are no duplicates."""
    def make() -> np.ndarray:
        leads, frame = x.leads, x.data.table("leads")
        out = np.full(leads.n, -1, dtype="int64")
        rows = np.flatnonzero(leads.in_f0 & ~is_missing(x, frame["email"]))
        code = pd.factorize(frame["email"].iloc[rows].str.strip().str.lower())[0]
        several = np.bincount(code)[code] > 1 if len(code) else np.zeros(0, dtype=bool)
        rows, code = rows[several], code[several]
        order = ordered((code, leads.created[rows]), lambda: frame["lead_id"], rows)
        rows, code = rows[order], code[order]
        start = firsts_of(code)
        kept = np.repeat(rows[start], np.diff(np.append(start, len(rows))))
        out[rows] = np.where(rows == kept, -1, kept)
        return out

    return x.once("duplicates", make)


@metric("dq.duplicates", "Duplicate leads", "How many leads are in the CRM twice?", rate("rate", "duplicate", "leads", label="Duplicates"),
        total("already_merged", LEADS, label="Already merged"), better=Better.DOWN, owners=("revops",), meetings=("WTR",),
        needs=("leads.lead_id", "leads.created_at", "leads.email"), drill=LEAD_DRILL, population="F0 leads")
def duplicates(x: Coded) -> Facts:
    """Leads whose e-mail address, without blanks around it and in lower case, is that of an earlier lead ÷ leads. The earliest of a group is the one
    to keep. Leads that were already merged are shown beside the rate; missing addresses are no duplicates of each other.
    """
    leads, kept = x.leads, duplicates_of(x)
    named = x.data.table("leads")["duplicate_of"].fillna("").to_numpy(dtype=object) != ""
    lead = np.flatnonzero(leads.in_f0 | named)
    merged = named[lead]
    values = {"leads": (~merged).astype(float), "duplicate": (kept[lead] >= 0).astype(float), "already_merged": merged.astype(float)}
    out = leads.left_out
    rows = ~named[out.record]
    return x.make_facts("lead", lead, _today(x, lead), values, why=merged, whys=("", "already merged into another lead"),
                        left_out=LeftOut(out.record[rows], out.day[rows], {name: column[rows] for name, column in out.codes.items()}, out.why[rows], out.whys),
                        detail={"keep": np.append(x.ids("lead"), "")[kept[lead]]})


@metric("dq.orphans", "Orphans", "Which deals and touches belong to nothing?", total("orphans", RECORDS, label="Orphans"),
        total("opps_without_account", DEALS, label="Deals without an account"), total("opps_without_contact_role", DEALS, label="Deals without a contact role"),
        total("open_opps_without_contact_role", DEALS, label="Open deals without a contact role"),
        total("touches_unknown_person", RECORDS, label="Touches of an unknown person"), total("touches_unknown_campaign", RECORDS, label="Touches of an unknown campaign"),
        better=Better.DOWN, owners=("revops",), meetings=("WTR",), needs=_DEALS, by=("kind",), drill=_BOTH,
        population="O0 deals, renewals included; touches up to as-of")
def orphans(x: Coded) -> Facts:
    """Deals without an account or without a contact role (open ones counted apart), touches whose person or campaign the extract does not know.
    What the extract has no table or column for is not judged. The state at as-of.
    """
    opps, frame, touches = x.opps, x.data.table("opportunities"), x.data.table("touches")
    deal = np.flatnonzero(opps.in_o0)
    no_account = is_missing(x, frame["account_id"])[deal] & x.data.has("opportunities.account_id")
    no_role = ~has_role(x)[deal] & x.data.has("opp_contact_roles")
    touch = np.flatnonzero(instants(touches["occurred_at"], x.as_of) != NEVER)
    stranger = x.people.index.get_indexer(touches["person_id"].iloc[touch]) < 0
    no_campaign = (x.people.campaign_index.get_indexer(touches["campaign_id"].iloc[touch]) < 0) & x.data.has("campaigns")
    flags = {"opps_without_account": (no_account, False), "opps_without_contact_role": (no_role, False),
             "open_opps_without_contact_role": (no_role & opps.is_open(opps.now.rank[deal]), False),
             "touches_unknown_person": (stranger, True), "touches_unknown_campaign": (no_campaign, True)}
    zero_deals, zero_touches = np.zeros(len(deal), dtype=bool), np.zeros(len(touch), dtype=bool)
    columns = {name: np.concatenate([zero_deals, flag] if of_touch else [flag, zero_touches]) for name, (flag, of_touch) in flags.items()}
    orphan = np.logical_or.reduce(list(columns.values()))
    record = np.concatenate([deal, opps.n + touch])
    kind = np.repeat([1, 2], [len(deal), len(touch)])
    return x.make_facts("deal_or_touch", record, _today(x, record), {"orphans": orphan.astype(float), **{name: column.astype(float) for name, column in columns.items()}},
                        own={"kind": (kind, words("kind", ("deal", "touch"), ("Deal", "Touch")))}, why=~orphan, whys=("", "belongs to something"),
                        detail={"without": listed_flags(np.array(list(columns.values()))[[0, 1, 3, 4]], ("account", "contact role", "known person", "known campaign"))},
                        left_out=_shifted(x, "deal_or_touch", _o0_left_out(x)))


def _shifted(x: Coded, entity: str, *parts: LeftOut, first: tuple[int, ...] = (0,)) -> LeftOut:
    """What is left out of each kind of record, as one: positions counted on from `first`, reasons one list."""
    record = np.concatenate([part.record + start for part, start in zip(parts, first, strict=True)]).astype("int32")
    whys, offset = [""], []
    for part in parts:
        offset.append(len(whys) - 1)
        whys += part.whys[1:]
    why = np.concatenate([part.why.astype("int64") + start for part, start in zip(parts, offset, strict=True)]).astype("uint8")
    return LeftOut(record, np.concatenate([part.day for part in parts]), x.codes_of(entity, record), why, tuple(whys))


# -- all exceptions ------------------------------------------------------------------------------------------------------------------------

def lead_exceptions(x: Coded) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the leads in scope, and [exception, lead] which they have, in the order of LEAD_EXCEPTIONS. What the extract lacks is not judged."""
    lead, leads = leads_at_work(x), x.leads
    owner = x.data.table("leads")["owner_type"].fillna("").to_numpy(dtype=object)[lead]
    log, at, result = routing_attempts(x)
    order = np.lexsort((at, log))
    failed = np.zeros(leads.n, dtype=bool)
    failed[log[order]] = result[order] != "assigned"  # in time order: the last result stays
    late = np.zeros(leads.n, dtype=bool)
    late[x.clocks.lead[x.clocks.status == BREACHED_OPEN]] = True
    return lead, np.array([(owner != "user") & x.data.has("leads.owner_type"), failed[lead], duplicates_of(x)[lead] >= 0, lead_cells(x).incomplete(leads.n)[lead],
                           late[lead]], dtype=bool)


def deal_exceptions(x: Coded) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the deals in scope, and [exception, deal] which they have, in the order of DEAL_EXCEPTIONS. What the extract lacks is not judged."""
    opp = forecast.forecast_deals(x)
    no_account = is_missing(x, x.data.table("opportunities")["account_id"])[opp] & x.data.has("opportunities.account_id")
    no_role = ~has_role(x)[opp] & x.data.has("opp_contact_roles")
    return opp, np.array([forecast.violations(x).any(axis=0), no_account, no_role, deal_cells(x).incomplete(x.opps.n)[opp]], dtype=bool)


def not_judged(x: Coded) -> tuple[str, ...]:
    """What the exceptions of this extract do not look at, one sentence each."""
    absent = {"leads.owner_type": "who owns a lead", "routing_log": "the routing log", "required_fields": "required fields",
              "opp_contact_roles": "contact roles", "opportunities.account_id": "accounts of deals"}
    notes = [f"Not judged: {', '.join(words_ for need, words_ in absent.items() if not x.data.has(need))}, which this extract lacks."] if any(
        not x.data.has(need) for need in absent) else []
    unknown = sorted({*lead_cells(x).unknown, *deal_cells(x).unknown})
    if unknown:
        notes.append(f"Required, but not in this extract: {', '.join(name.replace('_', ' ') for name in unknown)}.")
    return tuple(notes)


@metric("dq.exception_rate", "Exception rate", "How many open records have something that someone must put right?",
        rate("rate", "exception", "records", label="Open records with an exception"),
        *(total(name, LEADS if name in LEAD_EXCEPTIONS and name not in DEAL_EXCEPTIONS else DEALS if name not in LEAD_EXCEPTIONS else RECORDS, label=label)
          for name, label in _LABEL.items()),
        better=Better.DOWN, owners=("revops",), meetings=("WTR", "MRC"), needs=(*LEAD_CHANGES, *DEAL_CHANGES, "opp_history.amount", "opp_history.close_date"),
        by=("kind",), drill=_BOTH, population="open leads in MQL, SAL or SQL; open O1 deals at or beyond the pipeline entry stage")
def exception_rate(x: Coded) -> Facts:
    """Open records with at least one exception ÷ open records, leads and deals together. Leads in MQL, SAL or SQL: nobody owns them, their last routing
    result is no assignment, they are a duplicate, a required field is missing, or a promise is broken and still open. Deals at or beyond the pipeline
    entry stage: a forecast rule is broken, no account, no contact role, or a required field is missing. A record may have several. What the extract
    has no table or column for is not judged. The state at as-of.
    """
    (lead, of_leads), (deal, of_deals) = lead_exceptions(x), deal_exceptions(x)
    def both(name: str) -> np.ndarray:
        return np.concatenate([flags[names.index(name)] if name in names else np.zeros(flags.shape[1], dtype=bool)
                               for flags, names in ((of_leads, LEAD_EXCEPTIONS), (of_deals, DEAL_EXCEPTIONS))])

    flags = np.array([both(name) for name in EXCEPTIONS])
    missing = np.concatenate([_fields_text(cells, _lacking(cells, n)[:, record]) for cells, n, record in ((lead_cells(x), x.leads.n, lead), (deal_cells(x), x.opps.n, deal))])
    broken = np.concatenate([np.full(len(lead), "", dtype=object), listed_flags(forecast.violations(x), forecast.RULE_LABELS)])
    record, kind = np.concatenate([lead, x.leads.n + deal]), np.repeat([1, 2], [len(lead), len(deal)])
    values = {"records": np.ones(len(record)), "exception": flags.any(axis=0).astype(float), **{name: row.astype(float) for name, row in zip(EXCEPTIONS, flags, strict=True)}}
    return x.make_facts("lead_or_deal", record, _today(x, record), values, own={"kind": (kind, words("kind", ("lead", "deal"), ("Lead", "Deal")))},
                        detail={"exceptions": listed_flags(flags, EXCEPTION_LABELS), "missing": missing, "broken": broken},
                        left_out=_shifted(x, "lead_or_deal", x.leads.left_out, x.opps.left_out, first=(0, x.leads.n)))
