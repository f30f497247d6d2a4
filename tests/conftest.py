"""For all tests: what was skipped is said, with its reason; a run of continuous integration draws the same examples every time. Files are read in this process,
which saves starting another for every test; `tests/intake/test_apart.py` holds that reading in the other one finds the same."""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import settings

from revscore import intake
from revscore.intake.read import read

intake.read_apart = read
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_terminal_summary(terminalreporter) -> None:
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"skipped {count}: {reason}")
