"""The metrics, one module a family. A card is found by being in one of these modules; there is no other list."""

from __future__ import annotations

from types import ModuleType

from revscore.core.metric import Metric
from revscore.core.metrics import (attribution, campaigns, conventions, forecast, funnel, governance, leakage, one_deal, pipeline, quality, retention, shared, sla, stages, stats, targets,
                                   velocity, wins)

FAMILIES: tuple[ModuleType, ...] = (funnel, leakage, velocity, pipeline, stages, wins, sla, attribution, one_deal, campaigns, targets, retention, governance, stats, forecast, quality, shared,
                                   conventions)
CARDS: dict[str, Metric] = {card.id: card for family in FAMILIES for card in vars(family).values() if isinstance(card, Metric)}
