"""revscore's side of tests/bench/page.py: from Parquet files to the facts of the five questions, and back from the kept ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from revscore.core.coded import Coded
from revscore.core.facts import Credits
from revscore.core.metrics import CARDS
from revscore.store.kept import Kept
from tests.bench import company
from tests.bench.questions import MODELS

_CARDS = ("funnel.cohort_conversion", "velocity.opp_stage_first_visit_km", "sla.compliance", "attribution.totals_fytd", "pipeline.bridge")


def facts(home: Path, keeper: Kept | None = None) -> Coded:
    """The coded extract with the facts of the five questions."""
    with ThreadPoolExecutor(1) as pool:
        x = Coded(company.extract(home), company.TERMS, keeper, pool)
        for name in _CARDS:
            x.facts(CARDS[name])
    return x


def kept(home: Path) -> Coded:
    """The same from what an earlier start kept (see `keep`): everything that the first page needs is there, and was checked."""
    return facts(home, Kept(home / "kept", ["bench"]))


def keep(home: Path) -> Coded:
    """A cold start that keeps what it makes."""
    return kept(home)


def facts_bytes(x: Coded) -> int:
    """Bytes of the facts, every dimension gathered, with the columns that the questions ask for."""
    seen = {}
    for name in _CARDS:
        found = x.facts(CARDS[name])
        values = found.values
        if isinstance(values, Credits):
            held = [*(values[model] for model in MODELS), values.record, *values.shared.values(), *values.made.values()]
        else:
            held = list(values.values())
        for array in (found.record, found.day, found.why, *held, *found.codes.values()):
            if array is not None:
                seen[array.__array_interface__["data"][0]] = array.nbytes
    return sum(seen.values())
