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
