"""What a meeting looks at, screen by screen: one question each, with its minutes and what the chair asks the room. METRICS section 18 gives the order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Screen:
    """One question of an agenda. `prompts`: what the chair may ask when it is on."""

    id: str
    title: str
    question: str
    minutes: int
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agenda:
    kind: str
    title: str
    screens: tuple[Screen, ...]
    every: str  # how often it meets, in words
    functions: tuple[str, ...]  # those that have to be there

    @property
    def minutes(self) -> int:
        return sum(one.minutes for one in self.screens)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(one.id for one in self.screens)

    def screen(self, id_: str) -> Screen:
        return next(one for one in self.screens if one.id == id_)


AGENDAS: Mapping[str, Agenda] = {one.kind: one for one in (
    Agenda("weekly", "Weekly review", (
        Screen("before", "Last week", "What became of what we decided?", 5, ("What is overdue, and what stands in its way?", "What did not move: another try, or stop?")),
        Screen("pace", "Pace", "Do we build and close enough?", 5, ("Who owns the gap, and what closes it by when?",)),
        Screen("coverage", "Coverage", "Is there enough for what is left?", 4, ("Which part of the open pipeline do we not believe?",)),
        Screen("bridge", "Seven days", "What changed the pipeline?", 6, ("What was pushed out twice?", "What came in that we did not plan?")),
        Screen("signals", "Signals", "What moved by more than chance?", 6, ("What happened in that week?", "Does anybody see the cause in the rows?")),
        Screen("stuck", "Leakage and aging", "What leaks, and what stands still?", 6, ("Which of these deals do we close out today?",)),
        Screen("promises", "Promises", "Which are broken now?", 5, ("Who takes the oldest one, today?",)),
        Screen("exceptions", "Exceptions", "What must somebody put right?", 3, ("Which kind comes back every week?",)),
        Screen("next", "Next", "Who does what until when?", 5, ("Does every action have an owner, a deadline and a measure of success?",)),
    ), "every Monday", ("marketing", "sales", "revops")),
    Agenda("monthly", "Monthly review", (
        Screen("together", "Together", "What can no team hit alone?", 8, ("What does the weakest link need from the others?",)),
        Screen("targets", "Targets", "Are we where we said we would be?", 8, ("What explains the gap: volume, mix or rate?",)),
        Screen("conversion", "Conversion", "Of the leads whose time is up, do more convert?", 8, ("Which handoff loses them?",)),
        Screen("wins", "Win rate", "Do we win more?", 6, ("Is it the mix, or do we win more of the same?",)),
        Screen("velocity", "Velocity", "Are we faster?", 6, ("Which lever do we pull?",)),
        Screen("retention", "Retention", "What became of last year's recurring revenue?", 8, ("Which account could still be kept?",)),
        Screen("campaigns", "Campaigns", "What do we fund, fix or retire?", 10, ("What would we stop if it were our own money?",)),
        Screen("tests", "Tests", "Which test made a difference?", 5, ("What do we test next?",)),
        Screen("decisions", "Decisions", "Do we decide, do it, and does it work?", 5, ("What has been open for too long?",)),
        Screen("reports", "Reports", "Do our reports show the same numbers?", 4, ("Which report do we switch off?",)),
        Screen("definitions", "Definitions", "Which definitions change?", 4, ("Who has to be trained?",)),
        Screen("next", "Next", "Who does what until when?", 8, ("Does every action have an owner, a deadline and a measure of success?",)),
    ), "on the second Tuesday of the month", ("marketing", "sales", "cs", "revops")),
)}
