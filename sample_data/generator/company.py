"""Northlight Software itself: regions, calendars, people, accounts and campaigns. All names come from the word lists below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clock import AS_OF, BusinessClock, seconds, stream

SEGMENTS = ("SMB", "Mid-Market", "Enterprise", "Public Sector")
SEGMENT_SHARE = (0.55, 0.29, 0.155, 0.005)
REGIONS = ("AMER", "EMEA", "APAC")
REGION_SHARE = (0.54, 0.29, 0.17)
COUNTRIES = {"AMER": (("US", "Canada", "Brazil"), (0.8, 0.12, 0.08)),
             "EMEA": (("UK", "Germany", "France", "Netherlands"), (0.46, 0.25, 0.15, 0.14)),
             "APAC": (("India", "Singapore", "Australia"), (0.62, 0.2, 0.18))}
CURRENCY = {"UK": "GBP", "Germany": "EUR", "France": "EUR", "Netherlands": "EUR", "India": "INR"}
CALENDARS = {"AMER": ("US_EAST", "America/New_York", (("09:00", "17:00"),)),
             "EMEA": ("UK", "Europe/London", (("09:00", "17:30"),)),
             "APAC": ("IN_WEST", "Asia/Kolkata", (("09:30", "13:00"), ("14:00", "18:30")))}
HOLIDAYS = {
    "US_EAST": {"New Year's Day": "2025-01-01 2026-01-01 2027-01-01", "Memorial Day": "2025-05-26 2026-05-25", "Juneteenth": "2025-06-19 2026-06-19",
                "Independence Day": "2025-07-04 2026-07-03", "Labor Day": "2025-09-01 2026-09-07", "Thanksgiving": "2025-11-27 2026-11-26",
                "Day after Thanksgiving": "2025-11-28 2026-11-27", "Christmas Day": "2025-12-25 2026-12-25"},
    "UK": {"New Year's Day": "2025-01-01 2026-01-01 2027-01-01", "Good Friday": "2025-04-18 2026-04-03", "Easter Monday": "2025-04-21 2026-04-06",
           "Early May bank holiday": "2025-05-05 2026-05-04", "Spring bank holiday": "2025-05-26 2026-05-25",
           "Summer bank holiday": "2025-08-25 2026-08-31", "Christmas Day": "2025-12-25 2026-12-25", "Boxing Day": "2025-12-26 2026-12-28"},
    "IN_WEST": {"Republic Day": "2025-01-26 2026-01-26", "Independence Day": "2025-08-15 2026-08-15", "Gandhi Jayanti": "2025-10-02 2026-10-02",
                "Diwali": "2025-10-21 2026-11-09", "Christmas Day": "2025-12-25 2026-12-25"},
}

FIRST = """Ada Bram Cleo Dario Edda Faye Goran Hana Idris Juno Kiran Lena Milo Nadia Otis Petra Quinn Rosa Sami Tova Uma Viggo Willa Xenia Yusuf Zara
Anouk Bodhi Carys Devan Elio Freja Gita Hugo Ines Jonas Kavya Lars Mira Nils Odette Priya Rafi Sunita Theo Ulla Vera Wren Yara Zeno""".split()
LAST = """Abbott-Lane Brindle Calloway Dunmoor Eastvale Fennick Garrowby Hollins Ivarsen Jessop Kestrel Lomax Merrow Nayfield Oakhurst Penhale Quarrie Rowntide
Selby Thackeray Underhill Vantongeren Wexcombe Yarrow Zellweg Ashgrove Birchall Corvane Deshmane Elmsworth Fairlow Gulraj Hartnoll Iyerson Joshipura Kulmark""".split()
PLACE = """Amber Bracken Cinder Dapple Ember Fallow Gossam Harrow Indigo Juniper Kelder Larch Marlow Nettle Osier Pewter Quill Russet Saffron Tessel Umber Velvet
Wicker Yonder Zephyr Alder Borrow Copper Drift Elder""".split()
FORM = "field stone vale mere ridge haven brook mont wick ford gate holm".split()
TRADE = "Logistics Foods Health Textiles Energy Bank Insurance Robotics Labs Media Retail Metals Travel Analytics Learning Housing Farms Optics".split()
TITLES = ("Manager", "Director", "VP Operations", "Head of Sales", "Analyst", "RevOps Lead", "CFO", "Marketing Manager", "IT Director", "Founder")


@dataclass(frozen=True)
class User:
    user_id: str
    name: str
    function: str
    region: str
    manager_id: str
    role: str
    is_active: bool = True


@dataclass(frozen=True)
class Account:
    account_id: str
    name: str
    segment: str
    region: str
    country: str
    owner_id: str
    domain: str
    is_customer: bool


@dataclass(frozen=True)
class Campaign:
    """`pull` is its share of new leads, `nurture` its share of later responses; the four rates multiply the funnel's usual ones."""

    campaign_id: str
    name: str
    type: str
    start: str
    end: str
    budget: float | None
    cost: float | None
    currency: str = "USD"
    function: str = "marketing"
    pull: float = 0.0
    nurture: float = 0.0
    mql: float = 1.0
    sal: float = 1.0
    sql: float = 1.0
    deal: float = 1.0

    def active(self, moment: int) -> bool:
        return seconds(self.start) <= moment < (seconds(self.end) + 86_400 if self.end else AS_OF + 1)


