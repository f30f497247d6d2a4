"""People, coded: one canonical person per human (METRICS C8), with their activities and campaign touches (A1, S8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revscore.core.calendars import NEVER, instants
from revscore.core.encode import ordered, places, places_in
from revscore.core.facts import firsts_of

if TYPE_CHECKING:
    from revscore.core.coded import Coded
    from revscore.core.data import CrmData

_MERGE_STEPS = 16  # longest chain of merges that is followed


@dataclass(frozen=True)
class Activities:
    """Activities with a known person, by (person, time, activity id). Arrays, one entry an activity."""

    person: np.ndarray
    at: np.ndarray
    hands_on: np.ndarray  # by sales or cs, not automated, outbound or a meeting (S8)
    is_meeting: np.ndarray
    is_inbound: np.ndarray  # inbound, not automated
    by_sales_or_cs: np.ndarray
    function: np.ndarray  # object: function of the user, "" unknown
    opp: np.ndarray  # position of the opportunity it names, −1 without
    row: np.ndarray  # row of the activities table


@dataclass(frozen=True)
class Touches:
    """Campaign touches with a known person, by (person, time, touch id)."""

    person: np.ndarray
    at: np.ndarray
    campaign: np.ndarray  # position in the campaigns table, −1 unknown
    is_marketing: np.ndarray
    clean: np.ndarray  # counts in attribution (A1)
    row: np.ndarray  # row of the touches table


class Names:
    """The ids of people, accounts and campaigns, looked up when they are first asked for."""

    def __init__(self, data: CrmData) -> None:
        self._data = data

    def _column(self, *places: tuple[str, str]) -> pd.Series:
        return pd.concat([self._data.read(table, column)[column] for table, column in places], ignore_index=True)

    @cached_property
    def ids(self) -> np.ndarray:
        return self.people.to_numpy(dtype=object)

    @property
    def people(self) -> pd.Series:
        return self._column(("contacts", "contact_id"), ("leads", "lead_id"))

    @cached_property
    def index(self) -> pd.Index:
        """Position of every id; an id that is both a lead's and a contact's is the contact's."""
        ids = self.people
        index = pd.Index(ids)
        return index if index.is_unique else pd.Index(ids.where(~ids.duplicated(), [f"\x00{i}" for i in range(len(ids))]))

    def places(self, ids: pd.Series) -> np.ndarray:
        """Position of every person named, −1 where unknown."""
        return self.places_in([ids]) if len(ids) else np.zeros(0, dtype="int32")

    def places_in(self, pieces: Iterable[pd.Series]) -> np.ndarray:
        """The same for a column that comes in pieces."""
        try:
            return places_in(lambda: self.people, pieces)
        except pd.errors.InvalidIndexError:  # an id is both a lead's and a contact's
            return np.concatenate([np.zeros(0, dtype="int64"), *(self.index.get_indexer(piece) for piece in pieces)])

    @cached_property
    def account_index(self) -> pd.Index:
        return pd.Index(self._column(*((table, "account_id") for table in ("accounts", "contacts", "leads", "opportunities"))).dropna().unique())

    @cached_property
    def campaign_index(self) -> pd.Index:
        return pd.Index(self._column(("campaigns", "campaign_id")))


@dataclass(frozen=True)
class People:
    """Persons by position: contacts first (same order as their table), then leads.

    canonical : position -> position of the one person that it is (merged lead -> survivor -> its contact once converted)
    created   : by position; a converted contact counts from its lead's creation (A4)
    account   : by position, position in the accounts of `account_index`, −1 without
    is_test   : by position
    """

    contacts: int
    canonical: np.ndarray
    created: np.ndarray
    account: np.ndarray
    is_test: np.ndarray
    names: Names
    activities: Activities
    touches: Touches

    @property
    def index(self) -> pd.Index:
        return self.names.index

    @property
    def ids(self) -> np.ndarray:
        return self.names.ids

    @property
    def account_index(self) -> pd.Index:
        return self.names.account_index

    @property
    def campaign_index(self) -> pd.Index:
        return self.names.campaign_index

    @cached_property
    def of_lead(self) -> np.ndarray:
        """Canonical person of every lead, by lead position."""
        return self.canonical[self.contacts:]

    def find(self, ids: pd.Series) -> np.ndarray:
        """Canonical person of lead or contact ids, −1 where unknown."""
        place = self.names.places(ids)
        return np.where(place >= 0, self.canonical[place], -1) if len(self.canonical) else place


def encode_people(x: Coded) -> People:
    people = _persons(x)
    x.data.release()
    object.__setattr__(people, "activities", _activities(x, people))
    object.__setattr__(people, "touches", _touches(x, people))
    return people


def _persons(x: Coded) -> People:
    contacts = x.data.read("contacts", "contact_id", "account_id", "created_at", "lead_id")
    leads = x.data.read("leads", "lead_id", "account_id", "duplicate_of", "converted_contact_id")
    nc, nl = len(contacts), len(leads)
    survivor = _survivors(places(leads["lead_id"], leads["duplicate_of"]))
    converted = x.leads.converted != NEVER
    contact = places(contacts["contact_id"], leads["converted_contact_id"])
    named = places(leads["lead_id"], contacts["lead_id"])  # a contact may name its lead where the lead does not name its contact
    back = np.full(nl, -1, dtype="int64")
    back[named[named >= 0]] = np.flatnonzero(named >= 0)
    contact = np.where(converted, np.where(contact >= 0, contact, back), -1)
    canonical = np.concatenate([np.arange(nc), np.where(contact[survivor] >= 0, contact[survivor], nc + survivor)]).astype("int64")

    created = np.concatenate([instants(contacts["created_at"]), x.leads.created])
    by_lead = np.full(nc, NEVER, dtype="int64")
    np.minimum.at(by_lead, named_contacts := contact[contact >= 0], x.leads.created[contact >= 0])
    created[:nc] = np.where(by_lead != NEVER, by_lead, created[:nc])

    names = Names(x.data)
    account = np.concatenate([names.account_index.get_indexer(contacts["account_id"]), names.account_index.get_indexer(leads["account_id"])])
    is_test = np.zeros(nc + nl, dtype=bool)
    is_test[nc:] = x.leads.why_out == 1
    is_test[named_contacts] |= (x.leads.why_out == 1)[contact >= 0]

    return People(nc, canonical, created, account, is_test, names, None, None)  # type: ignore[arg-type]


