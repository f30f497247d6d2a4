"""What a load says of itself: per file the counts that balance, and messages with their place; the rows to mend."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from revscore.company import completing
from revscore.company.standing import Asked
from revscore.intake import Intake, Ledger, Problem, Question
from revscore.intake.returned import FILE, LOAD, REASON, ROW, SHEET
from revscore.intake.sheet import EXTRA, HIDDEN, MISSING
from revscore.intake.subjects import NOT_USED
from revscore.store import OLDER, OTHER, SMALLER, LoadInfo, LoadResult

LOADED, ALREADY, REFUSED, ASKS = "loaded", "already_loaded", "refused", "needs_answer"
TOO_MUCH = 0.5  # of the rows of a sheet: holding back more is asked about, never done quietly
NOTES_EACH = 50  # remarks of one kind and column that a report lists; the ledger has all
_HARMLESS = ("E_TWICE", "E_ASIDE")
_SHORT = {OLDER: "older than", OTHER: "for the same day as, and not the same as,", SMALLER: "much smaller than"}
_NO_FAULT = ("R_DELETED", "R_DUPLICATE")


@dataclass(frozen=True)
class Message:
    """A remark with its place; `sheet`, `row`, `column` are None where it is about more, `cell` is the text as in the file."""

    text: str
    file: str = ""
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    code: str | None = None
    cell: str | None = None

    @property
    def place(self) -> str:
        """ "sheet Deals, row 812, column Close Date", "" for a remark about all. """
        parts = (f"sheet {self.sheet}" if self.sheet else "", f"row {self.row:,}" if self.row else "", f"column {self.column}" if self.column else "")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class FileReport:
    """What became of one file. Rows read = rows loaded + rows quarantined; sheets that are not used are named in a message and not counted.
    `reasons`: sentence -> rows held back for it; `footers`: totals and footers that are no rows; `unused`: columns that are not taken over."""

    file: str
    status: str
    load_id: int | None
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    reasons: Mapping[str, int]
    messages: tuple[Message, ...]
    footers: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"file": self.file, "status": self.status, "load_id": self.load_id, "rows_read": self.rows_read, "rows_loaded": self.rows_loaded,
                "rows_quarantined": self.rows_quarantined, "reasons": [{"reason": reason, "rows": rows} for reason, rows in self.reasons.items()],
                "footers": list(self.footers), "columns_not_used": list(self.unused),
                "messages": [{"sheet": m.sheet, "row": m.row, "column": m.column, "text": m.text, "cell": m.cell, "code": m.code} for m in self.messages]}


@dataclass(frozen=True)
class LoadReport:
    """What became of the files of one load: they are stored together or not at all. `text` says it in a sentence; `asked`: what speaks against it, by what is
    loaded already; `missing`: what earlier extracts brought and this one does not."""

    status: str
    load_id: int | None
    text: str
    files: tuple[FileReport, ...]
    questions: tuple[Question, ...]
    messages: tuple[Message, ...]
    as_of: pd.Timestamp | None
    asked: tuple[Asked, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def rows_read(self) -> int:
        return sum(file.rows_read for file in self.files)

    @property
    def rows_loaded(self) -> int:
        return sum(file.rows_loaded for file in self.files)

    @property
    def rows_quarantined(self) -> int:
        return sum(file.rows_quarantined for file in self.files)


# -- reports -------------------------------------------------------------------------------------------------------------------------------

def describe(names: Sequence[str], intake: Intake | None, answers: Mapping[str, str], refusal: str = "", completes: str = "") -> LoadReport:
    """The report of files that are checked and not stored. `completes`: the sentence for mended rows, which says which load they complete."""
    if intake is None or refusal:
        files = tuple(FileReport(name, REFUSED, None, 0, 0, 0, {}, (Message(refusal, name),)) for name in names)
        return LoadReport(REFUSED, None, f"Refused: {refusal}", files, (), (), None)
    faults = [problem for problem in intake.problems if refuses(problem)]
    sheets = intake.ledger.sheets[intake.ledger.sheets["table"] != NOT_USED]
    status, text = LOADED, ""
    held_back = _too_much(sheets, intake.ledger.findings)
    questions = (*intake.questions, *(q for q in held_back if answers.get(q.key) not in q.options))
    waiting = [q for q in questions if q.default is None]
    if faults:
        status, text = REFUSED, f"Refused, and nothing is stored: {faults[0]}"
    elif not intake.data.tables:
        hidden = next((f" In {match.sheet.file}, {note}" for match in intake.recognition.matches for note in match.sheet.notes if note.startswith(HIDDEN)), "")
        status, text = REFUSED, f"Refused: no table of a CRM was recognised in these files; say on the data page what their sheets hold.{hidden}"
    elif not any(map(len, intake.data.tables.values())):
        status, text = REFUSED, f"Refused: {_nothing_left(intake)}"
    elif any(answers.get(q.key) == "no" for q in held_back):
        status, text = REFUSED, "Refused, as answered: too many rows would be held back, and nothing is stored."
    elif waiting:
        status = ASKS
        text = f"{len(waiting)} question{'s need' if len(waiting) > 1 else ' needs'} an answer first: {waiting[0].text}"
    notes = _messages(intake)
    tops = list(dict.fromkeys([*names, *(_top(file) for file in intake.ledger.sheets["file"]), *(_top(p.file) for p in intake.problems)]))
    known = {*(_top(f) for f in intake.ledger.sheets["file"]), *(_top(p.file) for p in intake.problems)}
    of = sheets["file"].map(_top)
    unused: dict[str, tuple[str, ...]] = {}
    for match in intake.recognition.used:
        unused[_top(match.sheet.file)] = (*unused.get(_top(match.sheet.file), ()), *match.unrecognised, *match.ignored)
    findings = intake.ledger.findings
    held = findings[findings["action"] == "quarantined"]
    held_of = held["file"].map(_top)
    files = []
    for top in tops:
        counts = sheets.loc[of == top, ["read", "kept", "quarantined"]].sum()
        reasons = held.loc[held_of == top, "reason"].value_counts(sort=True)
        said = tuple(note for note in notes if _top(note.file) == top)
        if status == REFUSED and faults and not any(_top(p.file) == top for p in faults):
            said = (Message("not stored, because another file of the same load was refused: mend that one, or load without it", top), *said)
        if top in known or len(names) == 1:
            files.append(FileReport(top, status, None, *(int(n) for n in counts), {str(r): int(n) for r, n in reasons.items()}, said,
                                    tuple(findings.loc[(findings["file"].map(_top) == top) & (findings["code"] == "N_FOOTER"), "text"]), unused.get(top, ())))
        else:
            files.append(FileReport(top, status, None, 0, 0, 0, {}, (Message("mended rows" if completes else "read as definitions", top), *said)))
    found = LoadReport(status, None, text, tuple(files), questions, tuple(Message(text) for text in intake.messages), intake.data.as_of)
    return found if text else replace(found, text=completes + _would(found, intake))


def _nothing_left(intake: Intake) -> str:
    """Why no row can be used: there is none, or all are held back, most of them for one reason."""
    held = intake.ledger.findings[intake.ledger.findings["action"] == "quarantined"]
    if held.empty:
        return "the files have headings but no row that could be used; export them again with their records."
    one = held[held["reason"] == held["reason"].value_counts().index[0]].iloc[0]
    place = Message("", one["file"], one["sheet"] or None, int(one["row"]) or None, one["column"] or None).place
    rest = "" if len(held) == 1 else f" (all {len(held):,} rows are held back, most of them for this)"
    return f"{one['file']}{', ' if place else ''}{place}: {one['reason']}{rest}."


def _would(found: LoadReport, intake: Intake) -> str:
    held = f" and {found.rows_quarantined:,} held back in quarantine" if found.rows_quarantined else ""
    return (f"{found.rows_read:,} rows read: {found.rows_loaded:,} kept{held}, into {len(intake.data.tables)} tables, "
            f"as of {intake.data.as_of:%Y-%m-%d %H:%M} UTC.")


def _too_much(sheets: pd.DataFrame, findings: pd.DataFrame) -> list[Question]:
    """A question per sheet of which most rows would be held back for a fault; deleted and repeated records are none."""
    faults = findings[(findings["action"] == "quarantined") & ~findings["code"].isin(_NO_FAULT)].groupby(["file", "sheet"]).size()
    sheets = sheets.assign(quarantined=faults.reindex(pd.MultiIndex.from_frame(sheets[["file", "sheet"]]), fill_value=0).to_numpy())
    worst = sheets[(sheets["read"] >= 10) & (sheets["quarantined"] > TOO_MUCH * sheets["read"])]
    return [Question(f"quarantined:{s.file}:{s.sheet}", f"{s.quarantined:,} of {s.read:,} rows of {s.sheet or s.file} would be held back. Store the others all the same?",
                     ("yes", "no"), None, f"{s.file}, sheet {s.sheet}" if s.sheet else s.file) for s in worst.itertuples(index=False)]


def refuses(problem: Problem) -> bool:
    """Whether a problem stops the load: not a file that came twice, nor what lay beside the extracts of an archive."""
    return problem.code not in _HARMLESS


def _top(file: str) -> str:
    """The file that was given: of a member of an archive, the archive."""
    return file.partition("/")[0]


def _messages(intake: Intake) -> list[Message]:
    """Problems, then findings with their place; of mere remarks and mendings the first of each kind."""
    out = [Message(p.text, p.file, p.sheet or None, p.row, p.column, p.code) for p in intake.problems]
    findings = intake.ledger.findings
    rank = findings.groupby(["file", "sheet", "action", "code", "column"], sort=False).cumcount()
    shown = findings[(findings["action"] == "quarantined") | (rank < NOTES_EACH)]
    for row in shown.itertuples(index=False):
        text = row.reason
        if row.code == "N_NOT_USED" and intake.config and (row.sheet or row.file.rpartition("/")[2].partition(".")[0]).lower() == "config":
            text = f"read as definitions ({len(intake.config)} keys)"
        out.append(Message(text, row.file, row.sheet or None, int(row.row) or None, row.column or None, row.code, row.text or None))
    rest = findings[(findings["action"] != "quarantined") & (rank >= NOTES_EACH)]
    for (file, sheet, column, code), part in rest.groupby(["file", "sheet", "column", "code"], sort=False):
        out.append(Message(f"{len(part):,} more rows like these (the ledger lists them all): {part['reason'].iloc[0]}", file, sheet or None, None, column or None, code))
    return out


def stored(found: LoadReport, result: LoadResult, learnt: Iterable[str] = ()) -> LoadReport:
    """The report once the store has answered: it keeps the rows now, or had them already."""
    files = tuple(replace(file, status=result.status, load_id=result.load_id) for file in found.files)
    return replace(found, status=result.status, load_id=result.load_id, text=result.message, files=files,
                   messages=(*(Message(text) for text in learnt), *found.messages))


def asking(found: LoadReport, asked: Sequence[Asked]) -> LoadReport:
    """The report of a draft that something speaks against: each doubt is a question."""
    if not asked:
        return found
    questions = tuple(one.question for one in asked)
    files = tuple(replace(file, status=ASKS) for file in found.files)
    short = " and ".join(f"{_SHORT[one.doubt.kind]} load {one.doubt.load.id}" for one in asked)
    return replace(found, status=ASKS, text=f"{found.text} Nothing is stored yet: this extract is {short}; confirm that it is meant.", files=files, questions=(*questions, *found.questions), asked=tuple(asked))


def remarked(found: LoadReport, missing: Iterable[str]) -> LoadReport:
    """`found`, with what is not there."""
    missing = tuple(missing)
    return replace(found, missing=missing, messages=(*(Message(text) for text in missing), *found.messages))


def refused(found: LoadReport, why: str) -> LoadReport:
    files = tuple(replace(file, status=REFUSED, messages=(Message(why, file.file), *file.messages)) for file in found.files)
    return replace(found, status=REFUSED, text=f"Refused, and nothing is stored: {why}", files=files)


# -- the rows to mend ----------------------------------------------------------------------------------------------------------------------

def with_raw(ledger: Ledger) -> pd.DataFrame:
    """The findings with the quarantined rows themselves (JSON), so that they can be had from the store later."""
    raw = ledger.to_mend.set_index(["file", "sheet", "row"])["raw"]
    at = pd.MultiIndex.from_frame(ledger.findings[["file", "sheet", "row"]])
    held = (ledger.findings["action"] == "quarantined").to_numpy()
    return ledger.findings.assign(raw=pd.Series(raw.reindex(at).to_numpy(), index=ledger.findings.index, dtype="str").where(held).fillna(""))


def to_mend(findings: pd.DataFrame, load: LoadInfo | None = None) -> dict[str, pd.DataFrame]:
    """Place of a sheet -> its quarantined rows as text under the headings of the file, from the findings that a load keeps. The reason stands in front, their place and
    `load` behind: so the mended rows are known again, and complete the load."""
    held = findings[findings["raw"] != ""] if "raw" in findings.columns else findings.iloc[:0]
    out = {}
    for (file, sheet), part in held.groupby(["file", "sheet"], sort=False):
        cells = pd.DataFrame([json.loads(raw) for raw in part["raw"]], dtype="str").fillna("").drop(columns=[EXTRA, MISSING], errors="ignore")
        place = pd.DataFrame({FILE: str(file), SHEET: str(sheet), ROW: part["row"].astype("str").to_numpy(), LOAD: completing.mark(load) if load else ""}, dtype="str")
        why = pd.DataFrame({REASON: part["reason"].to_numpy()}, dtype="str")
        out[f"{file}, {sheet}" if sheet else str(file)] = pd.concat([why, cells, place], axis=1)
    return out