HERO, RETARGETING, FLOOD = "C07", "C19", "C21"

CAMPAIGNS = (
    Campaign("C01", "Paid Search - Brand", "paid_search", "2025-01-01", "", 96000, 91800, pull=10, nurture=3, mql=1.2),
    Campaign("C02", "Paid Search - Category", "paid_search", "2025-01-01", "", 165000, 171400, pull=13, nurture=3),
    Campaign("C03", "Professional Network Ads", "paid_social", "2025-03-01", "", 110000, 104250, pull=9, nurture=4, mql=0.9, sql=0.9),
    Campaign("C04", "Monthly Product Webinar", "webinar", "2025-02-01", "", 42000, 40100, pull=7, nurture=8, mql=1.1),
    Campaign("C05", "Customer Stories Nurture", "email", "2025-01-01", "", 12000, 11200, nurture=10),
    Campaign("C06", "Pricing Guide Download", "content", "2025-04-01", "", 15000, 14300, pull=6, nurture=6, mql=1.2),
    Campaign("C07", "Forecast Clinic Series", "webinar", "2025-09-01", "", 100000, 97900, pull=10, nurture=6, mql=1.35, sal=1.12, sql=1.2, deal=1.25),
    Campaign("C08", "London RevOps Forum 2025", "event", "2025-10-06", "2025-10-10", 38000, 41200, "GBP", pull=15, nurture=10),
    Campaign("C09", "Mumbai Operators Day", "event", "2026-02-16", "2026-02-20", 2600000, 2480000, "INR", pull=15, nurture=10),
    Campaign("C10", "Chicago Growth Expo", "event", "2026-04-13", "2026-04-17", 52000, 49600, pull=22, nurture=12),
    Campaign("C11", "Enterprise ABM Ads", "abm", "2025-06-01", "", 140000, 133700, pull=3, nurture=9, sql=1.15),
    Campaign("C12", "Partner Co-sell", "partner", "2025-05-01", "", 30000, None, pull=4, nurture=2, mql=1.3, sql=1.1),
    Campaign("C13", "Benchmark Report 2025", "content", "2025-06-02", "2026-01-31", 24000, 23500, pull=8, nurture=8),
    Campaign("C14", "Benchmark Report 2026", "content", "2026-03-02", "", 26000, 25100, pull=8, nurture=8),
    Campaign("C15", "Onboarding Tips", "customer", "2025-01-01", "", 6000, 5400, function="cs", nurture=2),
    Campaign("C16", "Expansion Playbook", "customer", "2025-07-01", "", 9000, 8700, function="cs", nurture=2),
    Campaign("C17", "SDR Outbound Sequence", "outbound", "2025-01-01", "", 18000, 18000, function="sales", nurture=3),
    Campaign("C18", "Frankfurt Finance Forum", "event", "2026-06-08", "2026-06-11", 30000, 31800, "EUR", pull=15, nurture=8),
    Campaign("C19", "Always-on Retargeting", "paid_social", "2026-01-05", "", 650000, 662000),
    Campaign("C20", "Autumn Trial Push", "email", "2025-09-15", "2025-12-15", 8000, 7600, pull=5, nurture=6),
    Campaign("C21", "Free Template Giveaway", "content_syndication", "2026-06-15", "", 9000, 8200, mql=1.75, sal=0.74, sql=0.27, deal=0.6),
    Campaign("C22", "Review Site Listing", "paid_search", "2025-05-01", "", 36000, 35500, pull=5, nurture=2, mql=1.15, sql=1.05),
    Campaign("C23", "RevOps Podcast", "content", "2025-11-03", "", 28000, 27000, pull=4, nurture=7, mql=0.85),
    Campaign("C24", "Year-end Planning Workshop", "webinar", "2026-10-05", "2026-12-11", 16000, 9800, pull=9, nurture=8),
    Campaign("C25", "Partner Marketplace Launch", "partner", "2026-09-01", "", 14000, None, pull=3, nurture=1),
)
SOURCES = {"paid_search": "Paid Search", "paid_social": "Paid Social", "webinar": "Webinar", "email": "Email", "content": "Content", "event": "Event",
           "abm": "ABM", "partner": "Partner", "customer": "Customer", "outbound": "Outbound", "content_syndication": "Content Syndication"}
