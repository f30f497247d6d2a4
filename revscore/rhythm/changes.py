"""What changed a rate between two periods: more or less of which groups (mix), and groups that convert better or worse (rate)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.figures import walk
from revscore.core.metrics import CARDS
from revscore.core.review import comparison
from revscore.core.splits import RatioSplit, ratio_split
from revscore.core.view import DIMENSIONS, View
from revscore.rhythm.asks import LEAST, SHIFTS, Ask, frame_of

RANKED = {"owner", "campaign"}  # below `LEAST` records these are not told apart
SHOWN = 8  # groups with a bar of their own


@dataclass(frozen=True)
class Change:
    """The change of a rate from `before` to `period`, split over the groups of a dimension. `rows`: start, mix, the groups' rates, end, to be drawn."""

    period: Period | None
    before: Period | None
    split: RatioSplit | None = None
    rows: pd.DataFrame | None = None

    @property
    def known(self) -> bool:
        return self.split is not None and self.split.known


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
    return Change(at.period, before, split, _rows(split) if split.known else None)


def _groups(x: Coded, one: Ask, view: View, by: str) -> pd.DataFrame:
    """n and d (above and below the line) of every group, by its label."""
    found = frame_of(x, one.card, view, (by,), **dict(one.params))
    found = found[(found["measure"] == CARDS[one.card].measure(one.stat).name) & (found["denominator"] > 0)]
    labels = dict(zip(x.dims[by].values, x.dims[by].labels, strict=True))
    return pd.DataFrame({"n": found["numerator"].to_numpy(dtype=float), "d": found["denominator"].to_numpy(dtype=float)}, index=[labels.get(value, value) for value in found[by]])


def _rows(split: RatioSplit) -> pd.DataFrame:
    """The mix of all as one step, then the rate of each group, largest step first; small steps are taken together."""
    groups = split.groups.assign(size=lambda f: f["rate"].abs()).sort_values("size", ascending=False, kind="stable")
    groups = groups[groups["rate"] != 0]
    own, rest = groups.iloc[:SHOWN], groups.iloc[SHOWN:]
    steps = [{"id": "mix", "label": "Mix of groups", "effect": split.mix, "note": ""}]
    steps += [{"id": f"rate:{row.group}", "label": f"Rate in {row.group}", "effect": row.rate, "note": f"{row.n0:,.0f} of {row.d0:,.0f} → {row.n1:,.0f} of {row.d1:,.0f}"} for row in own.itertuples()]
    steps += [{"id": "rest", "label": f"Rate in {len(rest)} others", "effect": float(rest["rate"].sum()), "note": ""}] if len(rest) else []
    return walk(split.before, pd.DataFrame(steps), split.after)
