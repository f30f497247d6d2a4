"""Text that a spreadsheet program cannot take for a formula (CWE-1236): every export writes data through here."""

from __future__ import annotations

import re

import pandas as pd

_LIVE = r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]"
_NUMBER = r"^\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*%?$"


def neutral(text: pd.Series) -> pd.Series:
    """A text column with an apostrophe before every cell that a spreadsheet would run; plain numbers such as "-5.00" stay as they are."""
    live = text.str.contains(_LIVE, regex=True, na=False) & ~text.str.contains(_NUMBER, regex=True, na=False)
    return text.where(~live, "'" + text)


def neutral_text(text: str) -> str:
    """One text, as `neutral` makes it."""
    return f"'{text}" if re.search(_LIVE, text) and not re.search(_NUMBER, text) else text


def neutral_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with all text columns neutral, and its headings too."""
    texts = {name: neutral(frame[name].astype("str")).where(frame[name].notna()) for name in frame.columns
             if pd.api.types.is_string_dtype(frame[name].dtype) or frame[name].dtype == object}
    out = frame.assign(**texts)
    out.columns = neutral(pd.Series(out.columns.astype("str"), dtype="str")).tolist()
    return out


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """`frame` as a CSV that Excel opens without questions: UTF-8 with a mark, neutral text, missing cells empty."""
    return neutral_frame(frame).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")