NO_CAMPAIGN = ("Organic Search", "Direct", "Referral", "Demo Request")


def calendars() -> tuple[list[dict], list[dict], list[dict], dict[str, BusinessClock]]:
    """Rows of `business_calendars`, `holidays`, `region_calendars`, and the walking clock of each region."""
    opening, off, regions, clocks = [], [], [], {}
    for region, (name, tz, windows) in CALENDARS.items():
        week = [(weekday, opens, closes) for weekday in range(5) for opens, closes in windows]
        opening += [dict(calendar_id=name, tz=tz, weekday=weekday, open=opens, close=closes) for weekday, opens, closes in week]
        dates = sorted((date, label) for label, text in HOLIDAYS[name].items() for date in text.split())
        off += [dict(calendar_id=name, date=date, name=label) for date, label in dates]
        regions.append(dict(region=region, calendar_id=name))
        clocks[region] = BusinessClock(tz, week, {date for date, _ in dates})
    return opening, off, regions, clocks


def users() -> list[User]:
    """32 people: marketing, sales development (SDR), account executives (AE), customer success, revenue operations."""
    plan = [("revops", "AMER", "Chief Revenue Officer", 1), ("sales", "AMER", "Sales Director", 1), ("sales", "EMEA", "Sales Manager", 1),
            ("marketing", "AMER", "VP Marketing", 1), ("cs", "AMER", "CS Director", 1), ("revops", "AMER", "RevOps", 2), ("revops", "EMEA", "RevOps", 1),
            ("marketing", "AMER", "Marketer", 2), ("marketing", "EMEA", "Marketer", 1), ("marketing", "APAC", "Marketer", 1),
            ("sales", "AMER", "SDR", 3), ("sales", "EMEA", "SDR", 2), ("sales", "APAC", "SDR", 2), ("sales", "AMER", "AE", 5), ("sales", "EMEA", "AE", 3),
            ("sales", "APAC", "AE", 2), ("cs", "AMER", "CSM", 1), ("cs", "EMEA", "CSM", 1), ("cs", "APAC", "CSM", 1)]
    rng, people = stream("users"), []
    names = [f"{FIRST[i]} {LAST[j]}" for i, j in zip(rng.permutation(len(FIRST)), rng.permutation(len(LAST)))]
    heads = {"revops": "U01", "marketing": "U04", "cs": "U05"}
    for function, region, role, number in plan:
        for _ in range(number):
            user_id = f"U{len(people) + 1:02d}"
            manager = heads.get(function) or ("U03" if region != "AMER" else "U02")
            head = "" if user_id == "U01" else "U01" if user_id in ("U02", "U03", "U04", "U05") else manager
            people.append(User(user_id, names[len(people)], function, region, head, role, user_id != "U26"))
    return people


def company_names(rng: np.random.Generator, n: int) -> list[str]:
    every = [f"{place}{form} {trade}" for place in PLACE for form in FORM for trade in TRADE]
    return [every[i] for i in rng.permutation(len(every))[:n]]


def accounts(people: list[User], n: int = 700, customers: int = 150) -> list[Account]:
    """The accounts; the first `customers` of them were customers before the 18 months began."""
    rng, result = stream("accounts"), []
    for i, name in enumerate(company_names(rng, n)):
        region = str(rng.choice(REGIONS, p=REGION_SHARE))
        segment = str(rng.choice(SEGMENTS, p=(0.44, 0.345, 0.21, 0.005)))
        country = str(rng.choice(COUNTRIES[region][0], p=COUNTRIES[region][1]))
        team = [user.user_id for user in people if user.region == region and user.role == ("CSM" if i < customers else "AE")]
        result.append(Account(f"A{i + 1:04d}", name, segment, region, country, str(rng.choice(team)),
                              name.lower().replace(" ", "-") + ".example", i < customers))
    return result
