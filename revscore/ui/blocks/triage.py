"""Blocks of the RevOps triage: what is open and since when, escalation, how often rules are gone round, what is done by itself. The lists: `worklist`."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from revscore.charts import control
from revscore.core import units
from revscore.people import sight
from revscore.rhythm import disputes, exceptions, triage
from revscore.rhythm.asks import ask, lacks, made
from revscore.rhythm.exceptions import KINDS, OLD, Kind
from revscore.rhythm.quality import REACH
from revscore.ui import answers, charts, session, stage, tables, tiles
from revscore.ui.blocks import worklist
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_COUNTED = {"label": "What is wrong", "open": "Open", "old": f"Over {OLD} days", "oldest": "Oldest (days)", "in_hand": "In hand", "overdue": "Overdue", "back": "Came back",
            "most": "Most of them", "team": "Team"}
_TALL = 640  # px of the tables of the summary on the stage of a meeting


def found(now: Now) -> pd.DataFrame:
    """The exceptions with what was done about them."""
    return triage.triaged(now.x, now.view, triage.handled(session.store(), now.dataset), dt.date.today())


def answer(now: Now) -> None:
    """ "41 exceptions are open, 12 of them older than 5 business days; most often: closed without a reason (18), Sales." """
    frame = found(now)
    kinds = triage.by_kind(frame)
    asked = [one for one in disputes.disputes(session.store(), now.dataset) if one.open]
    disputed = f" {units.named(len(asked), units.Unit('numbers', 'count', 'numbers'))} {'is' if len(asked) == 1 else 'are'} disputed." if asked else ""
    if not len(kinds):
        judged = [kind for kind in KINDS if not _lacking(now, kind)]
        return answers.answer(("No exception is open in this selection." if judged else "This extract has nothing that exceptions could be found in.") + disputed)
    most = kinds.loc[kinds["open"].idxmax()]
    n, old, overdue = (int(kinds[name].sum()) for name in ("open", "old", "overdue"))
    answers.answer(f"{n:,} {'exception is' if n == 1 else 'exceptions are'} open, {old:,} older than {OLD} business days{f', {overdue:,} past the day agreed' if overdue else ''}; "
                   f"most: {most['label'].lower()} ({int(most['open']):,}), {most['most']}.{disputed}")


def rates(now: Now) -> None:
    """The metrics of the triage: exception rate, routing, unassigned, duplicates, orphans."""
    tiles.row(now, now.ask(made, (ask("dq.exception_rate", now=True), *REACH)), 5, "triage")


# -- on one screen -------------------------------------------------------------------------------------------------------------------------

def exceptions_summary(now: Now) -> None:
    """What is open by kind, and by team: one screen. A kind opens to its rows."""
    frame = found(now)
    kinds = triage.by_kind(frame)
    if not len(kinds):
        charts.absent("What is open?", "No exception is open in this selection.", "triage-kinds")
        return folded(now, frame)
    left, right = st.columns([3, 2], gap="small")
    with stage.tall(_TALL), left, st.container(border=True, key="chart-triage-kinds", height="stretch"):
        in_hand = int(kinds["in_hand"].sum())
        charts.heading(f"{int(kinds['open'].sum()):,} open, {f'{in_hand:,}' if in_hand else 'none'} in somebody's hand", "triage-kinds")
        picked = tables.table(kinds.drop(columns=["kind", *_empty(kinds)]), now.x, "triage-kinds", worklist.height(kinds), labels=_COUNTED, opens=True, board=("label", "open", "old", "oldest", "most"))
        st.caption(stage.aside("Days are business days. A record may be in several kinds. Choose one for its records."))
    with stage.tall(_TALL), right, st.container(border=True, key="chart-triage-teams", height="stretch"):
        teams = triage.by_team(frame)
        charts.heading(f"{teams['team'].iloc[0]} has {int(teams['open'].iloc[0]):,} of them", "triage-teams")
        team = tables.table(teams.drop(columns=_empty(teams)), now.x, "triage-teams", worklist.height(teams), labels=_COUNTED, opens=True, board=("team", "open", "old"))
        st.caption(stage.aside("Counts of what there is to put right, not a ranking of people. Choose a team for its records."))
    if picked is not None:
        row = kinds.iloc[picked]
        worklist.drawer(now, frame[frame["status"].isin(triage.OPEN) & (frame["kind"] == row["kind"])], str(row["label"]))
    elif team is not None:
        name = teams["team"].iloc[team]
        worklist.drawer(now, frame[frame["status"].isin(triage.OPEN) & (frame["team"] == name)], str(name))
    if not stage.on_board():
        folded(now, frame)


def _empty(counted: pd.DataFrame) -> list[str]:
    """Columns without anything in them, which are not shown."""
    return [name for name in ("in_hand", "overdue", "back") if not counted[name].any()]


def folded(now: Now, frame: pd.DataFrame) -> None:
    """On one line each: the kinds of which nothing was found, and those that this extract cannot be judged by, with what it lacks."""
    def lower(name: str) -> str:
        return name[:1].lower() + name[1:]

    sentences = {kind: _lacking(now, kind) for kind in KINDS}
    none = [kind.label for kind in KINDS if not sentences[kind] and not (frame["kind"] == kind.id).any()]
    if none:
        st.caption(f":material/check: {md(f'Nothing found: {listed([none[0], *map(lower, none[1:])])}.')}")
    absent = [f"{lower(kind.label)} (needs {sentence.removeprefix('Needs ').removesuffix(_ABSENT)})" for kind, sentence in sentences.items() if sentence.endswith(_ABSENT)]
    if absent:
        st.caption(f":material/hide_source: {md(f'Not judged: {listed(absent)}{_ABSENT}')}")
    for kind, sentence in sentences.items():
        if sentence and not sentence.endswith(_ABSENT):
            st.caption(f":material/hide_source: {md(f'Not judged: {lower(kind.label)}. {sentence}')}")


_ABSENT = ", which this extract lacks."


def _lacking(now: Now, kind: Kind) -> str:
    return exceptions.lacks_of(now.x, kind)


# -- escalation ----------------------------------------------------------------------------------------------------------------------------

def breaches_by_owner(now: Now) -> None:
    """Broken promises that are still open, by owner and age, and who has to know. An owner opens to the promises."""
    question = "Who has to act on broken promises, and who has to know?"
    if sentence := lacks(now.x, "sla.breach_ageing"):
        return charts.absent(question, sentence, "breach-owners")
    frame = found(now)
    frame = frame[(frame["kind"] == "sla_breach_open") & frame["status"].isin(triage.OPEN)]
    if not len(frame):
        return charts.absent(question, "No promise is broken and open in this selection.", "breach-owners")
    told = exceptions.escalation(now.x, frame)
    worst = told.sort_values("level", kind="stable").drop_duplicates("owner", keep="last").set_index("owner")
    owners = triage.by_team(frame, "owner").assign(level=lambda f: f["owner"].map(worst["level"]), told=lambda f: f["owner"].map(worst["told"]), next_told=lambda f: f["owner"].map(worst["next_told"]))
    high = int((frame["level"] == frame["level"].max()).sum())
    top = told.loc[told["level"].idxmax(), "told"]
    with stage.tall(_TALL), st.container(border=True, key="chart-breach-owners", height="stretch"):
        charts.heading(f"{len(frame):,} broken promises are open with {len(owners):,} owners; {high:,} at level {int(frame['level'].max())}: {top}" if frame["level"].max() else
                       f"{len(frame):,} broken promises are open, none at an escalation level", "breach-owners")
        shown = owners.rename(columns={"told": "told_worst"}).drop(columns=_empty(owners))
        picked = tables.table(shown, now.x, "breach-owners", height=worklist.height(owners, 13),
                              labels={**_COUNTED, "level": "Highest level", "told_worst": "Told at that level", "next_told": "Next"}, opens=True, board=("owner", "open", "oldest", "level", "told_worst"))
        st.caption(md(stage.aside(f"Who is told: {exceptions.path(now.x)}; the first while the clock still runs, the others once the promise is broken. Choose an owner for the promises.")))
    if picked is not None:
        worklist.drawer(now, frame[frame["owner"] == owners["owner"].iloc[picked]], str(owners["owner"].iloc[picked]))


# -- round the rules, by week and team -----------------------------------------------------------------------------------------------------

def bypasses_by_week(now: Now) -> None:
    """How often rules are gone round, week by week, all teams or one: whether a rule is being kept. Never by person."""
    question = "Are the rules being kept?"
    frame = now.ask(exceptions.weekly)
    if not len(frame):
        judged = any(not _lacking(now, exceptions.BY_ID[kind]) for kind in exceptions.COUNTED)
        return charts.absent(question, "No record went round a rule in any week." if judged else "This extract has no history that the rules could be checked on.", "bypasses")
    teams = frame.groupby("team")["value"].sum().sort_values(ascending=False).index.tolist()
    team = st.segmented_control("Team", ["All teams", *teams], default="All teams", required=True, key="bypass-team", format_func=md, label_visibility="collapsed") if len(teams) > 1 else "All teams"
    seen = now.ask(triage.control, "" if team == "All teams" else team)
    if seen.starts is None:
        return charts.absent(question, "No complete week has anything to count.", "bypasses")
    value = int(seen.chart.values[-1])
    finding = f"{'Rules' if team == 'All teams' else team + ': rules'} were gone round {'once' if value == 1 else f'{value:,} times'} in the last full week; {seen.text}"
    charts.card(now, finding, control(seen.frame(), units.EVENTS, label="Times rules were gone round", theme=charts.theme()), "bypasses",
                "Skipped stages, moves back, closings without a reason, close dates set to the day of the edit and bulk edits, by week. Weeks do not say who: names are in the lists only.",
                rows=lambda: worklist.drawer(now, _cases(now, "" if team == "All teams" else team, int(seen.starts[0])), finding))


def _cases(now: Now, team: str, first: int) -> pd.DataFrame:
    """What the weeks of the chart count."""
    frame = exceptions.cases(now.x, now.view)
    frame = frame[(frame["day"] >= first) & ((frame["team"] == team) | (team == ""))]
    return triage.beside(frame.reset_index(drop=True), now.x, triage.handled(session.store(), now.dataset), dt.date.today())


# -- what is done by itself ----------------------------------------------------------------------------------------------------------------

def put_right(now: Now) -> None:
    """What somebody had in hand and the newest load no longer shows."""
    done = triage.put_right(now.x, triage.handled(session.store(), now.dataset))
    done = [done[place] for place in sight.shown(now.x, pd.DataFrame({"record": [one.key.split("|")[2] for one in done]}), session.actor())]
    if done:
        names = listed([f"{_called(one)} ({exceptions.BY_ID[one.kind].label.lower()}, {one.to})" if one.kind in exceptions.BY_ID else _called(one) for one in done[:5]])
        st.caption(f":material/task_alt: {md(f'No longer found, so done: {names}' + (f' and {len(done) - 5:,} more' if len(done) > 5 else '') + '.')}")


def _called(one: triage.Handled) -> str:
    return " ".join(one.key.split("|")[1:3]) if "@" in one.name else one.name
