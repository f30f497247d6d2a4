"""What is learnt from a load: the team's own definitions, and the reader's mappings and answers for next time."""

from __future__ import annotations

import json
from calendar import month_name
from collections.abc import Mapping, Sequence
from typing import Any

from revscore.core.terms import Terms, TermsError
from revscore.intake import Intake
from revscore.intake.desk import by_heading, heading_of
from revscore.people import Actor
from revscore.store import Writer, sha256_of

FROM_EXTRACT = "from the extract"
_TEAM = "team"  # what is kept of a mapping that belongs to no sheet
_STAGE_KEYS = ("opp_open_stages", "opp_won_stage", "opp_lost_stage", "pipeline_entry_stage")


def learn_terms(store: Writer, dataset: str, intake: Intake, by: Actor) -> list[str]:
    """Definitions from the extract: all of them when the data set has none yet; later only stages that the definitions do not know, unless
    the definitions still are an extract's own and this one brings new ones. Sentences say what was done. In the write that the load is."""
    by.demand("load")
    config, version = store.terms(dataset)
    hints = dict(intake.terms_hints)
    day = f"{intake.data.as_of:%Y-%m-%d}"
    said: list[str] = []
    try:
        if not version:
            store.save_terms(dataset, usable(hints).to_config(), by.name, FROM_EXTRACT)
            return [_taken(intake)] if hints else []
        if intake.config and store.terms_history(dataset)[0].why.startswith(FROM_EXTRACT):
            new = usable({**config, **hints}).to_config()
            changed = [key for key in new if _plain(new[key]) != _plain(config.get(key))]
            if changed:
                store.save_terms(dataset, new, by.name, f"{FROM_EXTRACT} of {day}")
                return [f"the extract's own definitions changed ({', '.join(changed)}); they now hold"]
        if len(store.loads(dataset)) == 1:                   # set before any extract came: what was left at its default is the extract's to say
            usual = Terms().to_config()
            open_ = {key: value for key, value in hints.items() if _plain(config.get(key, usual.get(key))) == _plain(usual.get(key))}
            if open_:
                config = usable({**config, **open_}).to_config()
                store.save_terms(dataset, config, by.name, FROM_EXTRACT)
                said = [f"the definitions that were not set yet ({', '.join(open_)}) come from the extract; the Glossary shows them"]
        terms = Terms.from_config(config)
        unknown = _unknown_stages(intake, terms)
        if not unknown:
            return said
        new = usable({**config, **_with_stages(terms, hints, unknown)})
        store.save_terms(dataset, new.to_config(), by.name, f"stages of the extract of {day} that were not defined: {', '.join(unknown)}")
        return [*said, f"the definitions did not know the stage{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}: added as the extract uses "
                f"{'them' if len(unknown) > 1 else 'it'} (open stages now: {', '.join(new.opp_open_stages)}; won: {new.opp_won_stage}; lost: {new.opp_lost_stage})"]
    except TermsError as error:
        return [f"the extract's definitions could not be used, those in force still hold: {error}"]


def _taken(intake: Intake) -> str:
    """Which definitions the extract brought, and what is taken where it is silent."""
    if any(key not in ("as_of", "report") for key in intake.config):
        return "the definitions come from the configuration beside the extract; the Glossary shows them"
    parts = [name for name, key in (("stages", "opp_won_stage"), ("currency", "corporate_currency")) if key in intake.terms_hints]
    month = intake.terms_hints.get("fiscal_start_month", Terms().fiscal_start_month)
    how = "begins, as answered," if intake.mapping.get("answers", {}).get("fiscal_start_month") == str(month) else "is taken to begin"
    come = f"{' and '.join(parts)} come{'s' if parts == ['currency'] else ''} from the extract; " if parts else ""
    return f"{come}the fiscal year {how} in {month_name[month]}: the Glossary shows and changes the definitions"


