"""The specification read again, naively: the same answers as `tests/golden/answers.py`, from loops over plain records.

    python -m tests.oracles.naive DIR
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.oracles.attribution_answers import ATTRIBUTION
from tests.oracles.book import DAY, Book, Record, wilson
from tests.oracles.deal_answers import DEALS
from tests.oracles.governance_answers import GOVERNANCE
from tests.oracles.lead_answers import LEADS
from tests.oracles.quality_answers import QUALITY
from tests.oracles.shared_answers import SHARED
from tests.oracles.sla_answers import SLA


def calendar_cases(book: Book) -> list[Record]:
    out = []
    for day in (r["date"] for r in book.rows("calendar_cases")):
        year, quarter, month = book.fiscal(day)
        iso_year, iso_week, weekday = day.isocalendar()
        out.append({"date": day.isoformat(), "fiscal_year": f"FY{year % 100:02d}", "fiscal_quarter": quarter, "fiscal_month": month, "iso_week": f"{iso_year}-W{iso_week:02d}",
                    "week_start_monday": (day - (weekday - 1) * DAY).isoformat(), "week_start_sunday": (day - weekday % 7 * DAY).isoformat(), "c445": four_four_five(book, day)})
    return out


def four_four_five(book: Book, day: date) -> Record | None:
    for year in book.config.get("fiscal_445_year_starts", []):
        week = (day - date.fromisoformat(year["start"])).days // 7 + 1
        if 1 <= week <= year["weeks"]:
            lengths = [4, 4, 5] * 4
            period = next((p for p in range(1, 13) if week <= sum(lengths[:p])), 12)
            return {"fy": year["fy"], "week": week, "period": period, "quarter": (period - 1) // 3 + 1}
    return None


def wilson_examples(book: Book) -> Record:
    asked = book.report.get("wilson_examples", ["0/5", "5/5", "1/10", "6/9", "24/40", "120/400"])
    return {text: wilson(*map(int, text.split("/"))) for text in asked}


ORACLES: dict[str, Callable[[Book], object]] = {"calendar.cases": calendar_cases, **LEADS, **DEALS, **SLA, **ATTRIBUTION, **QUALITY, **GOVERNANCE, **SHARED,
                                                       "stats.wilson_examples": wilson_examples}


def naive(folder: Path | str) -> Record:
    """Every id's answer for a folder of canonical tables."""
    book = Book(folder)
    return {metric_id: oracle(book) for metric_id, oracle in ORACLES.items()}


if __name__ == "__main__":
    print(json.dumps(naive(sys.argv[1]), indent=1, ensure_ascii=False))
