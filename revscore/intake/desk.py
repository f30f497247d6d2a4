"""The desk of one load: what is asked, answered, said and held back while sheets become tables, row by row of provenance.

Every typed frame carries `_m` (which match) and `_row` (which row of its sheet), so that whatever happens to a record later is entered for
the row of the file that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from revscore.intake.ledger import Book, Ledger
from revscore.intake.match import Match
from revscore.intake.subjects import NOT_USED


_OF_FILE = re.compile(r"^(date_order|decimal_mark|zone):(.+?):([^:]*)$")
NO_DEALS = pd.DataFrame({"opp_id": [], "name": []}, dtype="str")


@dataclass(frozen=True)
class Question:
    """Something only the reader knows. `default` None: the load waits for an answer; else it is what is assumed meanwhile. `anew`: the file speaks against the answer that was kept
    from an earlier load."""

    key: str
    text: str
    options: tuple[str, ...]
    default: str | None
    place: str
    anew: bool = False


def by_heading(answers: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """(what was asked, heading) -> answer, of questions on a column, whatever its file was called."""
    return {found: value for key, value in answers.items() if (found := heading_of(key)) is not None}


def heading_of(key: str) -> tuple[str, str] | None:
    """What was asked and of which heading; None for a question on no column."""
    found = _OF_FILE.match(key)
    return (found[1], found[3]) if found else None


@dataclass
class Desk:
    """`zone`: reporting zone; `now`: no event after it is believed to have happened; `latest`: no record can have been made after it; `loaded`: opportunities (opp_id, name)
    of the load that these rows complete; `kept`: those of `answers` that were given for earlier loads and not for this one."""

    matches: Sequence[Match]
    answers: Mapping[str, str]
    zone: str
    now: pd.Timestamp
    latest: pd.Timestamp
    ours: bool = False                                                             # the sheets are the accepted rows of a load: no word in them is a slip
    loaded: pd.DataFrame = field(default_factory=lambda: NO_DEALS)
    kept: Mapping[str, str] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    derived: dict[str, str] = field(default_factory=dict)
    words: list[tuple[str, str, str, int, str]] = field(default_factory=list)      # kind, word, meaning, rows, evidence
    asked: set[str] = field(default_factory=set)                                   # keys of all questions, answered or open
    forms: dict[str, str] = field(default_factory=dict)                            # "date_order:file:heading", "decimal_mark:…" -> what was decided
    entries: list[tuple[str, int, np.ndarray, str, str, object]] = field(default_factory=list)
    _unused: dict[int, str] = field(default_factory=dict)

    def ask(self, key: str, text: str, options: Sequence[str], default: str | None, place: str, anew: bool = False) -> str | None:
        """The answer given for `key`, else `default` (and the question is open). `anew`: one that was kept from an earlier load is none."""
        given = None if anew and key in self.kept else self.answer(key)
        if given is not None:
            if not options or given in options:
                return given
            self.messages.append(f"the answer “{given}” to {key} is none of {', '.join(options)}; it was not used")
        self.questions.setdefault(key, Question(key, text, tuple(options), default, place, anew))
        return default

    def answer(self, key: str) -> str | None:
        """The answer given for `key`, which is a question of this load."""
        self.asked.add(key)
        return self.answers.get(key)

    def recalled(self, key: str) -> str | None:
        """The answer that an earlier load was given for `key`, or for the same heading of another file; None where this one was given one."""
        if key in self.answers:
            return self.kept.get(key)
        return by_heading(self.kept).get(heading_of(key))  # type: ignore[arg-type]

    def say(self, text: str) -> None:
        if text not in self.messages:
            self.messages.append(text)

    def hold(self, part: pd.DataFrame, name: str, code: str, reason: str | Sequence[str]) -> None:
        """Quarantine the records of `part`; `name` is the field at fault."""
        self._enter("quarantine", part, name, code, reason)

    def mend(self, part: pd.DataFrame, name: str, code: str, reason: str | Sequence[str]) -> None:
        self._enter("mend", part, name, code, reason)

    def note(self, part: pd.DataFrame, name: str, code: str, reason: str | Sequence[str]) -> None:
        self._enter("note", part, name, code, reason)

    def leave_out(self, match: int, why: str) -> None:
        """A whole sheet turns out to add nothing: it is listed as not used."""
        self._unused[match] = why

    def _enter(self, action: str, part: pd.DataFrame, name: str, code: str, reason: str | Sequence[str]) -> None:
        if not len(part):
            return
        owner, rows = part["_m"].to_numpy(), part["_row"].to_numpy()
        reasons = np.array([reason] * len(part) if isinstance(reason, str) else list(reason), dtype=object)
        for m in np.unique(owner):
            at = owner == m
            self.entries.append((action, int(m), rows[at], name, code, reasons[at]))

    def close(self) -> Ledger:
        """The ledger of all sheets, used or not."""
        book = Book()
        for m, match in enumerate(self.matches):
            book.open(match.sheet, (NOT_USED,) if m in self._unused else match.tables)
            for said in match.sheet.notes:
                book.note(match.sheet, None, "", "N_READ", said)
            if not match.subject or m in self._unused:
                book.note(match.sheet, None, "", "N_NOT_USED", self._unused.get(m, match.why))
            else:
                book.set_aside(match.sheet)
        for action, m, rows, name, code, reasons in self.entries:
            if m not in self._unused:
                match = self.matches[m]
                order = np.argsort(rows, kind="stable")
                getattr(book, action)(match.sheet, rows[order], match.heading(name) or name, code, list(reasons[order]))
        return book.close()
