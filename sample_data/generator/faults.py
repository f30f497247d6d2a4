"""The faults planted in the generated files, each counted: what the ledger of an intake must find. README.md lists the same counts."""

from __future__ import annotations

import pandas as pd

Faults = list[tuple[str, str, int]]  # fault, file or sheet, number of rows


def plain(tables: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], Faults]:
    """The plain workbook is nearly clean: a handful of duplicates and orphans, so that the first page has something to show."""
    tables = dict(tables)

    def append(name: str, rows: pd.DataFrame) -> None:
        tables[name] = pd.concat([tables[name], rows], ignore_index=True)

    append("leads", tables["leads"].iloc[[1200, 3400]])
    append("activities", tables["activities"].iloc[[5000]])
    append("lead_stage_history", tables["lead_stage_history"].iloc[[400, 9000]].assign(event_id=["LE90001", "LE90002"], lead_id=["L99901", "L99902"]))
    append("touches", tables["touches"].iloc[[700, 8000, 21000]].assign(touch_id=["T90001", "T90002", "T90003"], campaign_id="C99"))
    append("touches", tables["touches"].iloc[[900, 15000]].assign(touch_id=["T90004", "T90005"], person_id=["L99903", "K99904"]))
    append("opp_history", tables["opp_history"].iloc[[2000]].assign(event_id="OE90001", opp_id="O9901"))
    without = tables["opportunities"].index[[333, 777]]
    tables["opportunities"] = tables["opportunities"].assign(account_id=tables["opportunities"]["account_id"].where(
        ~tables["opportunities"].index.isin(without), ""))
    return tables, [("duplicate id (the same row twice)", "leads", 2), ("duplicate id (the same row twice)", "activities", 1),
                    ("event of an unknown lead", "lead_stage_history", 2), ("touch of an unknown campaign", "touches", 3),
                    ("touch by an unknown person", "touches", 2), ("event of an unknown opportunity", "opp_history", 1),
                    ("deal without an account", "opportunities", 2)]


class Spoiler:
    """Damages chosen rows of one exported table and counts what it did. Rows are chosen by position, far apart from each other."""

    def __init__(self, place: str, frame: pd.DataFrame, start: int, step: int):
        self.place, self.frame, self.next, self.step = place, frame.reset_index(drop=True).astype(object), start, step
        self.used: set[int] = set()
        self.done: Faults = []

    def rows(self, n: int, where: pd.Series | None = None) -> list[int]:
        """The next `n` rows not yet damaged (that satisfy `where`)."""
        chosen = []
        for _ in range(n):
            self.next = (self.next + self.step) % len(self.frame)
            usable = [row for row in (self.frame.index if where is None else self.frame.index[where]) if row not in self.used]
            chosen.append(next((row for row in usable if row >= self.next), usable[0]))
            self.used.add(chosen[-1])
        return chosen

    def set(self, fault: str, column: str, values: list, where: pd.Series | None = None) -> None:
        """Overwrite one cell in as many rows as there are values."""
        for row, value in zip(self.rows(len(values), where), values, strict=True):
            self.frame.loc[row, column] = value
        self.done.append((fault, self.place, len(values)))

    def edit(self, fault: str, column: str, n: int, change, where: pd.Series | None = None) -> None:
        """Rewrite one cell of `n` rows as `change(cell)`."""
        rows = self.rows(n, where)
        self.frame.loc[rows, column] = [change(cell) for cell in self.frame.loc[rows, column]]
        self.done.append((fault, self.place, n))

    def insert(self, fault: str, texts: list[dict]) -> None:
        """Put extra rows (blank, subtotal) between the others."""
        for row, text in sorted(zip(self.rows(len(texts)), texts, strict=True), key=lambda item: -item[0]):
            extra = pd.DataFrame([{column: text.get(column, "") for column in self.frame.columns}], dtype=object)
            self.frame = pd.concat([self.frame.iloc[:row], extra, self.frame.iloc[row:]], ignore_index=True)
        self.done.append((fault, self.place, len(texts)))

    def repeat(self, fault: str, n: int) -> None:
        """Append copies of `n` rows."""
        self.frame = pd.concat([self.frame, self.frame.loc[self.rows(n)]], ignore_index=True)
        self.done.append((fault, self.place, n))
