"""Unseen workbooks: the product against the specification read naively. `python -m tests.oracles.test_oracles FIRST LAST` compares more seeds."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import pytest

from tests.golden.answers import answers
from tests.golden.comparison import differences
from tests.oracles.naive import ORACLES, naive
from tests.oracles.workbooks import write

GOLDEN = Path(__file__).parents[1] / "golden"
SEEDS = (200, 203, 208, 232, 301, 305, 311, 318, 325, 342, 360, 377, 2010, 7022, 7039, 41008, 41081)


def wrong(folder: Path) -> list[str]:
    expected, actual = naive(folder), answers(folder)
    return [line for metric_id in ORACLES for line in differences(expected[metric_id], actual.get(metric_id, {}), metric_id)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_product_agrees_with_the_specification(seed: int, tmp_path: Path) -> None:
    assert not (found := wrong(write(tmp_path, seed))), "\n".join(found[:20])


def test_the_oracle_is_exact_on_the_golden_workbook() -> None:
    expected, actual = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))["metrics"], naive(GOLDEN / "data")
    assert not [line for metric_id in ORACLES for line in differences(expected[metric_id], actual[metric_id], metric_id)]


if __name__ == "__main__":
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        with tempfile.TemporaryDirectory() as folder:
            print(seed, *wrong(write(Path(folder), seed))[:5], sep="\n   ")
