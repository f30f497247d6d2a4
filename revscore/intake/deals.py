"""Opportunities: their records, stages, outcome, money, and their history from whatever the extract has of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.intake import history
from revscore.intake.desk import Desk
from revscore.intake.money import home_rates, with_amounts
from revscore.intake.patterns import mapped
from revscore.intake.records import (
    by_name, column, first_id, first_of, look_up, stamp, with_key, without_deleted, without_doubles,
)
from revscore.intake.stages import LOST, OPEN, WON, Stages, understand
from revscore.intake.whole import whole_deals
from revscore.intake.words import meaning, translate

_TS = schema.DTYPES["ts"]
_CONTACT_FIELDS = ("contact_ids", "contact_name")


@dataclass(frozen=True)
class Opportunities:
    """`records`: canonical opportunities; `events`: canonical history; `contacts`: opp_id and contact_ids as written."""

    records: pd.DataFrame
    events: pd.DataFrame
    contacts: pd.DataFrame
    stages: Stages | None
    rates: pd.DataFrame
    hints: dict[str, object]


@dataclass(frozen=True)
class Sources:
    """The typed sheets that opportunities are made of."""

    deals: pd.DataFrame
    states: pd.DataFrame
    changes: pd.DataFrame
    listed: pd.DataFrame
    companies: pd.DataFrame
    products: pd.DataFrame


def read(sources: Sources, desk: Desk) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The opportunity records, one a key, and what they say of contacts: before accounts and owners are joined."""
    deals = without_deleted(sources.deals, desk)
    if "status" in deals.columns:
        gone = (deals["status"].str.casefold() == "deleted").fillna(False).to_numpy(dtype=bool)
        desk.hold(deals[gone], "status", "R_DELETED", "the record is deleted in the CRM; it does not count")
        deals = deals[~gone].reset_index(drop=True)
    if not len(deals):
        return deals, deals
    deals = with_key(deals, "opp_id", ("name",), desk, "Opportunities")
    bare = deals[(column(deals, "stage").isna() & column(deals, "status").isna()).to_numpy()]
    desk.note(bare, "stage", "N_NO_STAGE", "the stage is missing; the opportunity is taken as open, in the first stage")
    contacts = deals.loc[:, ["opp_id", *(c for c in _CONTACT_FIELDS if c in deals.columns)]]
    deals = without_doubles(deals, ["opp_id"], desk, _CONTACT_FIELDS)
    return _products(deals, sources.products, desk), contacts


