"""What people did: contacts and their roles in deals, campaign touches, and the calls, mails and meetings of the teams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clock import AS_OF, DAY, START, BusinessClock, stream
from .company import CAMPAIGNS, FIRST, HERO, LAST, RETARGETING, Account, Campaign, User
from .deals import Deal
from .leads import Lead, lognormal

N_TOUCHES, N_ACTIVITIES = 30_000, 20_000
RESPONSE = {"paid_search": "ad_click", "paid_social": "ad_click", "webinar": "webinar_attended", "email": "email_click", "content": "download",
            "event": "event_visit", "abm": "ad_click", "partner": "form_fill", "customer": "email_click", "outbound": "email_click",
            "content_syndication": "download"}
BY_ID = {campaign.campaign_id: campaign for campaign in CAMPAIGNS}
NURTURE = [campaign for campaign in CAMPAIGNS if campaign.nurture]


@dataclass
class Contact:
    contact_id: str
    account: Account
    email: str
    name: str
    created: int
    lead_id: str = ""


@dataclass
class Role:
    opp_id: str
    contact_id: str
    role: str
    is_primary: bool
    added: int


def contacts(leads: list[Lead], deals: list[Deal]) -> tuple[list[Contact], list[Role], dict[str, list[Contact]]]:
    """Contacts (converted leads, colleagues), the roles recorded in the CRM, and all people really involved per deal."""
    rng, people, roles, involved = stream("contacts"), [], [], {}
    known: dict[str, list[Contact]] = {}

    def add(account: Account, name: str, email: str, created: int, lead_id: str = "") -> Contact:
        contact = Contact(f"K{len(people) + 1:05d}", account, email, name, int(created), lead_id)
        people.append(contact)
        known.setdefault(account.account_id, []).append(contact)
        return contact

    for deal in deals:
        first = None
        if deal.lead:
            first = add(deal.account, deal.lead.person, deal.lead.email, deal.created, deal.lead.lead_id)
            deal.lead.contact_id = first.contact_id
        group = [first] if first else []
        wanted = 1 + int(rng.integers(0, {"SMB": 2, "Mid-Market": 3}.get(deal.segment, 4)))
        for contact in known.get(deal.account.account_id, []):
            if len(group) < wanted and contact not in group and contact.created <= deal.created and rng.random() < 0.7:
                group.append(contact)
        while len(group) < wanted:
            name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
            created = deal.created - int(rng.exponential(20 * DAY)) if rng.random() < 0.5 else deal.created + int(rng.exponential(8 * DAY))
            created = min(max(created, START), AS_OF - 3600)
            group.append(add(deal.account, name, f"{name.replace(' ', '.').lower()}{len(people) % 89}@{deal.account.domain}", created))
        involved[deal.opp_id] = group
        if rng.random() < 0.85:
            for i, contact in enumerate(group):
                if i == 0 or rng.random() < 0.8:
                    role = ("Champion", "Decision Maker", "Economic Buyer", "User")[min(i, 3)] if rng.random() < 0.8 else "Decision Maker"
                    added = max(deal.created, contact.created) + (0 if i == 0 else int(rng.exponential(6 * DAY)))
                    if added <= AS_OF:
                        roles.append(Role(deal.opp_id, contact.contact_id, role, i == 0 and rng.random() < 0.95, added))
    return people, roles, involved


def touches(leads: list[Lead], deals: list[Deal], involved: dict[str, list[Contact]]) -> list[dict]:
    """Exactly `N_TOUCHES` rows: all responses and the first mail after a recycling, then as many other unanswered sends as fit."""
    rng, answered, sent, due = stream("touches"), [], [], []
    pull = np.array([campaign.nurture for campaign in NURTURE])

    def touch(person: str, campaign: Campaign, moment: float, response: bool = True, owed: bool = False) -> None:
        if START - 30 * DAY <= moment <= AS_OF and (not response or campaign.active(int(moment))):
            (due if owed else answered if response else sent).append(dict(person_id=person, campaign_id=campaign.campaign_id, occurred_at=int(moment),
                                                         type=RESPONSE[campaign.type] if response else "email_sent", is_response=response,
                                                         owner_function=campaign.function))

    def nurture(person: str, moment: float) -> None:
        weights = pull * [campaign.active(int(moment)) for campaign in NURTURE]
        touch(person, NURTURE[int(rng.choice(len(NURTURE), p=weights / weights.sum()))], moment)

    for lead in leads:
        end = min(lead.converted or AS_OF, lead.created + 150 * DAY, AS_OF)
        if lead.campaign:
            touch(lead.lead_id, lead.campaign, lead.created)
            answered[-1]["type"] = "form_fill" if lead.campaign.type != "event" else "event_visit"
        for handoff in lead.passes:
            if rng.random() < 0.55:
                nurture(lead.lead_id, max(lead.created, handoff.mql - int(rng.uniform(30, 900))))
        for _ in range(rng.poisson(1.7 if lead.passes else 0.55)):
            nurture(lead.lead_id, rng.uniform(lead.created, end))
        for _ in range(rng.poisson(2.4)):
            touch(lead.lead_id, BY_ID["C05"] if rng.random() < 0.7 else BY_ID["C04"], rng.uniform(lead.created, min(AS_OF, lead.created + 200 * DAY)), False)
        for left in (moment for moment, stage, _ in lead.events if stage == "recycled"):
            if rng.random() < 0.99:
                touch(lead.lead_id, BY_ID["C05"], left + lognormal(rng, 3.4, 0.8) * DAY, False, owed=True)
    for deal in deals:
        end = deal.closed or AS_OF
        people = involved[deal.opp_id]
        hero = deal.lead is not None and deal.campaign_id == HERO
        for contact in people:
            begin = max(START, deal.created - 90 * DAY) if not hero else deal.lead.created
            for _ in range(rng.poisson(1.2 if deal.type == "new_business" else 0.7)):
                nurture(contact.contact_id, rng.uniform(begin, end))
        if deal.type == "expansion" and rng.random() < 0.6:
            touch(people[0].contact_id, BY_ID["C16" if rng.random() < 0.6 else "C15"], deal.created - rng.uniform(1, 20) * DAY)
        who = deal.lead.lead_id if deal.lead else people[0].contact_id
        if hero or (deal.type == "new_business" and rng.random() < 0.02):  # story: the clinic is there at every step
            touch(who, BY_ID[HERO], deal.created - rng.uniform(0.05, 1.2) * DAY)
            touch(people[0].contact_id, BY_ID[HERO], deal.created + 0.9 * (end - deal.created))
            if deal.closed and rng.random() < 0.75:
                touch(people[-1].contact_id, BY_ID[HERO], end - rng.uniform(0.1, 1.5) * DAY)
        elif deal.type == "new_business" and rng.random() < 0.58:  # story: retargeting only picks up people who were coming anyway
            touch(who, BY_ID[RETARGETING], deal.created - rng.uniform(600, 7200))
        if not hero and deal.closed and rng.random() < 0.12:
            touch(people[0].contact_id, BY_ID[RETARGETING], end - rng.uniform(600, 20000))
    rest = rng.permutation(len(sent))[:max(0, N_TOUCHES - len(answered) - len(due))]
    rows = sorted(answered + due + [sent[i] for i in rest], key=lambda row: (row["occurred_at"], row["person_id"], row["campaign_id"]))
    return [dict(touch_id=f"T{i + 1:05d}", **row) for i, row in enumerate(rows)]


def activities(leads: list[Lead], deals: list[Deal], involved: dict[str, list[Contact]], people: list[User], clocks: dict[str, BusinessClock]) -> list[dict]:
    """Exactly `N_ACTIVITIES` rows: the work of people, then as many automated mails as fit."""
    rng, done, automated = stream("activities"), [], []
    robots = [user.user_id for user in people if user.function == "marketing"]

    def act(person: str, moment: float, kind: str, user: str, opp: str = "", direction: str = "outbound", status: str = "", machine: bool = False) -> None:
        if START <= moment <= AS_OF:
            (automated if machine else done).append(dict(person_id=person, opp_id=opp, occurred_at=int(moment), type=kind, direction=direction,
                                                         is_automated=machine, user_id=user, status=status))

    def kind() -> str:
        return "call" if rng.random() < 0.45 else "email"

    def outcome(moment: int) -> str:
        return "booked" if moment > AS_OF - 6 * DAY else str(rng.choice(("held", "no_show", "cancelled"), p=(0.78, 0.13, 0.09)))

    for lead in leads:
        clock = clocks[lead.region]
        for handoff in lead.passes:
            if rng.random() < 0.7:
                act(lead.lead_id, handoff.mql + 60, "email", str(rng.choice(robots)), machine=True)
            if handoff.response is None:
                continue
            act(lead.lead_id, handoff.response, kind(), lead.owner)
            moment, stop = handoff.response, min(handoff.sql or handoff.end or AS_OF, lead.converted or AS_OF)
            for _ in range(1 + rng.poisson(2.0)):
                moment = clock.advance(moment, lognormal(rng, 520, 0.6))
                if moment < stop:
                    act(lead.lead_id, moment, kind(), lead.owner)
            if rng.random() < 0.3:
                act(lead.lead_id, handoff.response + rng.exponential(1.1 * DAY), "email", lead.owner, direction="inbound")
            if handoff.meeting and handoff.meeting < (handoff.end or AS_OF):
                act(lead.lead_id, handoff.meeting, "meeting", lead.owner, status=outcome(handoff.meeting))
        for _ in range(rng.poisson(0.5)):
            act(lead.lead_id, lead.created + rng.exponential(30 * DAY), "email", str(rng.choice(robots)), machine=True)
    for deal in deals:
        clock, group, end = clocks[deal.region], involved[deal.opp_id], deal.closed or AS_OF
        if not deal.lead and deal.type == "new_business":  # sales' own prospecting comes before the deal
            for _ in range(1 + rng.poisson(1.5)):
                act(group[0].contact_id, clock.advance(deal.created - int(rng.uniform(1, 18) * DAY), rng.uniform(0, 300)), kind(), deal.owner)
        moment, quiet = deal.created, AS_OF - 32 * DAY if not deal.closed and rng.random() < 0.1 else AS_OF
        while True:
            moment = clock.advance(moment + int(lognormal(rng, 5.0, 0.7) * DAY), rng.uniform(0, 400))
            if moment >= min(end, quiet):
                break
            who, luck = group[int(rng.integers(len(group)))].contact_id, rng.random()
            if luck < 0.18:
                act(who, moment, "meeting", deal.owner, deal.opp_id, status=outcome(moment))
            else:
                act(who, moment, kind(), deal.owner, deal.opp_id, "inbound" if luck > 0.85 else "outbound")
    rest = rng.permutation(len(automated))[:max(0, N_ACTIVITIES - len(done))]
    rows = sorted(done + [automated[i] for i in rest], key=lambda row: (row["occurred_at"], row["person_id"], row["type"]))
    return [dict(activity_id=f"V{i + 1:05d}", **row) for i, row in enumerate(rows)]
