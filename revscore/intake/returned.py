"""Files of ours that come back: rows to mend, and the accepted rows of a load.

Rows to mend carry their place in the file that they came from (`MARKS`): they come back as sheets of that file, with its headings and row numbers and the load
that they complete. Accepted rows carry a sheet `config` that says so (`ACCEPTED`). In both, text that was made harmless for spreadsheets is as it was again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from revscore.core.neutral import restored
from revscore.intake.sheet import Sheet

REASON, FILE, SHEET, ROW, LOAD = MARKS = ("__reason__", "__file__", "__sheet__", "__row__", "__load__")
ACCEPTED = "accepted"  # key of the config beside accepted rows; its value: what was rebuilt in their load


def returned(sheets: Sequence[Sheet]) -> list[Sheet]:
    """`sheets`, with those that are ours brought back to what they were made of."""
    if any(_says_accepted(sheet) for sheet in sheets):
        return [sheet if _says_accepted(sheet) else replace(sheet, frame=_restored(sheet.frame)) for sheet in sheets]
    out: list[Sheet] = []
    for sheet in sheets:
        out += _origins(sheet) if {FILE, ROW} <= set(sheet.headings) else [sheet]
    return _together(out)


def _says_accepted(sheet: Sheet) -> bool:
    return list(sheet.headings) == ["key", "value"] and bool(sheet.frame["key"].eq(ACCEPTED).any())


def _restored(frame: pd.DataFrame) -> pd.DataFrame:
    changed = {name: restored(frame[name]) for name in frame.columns if frame[name].str.startswith("'").any()}
    out = frame.assign(**changed) if changed else frame
    return out.set_axis(restored(pd.Series(out.columns, dtype="str")).tolist(), axis=1)


def _origins(sheet: Sheet) -> list[Sheet]:
    """A sheet of rows to mend as the sheets that its rows came from; rows that somebody added stay rows of the file that they are in."""
    frame = _restored(sheet.frame)
    for mark in (SHEET, LOAD):
        frame = frame if mark in frame.columns else frame.assign(**{mark: ""})
    number = pd.to_numeric(frame[ROW].str.strip(), errors="coerce")
    place = pd.DataFrame({"load": frame[LOAD].str.strip(), "file": frame[FILE], "sheet": frame[SHEET], "row": number})
    known = number.notna() & (number > 0) & place["load"].ne("") & place["file"].ne("") & ~place.duplicated()
    load = next(iter(place["load"][place["load"] != ""]), "")
    cells = frame.drop(columns=[*MARKS], errors="ignore")
    out = []
    for (mark, file, name), part in place[known].groupby(["load", "file", "sheet"], sort=False):
        mine = cells.loc[part.index]
        out.append(Sheet(str(file), str(name), mine.reset_index(drop=True), part["row"].to_numpy().astype("int64"), notes=sheet.notes, mends=str(mark)))
    added = ~known.to_numpy()
    if added.any() or not out:
        out.append(replace(sheet, frame=cells[added].reset_index(drop=True), rows=np.asarray(sheet.rows)[added], mends=load))
    return out


def _together(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Sheets of one origin, mended in several files, as one."""
    groups: dict[tuple[str, str, str], list[Sheet]] = {}
    for sheet in sheets:
        groups.setdefault((sheet.mends, sheet.file, sheet.name) if sheet.mends else (str(id(sheet)), "", ""), []).append(sheet)
    out: list[Sheet] = []
    for one in map(_one, groups.values()):                   # what has the place of another sheet is told apart; it is refused with a sentence later
        taken = any((one.file, one.name) == (other.file, other.name) for other in out)
        out.append(replace(one, file=f"{one.file} (mended)") if taken else one)
    return out


def _one(group: Sequence[Sheet]) -> Sheet:
    """Of a row that comes twice the last counts."""
    if len(group) == 1:
        return group[0]
    rows = np.concatenate([one.rows for one in group])
    last = ~pd.Series(rows).duplicated(keep="last").to_numpy()
    frame = pd.concat([one.frame for one in group], ignore_index=True).fillna("")
    return replace(group[0], frame=frame[last].reset_index(drop=True), rows=rows[last])
