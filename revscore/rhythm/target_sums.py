"""Whether the targets of segments and functions add up to those of their wholes."""

from __future__ import annotations

from dataclasses import dataclass

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.metric import Kind
from revscore.core.terms import Target
from revscore.core.units import listed
from revscore.rhythm.target_lines import measure_of, number_key
from revscore.rhythm.target_setting import name, together

SAME = 0.005  # parts that differ from the whole by no more than this share are called equal: targets are rounded


@dataclass(frozen=True)
class Sum:
    """The target of a whole beside those of its parts. `missing`: parts without a target."""

    metric_id: str
    period: Period
    kind: str  # "segments" or "functions"
    whole: Target
    parts: tuple[Target, ...]
    missing: tuple[str, ...]

    @property
    def added(self) -> float:
        return sum(part.value for part in self.parts)

    @property
    def difference(self) -> float:
        return self.added - self.whole.value

    @property
    def share(self) -> float:
        return self.difference / self.whole.value if self.whole.value else float("nan")

    @property
    def fits(self) -> bool:
        return abs(self.share) <= SAME

    def sentence(self, currency: str) -> str:
        """ "The segments of Pipeline created add up to $3.96M, $140k (3.7 %) more than the whole of $3.82M." """
        unit = measure_of(self.metric_id)[1].unit  # type: ignore[index]
        whole, added, apart = (units.named(value, unit, currency) for value in (self.whole.value, self.added, abs(self.difference)))
        lack = f" {listed(self.missing)} {'has' if len(self.missing) == 1 else 'have'} no target." if self.missing else ""
        what = f"The {self.kind} of {name(self.metric_id)} add up to {added}"
        if abs(self.share) <= SAME:
            exact = "" if not self.difference else f" ({apart} {'more' if self.difference > 0 else 'less'}, rounding)"
            return f"{what}, as promised for the whole{exact}.{lack}"
        return f"{what}, {apart} ({abs(self.share) * 100:.1f} %) {'more' if self.difference > 0 else 'less'} than the whole of {whole}.{lack}"


def sums(x: Coded) -> tuple[Sum, ...]:
    """Whether parts add up to their whole: for every target of a total, of its segments, and of the functions that own it together; the newest period first."""
    out = []
    segments = tuple(value for value in x.dims["segment"].values if value)
    for whole in x.terms.targets:
        found = measure_of(whole.metric_id)
        if found is None or found[1].kind is not Kind.TOTAL:
            continue
        alike = [one for one in x.terms.targets if (one.start, one.end) == (whole.start, whole.end) and number_key(one.metric_id) == number_key(whole.metric_id)]
        parts = tuple(one for one in alike if one.segment and together(one.owner_function) == together(whole.owner_function)) if not whole.segment else ()
        if parts:
            out.append(Sum(whole.metric_id, Period(whole.start, whole.end), "segments", whole, parts, tuple(one for one in segments if one not in {part.segment for part in parts})))
        owners = whole.owner_function.split("+")
        shares = tuple(one for one in alike if one.segment == whole.segment and set(one.owner_function.split("+")) < set(owners))
        if shares:
            out.append(Sum(whole.metric_id, Period(whole.start, whole.end), "functions", whole, shares, tuple(one for one in owners if one not in {o for part in shares for o in part.owner_function.split("+")})))
    return tuple(sorted(out, key=lambda one: -one.period.start))


def part_of(x: Coded, target: Target) -> Target | None:
    """The target of several functions together that `target` is one function's part of: nothing measures the part alone. None for a whole."""
    mine = set(target.owner_function.split("+"))
    return next((one for one in x.terms.targets if (one.start, one.end, one.segment) == (target.start, target.end, target.segment)
                 and number_key(one.metric_id) == number_key(target.metric_id) and mine < set(one.owner_function.split("+"))), None)
