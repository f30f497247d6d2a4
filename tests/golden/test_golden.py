"""The hand-typed workbook: every answer exactly. `data/` and `expected.json` are the specification's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.golden.answers import answers
from tests.golden.comparison import differences

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))["metrics"]


@pytest.fixture(scope="module")
def actual() -> dict:
    return dict(answers(HERE / "data"))


@pytest.mark.parametrize("metric_id", EXPECTED)
def test_answer_is_exact(metric_id: str, actual: dict) -> None:
    wrong = differences(EXPECTED[metric_id], actual.get(metric_id, {}), metric_id)
    assert not wrong, "\n".join(wrong[:20])


def test_nothing_is_answered_that_nobody_asked(actual: dict) -> None:
    assert set(actual) <= set(EXPECTED)


def test_a_rate_of_nothing_has_no_interval(tmp_path: Path) -> None:
    folder = shutil.copytree(HERE / "data", tmp_path / "data")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["report"]["wilson_examples"] = ["0/0", "1/1"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = answers(folder)["stats.wilson_examples"]
    assert found["0/0"] is None and found["1/1"][1] == 1
