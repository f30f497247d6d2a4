"""Stages of opportunities: which of a team's words are won, lost or open, and in which order the open ones come.

Evidence, strongest first: an answer or a kept mapping, the CRM's own list of stages, flags on the records (IsWon, IsClosed), probabilities of
100 and 0, word lists. "Close" in a name says nothing: "Close plan review" is an open stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.intake.desk import Desk
from revscore.intake.words import fold, lists, meaning

OPEN, WON, LOST = "open", "won", "lost"


@dataclass(frozen=True)
class Stages:
    """`outcome`: word -> open, won or lost; `order`: the open words from first to last; `won`, `lost`: the one word of each in the result."""

    outcome: Mapping[str, str]
    order: tuple[str, ...]
    won: str
    lost: str
    entry: str

    def canonical(self, words: pd.Series) -> pd.Series:
        """The team's words for open stages, one word for won, one for lost."""
        kind = words.map(self.outcome)
        return words.mask(kind == WON, self.won).mask(kind == LOST, self.lost)

    def hints(self) -> dict[str, object]:
        """The config keys that follow (METRICS, config keys)."""
        return {"opp_open_stages": list(self.order), "opp_won_stage": self.won, "opp_lost_stage": self.lost, "pipeline_entry_stage": self.entry,
                "hygiene": {"commit_min_stage": self.order[-1]}}


def understand(rows: pd.DataFrame, listed: pd.DataFrame, times: pd.DataFrame, desk: Desk, kept: Mapping[str, object]) -> Stages:
    """Decide the meaning and order of all stage words.

    rows  : one line per use of a word: stage, is_won, is_closed (nullable), probability (as written)
    listed: the CRM's own list: label, position, is_won, is_closed, probability
    times : stage, at: when a word was entered (for the order); empty without a history
    kept  : {"outcome": {word: …}, "order": [word, …]} of an earlier load
    """
    words = list(dict.fromkeys([*listed["label"].dropna().unique(), *rows["stage"].dropna().unique()]))
    uses = rows["stage"].value_counts()
    scale = 1.0 if rows["probability"].max() > 1.0 else 100.0
    grouped = rows.assign(probability=rows["probability"] * scale).groupby("stage")
    won_share, closed_share = (grouped[c].apply(lambda s: float(s.dropna().mean()) if s.notna().any() else np.nan) for c in ("is_won", "is_closed"))
    probability = grouped["probability"].median()
    own = listed.dropna(subset=["label"]).drop_duplicates("label").set_index("label")
    outcome: dict[str, str] = {}
    for word in words:
        outcome[word], why = _outcome(word, own, won_share.get(word, np.nan), closed_share.get(word, np.nan), probability.get(word, np.nan), desk, kept)
        desk.words.append(("stage", word, outcome[word], int(uses.get(word, 0)), why))
    order = _order([w for w in words if outcome[w] == OPEN], own, probability, times, kept) or ("Open",)
    won, lost = (_one(words, outcome, kind, uses, order, usual) for kind, usual in ((WON, "Closed Won"), (LOST, "Closed Lost")))
    return Stages(outcome, order, won, lost, _entry(order, desk, kept))


def _outcome(word: str, own: pd.DataFrame, won: float, closed: float, probability: float, desk: Desk, kept: Mapping[str, object]) -> tuple[str, str]:
    key = f"stage:{word}"
    if desk.answer(key) in (OPEN, WON, LOST):
        return desk.answers[key], "answered"
    before = dict(kept.get("outcome", {})).get(word)          # type: ignore[arg-type]
    if before:
        return before, "kept mapping"
    if word in own.index and own.loc[word, ["is_won", "is_closed"]].notna().any():
        flags = own.loc[word]
        if pd.notna(flags["is_won"]) and bool(flags["is_won"]):
            return WON, "list of stages"
        return (LOST if pd.notna(flags["is_closed"]) and bool(flags["is_closed"]) else OPEN), "list of stages"
    if won >= 0.5:
        return WON, "marked as won"
    if closed >= 0.5:
        return LOST, "marked as closed and not won"
    known = meaning("outcome", word)
    if closed == closed and closed < 0.5 and known != OPEN and not (won != won and known == WON):
        return OPEN, "not marked as closed"
    if known:
        return known, "word list"
    if closed != closed and probability == 100:
        return WON, "probability 100"
    if any(part in word.lower() for part in lists()["stages"]["order"]):
        return OPEN, "word list"
    return desk.ask(key, f"What does the stage “{word}” mean?", (OPEN, WON, LOST), OPEN, "stages") or OPEN, "not known: taken as open"


def _order(words: list[str], own: pd.DataFrame, probability: pd.Series, times: pd.DataFrame, kept: Mapping[str, object]) -> tuple[str, ...]:
    """By the kept order, the list's position, probability, median place in the history, known words, first appearance: the first that tells."""
    before = [w for w in kept.get("order", ()) if w in words]                    # type: ignore[union-attr]
    position = own["position"].reindex(words) if "position" in own else pd.Series(np.nan, index=words)
    if position.isna().any() and "probability" in own and own["probability"].reindex(words).notna().all():
        position = own["probability"].reindex(words)
    if position.isna().any():
        position = pd.Series(np.nan, index=words)
    chance = probability.reindex(words)
    chance = chance.where(chance > 0)                       # 0 on an open stage says that nobody filled it in
    if chance.isna().any() or chance.nunique() < 2:
        chance = pd.Series(np.nan, index=words)
    place = pd.Series(np.nan, index=words)
    if len(times):
        step = times[times["stage"].isin(words)].sort_values(["opp_id", "at"]).drop_duplicates(["opp_id", "stage"])
        many = step.groupby("opp_id")["stage"].transform("size")
        rank = step.groupby("opp_id").cumcount() / (many - 1).where(many > 1)
        place = rank.groupby(step["stage"]).mean().reindex(words)
        place = place if place.notna().all() else pd.Series(np.nan, index=words)
    number = pd.to_numeric(pd.Series(words, index=words, dtype="str").str.extract(r"^\s*([0-9]+)")[0], errors="coerce")     # "2-Develop"
    number = number if number.notna().all() else number * np.nan
    usual = pd.Series([_usual(w) for w in words], index=words, dtype=float)
    keys = pd.DataFrame({"position": position, "number": number, "chance": chance, "place": place, "usual": usual, "seen": np.arange(len(words))}, index=words)
    ordered = list(keys.sort_values(["position", "number", "chance", "place", "usual", "seen"], kind="stable").index)
    return (*before, *(w for w in ordered if w not in before))


def _usual(word: str) -> int:
    plain = fold(word)
    parts = [fold(part) for part in lists()["stages"]["order"]]
    return max((i for i, part in enumerate(parts) if part in plain), default=len(parts))


def _one(words: list[str], outcome: Mapping[str, str], kind: str, uses: pd.Series, order: tuple[str, ...], usual: str) -> str:
    """The team's most used word for an outcome; the usual one when it has none."""
    mine = sorted((w for w in words if outcome[w] == kind), key=lambda w: (-int(uses.get(w, 0)), w != usual))
    return next((w for w in mine if w not in order), usual)


def _entry(order: tuple[str, ...], desk: Desk, kept: Mapping[str, object]) -> str:
    if kept.get("entry") in order:
        return str(kept["entry"])
    before = [fold(part) for part in lists()["stages"]["before"]]
    default = next((w for w in order if not any(fold(w).startswith(part) for part in before)), order[0])
    if len(order) < 2:
        return default
    return desk.ask("pipeline_entry_stage", "From which stage on does an opportunity count as pipeline?", order, default, "stages") or default
