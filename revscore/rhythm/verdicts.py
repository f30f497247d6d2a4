"""Verdicts: at its check date an action is judged by the number that it was to move, beside the rest of the company, which had no action.

Before is the period of the recorded baseline, up to the day on which the action was raised; after begins on the day after it and ends on the check
date. A rate is tested by Newcombe's difference of its records, all else by its weeks (`core.effects`). A before and after is evidence, not proof:
a number that was picked because it was extreme tends to come back by itself, and the verdict says how far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import Period, date_of, day_number
from revscore.core.coded import Coded
from revscore.core.effects import Step, Usual, net, usual_rate, usual_weeks
from revscore.core.made import Number
from revscore.core.metric import Kind
from revscore.core.signals import points
from revscore.core.sums import keep
from revscore.core.view import DIMENSIONS
from revscore.rhythm.actions import Action, Success
from revscore.rhythm.looks import ALL_TIME, HISTORY, Look, Side

Word = Literal["moved", "moved_wrong_way", "inconclusive", "insufficient_n", "not_yet_measurable"]
_EARLIER = 12  # periods of the baseline's length that are its history
_LEAST = 6  # fewer weeks before are too few
WORDS: dict[Word, str] = {"moved": "Moved as meant", "moved_wrong_way": "Moved the wrong way", "inconclusive": "Inconclusive", "insufficient_n": "Too few to tell",
                          "not_yet_measurable": "Not measurable yet"}


@dataclass(frozen=True)
class Rest:
    """The same number over the records outside of the action's segment. `net`: the action's difference less that of the rest."""

    before: Side
    after: Side
    step: Step
    net: Step
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """`verdict`: of METRICS `governance.actions`; `so_far`: of an interim look before the check date ("" without). `step`: after − before with its interval.
    `reached`: whether the difference is the agreed size in the direction meant. `sentence` is for the room; `warning`: how far the number tends to come back by itself;
    `rest`: the comparison group, None where `alone` says why there is none. `by_weeks`: values are weekly means."""

    verdict: Word
    sentence: str
    so_far: Word | Literal[""] = ""
    before: Side | None = None
    after: Side | None = None
    step: Step = Step()
    size: float = float("nan")
    reached: bool = False
    rest: Rest | None = None
    alone: str = ""
    warning: str = ""
    usual: Usual = Usual()
    by_weeks: bool = False

    @property
    def due(self) -> bool:
        return not self.so_far

    @property
    def word(self) -> str:
        return f"So far: {WORDS[self.so_far].lower()}" if self.so_far else WORDS[self.verdict]


def judge(x: Coded, action: Action, others: Sequence[Action] = ()) -> Verdict:
    """The verdict on an action as of the extract's as-of. `others`: all actions, to say which of them work on the same number outside of its segment."""
    found = _Judge.of(x, action)
    if isinstance(found, Verdict):
        return found
    verdict = found.judged()
    if verdict.before is None:
        return verdict
    usual, warning = found.usual(verdict)
    rest, alone = found.rest(verdict)
    same = [one for one in others if one.id != action.id and one.status != "cancelled" and one.success and one.success.number["metric"] == found.number.card.id]
    if rest is not None and same:
        rest = replace(rest, sentence=f"{rest.sentence} {len(same)} other action{'s' if len(same) > 1 else ''} worked on this number: the rest was not left alone.")
    return replace(verdict, usual=usual, warning=warning, rest=rest, alone=alone)


def judged_alone(x: Coded, action: Action) -> Verdict:
    """The verdict without comparison group and warning: what the numbers on actions count."""
    found = _Judge.of(x, action)
    return found if isinstance(found, Verdict) else found.judged()


