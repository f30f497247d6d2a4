"""The sheets of a meeting in a workbook: Minutes, Decisions, Actions. Dates are dates, baselines have the format of their unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from revscore.core import units
from revscore.core.metric import functions
from revscore.export.workbook import Sheet
from revscore.rhythm.minutes import Minutes, Task


def minutes_sheets(held: Minutes) -> tuple[Sheet, ...]:
    """Minutes (what was held, by whom, on what, screen by screen), Decisions, Actions (those of this meeting, then those of the one before)."""
    return (Sheet("Minutes", (("What", 26), ("Said", 90), ("Minutes used", 14), ("Planned", 10), ("Note", 60)), tuple(_minutes(held))),
            Sheet("Decisions", (("Question", 50), ("State", 14), ("Decided, or why not", 70), ("Screen", 20), ("By", 22), ("At", 18)),
                  tuple((one.title, one.state, one.text, one.screen, one.by, local(held, one.at)) for one in held.decisions)),
            Sheet("Actions", (("Raised in", 16), ("Action", 50), ("Owner", 20), ("Function", 18), ("Due", 12), ("State", 12), ("Measure of success", 70), ("Baseline", 12), ("Of", 10), ("n", 10),
                              ("Direction", 11), ("At least", 11), ("Checked on", 12), ("Screen", 20), ("Verdict", 18), ("Why", 60), ("Metric", 30), ("Id", 34)),
                  (*_tasks(held, held.actions, "this meeting"), *_tasks(held, held.last, "the one before"))))


def local(held: Minutes, at: pd.Timestamp) -> pd.Timestamp | None:
    """An instant in the reporting zone, as a workbook holds it: without a zone, to the minute."""
    return None if pd.isna(at) else at.tz_convert(held.zone).tz_localize(None).floor("min")


def _minutes(held: Minutes) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = [("Meeting", held.title), ("Company", held.company), ("Held", held.held), ("Reporting zone", held.zone), ("Started", local(held, held.started_at)),
                                 ("Closed", local(held, held.closed_at)), *held.stands.items()]
    rows += [(f"Present, {functions((function,))}", ", ".join(names)) for function, names in held.present.items()]
    rows += [("Answer", held.answer)] if held.answer else []
    rows += [("Nothing decided, because", held.reason)] if held.reason else []
    rows += [("Publication", f"no. {held.publication}"), ("Seal", held.seal)] if held.seal else []
    rows += [("Anchor of the audit log", held.anchor)] if held.anchor else []
    return [*rows, *((one.title, one.finding, (one.used, "0.0"), one.planned, one.note) for one in held.agenda)]


def _tasks(held: Minutes, tasks: Sequence[Task], where: str) -> list[Sequence[Any]]:
    return [(where, one.title, one.owner, one.function, one.due, one.state, one.success, (one.baseline, form := units.spreadsheet(one.unit, held.currency)), one.numerator, one.denominator,
             one.direction, (one.size, form), one.check_on, one.screen, one.verdict, one.sentence, one.metric, one.id) for one in tasks]
