"""What a load says of itself and what is learnt from it: reports per file, definitions from the extract, mappings for next time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from revscore.core.terms import Terms, TermsError
from revscore.intake import Intake, Ledger, Problem, Question
from revscore.intake.subjects import NOT_USED
from revscore.store import LoadResult, Store

LOADED, ALREADY, REFUSED, ASKS = "loaded", "already_loaded", "refused", "needs_answer"
FROM_EXTRACT = "from the extract"
TOO_MUCH = 0.5  # of the rows of a sheet: holding back more is asked about, never done quietly
NOTES_EACH = 50  # remarks of one kind and column that a report lists; the ledger has all
_HARMLESS = ("E_TWICE",)
_TEAM = "team"  # what is kept of a mapping that belongs to no sheet
_STAGE_KEYS = ("opp_open_stages", "opp_won_stage", "opp_lost_stage", "pipeline_entry_stage")


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
    `reasons`: sentence -> rows held back for it."""

    file: str
    status: str
    load_id: int | None
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    reasons: Mapping[str, int]
    messages: tuple[Message, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"file": self.file, "status": self.status, "load_id": self.load_id, "rows_read": self.rows_read, "rows_loaded": self.rows_loaded,
                "rows_quarantined": self.rows_quarantined, "reasons": [{"reason": reason, "rows": rows} for reason, rows in self.reasons.items()],
                "messages": [{"sheet": m.sheet, "row": m.row, "column": m.column, "text": m.text, "cell": m.cell, "code": m.code} for m in self.messages]}


@dataclass(frozen=True)
class LoadReport:
    """What became of the files of one load: they are stored together or not at all. `text` says it in a sentence."""

    status: str
    load_id: int | None
    text: str
    files: tuple[FileReport, ...]
    questions: tuple[Question, ...]
    messages: tuple[Message, ...]
    as_of: pd.Timestamp | None

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

def describe(names: Sequence[str], intake: Intake | None, answers: Mapping[str, str], refusal: str = "") -> LoadReport:
    """The report of files that are checked and not stored."""
    if intake is None:
        files = tuple(FileReport(name, REFUSED, None, 0, 0, 0, {}, (Message(refusal, name),)) for name in names)
        return LoadReport(REFUSED, None, f"Refused: {refusal}", files, (), (), None)
    faults = [problem for problem in intake.problems if _refuses(problem)]
    sheets = intake.ledger.sheets[intake.ledger.sheets["table"] != NOT_USED]
    status, text = LOADED, ""
    held_back = _too_much(sheets)
    questions = (*intake.questions, *(q for q in held_back if answers.get(q.key) not in q.options))
    waiting = [q for q in questions if q.default is None]
    if faults:
        status, text = REFUSED, f"Refused, and nothing is stored: {faults[0]}"
    elif not intake.data.tables:
        status, text = REFUSED, "Refused: no table of a CRM was recognised in these files; say on the data page what their sheets hold."
    elif any(answers.get(q.key) == "no" for q in held_back):
        status, text = REFUSED, "Refused, as answered: too many rows would be held back, and nothing is stored."
    elif waiting:
        status = ASKS
        text = f"{len(waiting)} question{'s need' if len(waiting) > 1 else ' needs'} an answer first: {waiting[0].text}"
    notes = _messages(intake)
    tops = list(dict.fromkeys([*names, *(_top(file) for file in intake.ledger.sheets["file"]), *(_top(p.file) for p in intake.problems)]))
    known = {*(_top(f) for f in intake.ledger.sheets["file"]), *(_top(p.file) for p in intake.problems)}
    of = sheets["file"].map(_top)
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
            files.append(FileReport(top, status, None, *(int(n) for n in counts), {str(r): int(n) for r, n in reasons.items()}, said))
        else:
            files.append(FileReport(top, status, None, 0, 0, 0, {}, (Message("read as definitions", top), *said)))
    found = LoadReport(status, None, text, tuple(files), questions, tuple(Message(text) for text in intake.messages), intake.data.as_of)
    return found if text else replace(found, text=_would(found, intake))


def _would(found: LoadReport, intake: Intake) -> str:
    held = f" and {found.rows_quarantined:,} held back in quarantine" if found.rows_quarantined else ""
    return (f"{found.rows_read:,} rows read: {found.rows_loaded:,} kept{held}, into {len(intake.data.tables)} tables, "
            f"as of {intake.data.as_of:%Y-%m-%d %H:%M} UTC.")


