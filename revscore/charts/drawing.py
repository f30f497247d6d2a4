"""Drawing: a small frame, a constant Vega-Lite spec, a sentence; and what all drawings share.

A spec is authored once per kind, unit and theme and kept as a plain dict; a rerun costs only its small frame. Since the spec stays the
same under every filter, Vega swaps the data in the view it has. Data carries what was decided about a row (its label, whether it is
settled, on which side of the target it is); the spec says how that looks. Nothing is summed or averaged here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, ParamSpec

import altair as alt
import numpy as np
import pandas as pd

from revscore.charts.theme import BODY, PALETTES, Palette, Theme, config
from revscore.core import units
from revscore.core.units import Unit

P = ParamSpec("P")


@dataclass(frozen=True)
class Drawing:
    """What a page needs to show a chart: `st.vega_lite_chart(d.data, d.spec, theme=None, height=d.height, alt=d.alt)`.

    data : only the columns that are drawn; spec : the same object for the same kind, unit and theme; alt : the finding in a sentence
    """

    name: str
    data: pd.DataFrame
    spec: dict[str, Any]
    alt: str
    height: int


def authored(build: Callable[P, alt.LayerChart]) -> Callable[P, dict[str, Any]]:
    """Turn a function that builds an Altair chart (its last argument is the theme) into one that gives its spec, made once per arguments."""

    @cache
    @wraps(build)
    def spec(*args: Any) -> dict[str, Any]:
        chart = build(*args).to_dict()
        for key in ("data", "datasets", "$schema"):
            chart.pop(key, None)
        return chart | {"config": config(args[-1]), "autosize": {"type": "fit", "contains": "padding"}}

    return spec  # type: ignore[return-value]


def layers(*charts: alt.Chart) -> alt.LayerChart:
    """One layered chart over data that is given later."""
    return alt.layer(*charts, data=alt.NamedData("source"))


def keyed(channel: type, field: str, domain: Sequence[Any], colours: Sequence[str], legend: alt.Legend | None = None) -> Any:
    """An encoding that gives each value of `field` its own colour or shape, whatever else is in the data."""
    return channel(field, scale=alt.Scale(domain=list(domain), range=list(colours)), legend=legend)


def tips(*fields: tuple[str, ...]) -> list[alt.Tooltip]:
    """What a mark says when pointed at: (title, column[, number format]) each."""
    return [alt.Tooltip(column, title=title, **({"format": form[0]} if form else {})) for title, column, *form in fields]


def room(right: int) -> list[Any]:
    """The range of a horizontal scale that leaves `right` px for what is written there: Vega fits labels when it makes the view, before it has data."""
    return [0, alt.expr(f"width - {right}")]


def halo(palette: Palette, **text: Any) -> dict[str, Any]:
    """Arguments of the text mark that is drawn under a label, so that lines do not cross it."""
    return {**text, "stroke": palette.paper, "strokeWidth": 5, "strokeJoin": "round", "fill": palette.paper}


def written(chart: alt.Chart, palette: Palette, **text: Any) -> tuple[alt.Chart, alt.Chart]:
    """A label with its halo: two layers."""
    return chart.mark_text(**halo(palette, **text)), chart.mark_text(**text)


def clickable(chart: alt.Chart, *fields: str) -> alt.Chart:
    """`chart` as an unseen layer that takes clicks: the marks clicked are told apart by `fields`, in the parameter "pick". A click puts a mark in or
    takes it out, so that one that was opened can be opened again."""
    return chart.add_params(alt.selection_point(name="pick", fields=list(fields), toggle="true", clear=False)).properties(name="hit")


UNSEEN = {"fillOpacity": 0, "strokeOpacity": 0, "cursor": "pointer", "cornerRadius": 0}  # a mark that only takes clicks and shows its tip


@authored
def _empty(theme: Theme) -> alt.LayerChart:
    p = PALETTES[theme]
    return layers(alt.Chart().mark_text(fontSize=BODY, color=p.soft, align="center", baseline="middle", lineBreak="\n", lineHeight=28)
                  .encode(text="message:N", x=alt.value(alt.expr("width / 2")), y=alt.value(alt.expr("height / 2"))))


def empty(name: str, theme: Theme, height: int = 240, message: str = "Nothing to draw: no records in this selection.") -> Drawing:
    """The drawing of nothing: a quiet sentence where the marks would be."""
    return Drawing(name, pd.DataFrame({"message": [message]}), _empty(theme), message, height)


# -- columns -------------------------------------------------------------------------------------------------------------------------------

def number(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as floats; NaN where it is missing or not there."""
    return pd.to_numeric(frame[column]).to_numpy(dtype=float, na_value=np.nan) if column in frame.columns else np.full(len(frame), np.nan)


