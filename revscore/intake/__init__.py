"""The gate: files become one cleaned, typed `CrmData` and a `Ledger` that accounts for every row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from revscore.intake.apart import read_apart
from revscore.intake.clean import Intake, clean
from revscore.intake.desk import NO_DEALS, Question
from revscore.intake.encoding import in_encoding
from revscore.intake.ledger import Ledger
from revscore.intake.match import Match, Recognition, is_config, recognise
from revscore.intake.plain import load_folder
from revscore.intake.returned import returned
from revscore.intake.sheet import Problem, Sheet, Source, Unusable
from revscore.intake.subjects import SUBJECTS, Field, Subject

__all__ = ["SUBJECTS", "Field", "Intake", "Ledger", "Match", "Problem", "Question", "Recognition", "Sheet", "Source", "Subject", "Unusable", "load_folder", "prepare",
           "prepare_sheets", "recognise"]


def prepare(sources: Sequence[Source], answers: Mapping[str, str] | None = None, mapping: Mapping[str, Any] | None = None,
            as_of: pd.Timestamp | None = None, tz: str | None = None, progress: Callable[[str, float, str], None] | None = None,
            defined: bool = False) -> Intake:
    """Read (in a limited process of its own), recognise and clean files; nothing is stored.

    sources: files (xlsx, csv, tsv, txt, zip), folders, and config.json of a plain folder
    answers: question key -> answer; mapping: `Intake.mapping` of an earlier load; as_of: instant of the extract
    tz     : reporting zone, for dates without a time (default: the config's, else UTC)
    defined: the data set has definitions, so that none is asked for

    Raises Unusable when as_of, the config or the mapping cannot be read; faults of files and rows are values of the result.
    """
    config, files = _config(sources)
    sheets, problems = read_apart(files, progress)
    return prepare_sheets(returned(sheets), answers, mapping, as_of, tz, progress, config, problems, defined)


def prepare_sheets(sheets: Sequence[Sheet], answers: Mapping[str, str] | None = None, mapping: Mapping[str, Any] | None = None, as_of: pd.Timestamp | None = None,
                   tz: str | None = None, progress: Callable[[str, float, str], None] | None = None, config: Mapping[str, Any] | None = None,
                   problems: Sequence[Problem] = (), defined: bool = False, loaded: pd.DataFrame = NO_DEALS) -> Intake:
    """`prepare` for sheets that are read already (from files, or from a warehouse). `loaded`: opportunities (opp_id, name) of the load that mended rows complete."""
    sheets = [in_encoding(sheet, (answers or {}).get(f"encoding:{sheet.file}", "")) for sheet in sheets]
    config = {**(config or {}), **{k: v for sheet in sheets for k, v in _config_sheet(sheet).items()}}
    recognition = recognise(sheets, mapping)
    if progress:
        progress("recognised", 1.0, f"{len(recognition.used)} of {len(recognition.matches)} sheets")
    intake = clean(recognition, answers or {}, config, as_of, tz or "UTC", mapping, progress, defined=defined, loaded=loaded)
    return Intake(**{**vars(intake), "problems": tuple(problems)})


def _config(sources: Sequence[Source]) -> tuple[dict[str, Any], list[Source]]:
    """config.json among the sources or in their folders, and the sources without it."""
    config: dict[str, Any] = {}
    files = []
    for source in sources:
        if isinstance(source.content, Path) and source.content.is_dir() and (source.content / "config.json").is_file():
            config |= _json((source.content / "config.json").read_bytes(), source.name)
        if source.name.lower().endswith("config.json"):
            config |= _json(source.content.read_bytes() if isinstance(source.content, Path) else source.content, source.name)
        else:
            files.append(source)
    return config, files


def _json(content: bytes, name: str) -> dict[str, Any]:
    try:
        value = _value(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unusable(f"{name}: config.json cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise Unusable(f"{name}: config.json holds no definitions; it must be an object of keys and values")
    return value


def _value(text: str) -> Any:
    """What JSON says. Raises ValueError, also for what JSON does not have and Python takes for it, such as NaN."""
    def none_of(word: str) -> None:
        raise ValueError(f"{word} is no number")

    return json.loads(text, parse_constant=none_of)


def _config_sheet(sheet: Sheet) -> dict[str, Any]:
    """Definitions of a sheet "config" with the columns key and value; values that are JSON are read as such."""
    if not is_config(sheet):
        return {}
    out = {}
    for key, value in sheet.frame.itertuples(index=False):
        try:
            out[key] = _value(value)
        except (ValueError, RecursionError):
            out[key] = value
    return out
