"""What became of actions: which are open, late, done, and whether the number that they were to move has moved; worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from revscore.core import units
from revscore.core.calendars import date_of
from revscore.core.coded import Coded
from revscore.rhythm.actions import Action, listed
from revscore.rhythm.answers import Answer
from revscore.rhythm.meetings import Taken
from revscore.rhythm.verdicts import Verdict, judged_alone

JUDGED = ("moved", "moved_wrong_way", "inconclusive")
RECENT = 35  # days after its check date for which a done action is looked back at
LAST = 10  # judged actions that the answer speaks of
_WORST = ("overdue", "moved_wrong_way", "draft", "inconclusive", "insufficient_n", "open", "not_yet_measurable", "moved", "cancelled")


@dataclass(frozen=True)
class Followed:
    """An action beside the day of the data: `left` days until its deadline (less than 0: overdue by so many; None without one), and the verdict, None where no
    measure of success was agreed."""

    action: Action
    left: int | None
    verdict: Verdict | None

    @property
    def overdue(self) -> bool:
        return self.action.status == "open" and self.left is not None and self.left < 0

    @property
    def judged(self) -> bool:
        """It was done, and its check date said something."""
        return self.action.status == "done" and self.verdict is not None and self.verdict.due and self.verdict.verdict in JUDGED

    @property
    def state(self) -> str:
        """The one word that it is sorted by."""
        if self.action.status == "cancelled":
            return "cancelled"
        if self.overdue:
            return "overdue"
        if self.verdict is not None and self.verdict.due and (self.action.status == "done" or self.verdict.verdict in JUDGED):
            return self.verdict.verdict
        return "not_yet_measurable" if self.action.status == "done" else self.action.state

    @property
    def deadline(self) -> str:
        """ "3 days left", "today", "overdue by 4 days", "done on 3 Nov 2026". """
        if self.action.status == "done":
            return f"done on {self.action.done_at.day} {self.action.done_at:%b %Y}"
        if self.action.status == "cancelled":
            return "given up"
        if self.left is None:
            return "no deadline"
        return "due today" if self.left == 0 else f"{_days(self.left)} left" if self.left > 0 else f"overdue by {_days(-self.left)}"


def follow(x: Coded, found: Iterable[Action], judge: Callable[[Action], Verdict] | None = None) -> tuple[Followed, ...]:
    """Actions beside the day of the data, worst first. `judge`: gives the verdict on one (by default it is worked out)."""
    judge, today = judge or (lambda one: judged_alone(x, one)), date_of(x.as_of_day)
    out = [Followed(one, _left(one.due, today), judge(one) if one.success and one.status != "cancelled" and one.state != "draft" else None) for one in found]
    return tuple(sorted(out, key=lambda one: (_WORST.index(one.state), one.left if one.left is not None else 0, one.action.raised_at)))


def answer(found: Sequence[Followed]) -> str:
    """ "7 open, 2 overdue; of the last 10 judged 4 moved their number". """
    if not found:
        return "No action has been raised yet."
    some = [one for one in found if one.action.status == "open"]
    late, drafts = sum(one.overdue for one in some), sum(one.action.state == "draft" for one in some)
    head = f"{len(some):,} open{f', {late:,} overdue' if late else ', none overdue' if some else ''}{f', {drafts:,} not complete' if drafts else ''}"
    judged = sorted((one for one in found if one.judged), key=lambda one: one.action.success.check_on)[-LAST:]
    if not judged:
        return f"{head}; none has been judged yet."
    moved, wrong = (sum(one.verdict.verdict == word for one in judged) for word in ("moved", "moved_wrong_way"))
    of = f"of the last {len(judged)} judged {moved or 'none'} moved {'their' if moved > 1 else 'its'} number" if len(judged) > 1 else f"the one that was judged {'moved its number' if moved else 'did not move its number'}"
    return f"{head}; {of}{f', {wrong} the wrong way' if wrong else ''}."


def looked_back(x: Coded, found: Iterable[Followed], meeting: str = "") -> tuple[Followed, ...]:
    """What a meeting begins with: actions that are open, and those done whose check date is ahead or was in the last weeks, worst first; nothing that the
    meeting itself raised."""
    since = (date_of(x.as_of_day) - timedelta(days=RECENT)).isoformat()
    return tuple(one for one in found if (not meeting or one.action.meeting != meeting) and one.action.status != "cancelled"
                 and (one.action.status == "open" or (one.action.success is not None and one.action.success.check_on >= since)))


def last_week_answer(found: Sequence[Followed]) -> Answer:
    """ "2 of 7 actions are overdue, 3 are done; of 2 judged 1 moved its number, 1 the wrong way". `found`: see `looked_back`."""
    if not found:
        return Answer("No action of an earlier meeting is open, and none is waiting to be judged")
    late, done, judged = (sum(getattr(one, name) if name else one.action.status == "done" for one in found) for name in ("overdue", "", "judged"))
    many = f"{len(found)} action{'' if len(found) == 1 else 's'}"
    head = f"{late} of {many} {'is' if late == 1 else 'are'} overdue" if late else f"No action of {len(found)} is overdue" if len(found) > 1 else "The one action is not overdue"
    head += f", {done} {'is' if done == 1 else 'are'} done" if done else ""
    moved, wrong = (sum(one.judged and one.verdict.verdict == word for one in found) for word in ("moved", "moved_wrong_way"))
    tail = f"; of {judged} judged {moved or 'none'} moved {'their' if moved > 1 else 'its'} number" if judged > 1 else f"; the one judged {'moved its number' if moved else 'did not move its number'}" if judged else ""
    return Answer(f"{head}{tail}{f', {wrong} the wrong way' if wrong and judged > 1 else ''}", bool(late or wrong))


def taken_answer(found: Taken) -> Answer:
    """ "2 decisions and 3 actions, 1 of which lacks something". """
    drafts = [one for one in found.actions if one.state == "draft"]
    raised, decided, none = ([*found.actions], list(found.decided), [one for one in found.decisions if one.status == "none"])
    if not raised and not decided and not none:
        return Answer("Nothing was decided and no action was raised yet", True)
    parts = [units.named(len(some), unit) for some, unit in ((decided, units.DECISIONS), (raised, units.ACTIONS)) if some] + [f"{len(none)} without a decision"] * bool(none)
    lacks = f", {len(drafts)} of which {'lacks' if len(drafts) == 1 else 'lack'} something" if drafts else ""
    return Answer(f"{listed(parts)}{lacks}", bool(drafts))


def _left(due: str, today: date) -> int | None:
    try:
        return (date.fromisoformat(due) - today).days
    except ValueError:
        return None


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n:,} days"
