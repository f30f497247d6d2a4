"""A picture: a drawing as plain data, in light and dark, that pages, files and slides can all show. Charts make it; exports write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
