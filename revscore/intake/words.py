"""Words of teams and vendors: comparing them without case, spaces and punctuation, and what they mean (presets/words.toml)."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from revscore.intake.numbers import CODES, SYMBOLS
from revscore.intake.patterns import spread


@cache
def lists() -> Mapping[str, Any]:
    """The word lists as they stand in words.toml."""
    return tomllib.loads((files("revscore.intake") / "presets" / "words.toml").read_text(encoding="utf-8"))


def fold(word: str) -> str:
    """Letters and digits in lower case: "Stage_Name", "STAGENAME" and "Stage Name" are one; a connector's `property_` prefix goes."""
    word = unicodedata.normalize("NFKC", word).strip().lower()              # full-width letters are letters
    for prefix in ("property_", "properties.", "properties_"):
        word = word.removeprefix(prefix)
    return "".join(letter for letter in word if letter.isalnum())


def folded(text: pd.Series) -> pd.Series:
    """`fold` of every value, worked out once per distinct one."""
    codes, words = pd.factorize(text)
    return spread([fold(str(word)) for word in words], codes, text.index)


@cache
def _meanings(section: str) -> Mapping[str, str]:
    return {fold(word): meaning for meaning, entry in lists()[section].items() for word in entry.get("words", ())}


def meaning(section: str, word: str) -> str | None:
    """What `word` means by the list `section` ("lead_status", "opp_type", …); None when no list knows it."""
    known = _meanings(section).get(fold(word))
    if known:
        return known
    parts = {fold(part) for part in word.lower().replace("-", " ").replace("/", " ").replace("_", " ").split()}
    for result, entry in lists()[section].items():
        if parts & set(entry.get("tokens", ())) or any(fold(word).startswith(p) for p in entry.get("prefixes", ())):
            return result
    return None


def translate(section: str, text: pd.Series) -> tuple[pd.Series, dict[str, str | None]]:
    """(meanings, distinct word -> meaning or None) of a column; empty and unknown become missing."""
    codes, words = pd.factorize(text.where(text != ""))
    known = {str(word): meaning(section, str(word)) for word in words}
    return spread([known[str(word)] for word in words], codes, text.index), known


def currency(word: str) -> str | None:
    """ISO code of "EUR", "Euro", "€", "US Dollar"."""
    word = word.strip()
    return word.upper() if word.upper() in CODES else SYMBOLS.get(word) or lists()["currency"]["words"].get(word.lower())
