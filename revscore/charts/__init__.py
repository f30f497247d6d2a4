"""Drawings of finished numbers, each a small frame with a constant Vega-Lite spec and a sentence. They compute nothing."""

from revscore.charts.amounts import bridge, pace
from revscore.charts.cohorts import heat, steps
from revscore.charts.control import control
from revscore.charts.curves import curve
from revscore.charts.drawing import Drawing, empty
from revscore.charts.groups import rank, split
from revscore.charts.series import spark, trend, weeks
from revscore.charts.theme import PALETTES, Palette, Theme
from revscore.charts.walks import walk

__all__ = ["PALETTES", "Drawing", "Palette", "Theme", "bridge", "control", "curve", "empty", "heat", "pace", "rank", "spark", "split", "steps", "trend", "walk", "weeks"]
