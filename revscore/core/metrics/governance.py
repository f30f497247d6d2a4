"""Governance: do reports agree, are decisions taken and carried out, do definitions change under control. METRICS section 11."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core.calendars import DAY_US, NEVER, NO_DAY, day_numbers, instants
from revscore.core.coded import Coded
from revscore.core.facts import Dimension, Facts, LeftOut
from revscore.core.metric import Better, distribution, metric, rate, survival, total
from revscore.core.metrics.common import words
from revscore.core.statistics import newcombe
from revscore.core.units import ACTIONS, CHANGES, COMPARISONS, DAYS, DECISIONS

VERDICTS = ("moved", "moved_wrong_way", "inconclusive", "insufficient_n", "not_yet_measurable")
_VERDICT_WORDS = ("moved as meant", "moved the wrong way", "inconclusive", "too few to tell", "not measurable yet")
_DECISIONS = ("decisions.decision_id", "decisions.raised_at", "decisions.decided_at", "decisions.status")


def _text(column: pd.Series) -> np.ndarray:
    return column.fillna("").str.strip().to_numpy(dtype=object)


def _out(x: Coded, entity: str, record: np.ndarray, day: np.ndarray, why: str) -> LeftOut:
    """Records that are left out for one reason."""
    return LeftOut(record.astype("int32"), day.astype("int32"), x.codes_of(entity, record), np.zeros(len(record), dtype="uint8"), (why,))


# -- reports -------------------------------------------------------------------------------------------------------------------------------

def _last_days(x: Coded, labels: pd.Series) -> np.ndarray:
    """The last day of every period label; NO_DAY for a label that is no period."""
    found = {}
    for label in labels.dropna().unique():
        try:
            found[label] = x.terms.calendar.parse(label).last
        except ValueError:
            found[label] = NO_DAY
    return labels.map(found).fillna(NO_DAY).to_numpy(dtype="int64")


@metric("governance.reporting_consistency", "Reporting consistency", "Do our reports show the same numbers?",
        rate("rate", "consistent", "n", label="Reports that agree"), total("comparisons", COMPARISONS, "n", label="Comparisons"),
        owners=("revops",), meetings=("MRC", "QGV"), needs=("reported_values.metric_id", "reported_values.period", "reported_values.source", "reported_values.value"),
        drill=("metric_id", "period", "segment", "source", "value"), by=("reported_metric", "source"), population="reported values beside one of the canonical source")
def reporting_consistency(x: Coded) -> Facts:
    """Every value that a report shows is compared with the value of the canonical source for the same metric, period and segment. It is
    consistent when it differs by no more than 0.5 % of that value (the tolerance is a term). What has no canonical value beside it is listed and not scored.
    """
    terms = dict(x.terms.reporting_consistency)
    frame = x.data.table("reported_values")
    key = frame["metric_id"].fillna("") + "|" + frame["period"].fillna("") + "|" + frame["segment"].fillna("")
    value, source = frame["value"].to_numpy(dtype=float), _text(frame["source"])
    chief = (source == terms.get("canonical_source", "revscore")) & ~np.isnan(value)
    canonical = key.map(pd.Series(value[chief], index=key[chief]).groupby(level=0).first()).to_numpy(dtype=float) if len(frame) else np.zeros(0)
    other = (source != terms.get("canonical_source", "revscore")) & ~np.isnan(value)
    row, lone = np.flatnonzero(other & ~np.isnan(canonical)), np.flatnonzero(other & np.isnan(canonical))
    gap, slack = np.abs(value[row] - canonical[row]), float(terms.get("rel_tol", 0.005)) * np.abs(canonical[row])
    agrees = gap <= slack + 1e-12 * np.abs(canonical[row])  # what is exactly at the tolerance agrees, also in floats
    day = _last_days(x, frame["period"])
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(canonical[row] != 0, (value[row] - canonical[row]) / np.abs(canonical[row]), np.nan)
    return x.make_facts("reported_value", row, day[row], {"n": np.ones(len(row)), "consistent": agrees.astype(float)},
                        own={"reported_metric": _coded("reported_metric", frame["metric_id"].iloc[row]), "source": _coded("source", frame["source"].iloc[row])},
                        detail={"canonical": canonical[row], "off_by_share": off}, left_out=_out(x, "reported_value", lone, day[lone], "no value of the canonical source"))


def _coded(name: str, column: pd.Series) -> tuple[np.ndarray, Dimension]:
    """Codes and dimension of free words."""
    values = tuple(sorted({str(v) for v in column.dropna().unique()} - {""}))
    return pd.Index(values).get_indexer(column) + 1, words(name, values)


# -- decisions -----------------------------------------------------------------------------------------------------------------------------

def _decisions(x: Coded) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows of decisions that were raised by as-of and not withdrawn, when raised, when decided (NEVER: open), and rows that were withdrawn."""
    frame = x.data.table("decisions")
    raised, decided = instants(frame["raised_at"], x.as_of), instants(frame["decided_at"], x.as_of)
    withdrawn = _text(frame["status"]) == "withdrawn"
    row = np.flatnonzero((raised != NEVER) & ~withdrawn)
    return row, raised[row], decided[row], np.flatnonzero((raised != NEVER) & withdrawn)


