"""Parts kept on disk: the same numbers from them, and what happens to damaged ones, another code, another writer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revscore.company.shown import _code
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.kept import pack, unpack
from revscore.core.metric import Kind
from revscore.core.metrics import CARDS
from revscore.intake import load_folder
from revscore.store.kept import Kept, folder_beside

GOLDEN = Path(__file__).parents[1] / "golden" / "data"


@pytest.fixture(scope="module")
def golden():
    data, terms, _ = load_folder(GOLDEN)
    return data, terms


def test_every_card_is_the_same_from_kept_parts(golden, tmp_path: Path) -> None:
    data, terms = golden
    plain = Coded(data, terms)
    for _ in range(2):  # the first makes and keeps, the second only maps
        kept = Coded(data, terms, Kept(tmp_path, ["golden"]))
        for card in CARDS.values():
            pd.testing.assert_frame_equal(compute(kept, card), compute(plain, card))
            if card.headline.kind not in (Kind.DERIVED, Kind.STUDY):
                for name in ("segment", *card.by[:1]):
                    if name in plain.facts(card).codes:
                        pd.testing.assert_frame_equal(compute(kept, card, by=name), compute(plain, card, by=name))
    mapped = kept.facts(CARDS["funnel.cohort_conversion"])
    assert not mapped.day.flags.writeable and not mapped.values["n"].flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        mapped.day[0] = 0


def test_nothing_is_made_twice(golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, terms = golden
    for card in CARDS.values():
        compute(Coded(data, terms, Kept(tmp_path, ["golden"])), card)
    again = Coded(data, terms, Kept(tmp_path, ["golden"]))
    monkeypatch.setattr("revscore.core.leads.encode_leads", lambda x: pytest.fail("leads were encoded again"))
    monkeypatch.setattr("revscore.core.deals.encode_opportunities", lambda x: pytest.fail("deals were encoded again"))
    for name in ("funnel.cohort_conversion", "velocity.opp_stage_first_visit_km", "sla.compliance", "attribution.totals_fytd", "pipeline.bridge"):
        assert len(compute(again, CARDS[name]))


@pytest.mark.parametrize("harm", [lambda whole: whole[:-1], lambda whole: whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], lambda whole: b"", lambda whole: b"nonsense",
                                  lambda whole: whole[:-8] + bytes(8 * [255])])
def test_a_damaged_part_is_made_again(harm, tmp_path: Path) -> None:
    kept = Kept(tmp_path, ["a"])
    arrays = [np.arange(100), np.array([True, False]), np.zeros((2, 3)), np.zeros(0, dtype="int8")]
    kept.put("part", {"n": 1}, arrays)
    tree, found = kept.get("part")
    assert tree == {"n": 1} and all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(arrays, found, strict=True))
    [path] = tmp_path.rglob("*.part")
    del found
    path.write_bytes(harm(path.read_bytes()))
    assert kept.get("part") is None and not path.exists()
    kept.put("part", {"n": 2}, arrays)
    assert kept.get("part")[0] == {"n": 2}


def test_another_key_finds_nothing_and_old_folders_go(tmp_path: Path) -> None:
    for k in range(9):
        assert Kept(tmp_path, ["loads", f"code {k}"]).get("part") is None
        Kept(tmp_path, ["loads", f"code {k}"]).put("part", k, [])
    assert len(list(tmp_path.iterdir())) == 6 and Kept(tmp_path, ["loads", "code 8"]).get("part") == (8, [])
    assert len(_code()) == 16


def test_two_writers_at_once_leave_one_good_part(tmp_path: Path) -> None:
    arrays = [np.arange(50_000)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Kept(tmp_path, ["a"]).put("part", {"n": 1}, arrays), range(12)))
    assert len(list(tmp_path.rglob("*.part"))) == 1 and not list(tmp_path.rglob("*.tmp"))
    assert np.array_equal(Kept(tmp_path, ["a"]).get("part")[1][0], arrays[0])


def test_where_parts_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert folder_beside("sqlite:///data/store.sqlite") == Path("data/store.facts")
    assert folder_beside(str(tmp_path / "store.sqlite")) == tmp_path / "store.facts"
    assert folder_beside("postgresql://host/db") is None and folder_beside("sqlite:///:memory:") is None
    monkeypatch.setenv("REVSCORE_FACTS", str(tmp_path / "here"))
    assert folder_beside("postgresql://host/db") == tmp_path / "here"
    monkeypatch.setenv("REVSCORE_FACTS", "off")
    assert folder_beside("data/store.sqlite") is None


def test_a_description_holds_no_code(golden) -> None:
    x = Coded(*golden)
    with pytest.raises(TypeError):
        pack(print)
    with pytest.raises(LookupError):
        unpack({"class": "Popen", "fields": {}}, [], x)
