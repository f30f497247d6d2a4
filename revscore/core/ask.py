"""Many metrics in one tidy frame, chosen by words: what the command line and other readers without pages ask for.

The numbers come from `core.compute`, as on the pages.
"""

from __future__ import annotations

import fnmatch
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from revscore.core.calendars import Grain
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.made import Number, bearing, chosen_rows
from revscore.core.metric import Kind, Metric
from revscore.core.metrics import CARDS
from revscore.core.review import Line, line, needed
from revscore.core.view import DIMENSIONS, View

TIDY = ("metric", "measure", "period", "by", "value", "numerator", "denominator", "n", "low", "high", "flag")
_NOT_CHOSEN = ("view", "by", "grain")  # arguments of studies that `compute` gives them


class AskError(ValueError):
    """A request that cannot be understood; the message says what is there to choose from."""


def cards(patterns: Sequence[str]) -> tuple[Metric, ...]:
    """The cards whose id fits one of `patterns` ("funnel.*", "winrate.closed_in_period"); all of them when there is no pattern."""
    if not patterns:
        return tuple(CARDS.values())
    found: dict[str, Metric] = {}
    for pattern in patterns:
        hits = [name for name in CARDS if fnmatch.fnmatchcase(name, pattern)]
        if not hits:
            near = get_close_matches(pattern, CARDS, n=4, cutoff=0.4) or sorted(CARDS)[:4]
            raise AskError(f"there is no metric “{pattern}”; near it: {', '.join(near)} (python -m revscore metrics --list names all)")
        found |= {name: CARDS[name] for name in hits}
    return tuple(found.values())


def view_of(x: Coded, where: Sequence[str] = (), period: str = "", grain: Grain | None = None) -> View:
    """A view from `dimension=value` words and a period as written ("FY26Q2", "2026-05", "2026-05-01..2026-06-15").

    Raises AskError for a dimension or, in a shared dimension, a value that the extract does not have.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    own = {name for card in CARDS.values() for name in card.by}
    for word in where:
        name, sign, value = word.partition("=")
        if not sign or name not in (*DIMENSIONS, *own):
            raise AskError(f"“{word}” is no filter: write dimension=value; the dimensions are {', '.join((*DIMENSIONS, *sorted(own - set(DIMENSIONS))))}")
        dimension = x.dims.get(name)
        if dimension is not None and not len(dimension.codes_of((value,))):
            some = dimension.labels[1:9]
            raise AskError(f"no {name} is called “{value}”; there {'is' if len(some) == 1 else 'are'} {', '.join(some) or 'none in this extract'}"
                           f"{' …' if len(dimension) > 9 else ''}")
        chosen[name] = (*chosen.get(name, ()), value)
    try:
        return View.of(x.terms.calendar.parse(period) if period else None, grain or "month", **chosen)
    except ValueError as error:
        raise AskError(str(error)) from error


def tidy(x: Coded, chosen: Sequence[Metric], view: View = View(), by: Sequence[str] = (), grain: Grain | None = None,
         params: Mapping[str, str] | None = None) -> tuple[pd.DataFrame, list[str]]:
    """(numbers in the columns `TIDY`, remarks). `by` holds the value of the one dimension asked for, of several joined by " / ".

    A metric that needs what the extract lacks, or cannot be split so, gives no row and a remark. Raises AskError for a dimension that none
    of the metrics has.
    """
    own = {name for card in chosen for name in card.by}
    for name in by:
        if name not in (*DIMENSIONS, *own):
            raise AskError(f"--by {name}: none of these metrics can be split so; the dimensions are {', '.join((*DIMENSIONS, *sorted(own - set(DIMENSIONS))))}")
    frames, remarks, unsplit = [], [], []
    for card in chosen:
        lacks = x.data.missing(card.needs)
        if lacks:
            remarks.append(f"{card.id}: needs {needed(lacks)}, which this extract lacks")
            continue
        try:
            own_view, given = read_in(x, card, view, params or {})
            found = compute(x, card, own_view, tuple(by), grain, **given)
        except KeyError as error:
            unsplit.append(f"{card.id}: {error.args[0]}")
            continue
        made = card.headline.kind in (Kind.DERIVED, Kind.STUDY)
        found = chosen_rows(x, card, own_view, found).reset_index(drop=True) if made else found
        period = found["period"] if grain else pd.Series(view.period.label if view.period else "", index=found.index)
        groups = [found[name].astype("str").fillna("") for name in by if name in found.columns]
        label = pd.Series("", index=found.index, dtype="str")
        for place, group in enumerate(groups):
            label = label + (" / " if place else "") + group.where(group != "", "(missing)")
        label = label if groups else _kinds(found)
        shown = found.assign(period=period.fillna("").astype("str"), by=label)
        frames.append(shown.reindex(columns=list(TIDY)).astype({"value": float, "numerator": float, "denominator": float, "n": float, "low": float, "high": float}))
        if own_view.where:
            numbers = _numbers(card, own_view, found, given) if made and not by and not grain else [Number.of(card, own_view, **given)]
            bears = [{*bearing(x, number)} for number in numbers]
            remarks += [f"{card.id}: has no {name}, so the filter on it changes nothing" if not any(name in some for some in bears) else
                        f"{card.id}: the filter on {name} changes only some of its rows" for name, _ in own_view.where if not all(name in some for some in bears)]
    if unsplit and not frames and by:
        raise AskError(f"none of these metrics can be split by {' and '.join(by)}; {unsplit[0]}")
    remarks += unsplit
    if not frames:
        return pd.DataFrame(columns=list(TIDY)), remarks
    whole = pd.concat(frames, ignore_index=True)
    return whole.replace({np.inf: np.nan, -np.inf: np.nan}), remarks


def lines(x: Coded, card: Metric, view: View, params: Mapping[str, Any]) -> list[tuple[Line, Number]]:
    """The headline of a card as a line with the number that it shows; of a study with several rows one for each, named by what tells it apart."""
    first = line(x, card, view, **params)
    number = Number.behind(first, view)
    found = pd.DataFrame() if first.lacks or not number.is_made else chosen_rows(x, card, view, compute(x, card, view, **params))
    if len(found):
        found = found[found["measure"] == first.stat].reset_index(drop=True)
    if len(found) < 2:
        return [(first, number)]
    out = []
    for place, (name, row) in enumerate(zip(_kinds(found), found.to_dict("records"), strict=True)):
        label = f"{first.label}, {name}"
        values = {field: float("nan") if pd.isna(row[field]) else float(row[field]) for field in ("value", "numerator", "denominator", "n", "low", "high")}
        words = {field: str(row[field]) if isinstance(row[field], str) else "" for field in ("flag", "maturity")}
        out.append((replace(first, label=label, before=float("nan"), before_x=float("nan"), before_n=float("nan"), before_period=None, series=pd.DataFrame(), **values, **words),
                    replace(number, label=label, place=place)))
    return out


def _numbers(card: Metric, view: View, found: pd.DataFrame, params: Mapping[str, Any]) -> list[Number]:
    """The number of each row of a study's frame."""
    places = found.groupby("measure", sort=False).cumcount()
    return [replace(Number.of(card, view, name, **params), place=int(place)) for name, place in zip(found["measure"], places, strict=True)]


