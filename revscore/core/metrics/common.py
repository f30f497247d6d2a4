"""What the families share: the tables that lead and deal metrics need, the columns shown when one is opened, dimensions over fixed words,
flags as text.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from revscore.core.facts import Dimension

LEAD_NEEDS = ("leads.lead_id", "leads.created_at", "lead_stage_history.stage", "lead_stage_history.entered_at")
LEAD_DRILL = ("lead_id", "segment", "region", "owner", "source", "campaign", "created_at", "status")
DEAL_NEEDS = ("opportunities.opp_id", "opportunities.created_at", "opp_history.changed_at", "opp_history.stage")
LEAD_CHANGES = (*LEAD_NEEDS, "lead_stage_history!")  # not from present states alone
LEAD_PASSES = (*LEAD_CHANGES, "lead_stage_history.stage!")  # nor from date stamps, which know no return
DEAL_CHANGES = (*DEAL_NEEDS, "opp_history!")
DEAL_DRILL = ("opp_id", "name", "account", "segment", "owner", "stage", "amount", "close_date", "next_step")
_BITS = 60  # flags that fit into one number


@lru_cache(maxsize=128)
def words(name: str, values: tuple[str, ...], labels: tuple[str, ...] | None = None) -> Dimension:
    """A metric's own dimension over fixed words (code 0 stays "missing")."""
    return Dimension(name, ("", *values), ("(missing)", *(labels or values)))


def listed_flags(flags: np.ndarray, labels: tuple[str, ...]) -> np.ndarray:
    """The labels whose flag is up, as one text a record ("" when none is): `flags` is [label, record]."""
    if len(labels) > _BITS:
        first, rest = listed_flags(flags[:_BITS], labels[:_BITS]), listed_flags(flags[_BITS:], labels[_BITS:])
        return first + np.where((first != "") & (rest != ""), "; ", "").astype(object) + rest
    mask = (flags.astype("int64") << np.arange(len(labels))[:, None]).sum(axis=0)
    found, place = np.unique(mask, return_inverse=True)
    return np.array(["; ".join(label for k, label in enumerate(labels) if number >> k & 1) for number in found.tolist()], dtype=object)[place]