def usable(config: Mapping[str, Any]) -> Terms:
    """Terms of a config whose stages fit together: an entry stage or a smallest commit stage that is none of its open stages is replaced by
    the first and the last of them."""
    config = dict(config)
    stages = config.get("opp_open_stages")
    if stages:
        if config.get("pipeline_entry_stage", Terms().pipeline_entry_stage) not in stages:
            config["pipeline_entry_stage"] = stages[0]
        hygiene = dict(config.get("hygiene") or {})
        if hygiene.get("commit_min_stage", Terms().hygiene.commit_min_stage) not in stages:
            config["hygiene"] = {**hygiene, "commit_min_stage": stages[-1]}
    return Terms.from_config(config)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _unknown_stages(intake: Intake, terms: Terms) -> list[str]:
    """Stages of the extract that the terms do not have, in the extract's own order."""
    if not intake.data.has("opp_history"):
        return []
    seen = set(intake.data.table("opp_history")["stage"].dropna().unique()) - set(terms.opp_stages)
    order = [*intake.terms_hints.get("opp_open_stages", ()), intake.terms_hints.get("opp_won_stage"), intake.terms_hints.get("opp_lost_stage")]
    return sorted(map(str, seen), key=lambda stage: (order.index(stage) if stage in order else len(order), stage))


def _with_stages(terms: Terms, hints: Mapping[str, Any], unknown: Sequence[str]) -> dict[str, Any]:
    """The stage definitions with the unknown ones where the extract has them: an open one after the stage that goes before it there."""
    won, lost = (hints.get(key) if hints.get(key) in unknown else old for key, old in
                 (("opp_won_stage", terms.opp_won_stage), ("opp_lost_stage", terms.opp_lost_stage)))
    order = [stage for stage in hints.get("opp_open_stages", ()) if stage not in (won, lost)]
    if not set(order) & set(terms.opp_open_stages):
        return {key: hints[key] for key in _STAGE_KEYS if key in hints}
    stages = [stage for stage in terms.opp_open_stages if stage not in (won, lost)]
    for stage in (s for s in unknown if s not in (won, lost)):
        before = order[:order.index(stage)] if stage in order else []
        place = max((stages.index(s) + 1 for s in before if s in stages), default=0 if stage in order else len(stages))
        stages.insert(place, stage)
    return {"opp_open_stages": stages, "opp_won_stage": won, "opp_lost_stage": lost}


# -- mappings for next time ----------------------------------------------------------------------------------------------------------------

def kept_mapping(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the store keeps, as one mapping for `intake.prepare`."""
    team = kept.get(_TEAM, {})
    return {"version": 1, "sheets": [dict(entry) for signature, entry in kept.items() if signature != _TEAM],
            "answers": dict(team.get("answers", {})), "stages": dict(team.get("stages", {}))}


def to_keep(intake: Intake, used: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Signature -> mapping: of sheets that a reader corrected, now or before, and of the team its answers and stages. An entry names every
    heading of its sheet, so that it fits that sheet only."""
    out: dict[str, dict[str, Any]] = {}
    for match in intake.recognition.matches:
        if match.title == "your mapping":
            entry = correction(match.sheet.headings, match.subject, match.columns, match.stamps, match.preset, match.spec.key if match.spec else "")
            out[signature(match.sheet.headings)] = entry
    decided = {"answers": {key: value for key, value in intake.mapping.get("answers", {}).items() if key != "as_of" and not key.startswith("quarantined:")},
               "stages": dict(intake.mapping.get("stages", {}))}
    if decided["answers"] or decided["stages"]:
        out[_TEAM] = decided
    return out


def correction(headings: Sequence[str], subject: str, columns: Mapping[str, str], stamps: Mapping[str, str] | None = None, preset: str = "own",
               key: str = "") -> dict[str, Any]:
    """An entry of a mapping for sheets with just these headings; a heading that goes nowhere is named all the same."""
    stamps = dict(stamps or {})
    return {"preset": preset, "key": key, "subject": subject, "columns": {h: columns.get(h, "") for h in headings if h not in stamps}, "stamps": stamps}


def signature(headings: Sequence[str]) -> str:
    """What a sheet is known by next time: its headings, in any order."""
    return sha256_of("\n".join(sorted(headings)).encode())


def answered_before(intake: Intake, kept: Mapping[str, str]) -> dict[str, str]:
    """Open questions on a column that were answered for the same heading of another file ("leads 9 Nov.csv" last week), unless this file speaks against that answer."""
    known = by_heading(kept)
    return {q.key: known[heading] for q in intake.questions if not q.anew and (heading := heading_of(q.key)) in known}