def _survivors(merged_into: np.ndarray) -> np.ndarray:
    """Position of the lead that each lead was merged into in the end (itself when it was not); circles stay where they are."""
    own = np.arange(len(merged_into))
    step = np.where(merged_into >= 0, merged_into, own)
    for _ in range(_MERGE_STEPS):
        further = step[step]
        if (further == step).all():
            return step
        step = further
    return step


def _function_of(x: Coded, user_id: pd.Series) -> pd.Series:
    users = x.data.table("users").drop_duplicates("user_id").set_index("user_id")["function"]
    return user_id.map(users).astype("str").fillna("")


def _activities(x: Coded, people: People) -> Activities:
    frame = x.data.table("activities")
    at, person = instants(frame["occurred_at"], x.as_of), people.find(frame["person_id"])
    keep = np.flatnonzero((at != NEVER) & (person >= 0))
    order = keep[np.lexsort((pd.factorize(frame["activity_id"], sort=True)[0][keep], at[keep], person[keep]))]
    function = _function_of(x, frame["user_id"]).to_numpy(dtype=object)[order]
    automated = frame["is_automated"].fillna(False).to_numpy(dtype=bool)[order]
    meeting = (frame["type"] == "meeting").to_numpy(dtype=bool)[order]
    direction = frame["direction"].fillna("").to_numpy(dtype=object)[order]
    # an extract without users cannot tell functions apart: every user then counts as sales
    sells = np.isin(function, ["sales", "cs"]) if x.data.has("users.function") else np.ones(len(order), dtype=bool)
    hands_on = ~automated & sells & ((direction == "outbound") | meeting)
    return Activities(person[order], at[order], hands_on, meeting, ~automated & (direction == "inbound"), sells & ~automated, function,
                      places(lambda: x.opp_ids, frame["opp_id"])[order], order)


def begin_people(x: Coded) -> None:
    """Touches and contact roles name people of the tables: who these are does not wait for leads and deals."""
    x.begin("touches", lambda: _read_touches(x))
    x.begin("roles", lambda: _read_roles(x))


def roles(x: Coded) -> tuple[np.ndarray, np.ndarray]:
    """Of every contact role the positions of its opportunity and of its person (not yet the canonical one), −1 where unknown."""
    return x.begun("roles", lambda: _read_roles(x))


def _read_roles(x: Coded) -> tuple[np.ndarray, np.ndarray]:
    return (places(lambda: x.opp_ids, x.data.read("opp_contact_roles", "opp_id")["opp_id"]),
            Names(x.data).places(x.data.read("opp_contact_roles", "contact_id")["contact_id"]))


def _read_touches(x: Coded) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of every touch the positions of its person and campaign, its time, whether it is by marketing and whether it could count; column by column, so that
    of ten million touches only what is needed next is there."""
    names = Names(x.data)
    place = names.places_in(x.data.pieces("touches", "person_id"))
    at = instants(x.data.read("touches", "occurred_at")["occurred_at"], x.as_of)
    campaign = places(pd.Series(names.campaign_index), x.data.read("touches", "campaign_id")["campaign_id"])
    marketing = np.ones(len(at), dtype=bool)
    if x.data.has("touches.owner_function"):
        marketing = (x.data.read("touches", "owner_function")["owner_function"] == "marketing").to_numpy(dtype=bool)
    clean = marketing & (campaign >= 0)
    if x.terms.attribution.responses_only and x.data.has("touches.is_response"):
        clean &= x.data.read("touches", "is_response")["is_response"].fillna(False).to_numpy(dtype=bool)
    return place, campaign, at, marketing, clean


def _touches(x: Coded, people: People) -> Touches:
    place, campaign, at, marketing, clean = x.begun("touches", lambda: _read_touches(x))
    person = np.append(people.canonical, -1).astype("int32")[place]
    # a touch of a test lead does not count, even where the test lead was merged into a real person
    clean = clean & ~np.append(people.is_test, False)[place] & ~np.append(people.is_test, False)[person]
    del place
    row = np.flatnonzero((at != NEVER) & (person >= 0)).astype("int32")
    person, at = person[row], at[row]
    order = ordered((person, at), lambda: x.data.pieces("touches", "touch_id"), row)
    row, person, at = row[order], person[order], at[order]
    campaign, marketing, clean = campaign[row], marketing[row], clean[row]
    del order
    rows = np.flatnonzero(clean)
    who, what, day = person[rows], campaign[rows], x.days(at[rows])
    by = ordered((who, what, day))  # rows are in time order within a person: the first of a day comes first
    one = np.zeros(len(row), dtype=bool)
    one[rows[by[firsts_of(who[by], what[by], day[by])]]] = True
    return Touches(person, at, campaign, marketing, one, row)
