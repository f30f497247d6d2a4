"""Campaigns: the scorecard, one row a campaign: reach, handoffs, pipeline, revenue, cost. METRICS section 13."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core.calendars import DAY_US, NEVER, NO_DAY, day_numbers
from revscore.core.coded import Coded
from revscore.core.encode import ordered
from revscore.core.facts import Facts, firsts_of, paired
from revscore.core.journeys import matches
from revscore.core.made import Given, Listed, Made, Number, Worked
from revscore.core.metric import metric, study
from revscore.core.metrics import attribution, funnel
from revscore.core.metrics.attribution import without
from revscore.core.terms import MQL
from revscore.core.units import CURRENCY, DEALS, LEADS, MULTIPLE, PEOPLE, RATIO
from revscore.core.view import View

SCORECARD = ("cost", "cost_is_budget", "inquiries", "new_inquiries", "mqls", "meetings", "opps_sourced", "pipeline_sourced", "pipeline_attributed_w",
             "won_attributed_full_path", "pipeline_influenced", "cost_per_inquiry", "cost_per_mql", "cost_per_meeting", "cost_per_opp_sourced", "roi",
             "pipeline_to_spend")
_PER = {"cost_per_inquiry": "inquiries", "cost_per_mql": "mqls", "cost_per_meeting": "meetings", "cost_per_opp_sourced": "opps_sourced"}


def costs(x: Coded) -> pd.DataFrame:
    """By row of the campaigns table: `cost` in corporate currency (actual cost, else budget, else missing) and `cost_is_budget`."""
    frame = x.data.table("campaigns")
    actual, budget = frame["actual_cost"].to_numpy(dtype=float), frame["budget"].to_numpy(dtype=float)
    estimated = np.isnan(actual) & ~np.isnan(budget)
    return pd.DataFrame({"cost": np.where(estimated, budget, actual) * x.corporate_rate(frame["currency"]), "cost_is_budget": estimated})


# -- people and their touches ----------------------------------------------------------------------------------------------------------------

def _person_codes(x: Coded) -> dict[str, np.ndarray]:
    """Shared dimension codes of persons: those of their earliest lead in the population; without one, segment, region and owner of the account."""
    people, leads = x.people, x.leads
    lead = np.flatnonzero(leads.in_f0)
    lead = lead[ordered((leads.created[lead],), lambda: x.data.read("leads", "lead_id")["lead_id"], lead)][::-1]
    of_person = np.full(len(people.canonical), -1, dtype="int64")
    of_person[people.of_lead[lead]] = lead  # earliest last, so that it stays
    accounts = x.data.table("accounts").drop_duplicates("account_id")
    row = pd.Index(accounts["account_id"]).get_indexer(people.account_index)  # -1: named by a record, but not in the table of accounts
    row = np.append(row, -1)[people.account]
    out = {}
    for name, column in x.codes["lead"].items():
        code = np.append(column, 0)[of_person]
        if name in ("segment", "region", "owner"):
            fallback = np.append(x.encode(accounts["owner_id" if name == "owner" else name], x.dims[name]), 0)[row]
            code = np.where(of_person >= 0, code, fallback)
        out[name] = code
    return out


def _facts(x: Coded, record: np.ndarray, at: np.ndarray, codes: dict[str, np.ndarray], **values: np.ndarray) -> Facts:
    day = x.days(at)
    order = np.argsort(day, kind="stable")
    return Facts("person", record[order], day[order], {name: column[order] for name, column in values.items()},
                 {name: column[record[order]] for name, column in codes.items()})


def _touched(x: Coded) -> Facts:
    """Clean touches by date; records are persons."""
    touches = x.people.touches
    rows = np.flatnonzero(touches.clean)
    return _facts(x, touches.person[rows], touches.at[rows], x.once("person codes", lambda: _person_codes(x)), campaign=touches.campaign[rows], touch=touches.row[rows])


def touches_of(x: Coded, view: View, campaign: str) -> pd.DataFrame:
    """The clean touches of a campaign (its id) in the view's period, oldest first, as the table of touches has them; their distinct persons are the
    scorecard's inquiries."""
    facts = x.once(("campaign", "_touched"), lambda: _touched(x))
    rows = engine.keep(facts, without(view, "campaign"), x.dims)
    ids = x.data.table("campaigns")["campaign_id"]
    rows = rows[np.isin(facts.values["campaign"][rows], np.flatnonzero(ids == campaign))]
    found = x.data.table("touches").iloc[facts.values["touch"][rows].astype("int64")].reset_index(drop=True)
    return found.assign(occurred_at=found["occurred_at"].dt.tz_convert(x.terms.reporting_tz).dt.tz_localize(None)).sort_values("occurred_at", kind="stable")


