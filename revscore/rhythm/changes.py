"""What changed a rate between two periods: more or less of which groups (mix), and groups that convert better or worse (rate)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.figures import walk
from revscore.core.made import Given, Made, Number, Worked
from revscore.core.metrics import CARDS
from revscore.core.review import comparison
from revscore.core.splits import RatioSplit, ratio_split
from revscore.core.units import RATIO
from revscore.core.view import DIMENSIONS, View
from revscore.rhythm.asks import LEAST, SHIFTS, Ask, frame_of

RANKED = {"owner", "campaign"}  # below `LEAST` records these are not told apart
SHOWN = 8  # groups with a bar of their own
_GROUPS = {"owner": "owners", "type": "deal types"}


@dataclass(frozen=True)
class Change:
    """The change of a rate from `before` to `period`, split over the groups of the dimension `by`. `rows`: start, mix, the groups' rates, end, to be drawn;
    of kind "few" the rates of groups that stand on too few in one of the periods."""

    period: Period | None
    before: Period | None
    by: str = ""
    split: RatioSplit | None = None
    rows: pd.DataFrame | None = None

    @property
    def known(self) -> bool:
        return self.split is not None and self.split.known

    def said(self, label: str) -> str:
        """What was found about the rate called `label`, in a sentence."""
        mix, rate = (units.change(value, 0.0, RATIO) for value in (self.split.mix, self.split.rate))
        return f"{label} {units.change(self.split.after, self.split.before, RATIO)}: {mix} from the mix of {_GROUPS.get(self.by, f'{self.by}s')}, {rate} from their rates"


def dimensions(x: Coded, view: View, one: Ask) -> tuple[str, ...]:
    """The dimensions of readers that the card has and that tell something apart, whatever the view."""
    card = CARDS[one.card]
    return () if x.data.missing(card.needs) else tuple(name for name in DIMENSIONS if name in x.facts(card, **dict(one.params)).codes and len(x.dims[name]) > 2)


def change(x: Coded, view: View, one: Ask, by: str) -> Change:
    """The rate `one` in the view's period against the period before (its same days, while the present one is running), over the groups of `by`.

    A rate that needs time to settle goes back to the latest period in which enough have.
    """
    card = CARDS[one.card]
    if view.period is None or x.data.missing(card.needs):
        return Change(None, None)
    at = view.narrowed(**dict(one.own))
    for _ in range(SHIFTS + 1):
        before = comparison(x, at.period)
        now, then = (_groups(x, one, at.during(period), by) for period in (at.period, before))
        if not one.settled or now["d"].sum() >= x.terms.stats.min_n_show:
            break
        at = at.during(x.terms.calendar.shifted(at.period))
    names = list(dict.fromkeys((*now.index, *then.index)))
    n1, d1 = (now[name].reindex(names, fill_value=0.0).to_numpy() for name in ("n", "d"))
    n0, d0 = (then[name].reindex(names, fill_value=0.0).to_numpy() for name in ("n", "d"))
    if by in RANKED:
        small = np.minimum(d0, d1) < LEAST
        if small.any():
            label = f"{int(small.sum())} with fewer than {LEAST}"
            names = [*(name for name, few in zip(names, small, strict=True) if not few), label]
            n0, d0, n1, d1 = (np.append(column[~small], column[small].sum()) for column in (n0, d0, n1, d1))
    split = ratio_split(names, n0, d0, n1, d1)
    return Change(at.period, before, by, split, _rows(split, before.name, at.period.name, x.terms.stats.min_n_show) if split.known else None)


def _groups(x: Coded, one: Ask, view: View, by: str) -> pd.DataFrame:
    """n and d (above and below the line) of every group, by its label."""
    found = frame_of(x, one.card, view, (by,), **dict(one.params))
    found = found[(found["measure"] == CARDS[one.card].measure(one.stat).name) & (found["denominator"] > 0)]
    labels = dict(zip(x.dims[by].values, x.dims[by].labels, strict=True))
    return pd.DataFrame({"n": found["numerator"].to_numpy(dtype=float), "d": found["denominator"].to_numpy(dtype=float)}, index=[labels.get(value, value) for value in found[by]])


def side(x: Coded, view: View, one: Ask, found: Change, by: str, group: str = "", *, later: bool) -> tuple[Ask, View]:
    """The rate of one group ("" = of all), in the earlier or the later period; those that are taken together are asked for together."""
    period = found.period if later else found.before
    named = set(found.split.groups["group"])
    members = (group,) if group in x.dims[by].labels else tuple(label for label in x.dims[by].labels if label not in named)
    at = (view.narrowed(**{by: members}) if group else view).during(period)
    label = f"{one.label}{f': {group}' if group else ''}, {'now' if later else 'before'}"
    return replace(one, settled=False, label=label), at


def effect(x: Coded, view: View, one: Ask, found: Change, by: str, group: str, kind: str) -> Worked:
    """What one group added to the change of the rate: by its `kind` "mix", "rate" or "total" of both, worked out from the two rates and shares of the group and of all."""
    row = found.split.groups.set_index("group").loc[group]
    parts: list[Number | Given] = []
    for name in (group, ""):
        for later in (False, True):
            asked, at = side(x, view, one, found, by, name, later=later)
            parts.append(Number.of(CARDS[one.card], at.narrowed(**dict(one.own)) if one.own else at, one.stat, asked.label, **dict(one.params)))
    for later, base in ((False, "d0"), (True, "d1")):
        whole = float(found.split.groups[base].sum())
        parts.append(Given(f"Share of {group}, {'now' if later else 'before'}", float(row[base]) / whole, RATIO, f"{row[base]:,.0f} of {whole:,.0f} below the line of the rates here"))

    def value(r0: float, r1: float, whole0: float, whole1: float, s0: float, s1: float) -> float:
        total = s1 * np.nan_to_num(r1) - s0 * np.nan_to_num(r0) - (s1 - s0) * (whole0 + whole1) / 2
        rate = 0.0 if np.isnan(r0) or np.isnan(r1) else (s0 + s1) / 2 * (r1 - r0)
        return float({"rate": rate, "mix": total - rate, "total": total}[kind])

    return Worked(f"{_EFFECTS[kind]} {group}", RATIO, Made(tuple(parts), _SAYS[kind], value))


_EFFECTS = {"mix": "Mix of", "rate": "Rate in", "total": "Mix and rate of"}
_SAYS = {"rate": "½ × (share before + share now) × (rate now − rate before) of the group; 0 where it has only one of the rates",
         "mix": "(share now − share before) × (mean of the group's two rates − mean of those of all); of a group that appears or vanishes share × rate, less the change of share × mean of all",
         "total": "share now × rate now − share before × rate before of the group, less the change of its share × the mean of the two rates of all"}


def _rows(split: RatioSplit, before: str, after: str, least: int) -> pd.DataFrame:
    """The mix of all as one step, then the rate of each group, largest step first; small steps are taken together. The ends are called as their periods are."""
    groups = split.groups.assign(size=lambda f: f["rate"].abs()).sort_values("size", ascending=False, kind="stable")
    groups = groups[groups["rate"] != 0]
    own, rest = groups.iloc[:SHOWN], groups.iloc[SHOWN:]
    steps = [{"id": "mix", "label": "Mix of groups", "effect": split.mix, "note": ""}]
    steps += [{"id": f"rate:{row.group}", "label": f"Rate in {row.group}", "effect": row.rate, "note": f"{row.n0:,.0f} of {row.d0:,.0f} → {row.n1:,.0f} of {row.d1:,.0f}"} for row in own.itertuples()]
    steps += [{"id": "rest", "label": f"Rate in {len(rest)} others", "effect": float(rest["rate"].sum()), "note": ""}] if len(rest) else []
    rows, all_ = walk(split.before, pd.DataFrame(steps), split.after), split.groups[["n0", "d0", "n1", "d1"]].sum()
    rows.loc[rows.index[[0, -1]], ["label", "note"]] = [[before[:1].upper() + before[1:], units.of(all_["n0"], all_["d0"])], [after, units.of(all_["n1"], all_["d1"])]]
    few = "rate:" + groups.loc[np.minimum(groups["d0"], groups["d1"]) < least, "group"]
    return rows.assign(kind=rows["kind"].mask(rows["id"].isin(few), "few"))
