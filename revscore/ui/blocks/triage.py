"""Blocks of the RevOps triage: what is open and since when, one list a kind, what is done about them, escalation, bypasses by team, disputed numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from revscore.charts import control as drawing
from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.control import xmr
from revscore.core.signals import NEWS, WEEKS, Control, read
from revscore.core.view import View
from revscore.people import sight
from revscore.rhythm import disputes, exceptions, triage
from revscore.rhythm.asks import ask, lacks, made
from revscore.rhythm.exceptions import FUNCTION_NAMES, KINDS, OLD, Kind
from revscore.rhythm.quality import REACH
from revscore.ui import allowed, answers, capture, charts, session, stage, tables, tiles
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_COUNTED = {"label": "What is wrong", "open": "Open", "old": f"Over {OLD} days", "oldest": "Oldest (days)", "in_hand": "In hand", "overdue": "Overdue", "back": "Came back",
            "most": "Most of them", "team": "Team"}
_AGE = "Age (days)"
_TALL = 640  # px of the tables of the summary on the stage of a meeting
_STATES = {"new": "New", "back": "Found again", "resolved": "Put right, waits for the next load", "accepted": "Accepted"}
_DONE = {"assign": "Assign", "resolve": "Put right", "accept": "Fine as it is", "reopen": "Open again"}
_TELLS = {"assign": "What is to be done (optional)", "resolve": "What was done about it", "accept": "It is fine because …", "reopen": "Why (optional)"}


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
        picked = tables.table(kinds.drop(columns=["kind", *_empty(kinds)]), now.x, "triage-kinds", _height(kinds), labels=_COUNTED, opens=True, board=("label", "open", "old", "oldest", "most"))
        st.caption(stage.aside("Days are business days. A record may be in several kinds. Choose one for its records."))
    with stage.tall(_TALL), right, st.container(border=True, key="chart-triage-teams", height="stretch"):
        teams = triage.by_team(frame)
        charts.heading(f"{teams['team'].iloc[0]} has {int(teams['open'].iloc[0]):,} of them", "triage-teams")
        team = tables.table(teams.drop(columns=_empty(teams)), now.x, "triage-teams", _height(teams), labels=_COUNTED, opens=True, board=("team", "open", "old"))
        st.caption(stage.aside("Counts of what there is to put right, not a ranking of people. Choose a team for its records."))
    if picked is not None:
        row = kinds.iloc[picked]
        _listing(now, frame[frame["status"].isin(triage.OPEN) & (frame["kind"] == row["kind"])], str(row["label"]))
    elif team is not None:
        name = teams["team"].iloc[team]
        _listing(now, frame[frame["status"].isin(triage.OPEN) & (frame["team"] == name)], str(name))
    if not stage.on_board():
        folded(now, frame)


def _height(frame: pd.DataFrame, most: int = 20) -> int:
    """The height of a table with its head and all its rows, or `most` of them."""
    return 40 * (min(len(frame), most) + 1) + 2


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


# -- one list a kind -----------------------------------------------------------------------------------------------------------------------

def group(now: Now, name: str, question: str, frame: pd.DataFrame, everything: bool = False) -> None:
    """The kinds of a group of which there is something, a line each, which opens to its list."""
    kinds = [kind for kind in KINDS if kind.group == name and (frame["kind"] == kind.id).any()]
    if not kinds:
        return
    with st.container(gap="xsmall"):
        answers.section(name, question)
        for kind in kinds:
            own = frame[frame["kind"] == kind.id].reset_index(drop=True)
            line = st.expander(_line(kind, own), key=f"screen-triage-{kind.id}", on_change="rerun", expanded=everything)
            if line.open or everything:
                with line:
                    listing(now, kind, own)


def _line(kind: Kind, own: pd.DataFrame) -> str:
    still = own[own["status"].isin(triage.OPEN)]
    old, aside = int((still["age"] > OLD).sum()), len(own) - len(still)
    parts = [f"{len(still):,} open"] + [f"{old:,} older than {OLD} business days"] * bool(old) + [f"{int(own['overdue'].sum()):,} overdue"] * bool(own["overdue"].any())
    parts += [f"{int((still['came_back'] > 0).sum()):,} came back"] * bool((still["came_back"] > 0).any()) + [f"{aside:,} put right or accepted"] * bool(aside)
    sign = ":orange[:material/priority_high:]" if old else ":blue[:material/check:]" if not len(still) else ":gray[:material/remove:]"
    return f"{sign} &nbsp;**{md(kind.label)}** &nbsp; {md(', '.join(parts))}"


def listing(now: Now, kind: Kind, own: pd.DataFrame) -> None:
    """The exceptions of one kind, to be assigned, put right or accepted; below them what was put right or accepted already."""
    still, aside = own[own["status"].isin(triage.OPEN)], own[~own["status"].isin(triage.OPEN)]
    since = f" Found in the last {exceptions.LOOK_BACK} days; earlier ones are in the weekly counts." if kind.happens or kind.id == "closed_no_reason" else ""
    st.caption(md(f"{kind.todo}{since} Days are business days; earlier weeks: how many before had one of the same owner. Choose rows to act on them."))
    if len(still):
        _acting(now, kind, _in_order(still), f"triage-{kind.id}")
    if len(aside):
        st.markdown(f"**Put right or accepted** &nbsp;:gray[{md(f'{len(aside):,}; what is found again in a later load is open again')}]")
        _acting(now, kind, _in_order(aside), f"triage-done-{kind.id}")


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Overdue first, then the oldest, then by owner."""
    return frame.sort_values(["overdue", "age", "owner", "key"], ascending=[False, False, True, True], kind="stable").reset_index(drop=True)


