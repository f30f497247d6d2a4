"""What was recognised, sheet by sheet, open to correction; and the questions that only the team can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from revscore.company import CONFIRM, Draft, LoadReport
from revscore.core import units
from revscore.intake.match import Match
from revscore.intake.subjects import NOT_USED, SUBJECTS
from revscore.ui import tables
from revscore.ui.words import md

if TYPE_CHECKING:
    from revscore.ui.bench import Bench

_OFFERED = ("lead", "lead_change", "deal", "deal_state", "deal_change", "contact", "account", "campaign", "member", "contact_role", "activity", "user", "goal", "rate")
_LEAVE = "(not used)"


def sheets(work: Bench, draft: Draft) -> None:
    """Per sheet: what it is about, its headings with samples and where they go; a correction is read again at once."""
    matches = draft.intake.recognition.matches
    used = sum(bool(match.subject) for match in matches)
    st.subheader(f"Recognised: {used} of {len(matches)} sheets", anchor=False)
    overview = pd.DataFrame([{"File": m.sheet.file, "Sheet": m.sheet.name, "Rows": len(m.sheet.frame), "Holds": _about(m), "System": m.title,
                              "Headings used": f"{len(m.columns) + len(m.stamps)} of {len(m.sheet.headings)}", "Not recognised": ", ".join(m.unrecognised)}
                             for m in matches])
    tables.plain(tables.filled(overview), "recognised", counts=["Rows"])
    names = [match.sheet.place for match in matches]
    if not names:
        return
    doubtful = next((place for place, match in zip(names, matches, strict=True) if not match.subject or match.unrecognised), names[0])
    with st.expander("Look at a sheet and correct how it is read", icon=":material/edit_note:", expanded=used == 0):
        picked = st.selectbox("Sheet", names, index=names.index(doubtful), key=f"sheet-{work.token}")
        _correct(work, draft, matches[names.index(picked)])


def _about(match: Match) -> str:
    return SUBJECTS[match.subject].title if match.subject else NOT_USED


def _correct(work: Bench, draft: Draft, match: Match) -> None:
    place = f"{work.token[:8]}-{match.sheet.place}"
    st.caption(md(match.why[:1].upper() + match.why[1:].rstrip(".") + "."))
    offered = ["", *dict.fromkeys((*([match.subject] if match.subject else []), *_OFFERED))]
    subject = st.selectbox("This sheet holds", offered, index=offered.index(match.subject), format_func=lambda s: SUBJECTS[s].title if s else NOT_USED,
                           key=f"subject-{place}")
    if not subject:
        if match.subject and st.button("Leave this sheet out", key=f"leave-{place}"):
            _again(work, draft, match, "", {})
        return
    fields = SUBJECTS[subject].fields
    rows = pd.DataFrame({"Heading": list(match.sheet.headings),
                         "Goes to": [match.columns.get(h, _LEAVE) if match.columns.get(h, _LEAVE) in fields else _LEAVE for h in match.sheet.headings],
                         "Samples": [" · ".join(match.samples.get(h, ())) for h in match.sheet.headings]}, dtype="str")
    edited = st.data_editor(rows, hide_index=True, key=f"columns-{place}-{subject}", disabled=["Heading", "Samples"], num_rows="fixed", column_config={
        "Goes to": st.column_config.SelectboxColumn("Goes to", options=[_LEAVE, *fields], format_func=_field_name, required=True),
        "Samples": st.column_config.TextColumn(width="large")})
    columns = {h: f for h, f in zip(edited["Heading"], edited["Goes to"].fillna(_LEAVE), strict=True) if f != _LEAVE}
    twice = sorted({f for f in columns.values() if list(columns.values()).count(f) > 1})
    if twice:
        st.warning(f"Two headings go to {', '.join(_field_name(f) for f in twice)}; keep one of them.")
    lacks = [need for need in SUBJECTS[subject].needs if not any(name in columns.values() for name in need.split("|"))]
    if lacks:
        st.caption(f"{SUBJECTS[subject].title} need {', '.join(' or '.join(map(_field_name, need.split('|'))) for need in lacks)}: say which heading holds it.")
    changed = subject != match.subject or columns != dict(match.columns)
    if st.button("Read again this way", icon=":material/refresh:", disabled=not changed or bool(twice) or bool(lacks), key=f"again-{place}"):
        _again(work, draft, match, subject, columns)


def _field_name(name: Any) -> str:
    """A field, a meaning: "close date", "new business", "MQL"."""
    return units.word(str(name or _LEAVE)).replace("_", " ")


def _again(work: Bench, draft: Draft, match: Match, subject: str, columns: dict[str, str]) -> None:
    """The reader's own word on a sheet goes before everything else."""
    work.draft = draft.corrected(match, subject, columns)
    st.rerun()


