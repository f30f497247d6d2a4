"""A text table is read in stretches, most of them by Arrow: it must not differ by a cell from the csv module over the whole."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from revscore.intake import delimited

CELL = st.text(alphabet='ab1 é"\n\r,;\\\t\u2028', max_size=6)
STRICT = {"delimiter": ",", "strict": True}


def outcome(text: str, dialect: dict[str, object], width: int, size: int, quick: bool) -> object:
    """The grid with its marks, or that it cannot be read."""
    patch = pytest.MonkeyPatch()
    try:
        patch.setattr(delimited, "_BLOCK", size)
        if not quick:
            patch.setattr(delimited, "_quick", lambda *_: None)
        grid, extra, missing = delimited._grid(text, dialect, width, width, lambda *_: None)
    except csv.Error as error:
        return str(error)
    finally:
        patch.undo()
    assert set(map(str, grid.dtypes)) == {"str"}
    return grid.to_numpy().tolist(), extra.tolist(), missing.tolist()


@given(rows=st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=12), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
       end=st.sampled_from(["\n", "\r\n", "\r"]), size=st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_written_tables(rows, quoting, end, size):
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=quoting, lineterminator=end).writerows(rows)
    text = stream.getvalue()
    assert outcome(text, STRICT, 3, size, True) == outcome(text, STRICT, 3, 10**6, False)


@given(text=st.text(alphabet='ab",\n\r', min_size=1, max_size=40), size=st.integers(1, 20))
@example('a"b,c,d\n"x\ny",z,w\n', 3)
@example('"a"b,c,d\n', 40)
@example('""",",\n",",""', 1)
@settings(max_examples=1000, deadline=None)
def test_any_text(text, size):
    """Quotation marks in the middle of a cell, never closed, followed by text: the same reading, or the same refusal."""
    assert outcome(text, STRICT, 3, size, True) == outcome(text, STRICT, 3, 10**6, False)
    plain = {"delimiter": ",", "quoting": csv.QUOTE_NONE}
    if '"' not in text:
        assert outcome(text, plain, 2, size, True) == outcome(text, plain, 2, 10**6, False)


def test_most_of_a_usual_table_is_read_by_arrow(monkeypatch):
    """The control of the speed: stretches with quoted line breaks too; only what is uneven goes to the csv module."""
    monkeypatch.setattr(delimited, "_BLOCK", 1 << 12)
    slow = []
    usual = delimited._slow
    monkeypatch.setattr(delimited, "_slow", lambda block, *more: slow.append(len(block)) or usual(block, *more))
    text = "".join(f'{n},"Müller, ""Söhne""\n{n}",x\r\n' for n in range(2000)) + "\r\nfooter\r\n"
    grid, _, _ = delimited._grid(text, STRICT, 3, 3, lambda *_: None)
    assert len(grid) == 2002 and sum(slow) <= 2 << 12
