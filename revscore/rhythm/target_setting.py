"""Targets that the team sets: records of the log, changed by further entries with a day from which they hold, never overwritten.

A target of the extract stays; one that was set for the same number, segment, function and period wins from its own first day on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from revscore.core import units
from revscore.core.calendars import Period, date_of
from revscore.core.coded import Coded
from revscore.core.metric import FUNCTIONS, Better, Kind, functions
from revscore.core.metrics import CARDS
from revscore.core.metrics.targets import no_pace, resolve
from revscore.core.policies import TABLES
from revscore.core.terms import SLA_TYPES, Target, Terms
from revscore.people import Actor
from revscore.rhythm.goals import name_of
from revscore.rhythm.log import TARGET, records
from revscore.rhythm.target_lines import measure_of, number_key
from revscore.store import Entry, Store, StoreError

PACINGS = ("linear", "business_day", "seasonal", "none")
METRICS = ("funnel.entries.mql", "funnel.entries.sql", "pipeline.created.value", "pipeline.created.count", "bookings.won.value", "bookings.won_value.count",
           "funnel.cohort_conversion.mql->opportunity", "sla.acceptance_rate", "winrate.count", "deal_size.mean", "sla.speed_to_lead.compliance", "sla.follow_up.compliance",
           "velocity.cycle_time_won.median", "retention.nrr", "retention.grr", "shared.joint_pipeline.value", "shared.handoff_yield.yield")  # those that a form offers


class Refused(StoreError):
    """A target that cannot be: the message says what is wrong with it, a sentence each."""


class Unconfirmed(StoreError):
    """A target that may be meant so, but has to be confirmed: the message says why."""


@dataclass(frozen=True)
class Setting:
    """What was said of a target at one time. Days are day numbers."""

    value: float
    direction: str
    pacing: str
    profile_id: str = ""
    valid_from: int = 0
    why: str = ""
    withdrawn: bool = False
    by: str = ""
    at: pd.Timestamp = pd.NaT


@dataclass(frozen=True)
class Aim:
    """A target of one number: of which metric, segment ("" = the whole company) and function ("marketing+sales": theirs together), over which days
    (`end` exclusive); with all that was said of it, oldest first."""

    metric_id: str
    segment: str
    owner: str
    start: int
    end: int
    settings: tuple[Setting, ...] = ()
    version: int = 0  # what a change must name; 0 = nothing is written yet

    @property
    def record(self) -> str:
        """The record that it is kept as: the same for every way to write the metric."""
        return hashlib.sha256("|".join((number_key(self.metric_id), self.segment, together(self.owner), str(self.start), str(self.end))).encode()).hexdigest()[:32]

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)

    def on(self, day: int) -> Setting | None:
        """What holds on a day: of what is valid by then the latest, of two from the same day the one said last. None before the first, and once withdrawn."""
        known = [one for one in self.settings if one.valid_from <= day]
        found = max(enumerate(known), key=lambda pair: (pair[1].valid_from, pair[0]))[1] if known else None
        return None if found is None or found.withdrawn else found

    def steps(self, day: int) -> tuple[tuple[int, float], ...]:
        """(day from which, value) of the values it had up to `day`, in the order of time."""
        days = sorted({one.valid_from for one in self.settings if one.valid_from <= day})
        return tuple((since, found.value) for since in days if (found := self.on(since)) is not None)


def together(owner: str) -> str:
    """Functions in one order: "sales+marketing" are "marketing+sales"."""
    return "+".join(sorted(owner.split("+")))


def name(metric_id: str) -> str:
    """What a target is about, for an audience: "MQLs", "Pipeline created", "Net revenue retention"."""
    found = resolve(metric_id, CARDS)
    if found is None:
        return metric_id
    card, stat, own = found
    label, measure = name_of(card.label, stat, own), card.measure(stat)
    if label != card.label or measure.name == card.headline.name:
        return label
    return measure.label if measure.kind is Kind.RATE and measure.label else f"{label}, {(measure.label or stat).lower()}"


# -- what is set ---------------------------------------------------------------------------------------------------------------------------

def aims(entries: Iterable[Entry], until: pd.Timestamp | None = None) -> tuple[Aim, ...]:
    """The targets of the log, in the order in which they were made; `until`: as it was known then."""
    known = [one for one in entries if until is None or one.at <= until]
    return tuple(_aim(record.entries) for record in records(known))


def _aim(entries: Sequence[Entry]) -> Aim:
    fields = dict(entries[0].fields)
    said = tuple(Setting(**{key: one.fields[key] for key in ("value", "direction", "pacing", "profile_id", "valid_from", "why", "withdrawn")}, by=one.by, at=one.at) for one in entries)
    return Aim(fields["metric_id"], fields["segment"], fields["owner"], fields["start"], fields["end"], said, entries[-1].version)


def in_force(entries: Iterable[Entry], day: int, until: pd.Timestamp | None = None) -> tuple[Aim, ...]:
    """The targets of the log that hold on `day`."""
    return tuple(one for one in aims(entries, until) if one.on(day) is not None)


def merged(targets: Sequence[Target], found: Sequence[Aim], day: int) -> tuple[Target, ...]:
    """The targets of an extract with those that were set and hold on `day`: of the same number, segment, function and period the one set. A target of
    several functions together stands before those of one of them, so that the whole is found first."""
    if not found:
        return tuple(targets)
    own = {one.record: one for one in found}
    out = []
    for target in targets:
        one = own.pop(aim_of(target).record, None)
        out.append(target if one is None else _target(one, day, target) or target)
    out += [made for one in own.values() if (made := _target(one, day)) is not None]
    return tuple(sorted(out, key=lambda one: -one.owner_function.count("+")))


def aim_of(target: Target) -> Aim:
    """A target of the extract as one that nobody has set anew."""
    return Aim(target.metric_id, target.segment, target.owner_function, target.start, target.end)


def _target(aim: Aim, day: int, extract: Target | None = None) -> Target | None:
    now = aim.on(day)
    if now is None:
        return None
    before = (((aim.start, extract.value),) if extract and aim.steps(day)[0][0] > aim.start else ()) + aim.steps(day)
    return Target(extract.target_id if extract else f"T-{aim.record[:8]}", aim.metric_id, aim.start, aim.end, aim.segment, aim.owner, now.value, now.direction, now.pacing, now.profile_id,
                  before if len(before) > 1 else ())


def set_targets(store: Store, dataset: str, terms: Terms, day: int, until: pd.Timestamp | None = None) -> Terms:
    """`terms` with the targets of the log that hold on `day` (day number); `until`: as the log was then."""
    entries = store.entries(dataset, TARGET)
    return replace(terms, targets=merged(terms.targets, aims(entries, until), day)) if entries else terms


def extract_targets(x: Coded) -> tuple[Target, ...]:
    """The targets that the extract itself brings, whatever was set since."""
    return TABLES["targets"][1](x.data.table("targets")) if x.data.has("targets") else ()


def first_day(aim: Aim, today: int, there: bool) -> int:
    """From when a target holds where nobody says it: a change from today on (of a period to come or over: from its start), a new one for its whole period and
    from today at the latest."""
    return (today if aim.start <= today < aim.end else min(aim.start, today)) if there else min(aim.start, today)


# -- setting -------------------------------------------------------------------------------------------------------------------------------

def faults(x: Coded, aim: Aim, new: Setting, others: Sequence[Aim] = ()) -> tuple[str, ...]:
    """What makes a target impossible, a sentence each. `others`: the targets that there are, of the log and of the extract."""
    found = measure_of(aim.metric_id)
    if found is None or not _own_known(x.terms, aim.metric_id):
        return (f"There is no metric “{aim.metric_id}”: choose one of the list, such as {name(METRICS[0])} or {name(METRICS[2])}.",)
    card, measure = found
    label, out = name(aim.metric_id), []
    if measure.kind in (Kind.STUDY, Kind.DERIVED, Kind.LEVEL):
        out.append(f"{label} is worked out from other numbers or holds at one moment: set the target on what it is made of.")
    if aim.end <= aim.start:
        out.append("The period ends before it starts.")
    if not math.isfinite(new.value):
        out.append("The value is no number.")
    elif new.value < 0 or (new.value == 0 and new.direction != "down"):
        out.append(f"A target of {units.named(new.value, measure.unit, x.terms.corporate_currency)} can never be missed: write a value above 0.")
    elif measure.kind is Kind.RATE and measure.interval and measure.unit.kind == "ratio" and new.value > 1:
        out.append(f"{label} is a share and cannot be {new.value * 100:,.0f} %: write {new.value:g} % as {new.value / 100:g}." if new.value <= 100 else f"{label} is a share and cannot be above 100 %.")
    if new.direction not in ("up", "down"):
        out.append("Say whether the target is a least (up) or a most (down).")
    if new.pacing not in PACINGS:
        out.append(f"The pacing “{new.pacing}” is not known: linear, business_day, seasonal or none.")
    elif new.pacing != "none" and measure.kind is not Kind.TOTAL:
        out.append(f"{label} does not add up over the period, so it has no pace: choose the pacing “none”.")
    elif aim.end > aim.start and new.pacing == "seasonal" and not new.profile_id:
        out.append("A seasonal target needs a profile: which curve it follows.")
    elif aim.end > aim.start and new.pacing == "seasonal" and new.profile_id not in dict(x.terms.seasonality):
        known = ", ".join(profile for profile, _ in x.terms.seasonality) or "none is in the extract"
        out.append(f"The seasonal profile “{new.profile_id}” is not known ({known}).")
    elif aim.end > aim.start and new.pacing == "business_day" and (sentence := no_pace(x.terms, Target("", aim.metric_id, aim.start, aim.end, "", "", 1.0, "up", "business_day"))):
        out.append(sentence)
    if aim.segment and aim.segment not in x.dims["segment"].values:
        out.append(f"There is no segment “{aim.segment}”: {', '.join(value for value in x.dims['segment'].values if value)}.")
    if not aim.owner or any(part not in FUNCTIONS for part in aim.owner.split("+")):
        out.append(f"Say which function owns it: {functions(FUNCTIONS).replace(' + ', ', ')}, or several of them.")
    if new.valid_from >= aim.end > aim.start:
        out.append("It would hold only after its period is over: choose an earlier day.")
    out += [f"Its period overlaps {one.period.dates()}, for which {label} has a target already: change that one, or choose a period inside or around it." for one in others
            if (number_key(one.metric_id), one.segment, together(one.owner)) == (number_key(aim.metric_id), aim.segment, together(aim.owner)) and one.record != aim.record
            and max(one.start, aim.start) < min(one.end, aim.end) and not _nested(one, aim)]
    return tuple(out)


def _nested(one: Aim, other: Aim) -> bool:
    return (one.start <= other.start and other.end <= one.end) or (other.start <= one.start and one.end <= other.end)


def _own_known(terms: Terms, metric_id: str) -> bool:
    """Whether the stage, promise or pair that a metric id names exists."""
    known = {"stage": terms.lead_stages, "sla_type": SLA_TYPES, "pair": tuple(pair for pair, _ in terms.conversion_window_days)}
    _, _, own = resolve(metric_id, CARDS) or (None, "", {})
    return all(value in known.get(dimension, (value,)) for dimension, value in own.items())


def doubts(aim: Aim, new: Setting) -> tuple[str, ...]:
    """What may be meant so and is asked for once more, a sentence each."""
    found = measure_of(aim.metric_id)
    better = found and {Better.UP: "up", Better.DOWN: "down"}.get(found[0].better, "")
    if not better or better == new.direction:
        return ()
    return (f"{name(aim.metric_id)} is better {'higher' if better == 'up' else 'lower'}, but this target is “at {'most' if new.direction == 'down' else 'least'}”.",)


def set_target(store: Store, dataset: str, x: Coded, aim: Aim, new: Setting, by: Actor, *, confirmed: bool = False) -> Aim:
    """Set a target, or change what holds of it from `new.valid_from` on (`aim.version`: the one that was looked at; 0 = new). Raises Refused, Unconfirmed,
    and Overtaken when another one has changed it since."""
    return set_all(store, dataset, x, ((aim, new),), by, confirmed=confirmed)[0]


def set_all(store: Store, dataset: str, x: Coded, new: Sequence[tuple[Aim, Setting]], by: Actor, *, confirmed: bool = False) -> tuple[Aim, ...]:
    """Set several targets, all or none."""
    by.demand("target")
    others = (*aims(store.entries(dataset, TARGET)), *map(aim_of, x.terms.targets), *(aim for aim, _ in new))
    wrong = [sentence for aim, setting in new for sentence in faults(x, aim, setting, others)]
    if wrong:
        raise Refused(" ".join(dict.fromkeys(wrong)))
    open_ = [sentence for aim, setting in new for sentence in doubts(aim, setting)]
    if open_ and not confirmed:
        raise Unconfirmed(" ".join(dict.fromkeys(open_)))
    store.append(dataset, *(_entry(aim, setting, "changed" if aim.version else "set", by.name) for aim, setting in new))
    return _now(store, dataset, [aim for aim, _ in new])


def withdraw(store: Store, dataset: str, aim: Aim, by: Actor, why: str, valid_from: int) -> Aim:
    """Take a target back from a day on; one of the extract for the same number then holds again. Raises Refused without a reason."""
    by.demand("target")
    if not why.strip():
        raise Refused("Say why the target is withdrawn.")
    if not aim.settings:
        raise Refused("This target comes from the extract: it is changed here, but withdrawn only where it was made.")
    last = aim.settings[-1]
    store.append(dataset, _entry(aim, replace(last, why=why, withdrawn=True, valid_from=valid_from), "withdrawn", by.name))
    return _now(store, dataset, [aim])[0]


def _entry(aim: Aim, new: Setting, verb: str, by: str) -> Entry:
    said = {key: value for key, value in asdict(new).items() if key not in ("by", "at")}
    return Entry(TARGET, aim.record, verb, {"metric_id": aim.metric_id, "segment": aim.segment, "owner": aim.owner, "start": aim.start, "end": aim.end, **said}, by, aim.version + 1)


def _now(store: Store, dataset: str, wanted: Sequence[Aim]) -> tuple[Aim, ...]:
    found = {one.record: one for one in aims(store.entries(dataset, TARGET))}
    return tuple(found[one.record] for one in wanted)


# -- history -------------------------------------------------------------------------------------------------------------------------------

def history(aim: Aim, extract: Sequence[Target]) -> pd.DataFrame:
    """All that was said of a target, oldest first: valid_from, value, direction, pacing, said (set, changed, withdrawn, from the extract), why, by, at."""
    rows = [{"valid_from": date_of(one.start).isoformat(), "value": one.value, "direction": one.direction, "pacing": one.pacing or "none", "said": "from the extract", "why": "", "by": "", "at": pd.NaT}
            for one in extract if aim_of(one).record == aim.record]
    rows += [{"valid_from": date_of(one.valid_from).isoformat(), "value": one.value, "direction": one.direction, "pacing": one.pacing,
              "said": "withdrawn" if one.withdrawn else "changed" if place else "set", "why": one.why, "by": one.by, "at": one.at} for place, one in enumerate(aim.settings)]
    frame = pd.DataFrame(rows, columns=["valid_from", "value", "direction", "pacing", "said", "why", "by", "at"])
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True).dt.as_unit("us"))
