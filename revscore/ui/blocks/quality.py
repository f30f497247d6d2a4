"""Blocks about trust in the data: exceptions by kind and owner, required fields, forecast hygiene and categories."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from revscore.charts import cohorts, groups
from revscore.core import units
from revscore.core.metrics.forecast import hygiene_notes
from revscore.core.metrics.quality import not_judged
from revscore.core.review import needed
from revscore.core.view import View
from revscore.rhythm import figures, quality
from revscore.rhythm.asks import LEAST, Ask, ask, made, missing, standout
from revscore.ui import answers, charts, drill, tables
from revscore.ui.session import Now

SUMMARY, REACH = quality.SUMMARY, quality.REACH
_HEAT = "Grey: fewer than five. Stronger blue: more is missing."


def answer(now: Now) -> None:
    """Can we trust the data? One sentence."""
    found = now.ask(quality.rate, "dq.exception_rate")
    if found is None:
        needs = needed(missing(now.x, "dq.exception_rate"))
        return answers.answer(f"Whether the open records can be trusted cannot be said: that needs {needs}." if needs else "No lead or deal is open, so nothing is to be put right.")
    if not found["numerator"]:
        return answers.answer(f"Every one of {units.named(found['denominator'], units.RECORDS)} that are open is in order.")
    most = now.ask(quality.exceptions).iloc[0]
    answers.answer(f"{units.of(found['numerator'], found['denominator'])} open records need someone to put something right ({units.text(found['value'], units.RATIO)}); "
                   f"most often: {most['group'].lower()} ({units.text(most['value'], units.RECORDS)}).")


def kinds(now: Now) -> None:
    """What is wrong with the open records."""
    question = "What is wrong with the open records?"
    if charts.lacking(now, question, "dq.exception_rate"):
        return
    frame, found = now.ask(quality.exceptions), now.ask(quality.rate, "dq.exception_rate")
    if found is None or not len(frame):
        return charts.absent(question, "Nothing is wrong with any open record." if found is not None else "No lead or deal is open in this selection.", "exceptions")
    foot = " ".join(("A record may have several. The state at the date of the data. Click a kind for its records.", *not_judged(now.x)))
    charts.card(now, figures.kinds_said(frame, found), groups.rank(frame.drop(columns="n"), units.RECORDS, label="Exceptions", rows=min(len(now.ask(quality.owners)), 7), theme=charts.theme()), "exceptions", foot,
                ask("dq.exception_rate", now=True), _measure(now, frame, "dq.exception_rate"))


def _measure(now: Now, frame: pd.DataFrame, card: str) -> charts.Mark:
    """The mark of a drawing whose groups are measures of one card."""
    names = frame.set_index("group")["id"]
    return lambda mark: (ask(card, names[mark["group"]], mark["group"], now=True), now.view)


def owners(now: Now) -> None:
    """Who has to put it right."""
    question = "Who has to put it right?"
    if charts.lacking(now, question, "dq.exception_rate"):
        return
    frame = now.ask(quality.owners)
    if not len(frame):
        return charts.absent(question, "Nobody: no open record of this selection has an exception.", "exception-owners")
    with st.container(border=True, key="chart-exception-owners", height="stretch"):
        first = frame.iloc[0]
        charts.heading("Who has to put it right?" if first["open_records"] < LEAST else f"{first['owner']} has the most to put right: {units.text(first['to_mend'], units.RECORDS)} of {units.text(first['open_records'], units.RECORDS)} open records",
                       "exception-owners")
        opened = tables.table(frame.drop(columns="id"), now.x, key="exception-owners",
                              labels={"to_mend": "To put right", "open_records": "Open records"}, opens=True)
        st.caption("Choose a row for the records. Counts, not a ranking of people: who holds more open records has more to put right.")
    if opened is not None:
        row = frame.iloc[opened]
        drill.opened(now, now.ask(made, (ask("dq.exception_rate", label=f"To put right: {row['owner']}", now=True, owner=str(row["id"])),))[0])


def fields(now: Now, card: str, noun: str) -> None:
    """Required fields by where the records stand."""
    question, key = f"Is what {noun} need filled in?", f"missing-{noun}"
    if charts.lacking(now, question, card):
        return
    frame = now.ask(quality.missing, card)
    if not len(frame):
        return charts.absent(question, f"No field is required of the {noun} of this selection.", key)
    by_field = frame.groupby(["field", "column"], sort=False)[["numerator", "denominator"]].sum().reset_index()
    worst = standout(by_field.assign(value=by_field["numerator"] / by_field["denominator"]), lowest=False)
    finding = (f"{worst['column']} is missing most: {units.text(worst['value'], units.RATIO)} of the {noun} that need it lack it" if worst is not None and worst["value"] > 0
               else f"The {noun} have all that they need")
    charts.card(now, finding, cohorts.heat(frame, label="Missing", by_column=False, names=("Stands in", "Field"), note=_HEAT, theme=charts.theme()), key,
                f"The share missing, by where the {noun} stand now: they need the fields of every stage that they reached. Click a cell for what is missing.", ask(card, now=True),
                lambda mark: _cell(now, frame, mark, card))


def _cell(now: Now, frame: pd.DataFrame, mark: dict[str, Any], card: str) -> tuple[Ask, View]:
    row = frame[(frame["cohort"] == mark["cohort"]) & (frame["column"] == mark["column"])].iloc[0]
    return ask(card, "lacks", f"{row['column']} missing, {row['cohort']}", now=True, standing=str(row["standing"]), field=str(row["field"])), now.view


def hygiene(now: Now) -> None:
    """Which forecast rules the open deals break."""
    question = "Can we rely on the forecast?"
    if charts.lacking(now, question, "forecast.hygiene"):
        return
    frame, found = now.ask(quality.rules), now.ask(quality.rate, "forecast.hygiene")
    if found is None or not len(frame):
        return charts.absent(question, "No open deal breaks a rule." if found is not None else "No deal is open in this selection.", "hygiene")
    foot = " ".join(("A deal may break several. Click a rule for its deals.", *hygiene_notes(now.x)))
    charts.card(now, figures.rules_said(found), groups.rank(frame.drop(columns="n"), units.DEALS, label="Deals", rows=len(now.ask(quality.categories)), theme=charts.theme()), "hygiene", foot,
                ask("forecast.hygiene", now=True), _measure(now, frame, "forecast.hygiene"))


def categories(now: Now) -> None:
    """What stands in which forecast category."""
    question = "What stands in which forecast category?"
    if charts.lacking(now, question, "forecast.category_totals"):
        return
    frame, currency = now.ask(quality.categories), now.x.terms.corporate_currency
    if not len(frame):
        return charts.absent(question, "No deal is open in this selection.", "categories")
    charts.card(now, figures.categories_said(frame, currency), groups.rank(frame, units.CURRENCY, currency, label="Open amount", rows=len(now.ask(quality.rules)), theme=charts.theme()), "categories",
                "Open deals at or beyond the pipeline entry stage, omitted ones included; n counts deals. Click a category for its deals.",
                ask("forecast.category_totals", now=True), charts.group(now, frame, "category", ask("forecast.category_totals", label="Forecast category", now=True)))