def words(frame: pd.DataFrame, column: str, default: str = "") -> np.ndarray:
    """A column as text; `default` where it is missing or not there."""
    if column not in frame.columns:
        return np.full(len(frame), default, dtype=object)
    return frame[column].astype(object).where(frame[column].notna(), default).astype(str).to_numpy(dtype=object)


def texts(values: Iterable[float], unit: Unit, currency: str) -> list[str]:
    """Values as they are written; "" where there is none."""
    return ["" if np.isnan(v) else units.text(v, unit, currency) for v in values]


MOST_GOALS = 4  # labels on a target line


def target_texts(goal: np.ndarray, value: np.ndarray, unit: Unit, currency: str) -> dict[str, np.ndarray]:
    """"target 30 %" where a target begins or changes (where it does so often: at the last such place before the end), "" elsewhere: in `goal_over` or, where the next values lie above the line, in `goal_under`."""
    new = ~np.isnan(goal) & (np.concatenate([[np.nan], goal[:-1]]) != goal)
    if new.sum() > MOST_GOALS:  # a target of its own for every period: the line says it, one label tells what the line is
        new &= np.arange(len(goal)) == (np.flatnonzero(new[:-1])[-1] if new[:-1].any() else len(goal) - 1)
    above = np.array([np.sum(value[k:k + 3] > goal[k]) > np.sum(value[k:k + 3] < goal[k]) for k in range(len(goal))], dtype=bool)
    said = np.array([f"target {text}".replace(".0 %", " %") for text in texts(goal, unit, currency)], dtype=object)
    return {"goal_over": np.where(new & ~above, said, ""), "goal_under": np.where(new & above, said, "")}


def suppressed(frame: pd.DataFrame) -> np.ndarray:
    return words(frame, "flag") == "suppress"


def unsettled(frame: pd.DataFrame) -> np.ndarray:
    return np.isin(words(frame, "maturity"), ("partial", "immature"))


def x_of_n(frame: pd.DataFrame) -> list[str]:
    """"3 of 4" per row; "n 4" where the numerator is not given."""
    top, base, n = number(frame, "numerator"), number(frame, "denominator"), number(frame, "n")
    base = np.where(np.isnan(base), n, base)
    return ["" if np.isnan(b) else f"n {b:,.0f}" if np.isnan(t) else units.of(t, b) for t, b in zip(top, base, strict=True)]


def missed(value: np.ndarray, target: np.ndarray, better: str) -> np.ndarray:
    """Whether a value is on the wrong side of its target (never for a metric without a better side)."""
    return (value < target) if better == "up" else (value > target) if better == "down" else np.zeros(len(value), dtype=bool)


# -- periods -------------------------------------------------------------------------------------------------------------------------------

# Axis text of a period label: "3 Mar" of a week or day, "Mar" (with the year at the first and in January) of a month, "Q1 / FY26" of a quarter.
PERIOD_AXIS = (
    r"test(/^\d{4}-\d\d-\d\d$/, datum.label) ? utcFormat(toDate(datum.label), '%-d %b') : "
    r"test(/^\d{4}-\d\d$/, datum.label) ? (datum.index === 0 || test(/-01$/, datum.label) ? "
    r"[utcFormat(toDate(datum.label + '-01'), '%b'), slice(datum.label, 0, 4)] : utcFormat(toDate(datum.label + '-01'), '%b')) : "
    r"test(/^FY\d+Q\d$/, datum.label) ? [slice(datum.label, -2), slice(datum.label, 0, -2)] : datum.label")


# The same on one line, for rows: "Mar 2026".
PERIOD_ROW = (r"test(/^\d{4}-\d\d-\d\d$/, datum.label) ? utcFormat(toDate(datum.label), '%-d %b %Y') : "
              r"test(/^\d{4}-\d\d$/, datum.label) ? utcFormat(toDate(datum.label + '-01'), '%b %Y') : "
              r"test(/^FY\d+Q\d$/, datum.label) ? slice(datum.label, -2) + ' ' + slice(datum.label, 0, -2) : datum.label")


def spoken(period: str) -> str:
    """A period label in a sentence: "March 2026", "the week of 3 March 2026", "Q1 FY26"."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", period):
        day = dt.date.fromisoformat(period)
        return f"the week of {day.day} {day:%B %Y}"
    if re.fullmatch(r"\d{4}-\d\d", period):
        return f"{dt.date.fromisoformat(period + '-01'):%B %Y}"
    if re.fullmatch(r"FY\d+Q\d", period):
        return f"{period[-2:]} {period[:-2]}"
    return period


def sentence(parts: Sequence[str]) -> str:
    """Clauses as one sentence, without the empty ones."""
    said = "; ".join(part for part in parts if part)
    return said[:1].upper() + said[1:] + ("" if said.endswith(".") else ".")
