"""Recognition: which preset a sheet is of, what it is about, which heading brings which field; nothing is read or changed here.

First by signature headings, then column by column over all presets. A sheet nothing is known about is "(not used)", with a sentence.
A `mapping` that a user made or confirmed has the structure of `Recognition.mapping` and goes before the presets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from revscore.intake.presets import SheetSpec, Unused, aliases, presets
from revscore.intake.sheet import Sheet, Unusable
from revscore.intake.subjects import NOT_USED, SUBJECTS, Field
from revscore.intake.words import currency, fold

_TAIL = re.compile(r"\s*[\[(]([^()\[\]]*)[\])]\s*\*?$")


@dataclass(frozen=True)
class Match:
    """What is known of one sheet. `subject` is "" when it is not used; `why` says by what it was recognised, or why it is not used.

    columns : heading -> field of the subject; `stamps`: heading -> stage word whose entry time it holds
    samples : heading -> up to three distinct values as they stand in the file
    currency: heading -> currency that the heading itself names ("Amount (EUR)")
    """

    sheet: Sheet
    preset: str
    title: str
    subject: str
    why: str
    columns: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    currency: Mapping[str, str] = field(default_factory=dict)
    spec: SheetSpec | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """The canonical tables that the sheet feeds, or "(not used)"."""
        if not self.subject:
            return (NOT_USED,)
        more = SUBJECTS[self.spec.also].tables if self.spec and self.spec.also else ()
        names = {f.target.partition(".")[0] for f in map(self.field, self.columns) if f and f.name.endswith("_name")}
        return tuple(dict.fromkeys((*SUBJECTS[self.subject].tables, *more, *(t for t in ("accounts", "users", "campaigns") if t in names))))

    @property
    def unrecognised(self) -> tuple[str, ...]:
        return tuple(h for h in self.sheet.headings if h not in self.columns and h not in self.stamps and h not in self.ignored)

    def field(self, heading: str) -> Field | None:
        return SUBJECTS[self.subject].fields.get(self.columns.get(heading, ""))

    def target(self, heading: str) -> str:
        """The canonical `table.column` that a heading goes to; "" when it is not used."""
        if heading in self.stamps:
            return "opp_history.changed_at"
        known = self.field(heading) if self.subject else None
        return known.target if known else ""

    def heading(self, name: str) -> str:
        """The heading that brings field `name`; "" when none does."""
        return next((h for h, f in self.columns.items() if f == name), "")


@dataclass(frozen=True)
class Recognition:
    """All sheets of one load, in the order read."""

    matches: tuple[Match, ...]

    @property
    def used(self) -> tuple[Match, ...]:
        return tuple(m for m in self.matches if m.subject)

    def mapping(self) -> dict[str, Any]:
        """What was decided, as a plain dict to be kept and given back to `recognise` next time."""
        return {"version": 1, "sheets": [{"file": m.sheet.file, "sheet": m.sheet.name, "preset": m.preset, "key": m.spec.key if m.spec else "",
                                          "subject": m.subject, "columns": dict(m.columns), "stamps": dict(m.stamps)} for m in self.used]}


def is_config(sheet: Sheet) -> bool:
    """Whether the sheet holds the definitions of a plain workbook: "config" with the columns key and value."""
    return _stem(sheet).lower() == "config" and [h.lower() for h in sheet.headings] == ["key", "value"]


def recognise(sheets: Sequence[Sheet], mapping: Mapping[str, Any] | None = None) -> Recognition:
    """Recognise every sheet; `mapping` (see `Recognition.mapping`) goes before the presets. Raises Unusable for a mapping of unknown subjects."""
    return Recognition(tuple(_by_mapping(sheet, mapping) or _by_signature(sheet) or _by_column(sheet) for sheet in sheets))


def _finish(match: Match) -> Match:
    frame = match.sheet.frame
    few = frame.head(2000)
    samples = {h: tuple(few[h][few[h] != ""].drop_duplicates().head(3)) for h in match.sheet.headings}
    named = {h: code for h in match.columns if (tail := _TAIL.search(h)) and (code := currency(tail[1]))}
    return replace(match, samples=samples, currency=named)


def _stem(sheet: Sheet) -> str:
    """The name that says what a sheet holds: the sheet's own, or the file's without folder and ending."""
    return sheet.name or sheet.file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]


def _folded(sheet: Sheet) -> dict[str, str]:
    """Folded heading -> heading; a bracketed tail ("Amount (EUR)") may be left away when the bare heading is free."""
    out: dict[str, str] = {}
    for heading in sheet.headings:
        out.setdefault(fold(heading), heading)
    for heading in sheet.headings:
        bare = fold(_TAIL.sub("", heading))
        if bare:
            out.setdefault(bare, heading)
    return out


def _columns(known: Mapping[str, str], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """heading -> field, each heading and each field once."""
    out: dict[str, str] = {}
    for name, headings in wanted.items():
        found = next((known[h] for h in headings if h in known and known[h] not in out), None)
        if found:
            out[found] = name
    return out


def _enough(subject: str, fields: set[str]) -> bool:
    return all(any(name in fields for name in need.split("|")) for need in SUBJECTS[subject].needs)


def _by_mapping(sheet: Sheet, mapping: Mapping[str, Any] | None) -> Match | None:
    best: Match | None = None
    for entry in (mapping or {}).get("sheets", ()):
        subject = entry.get("subject", "")
        if subject and subject not in SUBJECTS:
            raise Unusable(f"mapping: “{subject}” is nothing a sheet can be about; choose one of {', '.join(sorted(SUBJECTS))}")
        columns, stamps = dict(entry.get("columns", {})), dict(entry.get("stamps", {}))
        wanted = set(columns) | set(stamps)
        if not wanted or not wanted <= set(sheet.headings) or best and len(wanted) <= len(best.columns) + len(best.stamps):
            continue
        spec = next((s for p in presets() for s in p.sheets if (s.preset, s.key) == (entry.get("preset"), entry.get("key"))), None)
        best = Match(sheet, entry.get("preset", "own"), "your mapping", subject, "recognised by the mapping that was kept",
                     {h: f for h, f in columns.items() if f}, stamps, spec=spec)
    return _finish(best) if best else None


def _by_signature(sheet: Sheet) -> Match | None:
    if is_config(sheet):
        return _finish(Match(sheet, "plain", "revscore tables", "", "the team's definitions: read as terms, not as records"))
    known = _folded(sheet)
    have = frozenset(known)
    exact = frozenset(fold(h) for h in sheet.headings)
    stem = _stem(sheet)
    best: tuple[float, SheetSpec | Unused, dict[str, str]] | None = None
    for preset in presets():
        for one in preset.unused:
            named = bool(one.file and one.file.search(stem))
            if (named or not one.file) and one.signature <= exact:
                score = 12.0 * len(one.signature) + 60 * named
                best = (score, one, {}) if best is None or score > best[0] else best
        for spec in preset.sheets:
            if not spec.requires <= exact or spec.without and any(h.startswith(spec.without) for h in sheet.headings):
                continue
            alternatives = [len(s) for s in spec.signature if s <= have]
            named = bool(spec.file and spec.file.search(stem))
            if not alternatives and not named:
                continue
            columns = _columns(known, spec.columns)
            if not _enough(spec.subject, set(columns.values())) or (not alternatives and len(columns) < 3) or not _cells_fit(sheet, spec, columns):
                continue
            if spec.plain:
                share = len(columns) / max(1, len(sheet.headings))
                if share < 0.8 or max(alternatives) == 0:
                    continue
                score = 1000 * share + 10 * (stem == spec.subject) + len(columns)
            else:
                score = 4.0 * max(alternatives, default=0) + 3 * len(columns) + 8 * named + 5 * bool(spec.requires) + 100 * spec.first
            best = (score, spec, columns) if best is None or score > best[0] else best
    if best is None:
        return None
    _, found, columns = best
    if isinstance(found, Unused):
        return _finish(Match(sheet, found.preset, found.title, "", f"not used: {found.why}"))
    return _finish(_with_stamps(Match(sheet, found.preset, found.title, found.subject, f"recognised as {found.title}, {SUBJECTS[found.subject].title.lower()}",
                                      columns, spec=found)))


def _cells_fit(sheet: Sheet, spec: SheetSpec, columns: Mapping[str, str]) -> bool:
    """Whether the cells say so too, where headings alone do not tell two kinds of sheets apart."""
    if not spec.some and not spec.every:
        return True
    headings = {name: heading for heading, name in columns.items()}
    def fits(name: str, pattern: re.Pattern[str]) -> pd.Series:
        return pd.Series(sheet.frame[headings[name]].str.strip().unique(), dtype="str").str.contains(pattern) if name in headings else pd.Series([False])
    return all(fits(*one).any() for one in spec.some) and all(fits(*one).all() for one in spec.every)


def _with_stamps(match: Match) -> Match:
    """Columns made of stage names ("Date entered …"), and those that are known to be of no use."""
    stamps: dict[str, str] = {}
    ignored = []
    for heading in match.sheet.headings:
        if heading in match.columns or match.spec is None:
            continue
        hit = next((m for p in match.spec.stamps if (m := p.search(heading))), None)
        if hit and not any(p.search(heading) for p in match.spec.ignore):
            stamps[heading] = hit["word"].strip().strip("\"'")
        elif any(p.search(heading) for p in match.spec.ignore) or fold(heading).startswith("fivetran"):
            ignored.append(heading)
    return replace(match, stamps=stamps, ignored=tuple(ignored))


def _by_column(sheet: Sheet) -> Match:
    known = _folded(sheet)
    best: tuple[int, str, dict[str, str]] | None = None
    for subject in _BY_COLUMN:
        pool = aliases(subject)
        wanted: dict[str, tuple[str, ...]] = {}
        for heading, name in pool.items():
            wanted[name] = (*wanted.get(name, ()), heading)
        columns = _columns(known, wanted)
        if len(columns) >= 3 and 2 * len(columns) >= len(sheet.headings) and _enough(subject, set(columns.values())) and (
                best is None or len(columns) > best[0]):
            best = (len(columns), subject, columns)
    if best is None:
        some = ", ".join(sheet.headings[:4]) or "none"
        return _finish(Match(sheet, "", "", "", f"not used: no table of a CRM was recognised by its headings ({some}); "
                                                "choose what it is about on the data page if it should be"))
    return _finish(Match(sheet, "columns", "column names", best[1], f"recognised column by column as {SUBJECTS[best[1]].title.lower()}", best[2]))


# Subjects that single columns may be recognised for, the ones with many own headings first.
_BY_COLUMN = ("deal", "lead", "activity", "member", "campaign", "account", "contact", "goal", "user", "deal_change", "lead_change")