@metric("governance.decision_velocity", "Decision velocity", "How long do we take to decide?", distribution("days", DAYS, "days", "median", "p90", "mean"),
        total("decided", DECISIONS, "n", label="Decided"), better=Better.DOWN, owners=("revops",), meetings=("MRC",), needs=_DECISIONS,
        drill=("decision_id", "title", "meeting", "raised_at", "decided_at"), by=("meeting",), population="decisions taken in the period, not withdrawn",
        settles_after="too short while the old ones are open: read it beside the time to a decision")
def decision_velocity(x: Coded) -> Facts:
    """Days from raising a decision to taking it, of the decisions taken in the period: median, 90th percentile and mean. Withdrawn ones are no
    part of it; open ones are counted in *time to a decision*. Decisions of the team's own log count beside those that the extract brings, up to
    as-of; that nothing was decided is no decision.
    """
    row, raised, decided, withdrawn = _decisions(x)
    taken = decided != NEVER
    row, raised, decided = row[taken], raised[taken], decided[taken]
    return x.make_facts("decision", row, x.days(decided), {"days": (decided - raised) / DAY_US, "n": np.ones(len(row))},
                        own={"meeting": _coded("meeting", x.data.table("decisions")["meeting"].iloc[row])}, detail={"age_days": (decided - raised) / DAY_US},
                        left_out=_out(x, "decision", withdrawn, np.full(len(withdrawn), NO_DAY), "withdrawn"))


@metric("governance.decision_time", "Time to a decision", "How long does a decision take, open ones counted?", survival("days", DAYS, "days", "decided", "median", "p90"),
        total("open", DECISIONS, label="Open decisions"), better=Better.DOWN, owners=("revops",), meetings=("MRC",), needs=_DECISIONS,
        drill=("decision_id", "title", "meeting", "raised_at", "decided_at"), by=("meeting",), population="decisions raised in the period, not withdrawn")
def decision_time(x: Coded) -> Facts:
    """Days from raising a decision to taking it, by a Kaplan–Meier curve: open decisions count with the age that they have, so that a pile of old
    ones cannot make us look fast. Withdrawn ones are no part of it. Decisions of the team's own log count beside those that the extract brings, up
    to as-of; a question on which nothing was decided is still open.
    """
    row, raised, decided, withdrawn = _decisions(x)
    taken = decided != NEVER
    days = (np.where(taken, decided, x.as_of) - raised) / DAY_US
    return x.make_facts("decision", row, x.days(raised), {"days": days, "decided": taken.astype(float), "open": (~taken).astype(float)},
                        own={"meeting": _coded("meeting", x.data.table("decisions")["meeting"].iloc[row])}, detail={"age_days": days},
                        left_out=_out(x, "decision", withdrawn, x.days(instants(x.data.table("decisions")["raised_at"].iloc[withdrawn])), "withdrawn"))


# -- actions -------------------------------------------------------------------------------------------------------------------------------

@metric("governance.actions", "Actions", "Do we do what we decided, and does it work?",
        rate("completion_rate", "completed", "due", label="Actions done"), rate("on_time_rate", "on_time", "due", label="Actions done on time"),
        rate("effect_rate", "moved", "judged", label="Actions that worked"), total("due", ACTIONS, label="Actions due"), total("overdue", ACTIONS, label="Overdue and open"),
        owners=("revops",), meetings=("MRC",), needs=("actions.action_id", "actions.due_date", "actions.completed_at", "actions.status"),
        drill=("action_id", "decision_id", "owner_function", "metric_id", "due_date", "completed_at", "status"), by=("verdict", "function"),
        population="actions that are not cancelled, by due date")
