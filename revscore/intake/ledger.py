"""The ledger: what became of every row that was read. Rows read = rows kept + rows quarantined, for every sheet, always.

A `Book` is filled while a load is cleaned and closed into a `Ledger`, which asserts the balance.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from revscore.intake.sheet import Sheet

SHEETS = {"file": "str", "sheet": "str", "table": "str", "read": "int64", "kept": "int64", "mended": "int64", "quarantined": "int64",
          "footer": "int64"}
FINDINGS = {"file": "str", "sheet": "str", "row": "int64", "column": "str", "text": "str", "action": "str", "code": "str", "reason": "str"}
TO_MEND = {"file": "str", "sheet": "str", "row": "int64", "code": "str", "reason": "str", "raw": "str"}


@dataclass(frozen=True)
class Ledger:
    """Account of one load.

    sheets  : one line a sheet: file, sheet, table(s) it feeds, rows read, kept, mended (a part of kept), quarantined, and footer
              (titles, totals, blank lines: not among the rows read)
    findings: one line a finding: file, sheet, row (0 = the whole sheet), column, text, action (mended, quarantined, note), code, reason
    to_mend : the quarantined rows themselves: file, sheet, row, code, reason, raw (JSON: heading -> text as in the file)
    """

    sheets: pd.DataFrame
    findings: pd.DataFrame
    to_mend: pd.DataFrame

    def __post_init__(self) -> None:
        wrong = self.sheets[self.sheets["read"] != self.sheets["kept"] + self.sheets["quarantined"]]
        if len(wrong) or (self.sheets["mended"] > self.sheets["kept"]).any():
            raise AssertionError(f"the ledger does not balance: {wrong.to_dict('records')}")
        if len(self.to_mend) != self.sheets["quarantined"].sum():
            raise AssertionError(f"{len(self.to_mend)} quarantined rows kept for mending, {self.sheets['quarantined'].sum()} counted")

    @property
    def read(self) -> int:
        return int(self.sheets["read"].sum())

    @property
    def kept(self) -> int:
        return int(self.sheets["kept"].sum())

    @property
    def quarantined(self) -> int:
        return int(self.sheets["quarantined"].sum())

    def reasons(self) -> pd.DataFrame:
        """Findings counted: action, code, reason, rows; most frequent first."""
        counted = self.findings.groupby(["action", "code", "reason"], sort=True).size().rename("rows").reset_index()
        return counted.sort_values("rows", ascending=False, kind="stable", ignore_index=True)


@dataclass
class Book:
    """Collects what happens to the rows of the sheets of one load; `close` gives the `Ledger`."""

    _sheets: list[Sheet] = field(default_factory=list)
    _tables: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    _held: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    _mended: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    _findings: list[pd.DataFrame] = field(default_factory=list)

    def open(self, sheet: Sheet, tables: Sequence[str]) -> None:
        """Enter `sheet`, which feeds the canonical `tables`. Each sheet is entered once."""
        key = (sheet.file, sheet.name)
        if key in self._tables:
            raise ValueError(f"{sheet.place} is entered twice")
        self._sheets.append(sheet)
        self._tables[key] = tuple(tables)
        self._held[key] = np.zeros(len(sheet.frame), dtype=bool)
        self._mended[key] = np.zeros(len(sheet.frame), dtype=bool)

    def held(self, sheet: Sheet) -> np.ndarray:
        """Which rows of the sheet are quarantined so far (boolean, one per row)."""
        return self._held[sheet.file, sheet.name].copy()

    def quarantine(self, sheet: Sheet, where: np.ndarray, column: str, code: str, reason: str | Sequence[str]) -> None:
        """Hold back the rows `where` (mask or positions). A row keeps its first reason: rows already held are not entered again.

        `column` is a heading of the sheet ("" for the whole row); `reason` is one sentence, or one per row of `where`.
        """
        at, reasons = _at(sheet, where, reason)
        held = self._held[sheet.file, sheet.name]
        new = ~held[at]
        self._find(sheet, at[new], column, "quarantined", code, reasons[new])
        held[at] = True

    def mend(self, sheet: Sheet, where: np.ndarray, column: str, code: str, reason: str | Sequence[str]) -> None:
        """Enter that the cells of `column` in the rows `where` were changed; the rows stay among the kept ones."""
        at, reasons = _at(sheet, where, reason)
        self._find(sheet, at, column, "mended", code, reasons)
        self._mended[sheet.file, sheet.name][at] = True

    def note(self, sheet: Sheet, where: np.ndarray | None, column: str, code: str, reason: str | Sequence[str]) -> None:
        """Enter a remark on the rows `where`, or on the whole sheet (`where` None): nothing was changed."""
        if where is None:
            self._findings.append(pd.DataFrame({"file": [sheet.file], "sheet": [sheet.name], "row": [0], "column": [column], "text": [""],
                                                "action": ["note"], "code": [code], "reason": [reason]}).astype(FINDINGS))
            return
        at, reasons = _at(sheet, where, reason)
        self._find(sheet, at, column, "note", code, reasons)

    def set_aside(self, sheet: Sheet) -> None:
        """Enter the rows of the file that are no records, outside the rows read: each total, footer and repeated heading; blank rows and
        titles counted."""
        some = [row for row in sheet.dropped if not row.why.startswith(("blank", "title"))]
        if some:
            self._findings.append(pd.DataFrame({"file": sheet.file, "sheet": sheet.name, "row": [row.row for row in some], "column": "",
                                                "text": [row.text for row in some], "action": "note", "code": "N_FOOTER",
                                                "reason": [f"{row.why}: no record, so it is not counted" for row in some]}).astype(FINDINGS))
        titles = sum(row.why.startswith("title") for row in sheet.dropped)
        blank = sum(row.blank for row in sheet.dropped)
        counts = [f"{n:,} {what}{'s' if n > 1 else ''}" for n, what in ((blank, "blank row"), (titles, "title row")) if n]
        if counts:
            self.note(sheet, None, "", "N_BLANK", f"{' and '.join(counts)} left out: no records")

    def close(self) -> Ledger:
        lines, raw = [], []
        for sheet in self._sheets:
            key = (sheet.file, sheet.name)
            held, read = self._held[key], len(sheet.frame)
            lines.append((*key, ", ".join(self._tables[key]), read, read - int(held.sum()), int((self._mended[key] & ~held).sum()),
                          int(held.sum()), len(sheet.dropped)))
            if held.any():
                rows = sheet.frame[held].to_dict("records")
                raw.append(pd.DataFrame({"file": sheet.file, "sheet": sheet.name, "row": sheet.rows[held],
                                         "raw": [json.dumps(row, ensure_ascii=False) for row in rows]}))
        findings = _stack(self._findings, FINDINGS).sort_values(["file", "sheet", "row"], kind="stable", ignore_index=True)
        first = findings.loc[findings["action"] == "quarantined", ["file", "sheet", "row", "code", "reason"]]
        held_rows = pd.concat([pd.DataFrame(columns=["file", "sheet", "row", "raw"]), *raw])
        to_mend = held_rows.astype({"file": "str", "sheet": "str", "row": "int64", "raw": "str"}).merge(first, on=["file", "sheet", "row"])
        return Ledger(pd.DataFrame(lines, columns=list(SHEETS)).astype(SHEETS), findings, to_mend[list(TO_MEND)].astype(TO_MEND))

    def _find(self, sheet: Sheet, at: np.ndarray, column: str, action: str, code: str, reasons: np.ndarray) -> None:
        if len(at):
            text = sheet.frame[column].iloc[at].to_numpy() if column in sheet.frame.columns else ""
            self._findings.append(pd.DataFrame({"file": sheet.file, "sheet": sheet.name, "row": sheet.rows[at], "column": column,
                                                "text": text, "action": action, "code": code, "reason": reasons}).astype(FINDINGS))


def _at(sheet: Sheet, where: np.ndarray, reason: str | Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of `where` and a reason for each of them."""
    where = np.asarray(where)
    at = np.flatnonzero(where) if where.dtype == bool else where.astype("int64")
    if where.dtype == bool and len(where) != len(sheet.frame):
        raise ValueError(f"{sheet.place}: a mask of {len(where)} rows for {len(sheet.frame)}")
    reasons = np.array([reason] * len(at) if isinstance(reason, str) else list(reason), dtype=object)
    if len(reasons) != len(at):
        raise ValueError(f"{sheet.place}: {len(reasons)} reasons for {len(at)} rows")
    return at, reasons


def _stack(parts: list[pd.DataFrame], dtypes: dict[str, str]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame(columns=list(dtypes)), *parts], ignore_index=True).astype(dtypes) if parts else (
        pd.DataFrame(columns=list(dtypes)).astype(dtypes))