def tally(found: Sequence[Verdict]) -> str:
    """What became of several actions, in a sentence for the head of a meeting; where most cannot be told, that the measures should be mended."""
    words = {"moved": "moved as meant", "moved_wrong_way": "moved the wrong way", "inconclusive": "inconclusive", "insufficient_n": "too few to tell",
             "not_yet_measurable": "not measurable yet"}
    counts = {word: sum(one.verdict == word for one in found) for word in words}
    said = ", ".join(f"{count} {words[word]}" for word, count in counts.items() if count)
    told, untold = counts["moved"] + counts["moved_wrong_way"], counts["inconclusive"] + counts["insufficient_n"]
    advice = " Most cannot be told: choose measures with more records, or larger steps." if untold >= 3 and untold > told else ""
    return f"Of {len(found)} action{'s' if len(found) != 1 else ''}: {said}.{advice}" if found else "No action has come to its check date."


def settles_in(x: Coded, number: Number) -> int:
    """Days until a record of the number is mature, so that a check date lies at least so far ahead; 0 for what settles at once."""
    measure = number.card.measure(number.stat)
    if number.is_made or measure.kind is not Kind.RATE or measure.base == measure.den or x.data.missing(number.card.needs):
        return 0
    facts = x.facts(number.card, **dict(number.params))
    rows = keep(facts, number.view.during(None), x.dims)
    mature = facts.day[rows][np.asarray(facts.values[measure.den])[rows] > 0]
    return max(int(x.as_of_day - mature.max()), 0) if len(mature) else 0


def raised_on(x: Coded, action: Action) -> int:
    """Day number of the as-of that an action was raised on (its receipt says it; else the day on which it was written down, today for one that is not yet)."""
    said = action.success.receipt.get("as_of") if action.success else None
    at = pd.Timestamp(said) if said else action.raised_at
    return x.as_of_day if pd.isna(at) else x.day(int(at.as_unit("us").asm8.astype("int64")))