def _met(x: Coded) -> Facts:
    """Meetings with sales or customer success by date; records are persons."""
    activities = x.people.activities
    rows = np.flatnonzero(activities.is_meeting & activities.by_sales_or_cs)
    return _facts(x, activities.person[rows], activities.at[rows], x.once("person codes", lambda: _person_codes(x)), met=activities.at[rows])


def _influencing(x: Coded, person: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(position, campaign), once each: campaigns with a clean touch of the person in the influence window that ends at `at`, inclusive."""
    touches = x.people.touches
    clean, of_person = x.once("clean touches", lambda: (rows := np.flatnonzero(touches.clean), touches.person[rows]))
    place, item = matches(person, of_person)
    before = at[place] - touches.at[clean[item]]
    ok = (before >= 0) & (before <= int(x.terms.attribution.campaign_influence_days * DAY_US))
    place, campaign = place[ok], touches.campaign[clean[item[ok]]]
    order = np.lexsort((campaign, place))
    order = order[firsts_of(place[order], campaign[order])]
    return place[order], campaign[order]


def _qualified(x: Coded) -> Facts:
    """Leads that became MQL by date, one row for every campaign that touched them in the window before; records are leads."""
    reached = x.leads.reached[x.terms.lead_stages.index(MQL)]
    lead = np.flatnonzero((reached != NEVER) & x.leads.in_f0)
    place, campaign = _influencing(x, x.people.of_lead[lead], reached[lead])
    return _facts(x, lead[place], reached[lead[place]], x.codes["lead"], campaign=campaign)


def _reached(x: Coded, view: View) -> dict[str, tuple[str, np.ndarray, np.ndarray]]:
    """inquiries, mqls and meetings: the entity that is counted, and for each counted one its row of the campaigns table and its record."""
    touched, qualified, met = (x.once(("campaign", make.__name__), lambda make=make: make(x)) for make in (_touched, _qualified, _met))
    rows = engine.keep(touched, view, x.dims)
    size = max(len(x.people.canonical), 1)
    pairs = np.sort(paired(touched.values["campaign"][rows], touched.record[rows], size))  # one number a (campaign, person): sorts fast
    once = pairs[firsts_of(pairs)]
    kept = engine.keep(qualified, view, x.dims)
    rows = engine.keep(met, view, x.dims)
    rows = rows[np.lexsort((met.values["met"][rows], met.record[rows]))]
    rows = rows[firsts_of(met.record[rows])]  # the first meeting of the period
    place, meetings = _influencing(x, met.record[rows], met.values["met"][rows])
    return {"inquiries": ("person", once // size, once % size), "mqls": ("lead", qualified.values["campaign"][kept], qualified.record[kept]),
            "meetings": ("person", meetings, met.record[rows][place])}


def _people_counts(x: Coded, view: View, n: int) -> dict[str, np.ndarray]:
    """inquiries, mqls and meetings by row of the campaigns table."""
    return {name: np.bincount(campaign.astype("int64"), minlength=n) for name, (_, campaign, _) in _reached(x, view).items()}


def behind(x: Coded, view: View, frame: pd.DataFrame) -> dict[str, list[Number | Given | Listed | Worked]]:
    """What is behind each number of `frame`, rows of the scorecard under `view`: by column, in the order of the rows."""
    everyone, table = without(view, "campaign"), x.data.table("campaigns")
    row_of, reached = pd.Series(range(len(table)), index=table["campaign_id"].to_numpy()).groupby(level=0).first(), _reached(x, everyone)
    created = attribution.credited(x)
    rows = engine.keep(created, everyone.narrowed(basis="pipeline_created"), x.dims)
    rows = rows[attribution.touched(x, created)[rows]]
    dimension, _ = attribution.campaigns(x)
    ids_of = {"lead": x.ids("lead"), "person": x.people.ids}
    measures = {measure.name: measure for measure in scorecard.measures}
    out: dict[str, list[Any]] = {name: [] for name in (*measures, "value") if name in frame.columns}
    for told in frame.to_dict("records"):
        id_, name = told["campaign"], told["name"]

        def number(card: Any, stat: str, column: str, view: View) -> Number:
            return Number.of(card, view, stat, f"{measures[column].label}: {name}")

        found: dict[str, Any] = {"cost": Given(f"Cost: {name}", float(told["cost"]), CURRENCY, f"campaigns, {'budget' if told['cost_is_budget'] else 'actual cost'} of {id_}")}
        for column, (entity, campaign, record) in reached.items():
            ids = ids_of[entity][record[campaign == row_of[id_]].astype("int64")]
            found[column] = Listed(f"{measures[column].label}: {name}", measures[column].unit, pd.DataFrame({"record": pd.Series(ids, dtype="str"), "contribution": np.ones(len(ids))}),
                                   f"{'people' if entity == 'person' else 'leads'} that the campaign {id_} reached in the period")
        found["new_inquiries"] = number(funnel.entries, "count", "new_inquiries", everyone.narrowed(stage=x.terms.lead_stages[0], campaign=id_))
        started = everyone.narrowed(origin="marketing", first_campaign=id_)
        found |= {"opps_sourced": number(attribution.sourced_by, "count", "opps_sourced", started), "pipeline_sourced": number(attribution.sourced_by, "value", "pipeline_sourced", started)}
        for column, basis, model in (("pipeline_attributed_w", "pipeline_created", "w_shaped"), ("won_attributed_full_path", "won", "full_path")):
            found[column] = number(attribution.totals, model, column, everyone.narrowed(basis=basis, campaign=id_))
        mine = rows[np.isin(created.codes["campaign"][rows], dimension.codes_of((id_,)))]
        opps, is_open = created.record[mine], x.opps.is_open(x.opps.now.rank)[created.record[mine]].astype(float)
        found["still_open_share"] = Listed(f"{measures['still_open_share'].label}: {name}", RATIO, pd.DataFrame({"record": pd.Series(x.ids(created.entity)[opps], dtype="str"), "contribution": is_open,
                                           "base": np.ones(len(opps))}), f"deals created in the period that the campaign {id_} touched; those still open above the line")
        found["pipeline_influenced"] = Listed(f"{measures['pipeline_influenced'].label}: {name}", CURRENCY, pd.DataFrame({"record": pd.Series(x.ids(created.entity)[opps], dtype="str"),
                                              "contribution": created.values["amount"][mine].astype(float)}), f"deals created in the period that the campaign {id_} touched, each with its full amount")
        for column, top, bottom, says in (*((per, "cost", count, "cost ÷ number") for per, count in _PER.items()), ("pipeline_to_spend", "pipeline_attributed_w", "cost", "pipeline ÷ cost")):
            found[column] = Worked(f"{measures[column].label}: {name}", measures[column].unit, Made((found[top], found[bottom]), says, lambda a, b: a / b if b > 0 else np.nan))
        found["roi"] = Worked(f"{measures['roi'].label}: {name}", RATIO, Made((found["won_attributed_full_path"], found["cost"]), "(won − cost) ÷ cost", lambda won, cost: (won - cost) / cost if cost > 0 else np.nan))
        for column in out:
            out[column].append(found["roi" if column == "value" else column])
    return out


# -- the scorecard -----------------------------------------------------------------------------------------------------------------------------

def _by_campaign(frame: pd.DataFrame, measure: str, ids: pd.Series, column: str = "campaign") -> np.ndarray:
    found = frame[frame["measure"] == measure].set_index(column)["value"]
    return ids.map(found).fillna(0.0).to_numpy(dtype=float)


def _still_open(x: Coded, view: View) -> np.ndarray:
    """Share of the created deals that a campaign touched that is still open; missing without any."""
    facts, (dimension, code) = attribution.credited(x), attribution.campaigns(x)
    rows = engine.keep(facts, view.narrowed(basis="pipeline_created"), x.dims)
    rows = rows[attribution.touched(x, facts)[rows]]
    is_open = x.opps.is_open(x.opps.now.rank)[facts.record[rows]]
    campaign = facts.codes["campaign"][rows]
    with np.errstate(invalid="ignore"):
        share = np.bincount(campaign, weights=is_open, minlength=len(dimension)) / np.bincount(campaign, minlength=len(dimension))
    return share[code]


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)


def _return(x: Coded, view: View, stat: str, row: pd.Series) -> Made:
    won = Number.of(attribution.totals, without(view, "campaign").narrowed(basis="won", campaign=row["campaign"]), "full_path", "Won, full path")
    cost = Given("Cost", float(row["cost"]), CURRENCY, f"campaigns, {'budget' if row['cost_is_budget'] else 'actual cost'} of {row['campaign']}")
    return Made((won, cost), "(won − cost) ÷ cost", lambda won, cost: (won - cost) / cost if cost > 0 else np.nan)


@metric("campaign.scorecard_fytd", "Campaign scorecard", "What did each campaign bring, and what did it cost?",
        study("roi", RATIO, label="Return on investment"), study("cost", CURRENCY, label="Cost"), study("inquiries", PEOPLE, label="Inquiries"),
        study("new_inquiries", LEADS, label="New inquiries"), study("mqls", LEADS, label="MQLs"), study("meetings", PEOPLE, label="Meetings"),
        study("opps_sourced", DEALS, label="Deals sourced"), study("pipeline_sourced", CURRENCY, label="Pipeline sourced"),
        study("pipeline_attributed_w", CURRENCY, label="Pipeline, W-shaped"), study("won_attributed_full_path", CURRENCY, label="Won, full path"),
        study("pipeline_influenced", CURRENCY, label="Pipeline influenced (does not add up)"), study("cost_per_inquiry", CURRENCY, label="Cost per inquiry"),
        study("cost_per_mql", CURRENCY, label="Cost per MQL"), study("cost_per_meeting", CURRENCY, label="Cost per meeting"),
        study("cost_per_opp_sourced", CURRENCY, label="Cost per deal sourced"), study("pipeline_to_spend", MULTIPLE, label="Pipeline to spend"),
        study("still_open_share", RATIO, label="Deals still open"),
        owners=("marketing", "sales"), meetings=("CSU", "RET", "MRC"), by=("campaign",), settles_after="the sales cycle of the campaign's open deals",
        needs=("campaigns.campaign_id", "touches.campaign_id", "opportunities.opp_id", "opp_history.stage", "leads.lead_id"), made_of=_return)
def scorecard(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: Any = None) -> pd.DataFrame:
    """One row per campaign, for the period of the view.

    *Inquiries*: people with a touch in the period. *New inquiries*: leads with this source campaign that reached the first stage in it.
    *MQLs*: leads that became MQL in it with a touch of the campaign in the influence window (90 days)
    before. *Meetings*: people whose first meeting of the period
    with sales or customer success followed a touch within it. *Sourced*: deals that marketing started and whose first touch is of
    this campaign. *Attributed*: created pipeline W-shaped, won amount full path. *Influenced*: the full amount of every deal touched; it does
    not add up. *Cost*: the actual cost, else the budget (flagged), whole campaign, at the corporate rate. ROI = (won − cost) ÷ cost. A cost
    per nothing is missing, and so is the ROI of a campaign without cost. Young campaigns look worse than they are: read the ROI with the
    share of deals still open and the age.

    Raises KeyError when it is to be split by anything but the campaign.
    """
    if set(by) - {"campaign"} or grain:
        raise KeyError("the campaign scorecard has one row a campaign; it cannot be split by period or by another dimension")
    frame = x.data.table("campaigns")
    ids, n, everyone = frame["campaign_id"], len(frame), without(view, "campaign")
    entries = engine.compute(x, funnel.entries, everyone.narrowed(stage=x.terms.lead_stages[0]), "campaign")
    credit = engine.compute(x, attribution.totals, everyone, ("campaign", "basis"))
    influence = engine.compute(x, attribution.influenced, everyone.narrowed(basis="pipeline_created"), "campaign")
    started = engine.compute(x, attribution.sourced_by, everyone.narrowed(origin="marketing"), "first_campaign")
    created, won = (credit[credit["basis"] == basis] for basis in attribution.BASES)
    out = costs(x).assign(**_people_counts(x, everyone, n)).assign(
        new_inquiries=_by_campaign(entries, "count", ids), opps_sourced=_by_campaign(started, "count", ids, "first_campaign"),
        pipeline_sourced=_by_campaign(started, "value", ids, "first_campaign"), pipeline_attributed_w=_by_campaign(created, "w_shaped", ids),
        won_attributed_full_path=_by_campaign(won, "full_path", ids), pipeline_influenced=_by_campaign(influence, "influenced", ids))
    cost = out["cost"].to_numpy(dtype=float)
    for name, count in _PER.items():
        out[name] = _ratio(cost, out[count].to_numpy(dtype=float))
    out["roi"] = _ratio(out["won_attributed_full_path"].to_numpy() - cost, cost)
    out["pipeline_to_spend"] = _ratio(out["pipeline_attributed_w"].to_numpy(), cost)
    start = day_numbers(frame["start_date"])
    out = out[list(SCORECARD)].assign(
        still_open_share=_still_open(x, everyone), age_days=np.where(start == NO_DAY, np.nan, x.as_of_day - start.astype(float)),
        campaign=ids, name=frame["name"], measure="roi", value=out["roi"], n=out["opps_sourced"])
    chosen = view.chosen.get("campaign")
    if chosen is not None:
        dimension, code = attribution.campaigns(x)
        out = out[np.isin(code, dimension.codes_of(chosen))]
    return out.sort_values("campaign", ignore_index=True)
