"""People, coded: one canonical person per human (METRICS C8), with their activities and campaign touches (A1, S8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revscore.core.calendars import NEVER, instants
from revscore.core.encode import finder, ordered, places
from revscore.core.facts import firsts_of

if TYPE_CHECKING:
    from revscore.core.coded import Coded
    from revscore.core.data import CrmData

_PEOPLE = (("contacts", "contact_id"), ("leads", "lead_id"))
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
        return self._column(*_PEOPLE)

    def pieces(self) -> Iterator[pd.Series]:
        """The ids of people, some at a time."""
        return chain.from_iterable(self._data.pieces(table, column) for table, column in _PEOPLE)

    @cached_property
    def index(self) -> pd.Index:
        """Position of every id; an id that is both a lead's and a contact's is the contact's."""
        ids = self.people
        index = pd.Index(ids)
        return index if index.is_unique else pd.Index(ids.where(~ids.duplicated(), [f"\x00{i}" for i in range(len(ids))]))

    def finder(self) -> Callable[[Iterable[pd.Series]], np.ndarray]:
        """Gives the position of every person that a column (in pieces) names, −1 where unknown."""
        try:
            return finder(lambda: self.people)
        except pd.errors.InvalidIndexError:  # an id is both a lead's and a contact's
            return lambda pieces: np.concatenate([np.zeros(0, dtype="int32"), *(self.index.get_indexer(piece).astype("int32") for piece in pieces)])

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
    role_opp, role_person : of every contact role the positions of its opportunity and of its person (not the canonical one), −1 where unknown
    """

    contacts: int
    canonical: np.ndarray
    created: np.ndarray
    account: np.ndarray
    is_test: np.ndarray
    role_opp: np.ndarray
    role_person: np.ndarray
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


def begin_people(x: Coded) -> None:
    """People and what they did depend on no lead's stages and on no deal's: they can be encoded beside these."""
    x.begin("people", lambda: _encoded(x))


def encode_people(x: Coded) -> People:
    return x.begun("people", lambda: _encoded(x))


def _encoded(x: Coded) -> People:
    names = Names(x.data)
    find = names.finder()
    contacts = x.data.read("contacts", "account_id", "created_at", "lead_id")
    leads = x.data.read("leads", "account_id", "created_at", "converted_at", "converted_contact_id", "duplicate_of", "is_test")
    nc, nl = len(contacts), len(leads)
    survivor = _survivors(places(lambda: x.lead_ids, leads["duplicate_of"]))
    contact = find([leads["converted_contact_id"]])
    named = places(lambda: x.lead_ids, contacts["lead_id"])  # a contact may name its lead where the lead does not name its contact
    back = np.full(nl, -1, dtype="int32")
    back[named[named >= 0]] = np.flatnonzero(named >= 0)
    contact = np.where(instants(leads["converted_at"], x.as_of) == NEVER, np.int32(-1), np.where((contact >= 0) & (contact < nc), contact, back))
    canonical = np.concatenate([np.arange(nc), np.where(contact[survivor] >= 0, contact[survivor], nc + survivor)]).astype("int32")

    created = np.concatenate([instants(contacts["created_at"]), instants(leads["created_at"])])
    by_lead = np.full(nc, NEVER, dtype="int64")
    np.minimum.at(by_lead, contact[contact >= 0], created[nc:][contact >= 0])
    created[:nc] = np.where(by_lead != NEVER, by_lead, created[:nc])
    account = np.concatenate([places(pd.Series(names.account_index), frame["account_id"]) for frame in (contacts, leads)])
    is_test = np.concatenate([np.zeros(nc, dtype=bool), leads["is_test"].fillna(False).to_numpy(dtype=bool)])
    is_test[contact[contact >= 0]] |= is_test[nc:][contact >= 0]
    del contacts, leads, contact, named, back, by_lead

    role_opp = places(lambda: x.opp_ids, x.data.read("opp_contact_roles", "opp_id")["opp_id"])
    role_person = find(x.data.pieces("opp_contact_roles", "contact_id"))
    activities = _activities(x, find, canonical)
    touched = [find(x.data.pieces("touches", "person_id"))]
    del find  # the table of ids
    x.data.release()
    return People(nc, canonical, created, account, is_test, role_opp, role_person, names, activities, _touches(x, names, touched, canonical, is_test))


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


def _activities(x: Coded, find: Callable[[Iterable[pd.Series]], np.ndarray], canonical: np.ndarray) -> Activities:
    frame = x.data.table("activities")
    at, person = instants(frame["occurred_at"], x.as_of), np.append(canonical, np.int32(-1))[find([frame["person_id"]])]
    keep = np.flatnonzero((at != NEVER) & (person >= 0))
    order = keep[ordered((person[keep], at[keep]), lambda: frame["activity_id"], keep)]
    function = _function_of(x, frame["user_id"]).to_numpy(dtype=object)[order]
    automated = frame["is_automated"].fillna(False).to_numpy(dtype=bool)[order]
    meeting = (frame["type"] == "meeting").to_numpy(dtype=bool)[order]
    direction = frame["direction"].fillna("").to_numpy(dtype=object)[order]
    # an extract without users cannot tell functions apart: every user then counts as sales
    sells = np.isin(function, ["sales", "cs"]) if x.data.has("users.function") else np.ones(len(order), dtype=bool)
    hands_on = ~automated & sells & ((direction == "outbound") | meeting)
    return Activities(person[order], at[order], hands_on, meeting, ~automated & (direction == "inbound"), sells & ~automated, function,
                      places(lambda: x.opp_ids, frame["opp_id"])[order], order)


def _touches(x: Coded, names: Names, touched: list[np.ndarray], canonical: np.ndarray, is_test: np.ndarray) -> Touches:
    """`touched` holds, and gives away, the position of the person of every row of the touches table. Column by column, so that of ten million touches only what
    is needed next is there."""
    place = touched.pop()
    campaign = places(pd.Series(names.campaign_index), x.data.read("touches", "campaign_id")["campaign_id"])
    campaign = campaign.astype("int16" if len(names.campaign_index) < 2**15 else "int32", copy=False)
    marketing = np.ones(len(place), dtype=bool)
    if x.data.has("touches.owner_function"):
        marketing = (x.data.read("touches", "owner_function")["owner_function"] == "marketing").to_numpy(dtype=bool)
    clean = marketing & (campaign >= 0)
    if x.terms.attribution.responses_only and x.data.has("touches.is_response"):
        clean &= x.data.read("touches", "is_response")["is_response"].fillna(False).to_numpy(dtype=bool)
    person = np.append(canonical, np.int32(-1))[place]
    # a touch of a test lead does not count, even where the test lead was merged into a real person
    clean &= ~np.append(is_test, False)[place] & ~np.append(is_test, False)[person]
    del place
    at = instants(x.data.read("touches", "occurred_at")["occurred_at"], x.as_of)
    row = np.flatnonzero((at != NEVER) & (person >= 0)).astype("int32")
    person = person[row]  # one after the other: what is replaced makes room
    at = at[row]
    order = ordered((person, at), lambda: x.data.pieces("touches", "touch_id"), row)
    row = row[order]
    person = person[order]
    at = at[order]
    del order
    campaign, marketing, clean = campaign[row], marketing[row], clean[row]
    rows = np.flatnonzero(clean)
    who, what, day = person[rows], campaign[rows], x.days(at[rows])
    by = ordered((who, what, day))  # rows are in time order within a person: the first of a day comes first
    one = np.zeros(len(row), dtype=bool)
    one[rows[by[firsts_of(who[by], what[by], day[by])]]] = True
    return Touches(person, at, campaign, marketing, one, row)