def _too_much(sheets: pd.DataFrame) -> list[Question]:
    """A question per sheet of which most rows would be held back."""
    worst = sheets[(sheets["read"] >= 10) & (sheets["quarantined"] > TOO_MUCH * sheets["read"])]
    return [Question(f"quarantined:{s.file}:{s.sheet}", f"{s.quarantined:,} of {s.read:,} rows of {s.sheet or s.file} would be held back. Store the others all the same?",
                     ("yes", "no"), None, f"{s.file}, sheet {s.sheet}" if s.sheet else s.file) for s in worst.itertuples(index=False)]


def _refuses(problem: Problem) -> bool:
    """Whether a problem stops the load: not a file that came twice, nor a stray file of another type inside an archive."""
    return problem.code not in _HARMLESS and not (problem.code == "E_TYPE" and "/" in problem.file)


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


def stored(found: LoadReport, result: LoadResult, learnt: Iterable[str]) -> LoadReport:
    """The report once the store has answered."""
    files = tuple(replace(file, status=result.status, load_id=result.load_id) for file in found.files)
    return replace(found, status=result.status, load_id=result.load_id, text=result.message, files=files,
                   messages=(*(Message(text) for text in learnt), *found.messages))


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


def to_mend(findings: pd.DataFrame) -> dict[str, pd.DataFrame]:
    held = findings[findings["raw"] != ""] if "raw" in findings.columns else findings.iloc[:0]
    out = {}
    for (file, sheet), part in held.groupby(["file", "sheet"], sort=False):
        cells = pd.DataFrame([json.loads(raw) for raw in part["raw"]], dtype="str")
        why = pd.DataFrame({"__row__": part["row"].astype("str").to_numpy(), "__reason__": part["reason"].to_numpy()}, dtype="str")
        out[f"{file}, {sheet}" if sheet else str(file)] = pd.concat([cells, why], axis=1)
    return out


# -- what is learnt from a load ------------------------------------------------------------------------------------------------------------

def learn_terms(store: Store, dataset: str, intake: Intake, by: str) -> list[str]:
    """Definitions from the extract: all of them when the data set has none yet; later only stages that the definitions do not know, unless
    the definitions still are an extract's own and this one brings new ones. Sentences say what was done."""
    config, version = store.terms(dataset)
    hints = dict(intake.terms_hints)
    day = f"{intake.data.as_of:%Y-%m-%d}"
    try:
        if not version:
            store.save_terms(dataset, usable(hints).to_config(), by, FROM_EXTRACT)
            return ["the definitions (stages, currency, calendar) come from the extract; look at them on the definitions page"] if hints else []
        if intake.config and store.terms_history(dataset)[0].why.startswith(FROM_EXTRACT):
            new = usable({**config, **hints}).to_config()
            changed = [key for key in new if _plain(new[key]) != _plain(config.get(key))]
            if changed:
                store.save_terms(dataset, new, by, f"{FROM_EXTRACT} of {day}")
                return [f"the extract's own definitions changed ({', '.join(changed)}); they now hold"]
        terms = Terms.from_config(config)
        unknown = _unknown_stages(intake, terms)
        if not unknown:
            return []
        new = usable({**config, **_with_stages(terms, hints, unknown)})
        store.save_terms(dataset, new.to_config(), by, f"stages of the extract of {day} that were not defined: {', '.join(unknown)}")
        return [f"the definitions did not know the stage{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}: added as the extract uses "
                f"{'them' if len(unknown) > 1 else 'it'} (open stages now: {', '.join(new.opp_open_stages)}; won: {new.opp_won_stage}; lost: {new.opp_lost_stage})"]
    except TermsError as error:
        return [f"the extract's definitions could not be used, those in force still hold: {error}"]


