"""The total that a report itself has below its rows, held against the sum of the rows that were read: where they differ, rows are missing, doubled or altered."""

from __future__ import annotations

import pandas as pd

from revscore.intake.desk import Desk
from revscore.intake.match import Match
from revscore.intake.numbers import read_numbers


def check_sums(match: Match, desk: Desk) -> None:
    """Say which totals of amounts of one currency (`Sheet.sums`) are not the sums of their columns. Differences that come of rounding are none."""
    sheet = match.sheet
    currencies = sheet.frame[match.heading("currency")].str.strip() if match.heading("currency") else pd.Series(dtype="str")
    for heading, figure in sheet.sums.items():
        known = match.field(heading)
        if known is None or known.kind != "money" or heading not in sheet.frame.columns or currencies[currencies != ""].nunique() > 1:
            continue
        read = read_numbers(pd.concat([sheet.frame[heading], pd.Series([figure], dtype="str")], ignore_index=True), desk.answers.get(f"decimal_mark:{sheet.file}:{heading}"))
        said, rows = read.values.iloc[-1], read.values.iloc[:-1]
        if read.doubt or read.bad.any() or read.currency.nunique() > 1:
            continue
        if abs(said - rows.sum()) > (1 if float(said).is_integer() else 0.01) + 0.005 * len(rows):
            desk.say(f"{sheet.place}: the total line says {said:,.2f} for “{heading}”, but the {len(rows):,} rows above it come to {rows.sum():,.2f}; "
                     "rows are missing, doubled or altered, so check the export")
