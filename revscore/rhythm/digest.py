"""The digest of a review for those who read it in their mail: the answer, what moved, what is overdue, and whom the open breaches are to be told to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.drill import open_number
from revscore.core.metrics import CARDS
from revscore.core.review import Line
from revscore.core.view import View
from revscore.rhythm import answers
from revscore.rhythm.actions import Action
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.minutes import Task, day, once, task
from revscore.rhythm.reviews import REVIEWS, content
from revscore.rhythm.speed import SLA_NAMES
from revscore.rhythm.weekly import Weekly

SHOWN = 5  # breaches of a level that are named
SOON = 7  # days ahead in which an action is said to be due
_TOLD = {"owner": "the owner", "manager": "the owner's manager", "director": "the director", "revenue_council": "the revenue council"}


@dataclass(frozen=True)
class Level:
    """The broken promises at one level of escalation. `worst`: some of them in words, the one furthest over its time first."""

    level: int
    told: str
    share: float
    clocks: int
    worst: tuple[str, ...]


@dataclass(frozen=True)
class Digest:
    """`says`: (screen, its answer, whether the room has to talk about it). `signals`: what moved by more than chance, in words; `still`: the names of what did not."""

    title: str
    company: str
    stands: str
    answer: str
    says: tuple[tuple[str, str, bool], ...]
    signals: tuple[str, ...]
    still: tuple[str, ...]
    overdue: tuple[Task, ...]
    soon: tuple[Task, ...]
    breaches: Line | None
    levels: tuple[Level, ...]

    def text(self) -> str:
        """Plain text."""
        return "\n".join(_written(self, _line, lambda title: f"{title}\n{'-' * len(title)}", "- ", lambda word: word)) + "\n"

    def markdown(self) -> str:
        """Markdown in which data is text: whatever would be markup is escaped."""
        return "\n".join(_written(self, _plain, lambda title: f"## {title}\n", "- ", lambda word: f"**{word}**")) + "\n"


def digest(x: Coded, view: View, review: str, actions: Sequence[Action], today: date, company: str) -> Digest:
    """The digest of the review `review` (weekly, monthly) under `view`. `actions`: all of the data set; `today`: the date of the data, with which the app compares deadlines too."""
    agenda, value = AGENDAS[review], REVIEWS[review](x, view)
    said = answers.answers(x, value)
    lines = once([line for line in content(value)[0] if line.known and not line.lacks])
    signals, still = (value.signals, value.still) if isinstance(value, Weekly) else ([one for one in lines if one.moved], [one for one in lines if one.moved is False])
    due = [(one, task(x, one)) for one in actions if one.state == "open"]
    late = tuple(sorted((found for one, found in due if one.overdue(today)), key=lambda one: (one.due or today, one.title)))
    soon = tuple(sorted((found for one, found in due if found.due and 0 <= (found.due - today).days <= SOON), key=lambda one: (one.due or today, one.title)))
    there = x.data.as_of.tz_convert(x.terms.reporting_tz)
    breaches = next((line for line in lines if line.card.id == "sla.breach_ageing"), None)
    return Digest(agenda.title, company, f"As of {there.day} {there:%b %Y %H:%M} ({x.terms.reporting_tz}); {view.period.name if view.period else 'all periods'}",
                  answers.whole(said, agenda), tuple((one.title, said[one.id].text, said[one.id].talk) for one in agenda.screens if one.id in said),
                  tuple(_moved(line) for line in signals), tuple(line.label for line in still), late, soon, breaches, levels(x, view))


def levels(x: Coded, view: View) -> tuple[Level, ...]:
    """The clocks that have reached a level of escalation, the highest first: those that are broken, and of the first level those that still run."""
    card = CARDS["sla.breach_ageing"]
    if x.data.missing(card.needs):
        return ()
    rows = open_number(x, card, view.during(None), "escalated").counted
    rows = rows[rows["contribution"] > 0]
    out = []
    for level, share, told in sorted(x.terms.escalation_levels, reverse=True):
        at = rows[rows["level"].astype("int64") == level].sort_values(["overdue_min", "pct_of_target"], ascending=False, kind="stable")
        if len(at):
            out.append(Level(level, _TOLD.get(told, told.replace("_", " ")), share, len(at), tuple(_clock(row) for row in at.head(SHOWN).to_dict("records"))))
    return tuple(out)


def _clock(row: dict[str, object]) -> str:
    """ "Speed to lead of L04508, Yara Garrowby: 140 h over". """
    name, owner = SLA_NAMES.get(str(row["sla_type"]), str(row["sla_type"])), row["owner"]
    over = f"{units.text(row['overdue_min'], units.MINUTES)} of business time over" if float(row["overdue_min"]) > 0 else f"{float(row['pct_of_target']):,.0f} % of its time used"
    return f"{name} of {row['lead_id']}, {owner if isinstance(owner, str) and owner else 'no owner'}: {over}"


def _moved(line: Line) -> str:
    change = f", {line.change} on {line.before_period.name}" if line.before_period and line.change != units.MISSING else ""
    return f"{line.label} {line.text}{f' ({line.sample})' if line.sample else ''}{change}: {line.verdict}"


def _written(one: Digest, t: Callable[[str], str], head: Callable[[str], str], dot: str, strong: Callable[[str], str]) -> Iterator[str]:
    """The lines of a digest. `t` writes data, `head` a heading, `strong` a word that stands out."""
    yield from (head(t(f"{one.title}, {one.company}")), t(one.stands), "", t(one.answer), "")
    yield from (f"{dot}{strong(t(title))}: {t(said)}{' (needs the room)' if talk else ''}" for title, said, talk in one.says)
    yield from ("", head("What moved by more than chance"))
    yield from (f"{dot}{t(said)}" for said in one.signals)
    if not one.signals:
        yield "Nothing."
    if one.still:
        yield from ("", f"No change in {t(', '.join(one.still))}.")
    yield from ("", head("Overdue actions"))
    yield from (f"{dot}{strong(t(task_.title))}, {t(task_.owner)} ({t(task_.function)}), due {day(task_.due)}: {t(task_.success)}" for task_ in one.overdue if task_.due)
    if not one.overdue:
        yield "None."
    if one.soon:
        yield from ("", head(f"Due in the next {SOON} days"))
        yield from (f"{dot}{strong(t(task_.title))}, {t(task_.owner)} ({t(task_.function)}), due {day(task_.due)}" for task_ in one.soon if task_.due)
    yield from ("", head("Broken promises"))
    if one.breaches is None:
        yield "The extract does not say."
        return
    yield f"{t(units.named(one.breaches.value, one.breaches.measure.unit).replace('clocks', 'promises').replace('clock', 'promise'))} broken and still open."
    for level in one.levels:
        yield from ("", f"{strong(f'Level {level.level}')}, to be told to {t(level.told)} (from {level.share:g} % of the time promised): {level.clocks:,}")
        yield from (f"{dot}{t(said)}" for said in level.worst)
        if level.clocks > len(level.worst):
            yield f"{dot}and {level.clocks - len(level.worst):,} more"


def _line(text: str) -> str:
    """Text of data on one line, without what would steer a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())


def _plain(text: str) -> str:
    """Text of data in Markdown: nothing in it is markup, a link or HTML."""
    text = re.sub(r"([\\`*_\[\]#])", r"\\\1", _line(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"(?i)\b(https?|ftp|mailto):", r"\1&#58;", re.sub(r"(?i)\bwww\.", "www&#46;", text))
