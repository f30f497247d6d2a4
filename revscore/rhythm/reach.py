"""What the filters did: how much of the extract they leave, and which of them left nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revscore.core.coded import Coded
from revscore.core.view import View


@dataclass(frozen=True)
class Reach:
    """Records that the chosen values of dimensions leave, of all. `emptied_by`: the dimensions without which something would be left."""

    leads: int
    deals: int
    all_leads: int
    all_deals: int
    parts: tuple[tuple[str, int, int], ...] = ()  # dimension, values chosen, values there are
    emptied_by: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return not self.leads and not self.deals


def reach(x: Coded, view: View) -> Reach:
    """How far `view`'s dimensions reach, whatever its period."""
    leads, deals = _left(x, view, "lead"), _left(x, view, "opp")
    chosen = view.chosen
    parts = tuple((name, len(values), len(x.dims[name]) - 1) for name, values in chosen.items() if name in x.dims)
    culprits: tuple[str, ...] = ()
    if not leads and not deals:
        without = {name: View.of(view.period, view.grain, **{k: v for k, v in chosen.items() if k != name}) for name in chosen}
        culprits = tuple(name for name, wider in without.items() if _left(x, wider, "lead") or _left(x, wider, "opp")) or tuple(chosen)
    return Reach(leads, deals, x.leads.n, x.opps.n, parts, culprits)


def _left(x: Coded, view: View, entity: str) -> int:
    """Records of an entity that the dimensions leave; a dimension that the entity does not have selects nothing away."""
    kept = np.ones(x.leads.n if entity == "lead" else x.opps.n, dtype=bool)
    for name, values in view.where:
        if name in x.codes[entity]:
            kept &= np.isin(x.codes[entity][name], x.dims[name].codes_of(values))
    return int(kept.sum())
