"""Ids as text: what a spreadsheet, a keyboard or an export did to them is undone where that is certain, else their rows are held back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.intake.desk import Desk
from revscore.intake.patterns import ascii_only, begins, letters, ordinary, written

_HIDDEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
# Letters that look like others: Greek or Cyrillic among Latin ones, full-width letters, digits of other scripts.
_ALIKE = "[A-Za-z].*[\u0370-\u052f]|[\u0370-\u052f].*[A-Za-z]|[\uff01-\uff5e\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]"
_LONGEST_ID = 255


def read_ids(text: pd.Series, place: pd.DataFrame, name: str, heading: str, salesforce: bool, desk: Desk) -> pd.Series:
    """The ids in one column of a sheet, each as one record is called everywhere. `name`: the field; those that are damaged hold their rows back."""
    if not ordinary(text):
        for pattern, what in ((_HIDDEN, "characters that cannot be seen"), (_ALIKE, "letters or digits that only look like those of an id")):
            desk.hold(place[text.str.contains(pattern, regex=True).to_numpy(dtype=bool)], name, "R_ID", f"“{heading}” holds {what}; type it anew")
    text, undone = _bare(text)
    for what in undone:
        desk.say(f"“{heading}”: {what}")
    long = (text.str.len() > _LONGEST_ID).to_numpy(dtype=bool)
    desk.hold(place[long], name, "R_ID", f"“{heading}” has more than {_LONGEST_ID} characters, which no id has")
    _ask_rounded(text, place, name, heading, desk)
    damaged = text.str.fullmatch(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{2,}").to_numpy(dtype=bool)
    desk.hold(place[damaged], name, "R_ID", f"“{heading}” was turned into a rounded number by a spreadsheet; export the ids as text")
    if not salesforce:
        return text
    wrong = _wrong(text)
    desk.hold(place[wrong], name, "R_ID", f"“{heading}”: the last three characters do not fit the others, as when capitals were lost; take the id from Salesforce again")
    whole = complete_ids(text)
    changed = int((whole != text).sum())
    if changed:
        sheet = desk.matches[int(place["_m"].iloc[0])].sheet
        desk.say(f"{sheet.place}, column {heading}: {changed:,} id{'s' if changed > 1 else ''} of 15 characters completed to the 18 of Salesforce")
    return whole


def _ask_rounded(text: pd.Series, place: pd.DataFrame, name: str, heading: str, desk: Desk) -> None:
    """Ask about ids of 18 digits and more that all end in zeros where a spreadsheet keeps no digit (from the sixteenth on): two records may have become one."""
    long = text.str.fullmatch(r"[1-9][0-9]{17,}").to_numpy(dtype=bool)
    if long.sum() < 2 or not text[long].str.fullmatch(r"[0-9]{15}0+").all():
        return
    sheet = desk.matches[int(place["_m"].iloc[0])].sheet
    if desk.ask(f"rounded:{sheet.file}:{heading}", f"All long numbers in “{heading}” end in zeros, as in “{text[long].iloc[0]}”: are the ids so, or were they rounded by a "
                "spreadsheet (its rows are then held back; export the ids as text)?", ("right", "rounded"), None, sheet.place) == "rounded":
        desk.hold(place[long], name, "R_ID", f"“{heading}” was rounded by a spreadsheet, as answered; export the ids as text")


def spelled(text: pd.Series, salesforce: bool) -> pd.Series:
    """Ids as they are compared: what `read_ids` makes of them."""
    bare, _ = _bare(text.str.strip())
    return complete_ids(bare) if salesforce else bare


def _bare(text: pd.Series) -> tuple[pd.Series, list[str]]:
    """The ids without what a program wrote around or into them, and sentences on that."""
    undone = []
    if begins(text, ('="',)):                                    # ="00123" is how exports keep a spreadsheet from taking an id for a number
        text = text.str.replace(r'^="([^"]*)"$', r"\1", regex=True)
    marked = text.str.fullmatch("'[0-9]+").to_numpy(dtype=bool) if begins(text, ("'",)) else np.zeros(len(text), bool)     # so a spreadsheet is told that it is text
    if marked.any():
        text = text.str.removeprefix("'").where(marked, text)
        undone.append("ids with an apostrophe in front of their digits are read without it")
    if (text.str.fullmatch(r"[0-9]{1,15}(?:\.0)?|[1-9][0-9]{0,2}(?:,[0-9]{3})+") | (text == "")).all():         # whole numbers that a program wrote as others
        for what, mark, bare in (("decimals", r"\.0$", ""), ("amounts, with marks of thousands", ",", "")):
            odd = text.str.contains(mark, regex=True).to_numpy(dtype=bool)
            if odd.any():
                undone.append(f"ids written as {what} (“{text[odd].iloc[0]}”) are read as the whole numbers that they are")
                text = text.str.replace(mark, bare, regex=True)
    if not ascii_only(text):                                     # "é" is one sign, or "e" and an accent: nobody sees which
        composed = text.str.normalize("NFC")
        changed = int((composed != text).sum())
        if changed:
            text = composed
            undone.append(f"{changed:,} id{'s' * (changed > 1)} with accents that are signs of their own; read as the letters that they show")
    return text, undone


def complete_ids(text: pd.Series) -> pd.Series:
    """Salesforce ids of 15 characters as their 18: three letters say which of the 15 are capitals, so that case is never lost."""
    short = text.str.fullmatch(r"[a-zA-Z0-9]{15}").to_numpy(dtype=bool) & text.str.contains(r"^[a-zA-Z0-9]{3}.*[0-9]", regex=True).to_numpy()
    if not short.any():
        return text
    body = letters(text[short], 15)
    whole = written(np.concatenate([body, _capitals(body)], axis=1), text.index[short])
    if short.all():
        return whole
    out = text.copy()
    out[short] = whole
    return out


def _capitals(body: np.ndarray) -> np.ndarray:
    """The last three characters for the first fifteen (bytes, a row an id)."""
    capital = ((body >= ord("A")) & (body <= ord("Z"))).reshape(-1, 3, 5)
    return np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", np.uint8)[capital @ (1 << np.arange(5))]


def _wrong(text: pd.Series) -> np.ndarray:
    """Ids of 18 characters whose last three do not say which of the others are capitals; none where most do not, since they are no ids of Salesforce then."""
    full = text.str.fullmatch(r"[a-zA-Z0-9]{18}").to_numpy(dtype=bool) & ~text.str.fullmatch(r"[0-9]*").to_numpy(dtype=bool)
    wrong = np.zeros(len(text), bool)
    if full.any():
        given = letters(text[full], 18)
        last = np.where(given[:, 15:] >= ord("a"), given[:, 15:] - 32, given[:, 15:])
        digits = ((given[:, 3:15] >= ord("0")) & (given[:, 3:15] <= ord("9"))).any(axis=1)
        wrong[full] = ~digits | (_capitals(given[:, :15]) != last).any(axis=1)
    return wrong if wrong.sum() * 2 < full.sum() else np.zeros(len(text), bool)
