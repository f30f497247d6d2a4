"""Text that a spreadsheet program cannot take for a formula (CWE-1236): every export writes data through here."""

from __future__ import annotations

import pandas as pd

from revscore.core.neutral import neutral, neutral_text

__all__ = ["csv_bytes", "neutral", "neutral_frame", "neutral_text"]


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