def usable(config: Mapping[str, Any]) -> Terms:
    """Terms of a config whose stages fit together: an entry stage or a smallest commit stage that is none of its open stages is replaced by
    the first and the last of them."""
    config = dict(config)
    stages = config.get("opp_open_stages")
    if stages:
        if config.get("pipeline_entry_stage", Terms().pipeline_entry_stage) not in stages:
            config["pipeline_entry_stage"] = stages[0]
        hygiene = dict(config.get("hygiene") or {})
        if hygiene.get("commit_min_stage", Terms().hygiene.commit_min_stage) not in stages:
            config["hygiene"] = {**hygiene, "commit_min_stage": stages[-1]}
    return Terms.from_config(config)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _unknown_stages(intake: Intake, terms: Terms) -> list[str]:
    """Stages of the extract that the terms do not have, in the extract's own order."""
    if not intake.data.has("opp_history"):
        return []
    seen = set(intake.data.table("opp_history")["stage"].dropna().unique()) - set(terms.opp_stages)
    order = [*intake.terms_hints.get("opp_open_stages", ()), intake.terms_hints.get("opp_won_stage"), intake.terms_hints.get("opp_lost_stage")]
    return sorted(map(str, seen), key=lambda stage: (order.index(stage) if stage in order else len(order), stage))


def _with_stages(terms: Terms, hints: Mapping[str, Any], unknown: Sequence[str]) -> dict[str, Any]:
    """The stage definitions with the unknown ones where the extract has them: an open one after the stage that goes before it there."""
    won, lost = (hints.get(key) if hints.get(key) in unknown else old for key, old in
                 (("opp_won_stage", terms.opp_won_stage), ("opp_lost_stage", terms.opp_lost_stage)))
    order = [stage for stage in hints.get("opp_open_stages", ()) if stage not in (won, lost)]
    if not set(order) & set(terms.opp_open_stages):
        return {key: hints[key] for key in _STAGE_KEYS if key in hints}
    stages = [stage for stage in terms.opp_open_stages if stage not in (won, lost)]
    for stage in (s for s in unknown if s not in (won, lost)):
        before = order[:order.index(stage)] if stage in order else []
        place = max((stages.index(s) + 1 for s in before if s in stages), default=0 if stage in order else len(stages))
        stages.insert(place, stage)
    return {"opp_open_stages": stages, "opp_won_stage": won, "opp_lost_stage": lost}


# -- mappings for next time ----------------------------------------------------------------------------------------------------------------

def kept_mapping(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the store keeps, as one mapping for `intake.prepare`."""
    team = kept.get(_TEAM, {})
    return {"version": 1, "sheets": [dict(entry) for signature, entry in kept.items() if signature != _TEAM],
            "answers": dict(team.get("answers", {})), "stages": dict(team.get("stages", {}))}


def to_keep(intake: Intake, used: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Signature -> mapping: of sheets that a reader corrected, now or before, and of the team its answers and stages. An entry names every
    heading of its sheet, so that it fits that sheet only."""
    out: dict[str, dict[str, Any]] = {}
    for match in intake.recognition.matches:
        if match.title == "your mapping":
            entry = correction(match.sheet.headings, match.subject, match.columns, match.stamps, match.preset, match.spec.key if match.spec else "")
            out[signature(match.sheet.headings)] = entry
    decided = {"answers": {key: value for key, value in intake.mapping.get("answers", {}).items() if key != "as_of" and not key.startswith("quarantined:")},
               "stages": dict(intake.mapping.get("stages", {}))}
    if decided["answers"] or decided["stages"]:
        out[_TEAM] = decided
    return out


def correction(headings: Sequence[str], subject: str, columns: Mapping[str, str], stamps: Mapping[str, str] | None = None, preset: str = "own",
               key: str = "") -> dict[str, Any]:
    """An entry of a mapping for sheets with just these headings; a heading that goes nowhere is named all the same."""
    stamps = dict(stamps or {})
    return {"preset": preset, "key": key, "subject": subject, "columns": {h: columns.get(h, "") for h in headings if h not in stamps}, "stamps": stamps}


def signature(headings: Sequence[str]) -> str:
    """What a sheet is known by next time: its headings, in any order."""
    return hashlib.sha256("\n".join(sorted(headings)).encode()).hexdigest()


_OF_FILE = re.compile(r"^(date_order|decimal_mark):(.+?):([^:]*)$")


def answered_before(intake: Intake, kept: Mapping[str, str]) -> dict[str, str]:
    """Open questions on a column that were answered for the same heading of another file ("leads 9 Nov.csv" last week)."""
    known = {(m[1], m[3]): value for key, value in kept.items() if (m := _OF_FILE.match(key))}
    return {q.key: known[m[1], m[3]] for q in intake.questions if (m := _OF_FILE.match(q.key)) and (m[1], m[3]) in known}