def actions(x: Coded) -> Facts:
    """Of the actions whose due date has passed, the share done, and done by the due date. Cancelled ones are no part of it.

    Whether a done action worked is judged by the number it was to move, before and after: *moved* when the Newcombe interval of the difference
    excludes 0 in the direction meant, *moved the wrong way* when it excludes 0 in the other, else *inconclusive*; below 10 on either side it is too
    few to tell, before the agreed date or without a number after it is not measurable yet. A before and after is evidence, not proof: a controlled test is better.

    Actions of the team's own log count beside those that the extract brings, drafts among the open ones, as they were at as-of: nothing that was written
    down later. Their numbers before and after are worked out from the extract; what is no rate is judged by its weeks.
    """
    frame = x.data.table("actions")
    created, raw_done, done = instants(frame["created_at"]), instants(frame["completed_at"]), instants(frame["completed_at"], x.as_of)
    status = _text(frame["status"])
    exists, cancelled = (created <= x.as_of) | (created == NEVER), status == "cancelled"
    row, dropped = np.flatnonzero(exists & ~cancelled), np.flatnonzero(exists & cancelled)
    frame, status, raw_done, done = frame.iloc[row], status[row], raw_done[row], done[row]
    due_day, all_due = day_numbers(frame["due_date"]), day_numbers(x.data.table("actions")["due_date"])
    due = due_day < x.as_of_day
    completed = (done != NEVER) | ((status == "done") & (raw_done == NEVER))
    on_time = (done != NEVER) & (x.days(done) <= due_day)
    verdict, step, low, high = _effects(x, frame, completed)
    judged = np.isin(verdict, (0, 1, 2))
    values = {"due": due, "completed": due & completed, "on_time": due & on_time, "overdue": due & ~completed, "judged": judged, "moved": verdict == 0}
    return x.make_facts("action", row, due_day, {name: column.astype(float) for name, column in values.items()},
                        own={"verdict": (verdict + 1, words("verdict", VERDICTS, _VERDICT_WORDS)), "function": _coded("function", frame["owner_function"])}, why=~due,
                        whys=("", "not due yet"), detail={"difference": step, "low": low, "high": high},
                        left_out=_out(x, "action", dropped, all_due[dropped], "cancelled"))


def _effects(x: Coded, frame: pd.DataFrame, completed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Index of the verdict on each action (−1: none is due), and the difference after − before with its interval where it was judged."""
    measure, (x0, n0, x1, n1) = day_numbers(frame["measure_at"]), (frame[c].to_numpy(dtype=float) for c in ("baseline_x", "baseline_n", "after_x", "after_n"))
    early = (measure > x.as_of_day) | np.isnan(x1) | np.isnan(n1)
    enough = (n0 >= x.terms.stats.min_n_effect) & (n1 >= x.terms.stats.min_n_effect) & ~np.isnan(x0)
    told = pd.Index(VERDICTS).get_indexer(frame["verdict"]) if "verdict" in frame else np.full(len(frame), -1)  # of the log: judged by weeks
    judged = completed & (measure != NO_DAY) & ~early & enough & (told < 0)
    step = np.full((3, len(frame)), np.nan)
    step[:, judged] = np.array([newcombe(*arms) for arms in zip(x0[judged], n0[judged], x1[judged], n1[judged], strict=True)]).reshape(-1, 3).T
    way = np.where(_text(frame["direction"]) == "down", -1, 1)
    with np.errstate(invalid="ignore"):
        moved = np.where(step[1] > 0, 1, np.where(step[2] < 0, -1, 0)) * way
    verdict = np.select([~completed | (measure == NO_DAY), told >= 0, early, ~enough, moved > 0, moved < 0], [-1, told, 4, 3, 0, 1], 2)
    return verdict, *step


# -- definitions ---------------------------------------------------------------------------------------------------------------------------

@metric("governance.definition_drift", "Controlled definition changes", "Are changes of definitions agreed, explained and trained?",
        rate("controlled_rate", "controlled", "n", label="Controlled changes"), total("changes", CHANGES, "n", label="Definition changes"),
        owners=("revops",), meetings=("QGV",), needs=("definition_changes.change_id", "definition_changes.effective_from", "definition_changes.rationale",
                                                      "definition_changes.approved_by", "definition_changes.dashboards_updated_at", "definition_changes.training_at"),
        drill=("change_id", "metric_id", "effective_from", "rationale", "approved_by", "dashboards_updated_at", "training_at"), by=("changed_metric",),
        population="definition changes in force by as-of, by the day they took effect")
def definition_drift(x: Coded) -> Facts:
    """Of the definition changes that took effect in the period, the share under control: with a rationale, an approver, dashboards updated and
    training given.
    """
    frame = x.data.table("definition_changes")
    day = day_numbers(frame["effective_from"])
    row = np.flatnonzero(day <= x.as_of_day)
    frame, day = frame.iloc[row], day[row]
    told = (_text(frame["rationale"]) != "") & (_text(frame["approved_by"]) != "")
    done = (day_numbers(frame["dashboards_updated_at"]) <= x.as_of_day) & (day_numbers(frame["training_at"]) <= x.as_of_day)
    return x.make_facts("definition_change", row, day, {"n": np.ones(len(row)), "controlled": (told & done).astype(float)},
                        own={"changed_metric": _coded("changed_metric", frame["metric_id"])})
