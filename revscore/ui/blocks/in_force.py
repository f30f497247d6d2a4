"""The definitions in force that a number rests on, in words: for the glossary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.policies import SlaPolicy
from revscore.core.terms import Terms
from revscore.ui.words import listed

Says = Callable[[Terms], str]

_DEALS, _LEADS = ("pipeline", "opp", "slippage", "winrate", "velocity", "deal_size", "bookings", "forecast", "attribution", "campaign"), ("funnel", "leakage", "dq.", "sla", "shared", "velocity.lead")
# Beginnings of the ids that a definition bears on, its name, what it says.
_RULES: tuple[tuple[tuple[str, ...], str, Says], ...] = (
    (_LEADS, "Lead stages", lambda t: " → ".join(t.lead_stages) + f"; exits {listed(t.lead_exit_stages)}"),
    (("opp", "velocity.opp", "velocity.aging", "forecast", "dq.", "pipeline.weighted"), "Opportunity stages", lambda t: " → ".join((*t.opp_open_stages, f"{t.opp_won_stage} / {t.opp_lost_stage}"))),
    (("pipeline", "slippage", "winrate.cohort", "forecast", "attribution", "velocity.sales", "shared.joint"), "Pipeline begins at", lambda t: t.pipeline_entry_stage),
    (_DEALS, "Types in pipeline", lambda t: listed(t.pipeline_types)),
    (_DEALS, "Never counted", lambda t: f"loss reason {listed(t.excluded_loss_reasons)}" if t.excluded_loss_reasons else ""),
    (("funnel", "shared.handoff"), "Conversion windows", lambda t: "; ".join(f"{pair.replace('->', ' → ')} {days:g} days" for pair, days in t.conversion_window_days)
     + f"; others {t.default_window_days:g} days"),
    (("leakage.leads",), "Stalled after", lambda t: "; ".join(f"{stage} {days:g} days" for stage, days in t.stall_days)),
    (("winrate.cohort",), "Win window", lambda t: f"{t.cohort_win_window_days:g} days"),
    (("velocity.aging",), "Benchmark from", lambda t: f"{t.benchmark_min_n} won deals on"),
    (("sla", "shared.handoff"), "Promises", lambda t: "; ".join(map(_promise, t.sla_policies))),
    (("sla.breach",), "Escalation", lambda t: "; ".join(f"level {level} at {share:g} % to the {who}" for level, share, who in t.escalation_levels)),
    (("forecast", "dq.exception"), "Rules", lambda t: f"{t.hygiene.commit_category} not before {t.hygiene.commit_min_stage}; stale after {t.hygiene.stale_days:g} days; "
     f"{t.hygiene.push_threshold} pushes or more"),
    (("dq.lead", "dq.opp", "dq.complete"), "Required fields", lambda t: "; ".join(f"{entity} {stage}: {name}" for entity, stage, name in t.required_fields)),
    (("dq.lead", "dq.opp", "dq.complete"), "Counts as missing", lambda t: listed([f"“{word}”" for word in t.placeholders])),
    (("attribution", "campaign", "shared.joint"), "People of a deal", lambda t: t.attribution.person_mode),
    (("attribution", "campaign"), "Look-back", lambda t: f"{t.attribution.lookback_days:g} days; half-life {t.attribution.half_life_days:g} days; influence {t.attribution.campaign_influence_days:g} days"),
    (("attribution", "campaign"), "Weights", lambda t: "; ".join(f"{model.replace('_', '-')} " + " / ".join(f"{anchor} {weight:g}" for anchor, weight in anchors)
                                                                 for model, anchors in t.attribution.weights)),
    (("targets", "shared.weakest"), "Business days of", lambda t: t.pacing_calendar),
    (("retention",), "Period", lambda t: Period(*t.retention_period).dates() if t.retention_period else "the last 12 complete fiscal months"),
    (("governance.reporting",), "Consistent within", lambda t: units.text(float(dict(t.reporting_consistency).get("rel_tol", 0)), units.RATIO)),
    (("stats", "governance.actions"), "Samples", lambda t: f"shown from {t.stats.min_n_show}, normal from {t.stats.min_n_normal}, an effect judged from {t.stats.min_n_effect}; control limits from the first "
     f"{t.stats.spc_baseline_points} points, a run is {t.stats.spc_run_length}"),
    (("pipeline", "bookings", "deal_size", "velocity.sales", "retention", "attribution", "campaign", "shared.joint", "forecast"), "Money", lambda t: f"{t.corporate_currency}, at one corporate rate"),
    (("",), "Calendar", lambda t: f"fiscal year from month {t.fiscal_start_month}, reporting zone {t.reporting_tz}"),
)


def in_force(metric_id: str, terms: Terms, today: int) -> dict[str, str]:
    """Name → words of the definitions that the metric rests on, those of the day number `today`."""
    terms = replace(terms, sla_policies=tuple(one for one in terms.sla_policies if one.effective_from <= today <= one.effective_to))
    found = {name: says(terms) for beginnings, name, says in _RULES if metric_id.startswith(beginnings)}
    return {name: text for name, text in found.items() if text}


def _promise(policy: SlaPolicy) -> str:
    what = f"{policy.sla_type.replace('_', ' ')}{f' ({policy.segment})' if policy.segment else ''} within {policy.target:g} {policy.unit.replace('_', ' ')}"
    return f"{policy.touches_required:g} touches, {what}" if policy.touches_required else what
