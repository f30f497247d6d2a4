"""View: what a reader chose to look at, as one frozen value. It selects facts; it never changes what a fact is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from revscore.core.calendars import Grain, Period

DIMENSIONS = ("segment", "region", "owner", "source", "campaign", "type")  # every page can be filtered by these
Where = tuple[tuple[str, tuple[str, ...]], ...]  # (dimension, chosen values)


@dataclass(frozen=True)
class View:
    """A period (None = everything up to as-of), a grain for series, and the chosen values of dimensions (none chosen = all)."""

    period: Period | None = None
    grain: Grain = "month"
    where: Where = ()

    @classmethod
    def of(cls, period: Period | None = None, grain: Grain = "month", **where: str | tuple[str, ...]) -> View:
        """A view by name: `View.of(quarter, segment="SMB", owner=("U01", "U02"))`."""
        chosen = {name: (value,) if isinstance(value, str) else tuple(value) for name, value in where.items()}
        return cls(period, grain, tuple(sorted((name, tuple(sorted(value))) for name, value in chosen.items() if value)))

    @property
    def chosen(self) -> Mapping[str, tuple[str, ...]]:
        return dict(self.where)

    def during(self, period: Period | None) -> View:
        return replace(self, period=period)

    def narrowed(self, **where: str | tuple[str, ...]) -> View:
        """The same view with further values chosen."""
        return View.of(self.period, self.grain, **{**self.chosen, **where})
