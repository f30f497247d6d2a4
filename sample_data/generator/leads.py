"""Leads: how 6,000 people come in, are qualified, routed, answered, accepted, returned, recycled, converted. One simulated life each."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .clock import AS_OF, DAY, START, BusinessClock, day_of, seconds, stream
from .company import (CAMPAIGNS, COUNTRIES, FIRST, FLOOD, LAST, NO_CAMPAIGN, REGION_SHARE, REGIONS, SEGMENT_SHARE, SEGMENTS, SOURCES, TITLES,
                      Account, Campaign, User, company_names)

N_LEADS, N_FLOOD, TAKE = 6000, 780, 5
SPEED_TARGET = {"Enterprise": 60, "Mid-Market": 120, "SMB": 240, "Public Sector": 120}
PHONE = {"US": "+1 555 01", "Canada": "+1 555 01", "Brazil": "+55 11 5550 01", "UK": "+44 20 7946 0", "Germany": "+49 30 23125 0", "France": "+33 1 99 00 0",
         "Netherlands": "+31 20 555 0", "India": "+91 22 5550 0", "Singapore": "+65 5550 0", "Australia": "+61 2 5550 0"}
REASONS = {"recycled": (("No response", "Timing", "No budget", "Went dark", ""), (0.38, 0.27, 0.2, 0.11, 0.04)),
           "disqualified": (("Not ICP", "Student or personal", "Competitor", "No authority", "Bad contact data", ""), (0.4, 0.18, 0.07, 0.15, 0.16, 0.04))}
STALE = {"inquiry": (("disqualified", "Not ICP", 0.36), ("disqualified", "No response", 0.3), ("disqualified", "Bad contact data", 0.2),
                     ("disqualified", "Student or personal", 0.14)),
         "mql": (("recycled", "No response", 0.5), ("recycled", "Timing", 0.2), ("disqualified", "Bad contact data", 0.16), ("disqualified", "Not ICP", 0.14)),
         "sal": (("recycled", "Went dark", 0.4), ("recycled", "Timing", 0.22), ("recycled", "No budget", 0.12), ("disqualified", "No authority", 0.16),
                 ("disqualified", "Not ICP", 0.1)),
         "sql": (("recycled", "Went dark", 0.44), ("recycled", "Timing", 0.22), ("recycled", "No budget", 0.2), ("disqualified", "Competitor", 0.14))}


@dataclass
class Pass:
    """One MQL handoff: when it started and ended, the first human response, and the meeting booked, if any."""

    mql: int
    response: int | None = None
    sql: int | None = None
    meeting: int | None = None
    end: int | None = None


@dataclass
class Lead:
    lead_id: str
    person: str
    email: str
    company: str
    account: Account | None
    segment: str
    region: str
    country: str
    created: int
    campaign: Campaign | None
    source: str
    title: str
    phone: str
    owner: str = ""
    queue: bool = False
    is_test: bool = False
    duplicate_of: str = ""
    converted: int | None = None
    contact_id: str = ""
    opp_id: str = ""
    events: list[tuple[int, str, str]] = field(default_factory=list)
    routing: list[tuple[int, str, str]] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)


def lognormal(rng: np.random.Generator, median: float, sigma: float) -> float:
    return float(median * np.exp(sigma * rng.standard_normal()))


def slip(region: str, moment: int) -> float:
    """Story: EMEA answers slowly in September 2026 and only partly recovers afterwards."""
    month = day_of(moment).strftime("%Y-%m")
    return 1.0 if region != "EMEA" or month < "2026-09" else 7.2 if month == "2026-09" else 1.8


def arrivals(rng: np.random.Generator, n: int, start: int) -> np.ndarray:
    """`n` sorted arrival times since `start`: growth of 60 % over the 18 months, quiet weekends, quiet August and late December."""
    days = np.arange(start, AS_OF, DAY)
    dates = [day_of(day) for day in days]
    weight = (1 + 0.6 * (days - START) / (AS_OF - START)) * np.array([
        (1.05, 1.12, 1.1, 1.0, 0.82, 0.3, 0.27)[date.weekday()] * (0.8 if date.month == 8 else 0.55 if date.month == 12 and date.day > 17 else 1.0)
        for date in dates])
    weight[-1] *= 13 / 24
    times = rng.choice(days, n, p=weight / weight.sum()) + np.where(rng.random(n) < 0.8, rng.normal(14.5, 3.6, n) % 24, rng.uniform(0, 24, n)) * 3600
    return np.sort(np.minimum(times, AS_OF - 600).astype(int))


def qualify(lead: Lead, moment: int, rng: np.random.Generator, clock: BusinessClock, sdrs: list[str], again: bool) -> tuple[int, str] | None:
    """One pass from MQL on: routing, first response, acceptance, SQL, opportunity. Returns when and with which exit the pass ended."""
    campaign, handoff = lead.campaign, Pass(moment)
    rates = (campaign.sal, campaign.sql, campaign.deal) if campaign else (1.0, 1.05, 1.05)
    damp = 0.8 if again else 1.0
    lead.passes.append(handoff)
    lead.events.append((moment, "mql", ""))

    def leave(when: int, stage: str) -> tuple[int, str] | None:
        """The lead exits, unless that would lie in the future."""
        handoff.end = when
        lead.events.append((when, stage, str(rng.choice(REASONS[stage][0], p=REASONS[stage][1]))))
        return when, stage

    assigned, luck = moment + 20 + int(rng.exponential(150)), rng.random()
    if luck < 0.055:
        lead.routing.append((assigned, "failed" if luck < 0.03 else "fallback_queue", ""))
        assigned = clock.advance(assigned, lognormal(rng, 150, 0.9))
        if rng.random() < 0.12:
            lead.queue = True
            return None
    lead.owner = str(rng.choice(sdrs))
    lead.routing.append((assigned, "assigned", lead.owner))

    luck = rng.random()
    if luck < 0.006:
        return None
    minutes = lognormal(rng, 0.23 * SPEED_TARGET[lead.segment], 0.9) * (8 if rng.random() < 0.05 else 1) * slip(lead.region, moment)
    if luck < 0.045:  # overlooked until somebody asks
        minutes = lognormal(rng, 700, 0.7)
    handoff.response = clock.advance(assigned, max(2.0, minutes))
    decided = clock.advance(handoff.response, lognormal(rng, 140, 1.1) if rng.random() < 0.93 else lognormal(rng, 1700, 0.5))
    if rng.random() > min(0.97, 0.87 * rates[0] * damp):
        return leave(decided, "recycled" if rng.random() < 0.58 else "disqualified") if rng.random() < 0.975 else None

    qualified = clock.advance(decided, lognormal(rng, 4.2 * 480, 0.75))
    if rng.random() > 0.05:
        lead.events.append((decided, "sal", ""))
        if rng.random() < 0.03:
            returned = clock.advance(decided, lognormal(rng, 900, 0.6))
            lead.events += [(returned, "mql", ""), (clock.advance(returned, lognormal(rng, 500, 0.6)), "sal", "")]
            qualified = clock.advance(lead.events[-1][0], lognormal(rng, 4 * 480, 0.6))
    if rng.random() < 0.97:
        handoff.meeting = clock.advance(decided, lognormal(rng, 420, 0.9) if rng.random() < 0.8 else lognormal(rng, 6 * 480, 0.4))
    fit = {"Enterprise": 1.1, "Public Sector": 1.5}.get(lead.segment, 1.0)
    if rng.random() > min(0.97, 0.61 * rates[1] * fit * damp):
        exit_ = rng.random()
        return leave(qualified + int(rng.exponential(8 * DAY)), "recycled" if exit_ < 0.55 else "disqualified") if exit_ < 0.85 else None
    handoff.sql = qualified
    lead.events.append((qualified, "sql", ""))
    if rng.random() > min(0.97, 0.51 * rates[2] * fit):
        exit_ = rng.random()
        return leave(qualified + int(rng.exponential(14 * DAY)), "recycled" if exit_ < 0.45 else "disqualified") if exit_ < 0.75 else None
    lead.converted = handoff.end = clock.advance(qualified, lognormal(rng, 2.6 * 480, 0.7))
    handoff.meeting = min(handoff.meeting or AS_OF, lead.converted - 3600)  # no deal without a meeting
    return None


def live(lead: Lead, rng: np.random.Generator, clock: BusinessClock, sdrs: list[str]) -> None:
    """The whole life of a lead: inquiry, or straight to MQL (demo request), or to SQL (sales-generated), then up to two passes."""
    door = rng.random()
    if door < 0.03 and lead.campaign is None:
        lead.owner = str(rng.choice(sdrs))
        lead.events.append((clock.advance(lead.created), "sql", ""))
        if rng.random() < 0.6:
            lead.converted = clock.advance(lead.created, lognormal(rng, 1500, 0.7))
        return
    if lead.source == "Demo Request":
        qualify(lead, lead.created + 60, rng, clock, sdrs, False)
        return
    lead.events.append((lead.created, "inquiry", ""))
    if rng.random() > min(0.96, 0.41 * (lead.campaign.mql if lead.campaign else 0.85) * {"Public Sector": 1.6}.get(lead.segment, 1.0)):
        if rng.random() < 0.06:
            lead.events.append((lead.created + int(rng.exponential(20 * DAY)), "disqualified", "Not ICP"))
        return
    out = qualify(lead, lead.created + int(lognormal(rng, 1.3, 1.4) * DAY) + 60, rng, clock, sdrs, False)
    if out and out[1] == "recycled" and rng.random() < 0.2:
        qualify(lead, out[0] + int(rng.uniform(25, 140) * DAY), rng, clock, sdrs, True)


def tidy(lead: Lead, rng: np.random.Generator, clock: BusinessClock) -> None:
    """RevOps closes what has stood still for three to seven weeks, with a reason; a few are overlooked."""
    lead.events.sort()
    moment, stage, _ = lead.events[-1]
    if lead.converted or stage not in STALE or rng.random() < 0.012:
        return
    when = clock.advance(moment + int(rng.uniform(20, 45) * DAY), rng.uniform(0, 400))
    exit_, reason, _ = STALE[stage][int(rng.choice(len(STALE[stage]), p=[share for *_, share in STALE[stage]]))]
    lead.events.append((when, exit_, reason if rng.random() < 0.96 else ""))
    if lead.passes:
        lead.passes[-1].end = when


def cut(lead: Lead) -> None:
    """Forget what lies after as-of."""
    lead.events = sorted(event for event in lead.events if event[0] <= AS_OF)
    lead.routing = [attempt for attempt in lead.routing if attempt[0] <= AS_OF]
    lead.passes = [handoff for handoff in lead.passes if handoff.mql <= AS_OF]
    if lead.converted and lead.converted > AS_OF:
        lead.converted = None
    if not lead.routing and not any(stage == "sql" for _, stage, _ in lead.events):
        lead.owner = ""


def leads(accounts: list[Account], people: list[User], clocks: dict[str, BusinessClock]) -> list[Lead]:
    """All leads, oldest first; `L00001` is the first of them."""
    rng, sweep = stream("leads", TAKE), stream("stale leads")
    coming = [(moment, False) for moment in arrivals(rng, N_LEADS - N_FLOOD, START)]
    coming += [(moment, True) for moment in arrivals(rng, N_FLOOD, seconds("2026-06-15"))]
    pull = {campaign.campaign_id: campaign for campaign in CAMPAIGNS}
    by_place: dict[tuple[str, str], list[Account]] = {}
    for account in accounts:
        if not account.is_customer:
            by_place.setdefault((account.segment, account.region), []).append(account)
    sdrs = {region: [user.user_id for user in people if user.role == "SDR" and user.region == region] for region in REGIONS}
    names, result = company_names(stream("lead companies"), 5000), []
    for i, (moment, flood) in enumerate(sorted(coming)):
        open_now = [campaign for campaign in CAMPAIGNS if campaign.pull and campaign.active(moment)]
        weights = np.array([30.0] + [campaign.pull for campaign in open_now])
        k = int(rng.choice(len(weights), p=weights / weights.sum()))
        campaign = pull[FLOOD] if flood else (open_now[k - 1] if k else None)
        region = str(rng.choice(REGIONS, p=REGION_SHARE))
        if campaign and campaign.currency != "USD" and rng.random() < 0.85:
            region = "APAC" if campaign.currency == "INR" else "EMEA"
        segment = str(rng.choice(SEGMENTS, p=(0.8, 0.15, 0.05, 0.0) if flood else SEGMENT_SHARE))
        country = str(rng.choice(COUNTRIES[region][0], p=COUNTRIES[region][1]))
        mine = by_place.get((segment, region), [])
        account = mine[int(rng.integers(len(mine)))] if mine and rng.random() < 0.3 else None
        first, last = str(rng.choice(FIRST)), str(rng.choice(LAST))
        company = account.name if account else names[int(rng.integers(len(names)))]
        domain = account.domain if account else company.lower().replace(" ", "-") + ".example"
        source = SOURCES[campaign.type] if campaign else str(rng.choice(NO_CAMPAIGN, p=(0.42, 0.26, 0.17, 0.15)))
        lead = Lead(f"L{i + 1:05d}", f"{first} {last}", f"{first}.{last}{i % 97}@{domain}".lower(), company, account, segment, region, country, int(moment),
                    campaign, source, str(rng.choice(TITLES)) if rng.random() < 0.93 else "",
                    f"{PHONE[country]}{i % 100:02d}" if rng.random() < 0.82 else "")
        if rng.random() < 0.004:
            lead.is_test, lead.email, lead.person = True, f"test{i}@northlight.example", "Test Test"
        live(lead, rng, clocks[region], sdrs[region])
        tidy(lead, sweep, clocks[region])
        cut(lead)
        result.append(lead)
    for lead in result:  # people who fill in a second form: some merged by the CRM, some still there twice
        if rng.random() < 0.012 and lead.created > START + 40 * DAY and not lead.converted:
            twin = result[int(rng.integers(0, int(lead.lead_id[1:]) - 1))]
            if twin.duplicate_of or twin.is_test or twin.created >= lead.created:
                continue
            lead.person, lead.email, lead.company, lead.segment, lead.region, lead.country = (
                twin.person, twin.email, twin.company, twin.segment, twin.region, twin.country)
            lead.account = twin.account
            if rng.random() < 0.6:
                lead.duplicate_of = twin.lead_id
    for lead in result:
        if lead.converted and lead.account is None:
            mine = by_place.get((lead.segment, lead.region)) or [account for account in accounts if account.segment == lead.segment]
            lead.account = mine[int(rng.integers(len(mine)))]
            lead.company = lead.account.name
    return result


