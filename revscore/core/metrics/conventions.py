"""The conventions that all numbers share, as cards of their own: how a date is labelled, how sure a rate is. METRICS sections 16 and 17."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from revscore.core import calendars, statistics
from revscore.core.coded import Coded
from revscore.core.made import Given, Made
from revscore.core.metric import Better, metric, study
from revscore.core.units import EVENTS, RATIO
from revscore.core.view import View


def _labelled(x: Coded, view: View, stat: str, row: pd.Series, **params: Any) -> Made:
    return Made((Given(f"Fiscal quarter of {row['date']}", float(row["fiscal_quarter"]), EVENTS, "calendar_cases, and the fiscal year of the definitions"),), "the label",
                lambda quarter: quarter)


@metric("calendar.cases", "Labels of dates", "Which fiscal year, quarter, month and week is a date in?", study("fiscal_quarter", EVENTS, label="Fiscal quarter"),
        better=Better.CONTEXT, owners=("revops",), meetings=("QGV",), needs=("calendar_cases.date",), population="the dates to label", made_of=_labelled)
def cases(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None) -> pd.DataFrame:
    """Fiscal year (named by the year in which it ends, unless the definitions say otherwise), quarter and month; the ISO week with its year; weeks that begin on
    Monday or on Sunday, by the date of their first day; in a 4-4-5 calendar the year, week, period and quarter of its table of years.
    """
    days = calendars.day_numbers(x.data.table("calendar_cases")["date"])
    frame = calendars.labels(days, x.terms.calendar, x.terms.fiscal_445_year_starts)
    return frame.assign(measure="fiscal_quarter", value=frame["fiscal_quarter"].astype(float) if len(frame) else pd.Series(dtype=float))


def _counted(x: Coded, view: View, stat: str, row: pd.Series, **params: Any) -> Made:
    parts = tuple(Given(label, float(row[name]), EVENTS, "as asked") for label, name in (("Hits", "numerator"), ("Cases", "denominator")))
    return Made(parts, "hits ÷ cases", lambda hits, n: hits / n if n else np.nan)


@metric("stats.wilson_examples", "Interval of a rate", "How sure is “x of n”?", study("rate", RATIO, label="Rate"), better=Better.CONTEXT, owners=("revops",), meetings=("QGV",),
        population="the examples asked for", made_of=_counted)
def wilson_examples(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, examples: tuple[str, ...] = ()) -> pd.DataFrame:
    """The Wilson score interval (95 %) of rates written as "6/9": where the true rate lies in 19 of 20 such samples. Every rate of the scorecard has one. Below 5
    cases "x of n" is shown without a rate, below 30 the rate counts as a small sample.
    """
    hits, n = np.array([[float(part) for part in example.split("/")] for example in examples]).reshape(-1, 2).T
    low, high = statistics.wilson(hits, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(n > 0, hits / n, np.nan)
    return pd.DataFrame({"measure": "rate", "example": list(examples), "value": rates, "numerator": hits, "denominator": n, "n": n, "low": low, "high": high,
                         "flag": statistics.display(n, x.terms.stats.min_n_show, x.terms.stats.min_n_normal).astype(object)})
