"""The look of every drawing: few colours, each with one meaning, and type that reads from four metres at 1920×1080.

Blue is what we measure, orange asks for attention, grey is the rest, ink is what was promised (targets) and what is written. No meaning
rests on red against green. Every colour that text is set in has a contrast of 4.5 or more on its ground (a test holds this). Drawings
are called with Streamlit's chart theme off (`theme=None`): its axis text stays at 3.7:1 and its marks ignore dark mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Theme = Literal["light", "dark"]
FONT = "'Source Sans', 'Source Sans Pro', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"  # the first is shipped by Streamlit
SMALL, BODY, STRONG, LAST = 16, 18, 20, 24  # px: notes, axis and legend, data labels, the one value to remember


@dataclass(frozen=True)
class Palette:
    """Colours by meaning. `heat` are five steps from little to much; text on the steps from `heat_flip` on is set in `heat_text`."""

    paper: str
    ink: str  # text, targets
    soft: str  # secondary text
    grid: str
    rest: str  # what is neither achieved nor open; tracks and ranges
    line: str  # outlines of grey marks
    main: str  # what we measure
    total: str  # a stock at a date
    open: str  # may still become `main`
    warn: str  # asks for attention
    on_main: str  # text on `main`
    extra: tuple[str, str]  # third and fourth of several curves
    heat: tuple[str, str, str, str, str]
    heat_text: str
    heat_flip: int = 3


PALETTES: dict[Theme, Palette] = {
    "light": Palette(paper="#FFFFFF", ink="#0F172A", soft="#475569", grid="#E2E8F0", rest="#CBD5E1", line="#94A3B8", main="#1D4ED8", total="#475569",
                     open="#A9C4FA", warn="#C2410C", on_main="#FFFFFF", extra=("#334155", "#7E22CE"),
                     heat=("#EDF3FE", "#CFE0FC", "#9DBFF8", "#2F66DC", "#1E3A9E"), heat_text="#FFFFFF"),
    "dark": Palette(paper="#0B1220", ink="#F1F5F9", soft="#B4C0D1", grid="#26334A", rest="#435270", line="#7D8CA5", main="#6AA8FF", total="#94A3B8",
                    open="#2A4C86", warn="#FF9D4D", on_main="#0B1220", extra=("#E2E8F0", "#D8B4FE"),
                    heat=("#14243F", "#1C3763", "#274E8E", "#6AA8FF", "#B5D5FF"), heat_text="#0B1220"),
}


def config(theme: Theme) -> dict[str, Any]:
    """The Vega-Lite configuration of every drawing."""
    p = PALETTES[theme]
    return {
        "background": "transparent", "font": FONT, "padding": {"left": 4, "top": 8, "right": 8, "bottom": 4},
        "view": {"stroke": None}, "concat": {"spacing": 8},
        "axis": {"labelColor": p.soft, "labelFontSize": BODY, "labelFontWeight": 500, "labelPadding": 10, "labelLimit": 360, "titleColor": p.soft,
                 "titleFontSize": SMALL, "titleFontWeight": 500, "titlePadding": 12, "gridColor": p.grid, "gridWidth": 1, "domain": False,
                 "ticks": False},
        "axisX": {"grid": False, "labelAngle": 0, "labelOverlap": "greedy", "labelSeparation": 1, "labelFlush": False},
        "axisY": {"tickCount": 5},
        "legend": {"title": None, "orient": "top", "direction": "horizontal", "labelColor": p.ink, "labelFontSize": BODY, "labelFontWeight": 500,
                   "labelLimit": 400, "symbolSize": 220, "symbolStrokeWidth": 2, "columnPadding": 28, "rowPadding": 8, "offset": 14, "padding": 0},
        "text": {"font": FONT, "fontSize": BODY, "fill": p.ink}, "bar": {"cornerRadius": 2},
        "line": {"strokeWidth": 3.5, "strokeJoin": "round", "strokeCap": "round"}, "rule": {"stroke": p.line},
    }


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two "#RRGGBB" colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    def luminance(colour: str) -> float:
        parts = [int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