@dataclass(frozen=True)
class _Judge(Look):
    """Judges what it looks at by what was agreed."""

    success: Success

    @classmethod
    def of(cls, x: Coded, action: Action) -> _Judge | Verdict:
        success = action.success
        if success is None or success.direction not in ("up", "down") or not success.check_on:
            return Verdict("not_yet_measurable", "No measure of success was agreed, so nothing can be judged.")
        try:
            number, check = success.asked, day_number(success.check_on)
        except ValueError as error:
            return Verdict("not_yet_measurable", str(error))
        if lacks := x.data.missing(number.card.needs):
            return Verdict("not_yet_measurable", f"This extract lacks {', '.join(lacks)}, which {number.label} needs.")
        raised = raised_on(x, action)
        if raised >= x.as_of_day:
            return Verdict("not_yet_measurable", f"Raised on the numbers of {_day(raised)}: there is nothing after it yet.", so_far="" if x.as_of_day >= check else "not_yet_measurable")
        if raised >= check:
            return Verdict("not_yet_measurable", f"It was to be checked on {_day(check)}, before anything could change: choose a later day.")
        return cls(x, number, raised, min(check, x.as_of_day), check <= x.as_of_day, success)

    # -- the verdict -----------------------------------------------------------------------------------------------------------------------

    def judged(self) -> Verdict:
        if self.by_records:
            before, after, step = self.records((self.number.view,))
            why = ""
        else:
            why = self.untested()
            before, after, step = (*self._stated(), Step()) if why else self.weeks((self.number.view,))
        size = self.success.size or math.nan
        wanted = self._sized(size, before)
        reached = bool(step.value * (-1 if self.success.direction == "down" else 1) >= wanted - 1e-12)
        word: Word = self._word(before, after, step, why)
        found = Verdict(word, "", "", before, after, step, size, reached, by_weeks=not self.by_records)
        found = found if self.due else replace(found, verdict="not_yet_measurable", so_far=word)
        return replace(found, sentence=self._sentence(found, word, wanted, why))

    def _word(self, before: Side, after: Side, step: Step, why: str) -> Word:
        least = self.x.terms.stats.min_n_effect if self.by_records else 1
        if why:
            return "inconclusive"
        if (not after.n and not (self.due and not self.by_records and self.last - self.raised >= 14)) or (after.n < least and after.waiting):
            return "not_yet_measurable"  # weeks that are over and have too few records stay too few
        if after.n < least or before.n < (least if self.by_records else _LEAST):
            return "insufficient_n"
        return {1: "moved", -1: "moved_wrong_way", 0: "inconclusive"}[step.way(self.success.direction)]

    def _stated(self) -> tuple[Side, Side]:
        """Of a number that cannot be judged: its value as it was recorded, and as it is now."""
        now = replace(self.number, view=self.number.view.during(None)).value(self.x) if self.state else math.nan
        return Side(self.before, math.nan if self.success.baseline is None else self.success.baseline), Side(self.after, now)

    def _sized(self, size: float, before: Side) -> float:
        """The agreed size in the unit of the difference: of a total, a week's share of it."""
        total = not self.by_records and self.number.card.measure(self.number.stat).kind is Kind.TOTAL
        return size * 7 / before.period.days if total and self.number.view.period else size

    # -- beside it -------------------------------------------------------------------------------------------------------------------------

    def usual(self, found: Verdict) -> tuple[Usual, str]:
        """The baseline beside its own history, and the warning where coming back by itself would look like success."""
        view, start = self.number.view, self.before.start
        if self.by_records:
            earlier = [self.x.terms.calendar.shifted(view.period, -k) for k in range(1, _EARLIER + 1)] if view.period else []
            sides = [self.side(one, (view,)) for one in earlier if one.end <= start]
            usual = usual_rate(np.array([one.x for one in sides]), np.array([one.n for one in sides]), found.before.x, found.before.n)
            what = f"its {usual.points} periods before"
            if not usual.points and view.period:
                card, measure = self.number.card, self.number.card.measure(self.number.stat)
                _, _, top, n = points(self.x, card, measure, view.during(Period(ALL_TIME, start)), self.number.row_name, HISTORY, **dict(self.number.params))
                usual = usual_rate(top[n > 0], n[n > 0], found.before.x, found.before.n)
                what = f"its {usual.points} weeks before"
        else:
            starts, values = self.weekly((view,)) if found.before.n else (np.zeros(0), np.zeros(0))
            inside = (starts >= start) & (starts + 7 <= self.raised + 1)
            usual = usual_weeks(values[starts + 7 <= start], values[inside])
            what = f"the {usual.points} weeks before it"
        if usual.flatters(self.success.direction):
            side = "low" if self.success.direction == "up" else "high"
            return usual, (f"The baseline was unusually {side} ({self._text(usual.mean + self._off(found, usual))} against {self._text(usual.mean)} in {what}): "
                           f"about {self._step(usual.back)} would have come back without any action.")
        if not usual.points and "moved" in (found.verdict, found.so_far):
            return usual, "There is too little history to say whether the baseline was picked at an unusual moment; part of the move may be a return to normal."
        return usual, ""

    def _off(self, found: Verdict, usual: Usual) -> float:
        return found.before.value - usual.mean if self.by_records else -usual.back

    def rest(self, found: Verdict) -> tuple[Rest | None, str]:
        """The same number over all records outside of the segment."""
        card, view = self.number.card, self.number.view
        if self.number.is_made:
            return None, "No comparison group: the number is made of others."
        codes = self.x.facts(card, **dict(self.number.params)).codes
        chosen = [(name, values) for name, values in view.where if name in DIMENSIONS and name in codes]
        views = [replace(view, where=tuple(one for one in view.where if one not in chosen[k:])).narrowed(**{name: others})
                 for k, (name, values) in enumerate(chosen) if (others := self._others(name, values))]  # outside of the first; inside of it and outside of the second; …
        if not views:
            return None, "No comparison group: the action concerns the whole company."
        measure = card.measure(self.number.stat)
        if len(views) > 1 and not self.by_records and measure.kind not in (Kind.TOTAL, Kind.LEVEL):
            return None, "No comparison group: a value outside of several filters cannot be put together."
        if (found.so_far or found.verdict) in ("insufficient_n", "not_yet_measurable") or math.isnan(found.step.value):
            return None, "No comparison group: there is no difference to set it beside."
        before, after, step = self.records(views) if self.by_records else self.weeks(views)
        least = self.x.terms.stats.min_n_effect if self.by_records else 1
        if min(before.n, after.n) < least:
            return None, "No comparison group: the rest of the company has too few records."
        less = net(found.step, step) if self.by_records else Step(found.step.value - step.value)
        went = f"The rest of the company went from {self._text(before.value)} to {self._text(after.value)}"
        if measure.kind in (Kind.TOTAL, Kind.LEVEL):  # of another size: what counts is its growth
            if not before.value:
                return None, "No comparison group: the rest of the company had none of it before."
            expected = found.before.value * after.value / before.value
            less = Step(found.after.value - expected)
            return Rest(before, after, step, less, f"{went}; gone the same way, the segment would be at {self._text(expected)}: the action's difference is {self._step(less.value)}."), ""
        chance = "" if not self.by_records else f" ({self._interval(less)}{', which chance alone may give' if less.way('up') == 0 else ''})"
        return Rest(before, after, step, less, f"{went}; less that, the action's difference is {self._step(less.value)}{chance}."), ""

    def _others(self, name: str, chosen: tuple[str, ...]) -> tuple[str, ...]:
        """All values of a dimension but these, those of records without one included."""
        dimension = self.x.dims[name]
        inside = set(dimension.codes_of(chosen).tolist())
        return tuple(value for code, value in enumerate(dimension.values) if code not in inside)

    # -- words -----------------------------------------------------------------------------------------------------------------------------

    def _sentence(self, found: Verdict, word: Word, wanted: float, why: str) -> str:
        head = "" if self.due else f"Checked on {_day(day_number(self.success.check_on))}; so far: "
        before, after, name = found.before, found.after, self.number.label
        if why:
            values = "" if math.isnan(before.value) or math.isnan(after.value) else f"{name} was {self._text(before.value)} and is {self._text(after.value)} now; it"
            return f"{head}{values or name} cannot be judged: {why}."
        if word == "not_yet_measurable":
            what = f"{after.waiting:,.0f} records since {_day(self.raised)} are not mature yet" if after.waiting else f"there is no {'complete week' if found.by_weeks else 'record'} since {_day(self.raised)}"
            return f"{head}{name} cannot be judged yet: {what}."
        went = f"{name} went from {self._value(found, before)} to {self._value(found, after)}"
        if word == "insufficient_n":
            return f"{head}{went}: too few to tell."
        size = f"the agreed {self._step(wanted if self.success.direction == 'up' else -wanted)}{' a week' if found.by_weeks and wanted != found.size else ''} was {'reached' if found.reached else 'not reached'}"
        interval = f"{self._step(found.step.value)}, {self._interval(found.step)}"
        meant = {"moved": "moved as meant", "moved_wrong_way": "moved the wrong way", "inconclusive": "no more than chance may give"}[word]
        wait = f" {after.waiting:,.0f} more are not mature yet." if after.waiting else ""
        return f"{head}{went} ({interval}): {meant}; {size}.{wait}"

    def _value(self, found: Verdict, side: Side) -> str:
        return f"{self._text(side.value)} (mean of {side.n:,.0f} weeks)" if found.by_weeks else f"{self._text(side.value)} ({side.x:,.0f} of {side.n:,.0f})"

    def _text(self, value: float) -> str:
        return units.text(value, self.number.card.measure(self.number.stat).unit, self.x.terms.corporate_currency)

    def _interval(self, step: Step) -> str:
        return f"95 % interval {self._step(step.low).removesuffix(' points')} to {self._step(step.high)}"

    def _step(self, value: float) -> str:
        sign = "+" if value >= 0 else "−"
        if self.number.card.measure(self.number.stat).unit.kind == "ratio":
            return f"{sign}{abs(value) * 100:.1f} points"
        return sign + self._text(abs(value))


def _day(day: int) -> str:
    found: date = date_of(day)
    return f"{found.day} {found:%b %Y}"