def _products(deals: pd.DataFrame, products: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """Product names spelled as in the list of products; a deal without a name is called by account and product."""
    if "product" not in deals.columns:
        return deals
    product = deals["product"]
    if len(products):
        spelled = products.dropna(subset=["name"]).assign(_k=products["name"].str.casefold().str.replace(" ", ""))
        right = look_up(product.str.casefold().str.replace(" ", ""), spelled.drop_duplicates("_k").set_index("_k")["name"])
        mend = (right.notna() & (right != product)).to_numpy(dtype=bool)
        desk.mend(deals[mend], "product", "M_SPELLING", list("“" + product[mend] + "” is “" + right[mend] + "” in the list of products"))
        product = right.fillna(product)
    name = column(deals, "account_name").fillna(deals["opp_id"]) + " · " + product
    return deals.assign(product=product, name=column(deals, "name").fillna(name))


def build(deals: pd.DataFrame, sources: Sources, accounts: pd.DataFrame, people: pd.DataFrame, campaigns: pd.DataFrame, contacts: pd.DataFrame, desk: Desk,
          kept: Mapping[str, object]) -> Opportunities:
    """Canonical opportunities and history."""
    states, changed = _with_opp(without_deleted(sources.states, desk), deals, desk), _with_opp(sources.changes, deals, desk)
    changed = history.changes(changed, list(desk.matches), desk)
    deals, (states, changed) = whole_deals(deals, [states, changed], desk)
    if not len(deals) and not len(states) and not len(changed):
        return Opportunities(deals, states, contacts, None, pd.DataFrame(), {})
    deals, states, changed, listed = _labelled(*_unsuffixed(deals, states, changed), sources.listed)
    deals = _outcomes(deals, desk)
    stages = _understood(deals, states, changed, listed, desk, kept)
    deals = _joined(with_amounts(deals, desk), sources.companies, accounts, people, campaigns, desk)
    rates, hints = home_rates(deals, desk)
    deals = _closed(deals, stages, desk)
    events = history.events(deals, states, changed, stages, desk)
    return Opportunities(deals, events, contacts, stages, rates, {**stages.hints(), **hints})


def _with_opp(frame: pd.DataFrame, deals: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """History rows with their opportunity: by id, else by name; rows without an opportunity or a time are held back."""
    if not len(frame):
        return frame
    opp = column(frame, "opp_id")
    if "opp_name" in frame.columns:
        opp = opp.fillna(by_name(frame["opp_name"], pd.concat([deals, desk.loaded], ignore_index=True), "opp_id")) if len(deals) or len(desk.loaded) else opp
    opp = opp.fillna(column(frame, "opp_name"))
    desk.hold(frame[opp.isna()], "opp_id", "R_NO_ID", "history: the opportunity is missing")
    late = opp.notna() & frame["changed_at"].isna()
    desk.hold(frame[late], "changed_at", "R_NO_DATE", "history: the time of the change is missing")
    frame = frame.assign(opp_id=opp)[opp.notna() & frame["changed_at"].notna()].reset_index(drop=True)
    key = ["event_id"] if "event_id" in frame.columns and frame["event_id"].notna().all() else [c for c in frame.columns if c not in ("_m", "_row")]
    return without_doubles(frame, key, desk)


def _unsuffixed(deals: pd.DataFrame, states: pd.DataFrame, changed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Stages without the name of their pipeline: HubSpot writes "Contract Sent (Sales Pipeline)" here and "Contract Sent" there."""
    pipelines = column(deals, "pipeline").dropna().unique()
    if not len(pipelines):
        return deals, states, changed
    tail = re.compile(r"\s*\((?:" + "|".join(re.escape(str(name)) for name in pipelines) + r")\)$")
    def bare(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
        return frame.assign(**{name: frame[name].str.replace(tail, "", regex=True) for name in names if name in frame.columns})
    return bare(deals, "stage"), bare(states, "stage"), bare(changed, "old", "new")


def _labelled(deals: pd.DataFrame, states: pd.DataFrame, changed: pd.DataFrame, listed: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Stage ids replaced by their labels, where the extract lists them."""
    empty = pd.DataFrame({"label": pd.Series(dtype="str"), "position": pd.Series(dtype=float), "is_won": pd.Series(dtype="boolean"),
                          "is_closed": pd.Series(dtype="boolean"), "probability": pd.Series(dtype=float)})
    if not len(listed):
        return deals, states, changed, empty
    listed = listed.assign(label=first_of(listed, "label", "stage_id"))
    for name in ("position", "probability", "is_won", "is_closed"):
        listed[name] = column(listed, name, "boolean" if name.startswith("is") else "float64")
    keyed = listed.assign(stage_id=column(listed, "stage_id")).dropna(subset=["stage_id"]).drop_duplicates("stage_id")
    table = keyed.set_index("stage_id")["label"]
    def label(text: pd.Series) -> pd.Series:
        return look_up(text, table).fillna(text)
    if "stage" in deals.columns:
        deals = deals.assign(stage=label(deals["stage"]))
    if len(states):
        states = states.assign(stage=label(states["stage"]))
    if len(changed):
        stage = changed["what"] == "stage"
        changed = changed.assign(**{side: changed[side].where(~stage, label(changed[side])) for side in ("old", "new")})
    deals = deals.rename(columns={c: "stamp:" + table.get(c.removeprefix("stamp:"), c.removeprefix("stamp:")) for c in deals.columns if c.startswith("stamp:")})
    # a list of stages with several pipelines names a stage once: only the stages in use are of interest
    told = changed.loc[changed["what"] == "stage", "new"] if len(changed) else pd.Series(dtype="str")
    used = set(column(deals, "stage").dropna()) | set(column(states, "stage").dropna()) | set(told)
    few = listed[listed["label"].isin(used)]
    return deals, states, changed, (few if len(few) else listed)


def _outcomes(deals: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """`said`: what the record itself says of its outcome (a status column), apart from its stage."""
    flags = {name: column(deals, name, "boolean") for name in ("is_won", "is_lost", "is_closed")}
    if any(name in deals.columns for name in flags):
        told = pd.concat(flags.values(), axis=1).notna().any(axis=1)       # a record that says nothing is told by its stage
        closed = flags["is_closed"].fillna(False) | flags["is_won"].fillna(False) | flags["is_lost"].fillna(False)
        deals = deals.assign(is_won=flags["is_won"].fillna(False).where(told) if "is_won" in deals.columns else flags["is_won"],
                             is_closed=closed.where(told))
    said = pd.Series(pd.NA, index=deals.index, dtype="str")
    if "status" in deals.columns:
        known = {w: {"0": OPEN, "1": WON, "2": LOST}.get(w) or meaning("outcome", w) for w in deals["status"].dropna().unique()}
        said = mapped(deals["status"], known)
        for word, result in known.items():
            desk.words.append(("status", str(word), result or "not used", int((deals["status"] == word).sum()), "word list"))
    if "status_reason" in deals.columns:
        deals = deals.assign(loss_reason=column(deals, "loss_reason").fillna(deals["status_reason"].where(said == LOST)))
    stage = column(deals, "stage")
    return deals.assign(said=said, stage=stage)


def _understood(deals: pd.DataFrame, states: pd.DataFrame, changed: pd.DataFrame, listed: pd.DataFrame, desk: Desk, kept: Mapping[str, object]) -> Stages:
    uses = []
    for frame in (deals, states):
        if len(frame):
            chance = column(frame, "probability", "float64")
            if "said" in frame.columns:                         # a closed record has 0 or 100 in whatever stage it stands
                chance = chance.where(~frame["said"].isin([WON, LOST]))
            flags = {name: column(frame, name, "boolean") for name in ("is_won", "is_closed")}
            uses.append(pd.DataFrame({"stage": column(frame, "stage"), **flags, "probability": chance}))
    stage_changes = changed[changed["what"] == "stage"] if len(changed) else changed
    more = [stage_changes[side].dropna() for side in ("old", "new")] if len(stage_changes) else []
    known = list(column(deals, "stage").dropna().unique())
    more.append(pd.Series(history.stamp_words(list(deals.columns), known), dtype="str"))
    words = pd.concat(more, ignore_index=True)
    uses.append(pd.DataFrame({"stage": words[words != ""].astype("str"), "is_won": pd.Series(pd.NA, index=words[words != ""].index, dtype="boolean"),
                              "is_closed": pd.Series(pd.NA, index=words[words != ""].index, dtype="boolean"), "probability": np.nan}))
    times = [f[["opp_id", "stage", "changed_at"]].rename(columns={"changed_at": "at"}) for f in (states,) if len(f)]
    if len(stage_changes):
        times.append(pd.DataFrame({"opp_id": stage_changes["opp_id"], "stage": stage_changes["new"], "at": stage_changes["changed_at"]}))
    table = {history.fold(w): w for w in known}
    for name in (c for c in deals.columns if c.startswith("stamp:")):
        at = deals[name].dropna()
        word = history.stage_of(name.removeprefix("stamp:"), table, add=True)
        times.append(pd.DataFrame({"opp_id": deals.loc[at.index, "opp_id"], "stage": word, "at": at}))
    empty = pd.DataFrame({"opp_id": pd.Series(dtype="str"), "stage": pd.Series(dtype="str"), "at": pd.Series(dtype=_TS)})
    return understand(pd.concat(uses, ignore_index=True), listed, pd.concat([empty, *times], ignore_index=True), desk, kept)


def _joined(deals: pd.DataFrame, companies: pd.DataFrame, accounts: pd.DataFrame, people: pd.DataFrame, campaigns: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """Accounts, owners, campaigns by id or name; segment and region of the record, else of account and owner; the type."""
    if not len(deals):
        return deals
    account = first_id(column(deals, "account_id"))
    if len(companies):
        account = account.fillna(look_up(deals["opp_id"], companies.drop_duplicates("opp_id").set_index("opp_id")["account_id"]))
    account = account.fillna(by_name(column(deals, "account_name"), accounts, "account_id"))
    owner = column(deals, "owner_id").fillna(by_name(column(deals, "owner_name"), people, "user_id"))
    homes = accounts.set_index("account_id") if len(accounts) else pd.DataFrame()
    segment, region = column(deals, "segment"), first_of(deals, "region", "country")
    if "segment" not in deals.columns and "industry" in deals.columns:
        segment = deals["industry"]
    if "segment" in homes.columns:
        segment = segment.fillna(look_up(account, homes["segment"]))
    if "region" in people.columns:
        region = region.fillna(look_up(owner, people.drop_duplicates("user_id").set_index("user_id")["region"]))
    if "region" in homes.columns:
        region = region.fillna(look_up(account, homes["region"]))
    kind, known = translate("opp_type", column(deals, "type").fillna(""))
    for word, result in known.items():
        answer = result or "new_business"
        if not result and len(known) <= 12:
            answer = desk.ask(f"type:{word}", f"Which type of business is “{word}”?", ("new_business", "expansion", "renewal"), answer, "opportunities")
        kind = kind.mask((column(deals, "type") == word).fillna(False), answer)
        desk.words.append(("type", word, answer or "", int((deals["type"] == word).sum()), "word list" if result else "asked"))
    if "type" not in deals.columns:
        desk.say("the extract has no type of opportunity; all are taken as new business")
    return deals.assign(account_id=account, owner_id=owner, segment=segment, region=region, type=kind.fillna("new_business"),
                        primary_campaign_id=column(deals, "campaign_id").fillna(by_name(column(deals, "campaign_name"), campaigns, "campaign_id")),
                        forecast_category=history.forecast(column(deals, "forecast_category")))


def _closed(deals: pd.DataFrame, stages: Stages, desk: Desk) -> pd.DataFrame:
    """Present stage in canonical words, when it was closed, the close date; what cannot be in time is noted and kept."""
    if not len(deals):
        return deals
    kind = mapped(deals["stage"], stages.outcome)
    said = deals["said"].where(deals["said"].isin([WON, LOST]), kind.where(deals["said"].isna()))
    if "is_won" in deals.columns or "is_closed" in deals.columns:          # the record's own flags go before the word where they differ
        won, closed = column(deals, "is_won", "boolean"), column(deals, "is_closed", "boolean")
        agree = kind.map({WON: True, LOST: True, OPEN: False}).eq(closed).fillna(False)
        differs = ~agree & deals["said"].isna() & closed.notna()
        said = said.mask(differs & closed & won.fillna(False), WON).mask(differs & closed & won.eq(False).fillna(False), LOST)
        said = said.mask(differs & ~closed & kind.isin([WON, LOST]), OPEN)
    open_stage = deals["stage"].where(kind == OPEN)
    nowhere = stages.order[0]
    present = open_stage.fillna(nowhere).mask(said == WON, stages.won).mask(said == LOST, stages.lost)
    is_closed = said.isin([WON, LOST])
    date = column(deals, "close_date", schema.DTYPES["date"])
    midnight = date.dt.tz_localize(desk.zone, ambiguous=np.ones(len(date), bool), nonexistent="shift_forward").dt.tz_convert("UTC")
    exact = stamp(deals, "won_at").where(said == WON, stamp(deals, "lost_at").where(said == LOST)).fillna(stamp(deals, "closed_at"))
    changed = stamp(deals, "modified_at")
    known = midnight.mask(midnight > changed.fillna(desk.now), changed)         # closed already, though its date is still to come
    closed_at = exact.fillna(known).fillna(stamp(deals, "stage_changed_at")).fillna(changed).where(is_closed)
    undated = (is_closed & exact.isna() & date.isna()).to_numpy(dtype=bool)
    desk.note(deals[undated], "close_date", "N_NO_CLOSE_DATE", "the opportunity is closed without a date; its last change, else its creation, stands for it")
    local = exact.dt.tz_convert(desk.zone).dt.tz_localize(None).dt.normalize()
    planned = date
    date = date.mask(is_closed & local.notna(), local).fillna(local)
    created = stamp(deals, "created_at")
    early = (is_closed & (date < created.dt.tz_convert(desk.zone).dt.tz_localize(None).dt.normalize())).to_numpy(dtype=bool)
    desk.note(deals[early], "close_date", "N_CLOSED_BEFORE_CREATED", "the close date is before the creation date; kept")
    return deals.assign(stage=present, open_stage=open_stage, closed_at=closed_at, close_date=date, planned_date=planned.fillna(date), created_at=created,
                        stage_changed_at=stamp(deals, "stage_changed_at"))


def with_creation(deals: pd.DataFrame, as_of: pd.Timestamp, desk: Desk, first: pd.Series) -> pd.DataFrame:
    """Every opportunity with a creation time: its own, else its first event, else its close, else the extract itself (known no earlier)."""
    missing = deals["created_at"].isna()
    if not missing.any():
        return deals
    told = look_up(deals["opp_id"], first).fillna(deals["closed_at"])
    desk.mend(deals[missing & told.notna()], "created_at", "M_CREATED", "the creation date is missing; the first date known of the record stands for it")
    desk.mend(deals[missing & told.isna()], "created_at", "M_CREATED", "the creation date is missing; it counts from the date of the extract")
    return deals.assign(created_at=deals["created_at"].fillna(told).fillna(as_of))
