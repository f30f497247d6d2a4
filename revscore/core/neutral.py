"""Text that a spreadsheet program cannot take for a formula (CWE-1236), and the way back: what we wrote comes back letter for letter.

A cell that a spreadsheet would run gets an apostrophe in front. So does one that begins with apostrophes before such a text: an apostrophe too many tells it
from one that we wrote.
"""

from __future__ import annotations

import re

import pandas as pd

_LIVE = r"^'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])"
_NUMBER = r"^\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*%?$"


def neutral(text: pd.Series) -> pd.Series:
    """A text column with an apostrophe before every cell that a spreadsheet would run; plain numbers such as "-5.00" stay as they are."""
    return text.where(~_live(text), "'" + text)


def restored(text: pd.Series) -> pd.Series:
    """The text that `neutral` was given."""
    return text.where(~(text.str.startswith("'", na=False) & _live(text.str.slice(1))), text.str.slice(1))


def neutral_text(text: str) -> str:
    """One text, as `neutral` makes it."""
    return f"'{text}" if re.search(_LIVE, text) and not re.search(_NUMBER, text) else text


def _live(text: pd.Series) -> pd.Series:
    return text.str.contains(_LIVE, regex=True, na=False) & ~text.str.contains(_NUMBER, regex=True, na=False)
