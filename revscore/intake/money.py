"""Money of opportunities: amounts, their currency, the corporate currency and the rates that an extract itself shows."""

from __future__ import annotations

import pandas as pd

from revscore.intake.cells import currencies
from revscore.intake.desk import Desk
from revscore.intake.records import column
from revscore.intake.stages import WON


def with_amounts(deals: pd.DataFrame, desk: Desk) -> pd.DataFrame:
    """Amount and currency; what was really billed goes before the estimate on won deals."""
    if not len(deals):
        return deals
    named = column(deals, "currency")
    code = currencies(named)
    code = code.fillna(column(deals, "amount:currency")).fillna(column(deals, "actual_amount:currency"))
    amount = column(deals, "amount", "float64")
    if "actual_amount" in deals.columns:
        amount = amount.mask((deals["said"] == WON) & deals["actual_amount"].notna(), deals["actual_amount"])
    if code.isna().any():
        found = code.dropna().value_counts()
        places = [m.sheet for m in desk.matches if m.subject == "deal"]
        usual = str(found.index[0]) if len(found) else "USD"
        default = desk.ask("currency", "In which currency are amounts that name none?", (), usual, places[0].place if places else "") or usual
        code = code.fillna(default)
    return deals.assign(amount=amount, currency=code)


def home_rates(deals: pd.DataFrame, desk: Desk) -> tuple[pd.DataFrame, dict[str, object]]:
    """The corporate currency, and rates where the extract gives amounts in it beside the deal's own."""
    if not len(deals):
        return pd.DataFrame(), {}
    used = deals.loc[deals["amount"].notna(), "currency"].value_counts()
    used = used if len(used) else deals["currency"].value_counts()
    home = column(deals, "amount_home", "float64")
    both = home.notna() & (deals["amount"].fillna(0) != 0)
    rate = (home / deals["amount"])[both].groupby(deals["currency"]).median()
    ones = [c for c in rate.index if abs(rate[c] - 1) < 1e-9]
    said = currencies(column(deals, "home_currency")).dropna().unique()
    corporate = str(said[0]) if len(said) == 1 else str(ones[0]) if len(ones) == 1 else str(used.index[0]) if len(used) == 1 else None
    if corporate is None:
        default = "USD" if "USD" in used.index else str(used.index[0])
        corporate = desk.ask("corporate_currency", "Which is the corporate currency?", tuple(map(str, used.index)), default, "opportunities") or default
    table = pd.DataFrame({"currency": rate.index, "rate_to_corp": rate.to_numpy()})
    table = table[table["currency"] != corporate].assign(kind="corporate", start_date=pd.Timestamp("2000-01-01"))
    lacking = [c for c in used.index if c != corporate and c not in set(table["currency"])]
    if lacking:
        desk.say(f"no exchange rate of {', '.join(lacking)} to {corporate} is in the extract; add rates, or those amounts are left out")
    return table.reset_index(drop=True), {"corporate_currency": corporate}
