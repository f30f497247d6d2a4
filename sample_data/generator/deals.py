"""Deals: about 1,000 opportunities with every change of stage, amount, close date and forecast category."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from .clock import AS_OF, DAY, START, BusinessClock, day_of, month_end, quarter_end, seconds, stream
from .company import CURRENCY, HERO, Account, User
from .leads import Lead, lognormal

N_DEALS, TAKE = 1000, 1284
STAGES = ("Prospecting", "Discovery", "Proposal", "Negotiation")
DAYS = {"SMB": (6, 8, 9, 7), "Mid-Market": (9, 13, 14, 10), "Enterprise": (14, 20, 18, 15), "Public Sector": (12, 16, 15, 12)}
SIZE = {"SMB": 9_000, "Mid-Market": 31_000, "Enterprise": 84_000, "Public Sector": 58_000}
LOSES = {"new_business": (0.15, 0.34, 0.32, 0.28), "expansion": (0.08, 0.22, 0.22, 0.18), "renewal": (0.02, 0.03, 0.04, 0.05)}
CATEGORY = {"Prospecting": ("pipeline", "omitted", 0.05), "Discovery": ("pipeline", "best_case", 0.12), "Proposal": ("best_case", "commit", 0.12),
            "Negotiation": ("commit", "best_case", 0.38)}
LOST = ("Price", "Competitor", "No decision", "Timing", "Missing feature", "Went dark", "No budget", "Duplicate", "")
LOST_SHARE = (0.2, 0.18, 0.2, 0.1, 0.1, 0.09, 0.06, 0.02, 0.05)
NEXT = ("Send proposal", "Security review", "Legal redlines", "Demo for finance", "Reference call", "Confirm budget owner", "Pricing call", "Follow up")
STALL_FROM = seconds("2026-06-01")  # story: Enterprise proposals wait from here on


@dataclass
class Deal:
    opp_id: str
    account: Account
    segment: str
    type: str
    currency: str
    owner: str
    region: str
    created: int
    campaign_id: str
    lead: Lead | None
    name: str = ""
    next_step: str = ""
    loss_reason: str = ""
    events: list[tuple[int, str, float | None, dt.date, str]] = field(default_factory=list)

    @property
    def stage(self) -> str:
        return self.events[-1][1]

    @property
    def closed(self) -> int | None:
        return self.events[-1][0] if self.stage.startswith("Closed") else None

    @property
    def amount(self) -> float:
        return self.events[-1][2] or 0.0


def round_money(amount: float, currency: str) -> float:
    step = 5_000 if currency == "INR" else 100
    return float(max(step, round(amount / step) * step))


def bunch(moment: int, rng: np.random.Generator, clock: BusinessClock) -> int:
    """Most signatures wait for the end of the quarter."""
    end = seconds(quarter_end(day_of(moment)).isoformat()) + 14 * 3600
    if rng.random() < 0.44:
        moment = max(moment, end - int(rng.exponential(11 * DAY)))
    return clock.advance(moment, rng.uniform(0, 200))


class Sale:
    """The state of one deal while it is simulated; `put` writes an event whenever one of the four fields changes."""

    def __init__(self, deal: Deal, rng: np.random.Generator, clock: BusinessClock, rate: float):
        self.deal, self.rng, self.clock, self.rate = deal, rng, clock, rate
        self.hero = bool(deal.lead and deal.lead.campaign and deal.lead.campaign.campaign_id == HERO)
        size = SIZE[deal.segment] * {"new_business": 1.0, "expansion": 0.45, "renewal": 0.9}[deal.type] * (1.15 if self.hero else 1.0)
        self.money: float | None = round_money(lognormal(rng, size, 0.45) / rate, deal.currency)
        self.category, self.close = "pipeline", dt.date.min

    def put(self, moment: int, stage: str, missing: bool = False) -> None:
        state = (stage, None if missing else self.money, self.close, self.category)
        if moment <= AS_OF and not (self.deal.events and self.deal.events[-1][1:] == state):
            self.deal.events.append((int(moment), *state))

    def enter(self, moment: int, stage: str) -> None:
        usual, other, share = CATEGORY[stage]
        self.category = other if self.rng.random() < share else usual
        if stage == "Proposal" and self.rng.random() < 0.45:
            self.money = round_money(self.money * lognormal(self.rng, 1.02, 0.22), self.deal.currency)
        if stage == "Negotiation" and self.rng.random() < 0.4:
            self.money = round_money(self.money * self.rng.uniform(0.76, 1.0), self.deal.currency)
        self.put(moment, stage, missing=stage == "Prospecting" and self.rng.random() < 0.12)

    def wait(self, moment: int, until: int, stage: str) -> None:
        """While the deal stays in a stage: the close date is pushed when it passes, and the amount is sometimes corrected."""
        changes = []
        if self.rng.random() < 0.12 and until - moment > 6 * DAY:
            changes.append((self.clock.advance(moment + int(self.rng.uniform(0.3, 0.8) * (until - moment))), "amount"))
        day = self.close
        while True:
            pushed = self.clock.advance(seconds(day.isoformat()) + int(self.rng.uniform(-4, 3) * DAY), self.rng.uniform(5, 300))
            if pushed >= min(until, AS_OF) or self.rng.random() < 0.2:
                break
            if pushed > moment + 3600:
                changes.append((pushed, "push"))
            day = month_end(day + dt.timedelta(days=int(self.rng.choice((8, 32, 34, 62), p=(0.2, 0.35, 0.35, 0.1)))))
        for when, what in sorted(changes):
            if what == "amount":
                self.money = round_money(self.money * self.rng.uniform(0.8, 1.25), self.deal.currency)
            else:
                self.close = month_end(max(self.close, day_of(when)) + dt.timedelta(days=int(self.rng.choice((8, 33, 40, 62), p=(0.2, 0.4, 0.3, 0.1)))))
            self.put(when, stage)

    def finish(self, moment: int, won: bool) -> None:
        self.close = self.clock.local_date(moment)
        self.category = "closed" if won else "omitted"
        self.put(moment, "Closed Won" if won else "Closed Lost")
        if not won and moment <= AS_OF:
            self.deal.loss_reason = str(self.rng.choice(LOST, p=LOST_SHARE))

    def run(self) -> None:
        deal, rng, clock = self.deal, self.rng, self.clock
        loses = np.array(LOSES[deal.type]) * (0.7 if self.hero else {"Public Sector": 0.12, "Enterprise": 1.2}.get(deal.segment, 1.0))
        speed = {"new_business": 1.0, "expansion": 0.7, "renewal": 1.3}[deal.type]
        rank = int(rng.random() > 0.62) if deal.type == "new_business" else 1
        planned = day_of(deal.created + int(1.25 * speed * sum(DAYS[deal.segment][rank:]) * DAY))
        self.close = quarter_end(planned) if rng.random() < 0.4 else month_end(planned)
        moment, steps = deal.created, 0
        self.enter(moment, STAGES[rank])
        while moment <= AS_OF:
            stage = STAGES[rank]
            stalled = deal.segment == "Enterprise" and stage == "Proposal" and moment >= STALL_FROM
            stay = lognormal(rng, DAYS[deal.segment][rank] * speed * (4.0 if stalled else 1.0), 0.6) * DAY
            lost = rng.random() < loses[rank]
            leave = clock.advance(moment + int(stay * (rng.uniform(0.6, 1.7) if lost else 1.0)), rng.uniform(1, 300))
            won = not lost and rank == 3
            if won:
                leave = bunch(leave, rng, clock)
            self.wait(moment, leave, stage)
            if lost or won:
                self.finish(leave, won)
                if leave <= AS_OF and rng.random() < (0.012 if won else 0.045):
                    self.reopen(leave)
                return
            steps += 1
            rank += -1 if rank >= 2 and steps < 7 and rng.random() < 0.05 else 2 if rank <= 1 and rng.random() < 0.07 else 1
            moment = leave
            self.enter(moment, STAGES[rank])

    def reopen(self, closed: int) -> None:
        """A closed deal comes back, is negotiated again and ends a second time."""
        moment = self.clock.advance(closed + int(self.rng.uniform(12, 55) * DAY), self.rng.uniform(5, 300))
        if moment > AS_OF:
            return
        self.deal.loss_reason = ""
        self.close = month_end(day_of(moment) + dt.timedelta(days=40))
        self.enter(moment, "Negotiation")
        leave = self.clock.advance(moment + int(lognormal(self.rng, 24, 0.5) * DAY), self.rng.uniform(5, 300))
        self.wait(moment, leave, "Negotiation")
        self.finish(leave, self.rng.random() < 0.5)


def deals(leads: list[Lead], accounts: list[Account], people: list[User], clocks: dict[str, BusinessClock], rates: dict[str, float]) -> list[Deal]:
    """All deals, oldest first: converted leads, then expansions and renewals of customers, the rest from sales' own prospecting."""
    rng, plan = stream("deals", TAKE), []
    team = {(role, region): [user.user_id for user in people if user.role == role and user.region == region] for role in ("AE", "CSM") for region in clocks}
    for lead in leads:
        if lead.converted:
            plan.append((lead.converted, "new_business", lead.account, lead))
    customers = [account for account in accounts if account.is_customer]
    for account in customers:
        anniversary = seconds("2025-05-16") + int(rng.uniform(0, 365) * DAY)
        for year in (0, 1):
            if anniversary + year * 365 * DAY < AS_OF - 3 * DAY and rng.random() < 0.48:
                plan.append((anniversary + year * 365 * DAY, "renewal", account, None))

    def growth() -> int:
        return START + int((rng.uniform(0.03, 1) ** 0.7 - 0.05) * (AS_OF - START))

    plan += [(growth(), "expansion", customers[int(rng.integers(len(customers)))], None) for _ in range(130)]
    prospects = [account for account in accounts if not account.is_customer]
    plan += [(growth(), "new_business", prospects[int(rng.integers(len(prospects)))], None) for _ in range(N_DEALS - len(plan))]
    result = []
    for i, (moment, kind, account, lead) in enumerate(sorted(plan, key=lambda item: (item[0], item[2].account_id, item[1]))):
        region = lead.region if lead else account.region
        owner = account.owner_id if kind != "new_business" else str(rng.choice(team["AE", region]))
        currency = CURRENCY.get(lead.country if lead else account.country, "USD")
        created = moment if lead else clocks[region].advance(moment, rng.uniform(5, 300))
        deal = Deal(f"O{i + 1:04d}", account, lead.segment if lead else account.segment, kind, currency, owner, region, created,
                    lead.campaign.campaign_id if lead and lead.campaign else "", lead)
        deal.name = f"{account.name} - {dict(new_business='New Business', expansion='Expansion', renewal='Renewal')[kind]}"
        Sale(deal, rng, clocks[region], rates[currency]).run()
        if not deal.closed:
            deal.next_step = str(rng.choice(NEXT)) if rng.random() < 0.87 else ""
        elif i % 11:  # nobody clears the last step of a deal that is over
            deal.next_step = NEXT[i % len(NEXT)]
        if lead:
            lead.opp_id = deal.opp_id
        result.append(deal)
    return result
