"""Numbers and views as plain JSON values, so that what was asked can be kept and asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revscore.core.calendars import Period
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.view import View


def view_as_json(view: View) -> dict[str, Any]:
    return {"period": view.period and encoded(view.period), "grain": view.grain, "where": {name: list(chosen) for name, chosen in view.where}}


def view_from_json(found: Mapping[str, Any]) -> View:
    return View.of(found["period"] and decoded(found["period"]), found["grain"], **{name: tuple(chosen) for name, chosen in found["where"].items()})


def number_as_json(number: Number) -> dict[str, Any]:
    return {"metric": number.card.id, "measure": number.row_name, "label": number.label, "view": view_as_json(number.view),
            "params": {name: encoded(value) for name, value in number.params}, "place": number.place}


def number_from_json(found: Mapping[str, Any]) -> Number:
    """Raises ValueError for a metric that this revscore does not have."""
    if found["metric"] not in CARDS:
        raise ValueError(f"The metric {found['metric']} is not known to this revscore.")
    return Number(found["label"], CARDS[found["metric"]], found["measure"], view_from_json(found["view"]),
                  tuple(sorted((name, decoded(word)) for name, word in found["params"].items())), found.get("place", 0))


def encoded(value: Any) -> Any:
    """A parameter: a period, a tuple, a number or a word."""
    if isinstance(value, Period):
        return {"period": [value.start, value.end, value.label]}
    if isinstance(value, tuple):
        return {"tuple": [encoded(one) for one in value]}
    return value.item() if hasattr(value, "item") else value


def decoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Period(*value["period"]) if "period" in value else tuple(decoded(one) for one in value["tuple"])
    return value
