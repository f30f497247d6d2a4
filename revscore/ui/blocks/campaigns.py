"""Blocks about campaigns: what each brought and cost, model beside model, agreement, origin."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from revscore.charts import groups
from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.receipt import Receipt, receipt
from revscore.core.view import View
from revscore.rhythm import campaigns
from revscore.rhythm.asks import LEAST, Ask, ask
from revscore.ui import charts, drill, tables
from revscore.ui.session import Now
from revscore.ui.words import md

SUMMARY = (ask("funnel.entries", label="MQLs", stage="mql"), ask("pipeline.created"), ask("bookings.won_value"), ask("attribution.fallback_share"))
_COLUMNS = {"name": "Campaign", "cost": "Cost", "inquiries": "Inquiries", "mqls": "MQLs", "meetings": "Meetings", "opps_sourced": "Deals sourced", "pipeline_attributed_w": "Pipeline, W-shaped",
            "won_attributed_full_path": "Won, full path", "roi": "ROI", "cost_per_mql": "Cost per MQL", "still_open_share": "Deals still open"}
_FORMATS = {"cost": units.CURRENCY, "pipeline_attributed_w": units.CURRENCY, "won_attributed_full_path": units.CURRENCY, "roi": units.RATIO, "cost_per_mql": units.CURRENCY,
            "still_open_share": units.RATIO}


def models(now: Now) -> None:
    """Credit by model, campaign by campaign."""
    question = "Does the credit hang on the model?"
    if charts.lacking(now, question, "attribution.totals_fytd"):
        return
    basis = st.segmented_control("Credit for", list(campaigns.BASES), default="pipeline_created", required=True, key="basis", bind="query-params",
                                 format_func=lambda name: campaigns.BASES[name], label_visibility="collapsed") or "pipeline_created"
    frame, agreed = now.ask(campaigns.models, basis), now.ask(campaigns.agreement, basis)
    finding = question
    if len(agreed):
        hangs, judged = agreed[agreed["verdict"].str.startswith("depends")], agreed[agreed["n"] >= LEAST]
        finding = f"{len(hangs)} of {len(judged)} campaigns depend on the model" if len(hangs) else "Every model tells the same story" if len(judged) else "Too few deals to compare the models"
    charts.card(now, finding, groups.split(frame, currency=now.x.terms.corporate_currency, models=campaigns.SHOWN_MODELS,
                                      label=campaigns.BASES[basis], theme=charts.theme()), "models",
                f"{_shared_out(now, basis)} A rule for sharing credit over recorded touches, not what would have been lost without them.",
                ask("attribution.totals_fytd", "w_shaped", label=f"{campaigns.BASES[basis]}, credited", basis=basis),
                lambda mark: _credited(now, frame, basis, mark))


def _credited(now: Now, frame: pd.DataFrame, basis: str, mark: dict[str, str]) -> tuple[Ask, View] | None:
    """What one model gives one campaign."""
    return charts.group(now, frame, "campaign", ask("attribution.totals_fytd", mark["id"], f"{campaigns.BASES[basis]}, {campaigns.MODEL_NAMES[mark['id']]}", basis=basis))(mark)


def _shared_out(now: Now, basis: str) -> str:
    """ "Every model shares out the same $3.01M; $297k of it had no marketing touch." """
    found, currency = now.ask(campaigns.totals, basis), now.x.terms.corporate_currency
    if not len(found):
        return ""
    least, most = (units.text(value, units.CURRENCY, currency) for value in (found["no_touch"].min(), found["no_touch"].max()))
    return f"Every model shares out the same {units.text(found['total'].max(), units.CURRENCY, currency)}; {least if least == most else f'{least} to {most}'} of it had no marketing touch."


def agreement(now: Now) -> None:
    """The verdict on each campaign over all models."""
    if charts.lacking(now, "What do the nine models agree on?", "attribution.totals_fytd"):
        return
    frame = now.ask(campaigns.agreement)
    with st.container(border=True, key="chart-agreement", height="stretch"):
        charts.heading("What the nine models agree on", "agreement")
        if not len(frame):
            st.markdown("No deal of this selection entered the pipeline in the period.")
            return
        shown = frame.assign(few=frame["n"] < LEAST).sort_values(["few", "high"], ascending=[True, False], kind="stable")
        ranks = ["not ranked" if few else f"{best:.0f} – {worst:.0f}" if best != worst else f"{best:.0f}"
                 for few, best, worst in zip(shown["few"], shown["rank_best"], shown["rank_worst"], strict=True)]
        opened = tables.table(pd.DataFrame({"name": shown["name"], "verdict": shown["verdict"], "least": shown["low"], "most": shown["high"], "rank": ranks, "deals": shown["n"]}), now.x,
                     key="agreement", formats={"least": units.CURRENCY, "most": units.CURRENCY}, labels={"name": "Campaign", "rank": "Rank over the models"}, opens=True)
        st.caption(f"Campaigns of fewer than {LEAST} deals are not ranked. Choose a row to open the campaign to its deals and touches.")
    if opened is not None:
        _campaign(now, shown["campaign"].iloc[opened], shown["name"].iloc[opened])


def sourced(now: Now) -> None:
    """Whose touch came first."""
    if charts.lacking(now, "Whose touch came first?", "attribution.sourced_by_fytd"):
        return
    frame = now.ask(campaigns.sourced)
    finding = "Whose touch came first?"
    if len(frame) and frame["value"].sum() > 0:
        top = frame.loc[frame["value"].idxmax()]
        finding = f"{top['group']} came first for {units.text(top['value'] / frame['value'].sum(), units.RATIO)} of the pipeline created"
    charts.card(now, finding, groups.rank(frame, units.CURRENCY, now.x.terms.corporate_currency, label="Pipeline created", rows=8, theme=charts.theme()), "sourced",
                "By the function of the earliest touch or hands-on activity before the deal; adds up to all pipeline created.",
                ask("attribution.sourced_by_fytd"), charts.group(now, frame, "origin", ask("attribution.sourced_by_fytd", label="Pipeline created")))


def evidence(now: Now, frame: pd.DataFrame) -> None:
    """What the record of each campaign speaks for: fund, fix, retire, or wait."""
    if charts.lacking(now, "What do we fund, fix or retire?", "campaign.scorecard_fytd"):
        return
    with st.container(border=True, key="chart-evidence"):
        if not len(frame):
            return charts.heading("No campaign with a cost on record", "evidence")
        opened = tables.table(frame[["proposal", "name", "why", "cost", "low", "high", "n", "still_open_share"]], now.x, key="evidence",
                              formats={"cost": units.CURRENCY, "low": units.CURRENCY, "high": units.CURRENCY, "still_open_share": units.RATIO, "n": units.DEALS},
                              labels={"name": "Campaign", "proposal": "Record speaks for", "why": "Because", "low": "Won, least", "high": "Won, most", "n": "Deals won", "still_open_share": "Still open"}, board=("proposal", "name", "why", "cost", "n"),
                              opens=True)
        st.caption(f"Each campaign over its whole life, whatever the period, by the least and the most generous of nine models; fewer than {LEAST} deals are not told apart. A rule for sharing credit, not "
                   "what would have been lost without it: the council decides. Choose a row for its deals and touches.")
    if opened is not None:
        _campaign(now, frame["campaign"].iloc[opened], frame["name"].iloc[opened])


def fitting(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """As many of the evidence as `rows` hold: of funding, fixing and retiring the first of each in turn, and what waits only where room is left."""
    if len(frame) <= rows:
        return frame
    order = pd.DataFrame({"waits": frame["proposal"] == campaigns.WAIT, "turn": frame.groupby("proposal", sort=False).cumcount()}).sort_values(["waits", "turn"], kind="stable")
    return frame.loc[order.index[:rows].sort_values()].reset_index(drop=True)


def scorecard(now: Now, frame: pd.DataFrame | None = None) -> None:
    """The campaigns with cost, yield and return."""
    if charts.lacking(now, "What did each campaign bring, and cost?", "campaign.scorecard_fytd"):
        return
    frame = now.ask(campaigns.scorecard) if frame is None else frame
    with st.container(border=True, key="chart-campaigns"):
        known = frame[frame["roi"].notna()] if len(frame) else frame
        back = known[known["roi"] > 0]
        charts.heading(f"{len(back)} of {len(known)} campaigns have earned back their cost in the period" if len(known) else "What did each campaign bring, and cost?", "campaigns")
        if len(frame):
            opened = tables.table(frame[list(_COLUMNS)], now.x, key="campaigns", formats=_FORMATS, labels=_COLUMNS, opens=True)
            if opened is not None:
                _campaign(now, frame["campaign"].iloc[opened], frame["name"].iloc[opened])
            st.caption("Choose a row to open the campaign to its deals and touches. Return counts won deals of the period; a campaign with many deals still open is not judged yet. ROI = (won − cost) ÷ cost.")
        else:
            st.markdown("No campaign in this selection.")


def _return(x: Coded, view: View, campaign: str) -> Receipt:
    """What the return of a campaign stands on."""
    return receipt(x, Number.of(CARDS["campaign.scorecard_fytd"], view.narrowed(campaign=campaign), label="Return on investment"))


@st.dialog("Behind the campaign", width="large", position="right")
def _campaign(now: Now, campaign: str, name: str) -> None:
    """The deals of a campaign with its credit by model, created and won in the period, and its touches."""
    st.markdown(f"### {md(name)}")
    st.caption(md(f"{now.choice.period_text} · credit under each of the nine models; a column adds up to what the model gives the campaign."))
    sheets = {**{title: now.ask(campaigns.deals, campaign, basis) for basis, title in campaigns.BASES.items()}, "Touches": now.ask(campaigns.touches, campaign)}
    money = dict.fromkeys(("amount", *campaigns.MODEL_NAMES.values()), units.CURRENCY)
    *places, last = st.tabs([*(f"{title} {len(frame):,}" for title, frame in sheets.items()), ":material/receipt_long: Return"])
    with last:
        drill.receipt(now.ask(_return, campaign))
    for (title, frame), place in zip(sheets.items(), places, strict=True):
        with place:
            if len(frame):
                tables.table(frame, now.x, key=f"campaign-{title}", formats=money)
            else:
                st.markdown("No rows here.")
    drill.downloads(sheets, now, {"Campaign": name, "Campaign id": campaign, "Period": now.choice.period_text}, f"campaign-{campaign}", "CSV of the deals created")
