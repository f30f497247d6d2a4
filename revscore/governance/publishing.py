"""Publishing: closing a review keeps its numbers, and every one of them can be asked for again, exactly as it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.made import Given, Number, made_of
from revscore.core.metrics import CARDS
from revscore.core.receipt import named_by_id, pairs, receipt
from revscore.core.view import View
from revscore.core.written import encoded, number_from_json, view_as_json
from revscore.people import Actor
from revscore.rhythm import meetings
from revscore.rhythm.meetings import Meeting
from revscore.store import Publication, PublishedValue, Store, StoreError

_NOTHING = pd.DataFrame({"record": pd.Series(dtype="str"), "contribution": pd.Series(dtype="float64")})


def publish(store: Store, x: Coded, numbers: Sequence[Number], review: str, title: str, view: View, by: Actor) -> Publication:
    """Keep `numbers` of an extract that came from `store`; those that the extract cannot give are not published, and of two that are the same the first.

    Raises StoreError when there is nothing to publish, or the extract is not from a store.
    """
    by.demand("publish")
    id_ = store.publish(*gathered(x, numbers, review, title, view, by.name))
    return next(one for one in store.publications(x.data.stand.dataset) if one.id == id_)


def close_meeting(store: Store, x: Coded, numbers: Sequence[Number], held: Meeting, view: View, by: Actor, reason: str = "") -> Meeting:
    """Publish the numbers of a meeting and end it, in one write: both are there, or neither, and however many close it at once, one does.

    Raises what `publish` and `meetings.close` raise.
    """
    by.demand("meeting.close", "publish")
    meetings.must_run(store, x.data.stand.dataset, held)
    new = gathered(x, numbers, held.kind, held.title, view, by.name)
    return meetings.close(store, x.data.stand.dataset, held, by, reason, publish=lambda one: one.publish(*new))


def gathered(x: Coded, numbers: Sequence[Number], review: str, title: str, view: View, by: str) -> tuple[Publication, list[tuple[PublishedValue, pd.DataFrame]]]:
    """What `publish` keeps: the publication, and its values in their order, each with its pairs."""
    stand = x.data.stand
    if not stand.loads:
        raise StoreError("Only numbers of an extract in the store can be published.")
    values = {value.key: (value, frame) for value, frame in (published(x, one) for one in reversed(numbers) if not x.data.missing(one.card.needs))}
    if not values:
        raise StoreError("There is nothing to publish: this extract gives none of the numbers of the review.")
    new = Publication(stand.dataset, review, title, x.data.as_of, stand.definitions or 0, x.terms.digest, stand.loads, view_as_json(named_by_id(x, view)), by)
    return new, list(reversed(values.values()))


def published(x: Coded, number: Number) -> tuple[PublishedValue, pd.DataFrame]:
    """A number as it is kept, with its pairs."""
    number = Number(number.label, number.card, number.row_name, named_by_id(x, number.view), number.params)
    found = receipt(x, number)
    params, view = {name: encoded(value) for name, value in number.params}, view_as_json(number.view)
    key = hashlib.sha256(json.dumps([number.card.id, number.stat, params, {**view, "grain": ""}], sort_keys=True).encode()).hexdigest()[:16]
    numbers = {name: None if np.isnan(getattr(found, name)) else getattr(found, name) for name in ("value", "numerator", "denominator", "n")}
    return PublishedValue(key, number.label, number.card.id, number.stat, params, view, receipt=found.as_dict(), **numbers), all_pairs(x, number)


def all_pairs(x: Coded, number: Number) -> pd.DataFrame:
    """The pairs of a number, or of all the numbers that it is made of, each with its day and dimensions; `part` says which ("" = its own)."""
    frames = [pairs(x, leaf, described=True).assign(part=name) for name, leaf in leaves(x, number)]
    return pd.concat(frames, ignore_index=True) if frames else _NOTHING.assign(part="")


def leaves(x: Coded, number: Number, name: str = "") -> Iterable[tuple[str, Number]]:
    """(name, number) of those parts of a number, or of their parts, that have rows of their own."""
    if x.data.missing(number.card.needs):
        return
    if not number.is_made:
        yield name, number
        return
    made = made_of(x, number)
    for part in made.parts if made else ():
        if not isinstance(part, Given):
            yield from leaves(x, part, f"{name} › {part.label}" if name else part.label)


def number_of(value: PublishedValue) -> Number:
    """The number that a published value asks for. Raises StoreError for a metric that this revscore does not have."""
    if value.metric not in CARDS:
        raise StoreError(f"The metric {value.metric} was published and is not known to this revscore.")
    return number_from_json({"metric": value.metric, "measure": value.measure, "label": value.label, "view": value.view, "params": value.params})