_CHOICES = {"stage": ("stage", ("open", "won", "lost")), "type": ("type", ("new_business", "expansion", "renewal")),
            "lead status": ("lead_status", ("inquiry", "mql", "sal", "sql", "recycled", "disqualified"))}


def words(work: Bench, draft: Draft) -> None:
    """How the team's words were understood (won, lost, open …), each open to correction."""
    known = draft.intake.words
    if not len(known):
        return
    unsure = int((~known["evidence"].isin(("word list", "kept mapping", "answered", "list of stages", "marked as won", "marked as closed and not won"))).sum())
    with st.expander(f"Words: {len(known):,} stages, statuses and types" + (f", {unsure} to look at" if unsure else ""), icon=":material/translate:", expanded=unsure > 0):
        st.caption("What a stage is called is each team's own affair. Correct what is wrong; it is kept for next time.")
        changed: dict[str, str] = {}
        kinds = [kind for kind in _CHOICES if (known["kind"] == kind).any()]
        for place, kind in zip(st.columns(len(kinds)) if kinds else [], kinds, strict=True):
            prefix, options = _CHOICES[kind]
            part = known[known["kind"] == kind].reset_index(drop=True)
            with place:
                edited = st.data_editor(part[["word", "meaning", "rows", "evidence"]], hide_index=True, num_rows="fixed", disabled=["word", "rows", "evidence"],
                                        key=f"words-{work.token[:8]}-{kind}-{len(draft.answers)}", column_config={
                                            "word": kind.capitalize(), "meaning": st.column_config.SelectboxColumn("Means", options=list(options), format_func=_field_name),
                                            "rows": st.column_config.NumberColumn("Rows", format="localized"), "evidence": "Because"})
            new = edited["meaning"].fillna("") != part["meaning"].fillna("")
            changed |= {f"{prefix}:{word}": meaning for word, meaning in zip(part["word"][new], edited["meaning"][new], strict=True) if meaning}
        if st.button("Use these meanings", icon=":material/refresh:", disabled=not changed, key=f"use-words-{work.token[:8]}"):
            work.draft = draft.again(answers={**draft.answers, **changed})
            st.rerun()


_WORDS = {"mdy": "month first (mdy)", "dmy": "day first (dmy)", "ymd": "year first (ymd)", ".": "a point", ",": "a comma"} | {code: _field_name(code) for _, codes in _CHOICES.values() for code in codes}


def _option(code: str) -> str:
    """An option of a question as readers say it."""
    return _WORDS.get(code, code)


def _answered(key: str, value: str) -> str:
    """ "type of Upsell: new business". """
    what, _, of = key.partition(":")
    return f"{_field_name(what)}{f' of {of}' if of else ''}: {_option(value)}"


def questions(work: Bench, draft: Draft, found: LoadReport) -> None:
    """Doubts with their options. Those with a default are taken so unless the reader says otherwise; an answer given can be taken back."""
    asked = [question for question in found.questions if not question.key.startswith(CONFIRM)]  # what speaks against the load is asked at its end
    if not asked and not draft.answers:
        return
    must = sum(q.default is None for q in asked)
    st.subheader("Questions" if not must else f"Questions ({must} must be answered)", anchor=False)
    if draft.answers:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(md(f"Answered: {'; '.join(_answered(key, value) for key, value in draft.answers.items())}."))
            if st.button("Ask me again", type="tertiary", icon=":material/undo:", key=f"ask-again-{work.token[:8]}"):
                work.draft = draft.again(answers={})
                st.rerun()
    if not asked:
        return
    with st.form(f"questions-{work.token[:8]}", border=True):
        chosen = {}
        for question in asked:
            label, key = md(f"{question.text} ({question.place})" if question.place else question.text), f"q-{work.token[:8]}-{question.key}"
            if question.options:
                options = list(question.options)
                index = options.index(question.default) if question.default in options else None
                chosen[question.key] = st.selectbox(label, options, index=index, key=key, placeholder="Choose …", width=640, format_func=_option)
            else:
                chosen[question.key] = st.text_input(label, question.default or "", key=key, width=640)
        if st.form_submit_button("Use these answers", icon=":material/check:"):
            work.draft = draft.again(answers={**draft.answers, **{key: value for key, value in chosen.items() if value}})
            st.rerun()
