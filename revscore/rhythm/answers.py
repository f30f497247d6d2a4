"""The answer of every screen in one sentence, read from the finished review: what a room hears before it sees a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.review import Line
from revscore.core.units import listed
from revscore.rhythm import goals, governance, pipeline
from revscore.rhythm.agenda import Agenda
from revscore.rhythm.asks import lacks
from revscore.rhythm.campaigns import FIX, FUND, RETIRE, WAIT
from revscore.rhythm.monthly import Monthly
from revscore.rhythm.weekly import Weekly


@dataclass(frozen=True)
class Answer:
    """`talk`: whether the room has to talk about it: something is behind, broken, or worse by more than chance. `known`: whether the question has an answer;
    without one `text` says what is missing."""

    text: str
    talk: bool = False
    known: bool = True


def answers(x: Coded, review: Weekly | Monthly) -> dict[str, Answer]:
    """Screen id -> answer, of those screens that a review answers by itself. Plain text."""
    table: Mapping[str, Callable[[Coded, Any], Answer]] = _WEEKLY if isinstance(review, Weekly) else _MONTHLY
    found = {id_: say(x, review) for id_, say in table.items()}
    return {id_: replace(one, text=one.text[:1].upper() + one.text[1:]) for id_, one in found.items() if one.text}


def whole(found: Mapping[str, Answer], agenda: Agenda) -> str:
    """The answer of a meeting: what the room has to talk about, and how many questions have no answer."""
    talk = [one.title for one in agenda.screens if one.id in found and found[one.id].talk]
    open_ = sum(not one.known and not one.talk for one in found.values())
    calm, without = len(found) - len(talk) - open_, f"; {open_} {'has' if open_ == 1 else 'have'} no answer." if open_ else "."
    if not talk:
        return f"Nothing needs the room: {calm} of {len(found)} questions are answered without a gap or a signal{without}" if calm else "No question has an answer yet."
    others = f"; {calm if open_ else f'the other {calm}'} {'shows' if calm == 1 else 'show'} no gap and no signal" if calm else ""
    return f"{listed(talk)} {'needs' if len(talk) == 1 else 'need'} the room{others}{without}"


def _name(line: Line) -> str:
    """Its label without what tells two statistics apart, for a list in a sentence."""
    return line.label.split(",")[0]


def _short(line: Line) -> str:
    """ "win rate 31 % (41 of 132)". """
    name = line.label if line.label[:2].isupper() else line.label[:1].lower() + line.label[1:]
    sample = f" ({line.sample})" if line.sample and " of " in line.sample and " of " not in line.text else ""
    return f"{name} {line.text}{sample}"


def _known(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.known and not line.lacks and line.denominator != 0]


def _lacking(lines: Sequence[Line]) -> str:
    """Why none of these numbers is there."""
    return next((line.sentence for line in lines if line.lacks), "No data in this selection.") if not _known(lines) else ""


def _moves(lines: Sequence[Line]) -> str:
    """The numbers with the way they went, those that moved first."""
    return "; ".join(f"{_short(line)}, {line.change} on {line.before_period.name}" if line.moved and line.before_period and line.change != units.MISSING else _short(line)
                     for line in sorted(_known(lines), key=lambda line: not line.moved))


# -- weekly --------------------------------------------------------------------------------------------------------------------------------

def _worse(lines: Sequence[Line]) -> bool:
    """Whether one of them is worse by more than chance."""
    return any(line.tone == "bad" for line in _known(lines))


def _of(lines: Sequence[Line]) -> Answer:
    lack = _lacking(lines)
    return Answer(lack or _moves(lines), _worse(lines), not lack)


def _pace(x: Coded, review: Weekly) -> Answer:
    if review.period.start > x.as_of_day:
        return Answer(f"No data yet: {review.period.name} begins on {Period(review.period.start, review.period.start + 1).dates()}", known=False)
    said, talk = [], False
    for row in review.progress.itertuples():
        line = next(one for one in review.pace if one.label == row.name)
        late = not row.thin and row.value < row.expected
        talk |= late
        said.append(f"{row.name}: too few to say" if row.thin else f"{row.name} {'behind' if late else 'on pace'}, {line.text} of {units.text(row.expected, line.measure.unit, line.currency)} due by now")
    course, behind = goals.course(review.targets)
    if set(behind) - set(review.progress["name"]):  # of targets that have no bar of their own
        said.insert(0, course)
    if said:
        return Answer("; ".join(said), talk or bool(behind))
    if not _known(review.standing):
        return _of(review.standing)
    return Answer(f"No target for {review.period.name}; {_moves(review.standing[:2])}", _worse(review.standing), any(line.value for line in _known(review.standing[:2])))


def _coverage(x: Coded, review: Weekly) -> Answer:
    found = review.coverage
    if found is None:
        return Answer("No bookings target for exactly this period and selection", known=False)
    enough = pipeline.enough(found)
    return Answer(pipeline.coverage_said(found, x.terms.corporate_currency), enough is False, enough is not None)


def _bridge(x: Coded, review: Weekly) -> Answer:
    found, currency = review.bridge, x.terms.corporate_currency
    if not len(found.legs):
        return Answer(lacks(x, "pipeline.bridge") or "There is no pipeline to compare", known=False)
    step = found.end - found.start
    moves = found.legs.iloc[1:-1].assign(size=lambda f: f["value"].abs()).sort_values("size", ascending=False)
    largest = f"; largest: {moves['leg'].iloc[0].lower()} {units.text(moves['value'].iloc[0], units.CURRENCY, currency)}" if len(moves) and moves["size"].iloc[0] else ""
    between = " to ".join(Period(day, day + 1).dates() for day in x.days(np.array([found.t0, found.t1])).tolist())
    verb = f"{'grew' if step > 0 else 'shrank'} by {units.text(abs(step), units.CURRENCY, currency)}" if step else "stood still"
    return Answer(f"Pipeline {verb}, to {units.text(found.end, units.CURRENCY, currency)}, from {between}{largest}", step < 0)


def _signals(x: Coded, review: Weekly) -> Answer:
    if not review.signals:
        return Answer(f"No change in {len(review.still)} numbers" if review.still else "Nothing has enough weeks to say whether it moved", known=bool(review.still))
    return Answer(f"{len(review.signals)} of {len(review.signals) + len(review.still)} moved: {listed([f'{_name(line)} {_way(line)}'.strip() for line in review.signals])}", _worse(review.signals))


def _way(line: Line) -> str:
    return line.signal.state if line.signal.fired else "" if line.before != line.before else "up" if line.value > line.before else "down"


def _promises(x: Coded, review: Weekly) -> Answer:
    broken, kept = ([line for line in review.speed if line.card.id == card] for card in ("sla.breach_ageing", "sla.compliance"))
    found = _of([*broken, *kept])
    return replace(found, talk=found.talk or any(line.value > 0 for line in _known(broken)))


_WEEKLY = {"pace": _pace, "coverage": _coverage, "bridge": _bridge, "signals": _signals, "stuck": lambda x, review: _of(review.flow[1:]), "promises": _promises,
           "exceptions": lambda x, review: _of(review.order)}


# -- monthly -------------------------------------------------------------------------------------------------------------------------------

def _together(x: Coded, review: Monthly) -> Answer:
    found = _of(review.shared)
    weakest = next((line for line in _known(review.shared) if line.card.id == "shared.weakest_link"), None)
    alone = [one.label for one in review.joints if one.solo and one.target and not one.solo.met and not one.solo.shared]
    said = f"{found.text}; not shared: {listed(alone)}, which one function could win alone" if alone else found.text
    return replace(found, text=said, talk=found.talk or bool(alone) or (weakest is not None and weakest.value < 1))


def _aimed(name: str) -> Callable[[Coded, Monthly], Answer]:
    """The answer of the numbers `name` of a review, where a missed target is a gap as well."""
    def say(x: Coded, review: Monthly) -> Answer:
        found, lines = _of(getattr(review, name)), getattr(review, name)
        missed = {(one.line.card.id, one.line.stat, one.line.own) for one in review.targets if one.good is False and not one.line.thin}
        return replace(found, talk=found.talk or any((line.card.id, line.stat, line.own) in missed for line in _known(lines)))

    return say


def _targets(x: Coded, review: Monthly) -> Answer:
    course, behind = goals.course(review.targets)
    return Answer(course, bool(behind)) if course else Answer("No target can be judged for exactly this period and selection", known=False)


def _campaigns(x: Coded, review: Monthly) -> Answer:
    if sentence := lacks(x, "campaign.scorecard_fytd"):
        return Answer(sentence, known=False)
    found = review.evidence
    if not len(found):
        return Answer("No campaign with a cost in this selection", known=False)
    count = found["proposal"].value_counts()
    cost = found[found["proposal"] == RETIRE]["cost"].sum()
    parts = [f"{count[name]} to {name.lower()}" for name in (FUND, FIX, RETIRE) if name in count]
    retired = f" ({units.text(cost, units.CURRENCY, x.terms.corporate_currency)})" if RETIRE in count else ""
    return Answer(f"{listed(parts)}{retired}; {count.get(WAIT, 0)} cannot be told yet" if parts else "No campaign can be told yet", RETIRE in count, bool(parts))


def _tests(x: Coded, review: Monthly) -> Answer:
    if sentence := lacks(x, "stats.experiments"):
        return Answer(sentence, known=False)
    frame = review.tests
    said = frame[frame["verdict"].isin(("lift", "drop"))] if len(frame) else frame
    if not len(frame):
        return Answer("No controlled test on record", known=False)
    return Answer(f"{len(said)} of {len(frame)} comparisons made a difference: {listed(list(dict.fromkeys(said['name'])))}" if len(said) else f"None of {len(frame)} comparisons has made a difference yet")


def _decisions(x: Coded, review: Monthly) -> Answer:
    return _of([line for line in review.decisions if line.card.id != "governance.decision_time"])


def _definitions(x: Coded, review: Monthly) -> Answer:
    found = _of(review.definitions)
    if not len(review.changes):
        return found
    return Answer(governance.changes_said(review.changes), found.talk or bool(review.changes["loose"].any()))


_MONTHLY = {"together": _together, "targets": _targets, "conversion": _aimed("conversion"), "wins": _aimed("wins"),
            "velocity": _aimed("velocity"), "retention": _aimed("retention"), "campaigns": _campaigns, "tests": _tests,
            "decisions": _decisions, "reports": lambda x, review: _of(review.reports), "definitions": _definitions}
