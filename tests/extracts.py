"""Small extracts for tests: as bytes of files, and as tables."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pandas as pd

from revscore.core import schema
from revscore.intake import Source

DEALS = """\
Opportunity ID,Opportunity Name,Account Name,Stage,Amount,Close Date,Created Date,Opportunity Owner,Type
006A,Acme renewal,Acme,Payment Done,1200,2026-03-20,2026-01-05,Ada Nayfield,New Business
006B,Bolt seats,Bolt,Negotiation,800,2026-05-29,2026-02-11,Ada Nayfield,New Business
006C,Crux pilot,Crux,Closed Lost,500,2026-03-11,2026-01-19,Ben Orrin,New Business
006D,Dune rollout,Dune,Discovery,2500,2026-06-30,2026-03-02,Ben Orrin,New Business
006E,Echo add-on,Echo,Discovery,n/a,2026-06-30,2026-03-05,Ben Orrin,New Business
"""
LEADS = """\
lead_id,email,segment,region,owner_id,created_at
L1,a@acme.example,SMB,EMEA,U1,2026-03-02T09:00:00Z
L2,b@bolt.example,SMB,NA,U1,2026-03-03T09:00:00Z
L3,c@crux.example,Enterprise,EMEA,U2,2026-03-04T09:00:00Z
L4,d@dune.example,Enterprise,EMEA,U2,not a date
"""
HISTORY = """\
event_id,lead_id,stage,entered_at
E1,L1,inquiry,2026-03-02T09:00:00Z
E2,L1,mql,2026-03-02T12:00:00Z
E3,L2,inquiry,2026-03-03T09:00:00Z
E4,L3,inquiry,2026-03-04T09:00:00Z
E5,L3,mql,2026-03-05T09:00:00Z
"""


def source(name: str, text: str | bytes) -> Source:
    return Source(name, text if isinstance(text, bytes) else text.encode())


def leads(text: str = LEADS, history: str = HISTORY) -> list[Source]:
    return [source("leads.csv", text), source("lead_stage_history.csv", history)]


def packed(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_csv", ".csv"), text)
    return out.getvalue()


def canonical(tables: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Tables typed by hand, as columns or as rows, in the form that an extract has: text dates become dates."""
    frames = {}
    for name, typed in tables.items():
        frame = pd.DataFrame(typed)
        for column in schema.TABLES[name].columns:
            if column.name in frame and column.type in ("ts", "date"):
                frame[column.name] = pd.to_datetime(frame[column.name], utc=column.type == "ts", format="ISO8601")
        frames[name] = schema.conform(name, frame)
    return frames
