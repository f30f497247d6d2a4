"""What a review asks for: cards by id with their statistic, and how the lines of it are made. Plain data; exports reuse it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from revscore.core.coded import Coded
from revscore.core.metric import Metric
from revscore.core.metrics import CARDS
from revscore.core.review import Line, line
from revscore.core.view import View


@dataclass(frozen=True)
class Ask:
    """One line that a review asks for. `own` narrows the metric's own dimensions, `params` are its parameters."""

    card: str
    stat: str = ""
    label: str = ""
    own: tuple[tuple[str, str], ...] = ()
    params: tuple[tuple[str, Any], ...] = ()


def ask(card: str, stat: str = "", label: str = "", *, params: dict[str, Any] | None = None, **own: str) -> Ask:
    return Ask(card, stat, label, tuple(sorted(own.items())), tuple(sorted((params or {}).items())))


def made(x: Coded, view: View, asks: Iterable[Ask]) -> tuple[Line, ...]:
    """The lines of `asks`, in their order."""
    return tuple(line(x, card, view, one.stat, label=one.label, own=dict(one.own), **dict(one.params))
                 for one in asks if (card := CARDS.get(one.card)) is not None)


def card_of(id: str) -> Metric | None:
    return CARDS.get(id)
