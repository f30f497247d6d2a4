"""The golden company, read once for each file of laws."""

from __future__ import annotations

from pathlib import Path

import pytest

from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.terms import Terms
from revscore.intake import load_folder

GOLDEN = Path(__file__).parents[1] / "golden" / "data"


@pytest.fixture(scope="module")
def golden() -> tuple[CrmData, Terms]:
    data, terms, _ = load_folder(GOLDEN)
    return data, terms


@pytest.fixture(scope="module")
def x(golden: tuple[CrmData, Terms]) -> Coded:
    return Coded(*golden)