def _kinds(found: pd.DataFrame) -> pd.Series:
    """What tells apart the rows of a study that has several of a measure: as many of its own words as that takes (a pair, a campaign, a week of a series)."""
    label = pd.Series("", index=found.index, dtype="str")
    for name in found.columns[list(found.columns).index("maturity") + 1:]:
        if not found.assign(label=label).duplicated(["measure", "period", "label"]).any():
            break
        known = found[name].dropna()
        whole = pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known) and bool((known % 1 == 0).all())
        if len(known) and (whole or pd.api.types.is_string_dtype(known)):
            text = known.astype("int64").astype("str").reindex(found.index).fillna("") if whole else found[name].fillna("").astype("str")
            label = text if not label.any() else label + " / " + text
    return label


def read_in(x: Coded, card: Metric, view: View, params: Mapping[str, str]) -> tuple[View, dict[str, Any]]:
    """The view and the parameters that a card is asked with: a card with a period of its own (retention, slippage) takes the period asked for as that."""
    given = typed(x, card, params)
    if "period" in card.params and view.period is not None:
        return view.during(None), {"period": view.period, **given}
    return view, given


def typed(x: Coded, card: Metric, given: Mapping[str, str]) -> dict[str, Any]:
    """Those of the `given` parameters that the card has, in their types."""
    signature = inspect.signature(card.build).parameters
    return {name: _typed(x, name, str(signature[name].annotation), text) for name, text in given.items() if name in card.params and name not in _NOT_CHOSEN}


def _typed(x: Coded, name: str, kind: str, text: str) -> Any:
    try:
        if "Period" in kind:
            return x.terms.calendar.parse(text)
        if "bool" in kind:
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        if "tuple" in kind:
            return tuple(part.strip() for part in text.split(","))
        return int(text) if "int" in kind else float(text) if "float" in kind else text
    except (ValueError, KeyError) as error:
        raise AskError(f"--param {name}={text}: {error.args[0] if isinstance(error, ValueError) else 'write yes or no'}") from error


def parameters(chosen: Sequence[Metric]) -> tuple[str, ...]:
    """Names of the parameters that the cards have."""
    return tuple(sorted({name for card in chosen for name in card.params} - set(_NOT_CHOSEN)))


