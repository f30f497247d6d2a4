"""A picture: a drawing as plain data, in light and dark, that pages, files and slides can all show. Charts make it; exports write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Picture:
    """`title`: what was found. `screen`: the screen of an agenda that it belongs to, "" without. `data`: the rows that are drawn. `specs`: theme ("light",
    "dark") -> Vega-Lite spec, without its data. `alt`: the finding in a sentence."""

    key: str
    title: str
    data: pd.DataFrame
    specs: Mapping[str, Mapping[str, Any]]
    alt: str
    height: int
    screen: str = ""


@dataclass(frozen=True)
class Figure:
    """What a screen draws, before it is drawn: `kind` names the drawing (see `charts.pictures.KINDS`), `frame` holds its numbers, `title` says what was found,
    `params` are what the drawing takes beside them."""

    screen: str
    kind: str
    title: str
    frame: pd.DataFrame
    params: Mapping[str, Any] = field(default_factory=dict)