def _acting(now: Now, kind: Kind, own: pd.DataFrame, key: str) -> None:
    shown, labels = _shown(now, own, kind)
    key = anew(key)
    rows = tables.several(shown, now.x, key, height=_height(own, 10), labels=labels)
    if rows:
        _act(now, own.iloc[rows], key)


def _shown(now: Now, own: pd.DataFrame, kind: Kind | None = None) -> tuple[pd.DataFrame, dict[str, str]]:
    """The columns that readers see."""
    out = pd.DataFrame({"record": own["id"], "name": own["name"], "id": own["id"]}).assign(**({} if kind else {"kind": own["kind"].map({one.id: one.label for one in KINDS})}))
    out = out.assign(owner=own["owner"] + " · " + own["function"].map(FUNCTION_NAMES).fillna(own["function"]), what=own["what"].str.replace("_", " "), since=own["since"], age=own["age"],
                     weeks_before=own["weeks_before"])
    if (own["kind"] == "sla_breach_open").any():
        told = exceptions.escalation(now.x, own)
        of = own["kind"] == "sla_breach_open"
        out = out.assign(level=own["level"], told=told["told"].where(of, ""), next_told=told["next_told"].where(of, ""))
    if (own["came_back"] > 0).any():
        out = out.assign(came_back=own["came_back"])
    out = out.assign(state=_states(own))
    if (own["note"] != "").any():
        out = out.assign(note=own["note"])
    if (own["kind"] == "bulk_edit").all():
        out = out.drop(columns=["id", "what"])
    elif (own["what"] == "").all():
        out = out.drop(columns="what")
    return out, {"name": "Record", "id": "Id", "kind": "Exception", "what": kind.told if kind else "What", "age": _AGE, "weeks_before": "Earlier weeks", "level": "Level", "told": "Told",
                 "next_told": "Next", "came_back": "Came back", "state": "State", "since": "Since"}


def _states(own: pd.DataFrame) -> pd.Series:
    due = pd.to_datetime(own["due"], errors="coerce").dt.strftime("%d %b %Y").str.lstrip("0").fillna("")
    hand = own["to"] + " by " + due + np.where(own["overdue"], ", overdue", "")
    return own["status"].map(_STATES).fillna("New").where(own["status"] != "assigned", hand)


