"""A drawing at another size: every length of it times one factor, so that a small screen shows what a large one does.

A drawing is authored for a page of 1920 × 1080: its type, marks and margins are pixels. Data are left as they are.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from revscore.charts.drawing import Drawing

_LENGTHS = {"fontSize", "labelFontSize", "titleFontSize", "labelPadding", "titlePadding", "labelLimit", "titleLimit", "limit", "lineHeight", "dx", "dy", "offset", "columnPadding", "rowPadding",
            "strokeWidth", "gridWidth", "tickSize", "tickWidth", "domainWidth", "symbolStrokeWidth", "cornerRadius", "spacing", "left", "right", "top", "bottom", "width", "height", "xOffset", "yOffset"}
_AREAS = {"symbolSize"}
_IN_WORDS = re.compile(r"\b(width|height)( (?:/ 2 )?[-+] )(\d+(?:\.\d+)?)")
_FEW = 64


def scaled(drawing: Drawing, factor: float) -> Drawing:
    """`drawing`, `factor` times as large. The spec of a factor is made once and is then the same object, as specs are."""
    if factor == 1.0:
        return drawing
    return replace(drawing, spec=_scaled(_Kept(drawing.spec), factor), height=round(drawing.height * factor))


class _Kept:
    """A spec that is told apart by what it is, not by what is in it; it is held, so that its id stays its own."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.spec is self.spec

    def __hash__(self) -> int:
        return id(self.spec)


@lru_cache(_FEW)
def _scaled(kept: _Kept, factor: float) -> dict[str, Any]:
    return _times(kept.spec, factor)


def _times(value: Any, k: float, key: str = "", mark: str = "") -> Any:
    if isinstance(value, dict):
        mark = value["type"] if isinstance(value.get("type"), str) else mark
        return {name: _times(one, k, name, mark) for name, one in value.items()}
    if isinstance(value, list):
        return [_times(one, k, "strokeWidth" if key == "strokeDash" else "", mark) for one in value]
    if isinstance(value, str):
        return _IN_WORDS.sub(lambda found: f"{found[1]}{found[2]}{float(found[3]) * k:g}", value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if key in _AREAS or key == "size" and mark in ("point", "circle", "square"):
        return value * k * k
    return value * k if key in _LENGTHS or key == "size" else value
