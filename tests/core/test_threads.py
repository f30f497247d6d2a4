"""What is encoded in another thread is the same, whoever asks first and however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.intake import load_folder

_ASKED = ("funnel.cohort_conversion", "attribution.totals_fytd", "sla.compliance", "pipeline.bridge")


@pytest.mark.parametrize("order", [_ASKED, _ASKED[::-1]])
def test_the_same_with_and_without_threads(order: tuple[str, ...]) -> None:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    plain = Coded(data, terms)
    with ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(4) as sessions:
        x = Coded(data, terms, None, beside)
        for name, found in zip(order * 2, sessions.map(lambda name: compute(x, CARDS[name]), order * 2), strict=True):
            pd.testing.assert_frame_equal(found, compute(plain, CARDS[name]))
    assert x.people.touches.person.tolist() == plain.people.touches.person.tolist()


def test_what_goes_wrong_beside_is_told_to_who_asks() -> None:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    with ThreadPoolExecutor(1) as pool:
        x = Coded(data, terms, None, pool)
        x.begin("part", lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            x.begun("part", lambda: 1)
        assert x.begun("part", lambda: 1) == 1  # begun once; who asks again makes it


def test_what_is_there_is_not_begun_again() -> None:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden" / "data")
    with ThreadPoolExecutor(1) as pool:
        x = Coded(data, terms, None, pool)
        assert all((x.people, x.journeys(), x.leads, x.clocks))
        assert not x._begun