def _act(now: Now, rows: pd.DataFrame, key: str) -> None:
    """What is done about the chosen rows."""
    done = set(rows["status"]) & {"resolved", "accepted"}
    with st.container(border=True, key=f"act-{key}"):
        head = st.container(horizontal=True, vertical_alignment="center")
        with head:
            st.markdown(f"**{units.named(len(rows), units.RECORDS)}** &nbsp;{md(', '.join(_title(row) for _, row in rows.head(3).iterrows()) + (' …' if len(rows) > 3 else ''))}")
            if len(rows) == 1 and st.button("Open its rows", icon=":material/open_in_full:", key=f"rows-of-{key}"):
                _record(now, rows.iloc[0])
        options = ["reopen"] if done else ["assign", "resolve", "accept"]
        what = st.segmented_control("What", options, default=options[0], required=True, key=f"what-{key}", format_func=_DONE.get, label_visibility="collapsed")
        with st.form(f"form-{key}", border=False, clear_on_submit=True):
            places = st.columns([2, 1, 3, 1] if what == "assign" else [6, 1], vertical_alignment="bottom")
            to = due = None
            if what == "assign":
                with places[0]:
                    people = _people(now, rows)
                    to = st.selectbox("Who", people, key=f"to-{key}", accept_new_options=True)
                with places[1]:
                    due = st.date_input("By", dt.date.today() + dt.timedelta(days=7), key=f"due-{key}")
            with places[-2]:
                text = st.text_input(_TELLS[what], key=f"text-{key}-{what}")
            with places[-1]:
                sent = st.form_submit_button("Save", type="primary", width="stretch", key=f"save-{key}", **allowed.to("triage"))
        if sent:
            _save(lambda: _write(now, rows, what, text, to or "", due), f"{units.named(len(rows), units.RECORDS)}" + (f" given to {to}" if what == "assign" else f": {_DONE[what].lower()}"))


def _people(now: Now, rows: pd.DataFrame) -> list[str]:
    """The owner of the first row, its function, the other functions, then everyone."""
    own = [name for name in dict.fromkeys(rows["owner"]) if name != "Nobody"]
    users = now.x.data.table("users")
    names = users["name"][users["is_active"].fillna(True).astype(bool)].dropna().sort_values().tolist()
    function = FUNCTION_NAMES.get(rows["function"].iloc[0], "RevOps")
    return list(dict.fromkeys([*own[:1], function, *FUNCTION_NAMES.values(), *names]))


def _write(now: Now, rows: pd.DataFrame, what: str, text: str, to: str, due: dt.date | None) -> None:
    of, by = (session.store(), now.dataset, now.x, rows), session.actor()
    if what == "assign":
        triage.assign(*of, to, due.isoformat() if due else "", by, text)
    elif what == "reopen":
        triage.reopen(*of, by, text)
    else:
        {"resolve": triage.resolve, "accept": triage.accept}[what](*of, text, by)


_WRITTEN = "triage-written"


def anew(key: str) -> str:
    """The key of a list until something is written: then its rows are others, and what was chosen is chosen no more."""
    count = st.session_state.get(_WRITTEN, 0)
    return f"{key}-{count}" if count else key


def written() -> None:
    """Something was written down: lists begin anew."""
    st.session_state[_WRITTEN] = st.session_state.get(_WRITTEN, 0) + 1


def _save(write: Callable[[], None], said: str) -> None:
    """Write, then show the page as it is now; what cannot be written says why."""
    if capture.saved(write):
        st.toast(md(said), icon=":material/check:")
        written()
        st.rerun()


@st.dialog("Behind the exception", width="large", position="right")
@stage.drawer()
def _record(now: Now, row: pd.Series) -> None:
    """The record of an exception, its history, and what was done about it."""
    kind = exceptions.BY_ID[row["kind"]]
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"### {md(_title(row))}")
        age = f"{int(row['age']):,} business {'day' if row['age'] == 1 else 'days'}"
        st.caption(md(" · ".join(part for part in (kind.label, str(row["what"]).replace("_", " "), str(row["owner"]), f"for {age}", str(row["id"]) if row["entity"] else "") if part)))
    st.markdown(md(kind.todo))
    for title, frame in now.ask(_behind, row["entity"], row["id"], int(row["record"])).items():
        st.markdown(f"**{md(title)}**")
        tables.table(frame, now.x, f"behind-{title}", height=_height(frame, 10))
    log = triage.handled(session.store(), now.dataset).get(row["key"])
    if log:
        st.markdown("**What was done about it**")
        said = pd.DataFrame([{"when": entry.at.tz_localize(None), "by": entry.by, "what": entry.verb, "note": entry.fields.get("note", "")} for entry in log.history])
        tables.table(said, now.x, "behind-log")


