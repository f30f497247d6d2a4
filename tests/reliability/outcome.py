"""What must become of a file, and whether it did: refused, rows held back, the same as the clean file, or asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from revscore import intake as gate
from revscore.intake import Intake, Source
from revscore.intake.read import read
from tests.reliability import making

AS_OF = pd.Timestamp("2026-06-30T12:00:00Z")
Files = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Refused:
    """Nothing of the file is read; one of the codes says why (row: where, when that can be told)."""

    codes: str
    row: int | None = None


@dataclass(frozen=True)
class Held:
    """So many rows are held back for each code; all others are as in the clean file."""

    codes: Mapping[str, int]


@dataclass(frozen=True)
class Same:
    """Every record as in the clean file; `said`: a word that must be told with it."""

    said: str = ""


@dataclass(frozen=True)
class Asked:
    """A question whose key begins so; `waits`: it has no answer of our own, and nothing is stored before it is answered."""

    key: str
    waits: bool = True


@dataclass(frozen=True)
class NotUsed:
    """The sheet is listed as not used, with a sentence that says why."""


Outcome = Refused | Held | Same | Asked | NotUsed


@dataclass(frozen=True)
class Case:
    """`make(full)` gives the files; `full` False: smaller ones where only size differs. `clean`: what the records must be the same as."""

    name: str
    make: Callable[[bool], Files]
    expected: Outcome
    clean: Callable[[], Files]
    answers: Mapping[str, str] = field(default_factory=dict)


def deals() -> Files:
    return [("deals.csv", making.text().encode())]


def load(files: Files, answers: Mapping[str, str] | None = None) -> Intake:
    gate.read_apart = read                                  # in this process: a process for each of some hundred files takes minutes
    return gate.prepare([Source(name, content) for name, content in files], answers=answers, as_of=AS_OF, defined=True)


@cache
def _clean(make: Callable[[], Files]) -> Intake:
    return load(make())


def faults(case: Case, intake: Intake) -> list[str]:
    """What is wrong with what became of the files of `case`; empty when it is as expected."""
    found = _sentences(intake)
    expected, tables = case.expected, intake.data.tables
    codes = Counter(intake.ledger.to_mend["code"])
    refused = [problem for problem in intake.problems if problem.code != "E_TWICE"]
    if isinstance(expected, Refused):
        wanted = [problem for problem in refused if problem.code in expected.codes.split("|")]
        found += [] if wanted else [f"not refused with {expected.codes}: {[str(p) for p in refused] or 'no refusal'}"]
        found += [f"{len(frame)} rows of {name} were read" for name, frame in tables.items() if len(frame)]
        if expected.row and wanted and wanted[0].row != expected.row:
            found.append(f"row {wanted[0].row} named, not {expected.row}")
        return found
    found += [f"refused: {problem}" for problem in refused]
    if isinstance(expected, Asked):
        keys = [question.key for question in (intake.blocking if expected.waits else intake.questions)]
        return found + ([] if any(key.startswith(expected.key) for key in keys) else [f"not asked for {expected.key}: {keys}"])
    found += [f"asked: {question.key}: {question.text}" for question in intake.blocking]
    if isinstance(expected, NotUsed):
        unused = [match for match in intake.recognition.matches if not match.subject]
        return found + ([] if unused and all(len(match.why) > 20 for match in unused) else ["it was used"])
    if isinstance(expected, Held):
        found += [] if codes == Counter(expected.codes) else [f"held back {dict(codes)}, expected {dict(expected.codes)}: "
                                                              f"{intake.ledger.to_mend[['row', 'code', 'reason']].to_dict('records')[:3]}"]
    elif codes:
        found.append(f"held back {dict(codes)}: {intake.ledger.to_mend[['row', 'code', 'reason']].to_dict('records')[:3]}")
    if isinstance(expected, Same) and expected.said not in _told(intake):
        found.append(f"“{expected.said}” was not told: {_told(intake)[:600]}")
    return found + _differences(_clean(case.clean).data.tables, tables, part=isinstance(expected, Held))


def _told(intake: Intake) -> str:
    notes = [note for match in intake.recognition.matches for note in match.sheet.notes]
    findings = intake.ledger.findings[["reason", "text"]].agg(" ".join, axis=1) if len(intake.ledger.findings) else []
    return " ".join([*notes, *intake.messages, *findings, *map(str, intake.problems)])


def _sentences(intake: Intake) -> list[str]:
    """Every refusal is one sentence with place and remedy, every held row has its number, its reason and all of its cells."""
    out = []
    for problem in intake.problems:
        if not problem.file or not problem.text.endswith(".") or len(problem.text) < 25 or not any(mark in problem.text for mark in (":", "(")):
            out.append(f"no sentence with a remedy: {problem}")
    for row in intake.ledger.to_mend.to_dict("records"):
        if row["row"] < 1 or len(row["reason"]) < 15 or not json.loads(row["raw"]):
            out.append(f"a held row without place, reason or cells: {row}")
    if intake.ledger.read != intake.ledger.kept + intake.ledger.quarantined:
        out.append("the rows do not balance")
    return out


def _differences(clean: Mapping[str, pd.DataFrame], got: Mapping[str, pd.DataFrame], part: bool) -> list[str]:
    """Tables that differ in anything but the order of rows; `part`: those of the opportunities that are left."""
    out = []
    for name in [name for name in ("opportunities", "opp_history", "leads", "lead_stage_history") if name in clean or name in got]:
        if name not in got and part:
            continue                                        # none are left
        if name not in clean or name not in got:
            out.append(f"{name} is {'missing' if name in clean else 'new'}")
            continue
        key = "lead_id" if name.startswith("lead") else "opp_id"
        mine, theirs = clean[name], got[name]
        if part:
            mine = mine[mine[key].isin(theirs[key])]
            out += [f"{name}: unknown records {sorted(set(theirs[key]) - set(mine[key]))[:3]}"] if set(theirs[key]) - set(mine[key]) else []
        elif len(mine) != len(theirs):
            out.append(f"{name}: {len(theirs)} rows, not {len(mine)}")
        shared = [c for c in mine.columns if c in theirs.columns]
        dropped = [c for c in mine.columns.symmetric_difference(theirs.columns) if (mine if c in mine else theirs)[c].notna().any()]
        out += [f"{name}: columns {dropped} differ"] if dropped else []
        left, right = (frame[shared].astype("str").sort_values(shared, ignore_index=True) for frame in (mine, theirs))
        if len(left) == len(right) and not left.equals(right):
            wrong = (left != right).any(axis=1) & ~(left.isna() & right.isna()).all(axis=1)
            out.append(f"{name}: {left[wrong].head(2).to_dict('records')} became {right[wrong].head(2).to_dict('records')}")
        elif len(left) != len(right):
            out.append(f"{name}: {len(right)} rows of {len(left)}")
    return out
