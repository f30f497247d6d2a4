"""The look of what leaves the house: the colours of the charts (a test holds them together), and a typeface that Windows and Mac both have."""

from __future__ import annotations

from collections.abc import Mapping

FONT = "Arial"
LIGHT: Mapping[str, str] = {"paper": "#FFFFFF", "ink": "#0F172A", "soft": "#475569", "grid": "#E2E8F0", "rest": "#CBD5E1", "line": "#94A3B8", "main": "#1D4ED8", "total": "#475569",
                            "warn": "#C2410C"}
DARK: Mapping[str, str] = {"paper": "#0B1220", "ink": "#F1F5F9", "soft": "#B4C0D1", "grid": "#26334A", "rest": "#435270", "line": "#7D8CA5", "main": "#6AA8FF", "total": "#94A3B8",
                           "warn": "#FF9D4D"}