def _title(row: pd.Series) -> str:
    """What a record is called in a sentence: its name; its kind and id where that is an address, which would be made a link."""
    return f"{row['type']} {row['id']}" if "@" in row["name"] else str(row["name"])


def _behind(x: Coded, view: View, entity: str, id_: str, record: int) -> dict[str, pd.DataFrame]:
    return exceptions.behind(x, entity, id_, record)


@st.dialog("Exceptions", width="large", position="right")
@stage.drawer()
def _listing(now: Now, frame: pd.DataFrame, title: str) -> None:
    """Rows of several kinds or owners, to be read."""
    st.markdown(f"### {md(title)}")
    own = _in_order(frame)
    shown, labels = _shown(now, own, exceptions.BY_ID[own["kind"].iloc[0]] if own["kind"].nunique() == 1 else None)
    tables.table(shown, now.x, "triage-rows", height=_height(own, 16), labels=labels)


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
        picked = tables.table(shown, now.x, "breach-owners", height=_height(owners, 13),
                              labels={**_COUNTED, "level": "Highest level", "told_worst": "Told at that level", "next_told": "Next"}, opens=True, board=("owner", "open", "oldest", "level", "told_worst"))
        st.caption(md(stage.aside(f"Who is told: {exceptions.path(now.x)}; the first while the clock still runs, the others once the promise is broken. Choose an owner for the promises.")))
    if picked is not None:
        _listing(now, frame[frame["owner"] == owners["owner"].iloc[picked]], str(owners["owner"].iloc[picked]))


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
    seen = now.ask(control, "" if team == "All teams" else team)
    if seen.starts is None:
        return charts.absent(question, "No complete week has anything to count.", "bypasses")
    value = int(seen.chart.values[-1])
    finding = f"{'Rules' if team == 'All teams' else team + ': rules'} were gone round {'once' if value == 1 else f'{value:,} times'} in the last full week; {seen.text}"
    charts.card(now, finding, drawing(seen.frame(), units.EVENTS, label="Times rules were gone round", theme=charts.theme()), "bypasses",
                "Skipped stages, moves back, closings without a reason, close dates set to the day of the edit and bulk edits, by week. Weeks do not say who: names are in the lists only.",
                rows=lambda: _listing(now, _cases(now, "" if team == "All teams" else team, int(seen.starts[0])), finding))


def _cases(now: Now, team: str, first: int) -> pd.DataFrame:
    """What the weeks of the chart count."""
    frame = exceptions.cases(now.x, now.view)
    frame = frame[(frame["day"] >= first) & ((frame["team"] == team) | (team == ""))]
    return triage.beside(frame.reset_index(drop=True), now.x, triage.handled(session.store(), now.dataset), dt.date.today())


def control(x: Coded, view: View, team: str) -> Control:
    """The control chart of the weekly counts of one team ("" all)."""
    frame = exceptions.weekly(x, view)
    frame = frame[frame["team"] == team] if team else frame
    if not len(frame):
        return Control()
    last = int(x.terms.calendar.codes(np.array([x.as_of_day]), "week")[0]) - 1
    weeks = np.arange(max(int(frame["week"].min()), last - WEEKS + 1), last + 1)
    if not len(weeks):
        return Control()
    values = frame.groupby("week")["value"].sum().reindex(weeks, fill_value=0).to_numpy(dtype=float)
    seen = Control("few", starts=np.array([x.terms.calendar.start(int(code), "week") for code in weeks]), numerator=np.full(len(weeks), np.nan), n_of=values, chart=xmr(values, x.terms.stats))
    return seen if len(weeks) < x.terms.stats.spc_baseline_points + NEWS else read(seen)


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
