"""Numbers and yes/no words of a column, by an own grammar in ASCII digits: no `1_000`, no `nan`, no foreign digits by accident.

"1,234.50", "€ 1.234,56", "USD 1 234,5", "(500)", "1'000.00 CHF", "₹12,34,567", "12 %": the decimal mark is decided for the whole column from the
values that leave no choice; "1.234" alone leaves one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.intake.patterns import extract, strip

SYMBOLS = {"€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD",
           "R$": "BRL", "zł": "PLN", "₺": "TRY", "₩": "KRW", "₪": "ILS", "Fr.": "CHF", "Kč": "CZK", "S$": "SGD", "NZ$": "NZD", "HK$": "HKD"}
# ISO 4217, and the codes of currencies that the euro has replaced of late.
CODES = frozenset("""AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP
    CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF
    KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN
    PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG ZWL""".split())
_THOUSANDTHS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())     # currencies that are written with three decimals
_LAKH = frozenset("BDT INR LKR NPR PKR".split())                     # currencies whose digits may be in groups of two beyond the first three
_SIGN = r"[-+−]?"
_MONEY = r"(?:[A-Z]{3}|[A-Z]{0,2}[$€£¥₹₺₩₪]|zł|Kč|Fr\.|kr\.?)"
_GRAMMAR = (rf"^(?P<open>\()?(?P<s1>{_SIGN})\s?(?P<c1>{_MONEY})?\s?(?P<s2>{_SIGN})(?P<body>[0-9][0-9.,'’ ]*|[.,][0-9]+)"
            rf"\s?(?P<pct>%)?\s?(?P<c2>{_MONEY})?(?P<close>\))?$")
_SPACED = r"[0-9]{1,3}(?:(?: [0-9]{3})+|(?:['’][0-9]{3})+)(?:[.,][0-9]+)?"       # blanks and apostrophes are marks of thousands only
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]*(?:[.,][0-9]+)?|[0-9]+[.,]?"
_OF_LAKH = r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?"
_OF_MILLIONS = r"[0-9]{1,3}(?:,[0-9]{3}){2,}(?:\.[0-9]+)?"
_PLAIN = r"^-?[0-9]+(?:\.[0-9]+)?$"
_EITHER = r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$"      # of the plain ones: a decimal point, or a mark of thousands
LARGEST = 1e15         # beyond it a double no longer holds cents, and no deal was ever worth as much
_FEW = 20              # of two marks (or orders) in one column the rarer is a slip when it is twenty times as rare
YES = frozenset("true yes y t 1 x ✓ wahr ja oui vrai si sí verdadero sim vero on".split())
NO = frozenset("false no n f 0 falsch nein non faux falso nee não off".split())


@dataclass(frozen=True)
class Numbers:
    """A read column of numbers; `bad` marks filled cells that are no number.

    currency: code per row where the cell names one (NaN elsewhere); percent: whether cells carry a % sign
    decimal : "." or ","; doubt: True when only values such as "1.234" are there, which can be read both ways, or when values contradict each
    other (torn)
    """

    values: pd.Series
    bad: np.ndarray
    currency: pd.Series
    percent: bool
    decimal: str
    evidence: str
    doubt: bool = False
    torn: bool = False


def read_numbers(text: pd.Series, decimal: str | None = None) -> Numbers:
    """Read a column of texts; `decimal` is the mark when known from elsewhere (the column's own evidence goes before it)."""
    text = strip(text)
    filled = (text != "").to_numpy()
    none = pd.Series(np.nan, index=text.index, dtype="str")
    if filled.any() and text[filled].str.match(_PLAIN).all():
        either, points = text.str.match(_EITHER), int(text.str.contains(".", regex=False).sum())
        sure = points - int(either.sum())
        if decimal == "." or sure or not points:
            why = "plain numbers" if decimal == "." else f"{sure} values with a decimal point" if sure else "no value needs a decimal mark"
            values = _floats(text.where(filled))
            return Numbers(values, filled & values.isna().to_numpy(), none, False, "." if points else decimal or ".", why)
    codes, words = pd.factorize(text.str.replace(r"[\u00a0\u202f\u2009]", " ", regex=True))
    got = extract(pd.Series(words, dtype="str"), _GRAMMAR)
    body = got["body"].str.strip().fillna("")
    tidy = (~body.str.contains("[ '’]", regex=True) | body.str.fullmatch(_SPACED)).to_numpy(dtype=bool)
    body = body.str.replace("[ '’]", "", regex=True)
    money = got["c1"].fillna(got["c2"])
    code = money.where(money.isin(CODES), money.map(SYMBOLS))
    dots, commas = body.str.count(r"\.").to_numpy(), body.str.count(",").to_numpy()
    last_dot, last_comma = body.str.rfind(".").to_numpy(), body.str.rfind(",").to_numpy()
    tail = body.str.len().to_numpy() - np.maximum(last_dot, last_comma) - 1
    lead = np.maximum(last_dot, last_comma)
    whole_zero = body.str.startswith("0").to_numpy(dtype=bool)
    single_open = (tail != 3) | (lead > 3) | (lead == 0) | whole_zero                    # "1.5", "1234.567", "0.125": the mark is decimal
    point = (dots == 1) & (commas == 0) & single_open | (dots == 1) & (commas > 0) & (last_dot > last_comma) | (commas > 1) & (dots == 0)
    comma = (commas == 1) & (dots == 0) & single_open | (commas == 1) & (dots > 0) & (last_comma > last_dot) | (dots > 1) & (commas == 0)
    unclear = (dots + commas == 1) & ~single_open
    weight = np.bincount(codes, minlength=len(words))
    says_point, says_comma = int(weight[point].sum()), int(weight[comma].sum())
    marked = unclear & (money.notna() & ~code.isin(_THOUSANDTHS)).to_numpy()             # a currency of two decimals at most: the mark is one of thousands
    mark = "," if says_comma > says_point else "." if says_point else decimal or "."
    few, many = sorted((says_point, says_comma))
    torn = few * _FEW > many                                                             # both marks, neither by mistake
    doubt = torn and not decimal or bool((unclear & ~marked).any()) and not (says_point or says_comma or decimal)
    mark = decimal or "." if torn else mark
    three = (point & (last_dot > last_comma) | comma & (last_comma > last_dot)) & (tail == 3)
    if not torn:
        marked = marked & ~_of_one(money, three)                                         # the column does write three decimals
    against = marked & _of_one(money, point | comma) & ((dots == 1) == (mark == ".")) & (not torn)
    use_comma = np.where(marked, dots == 1, mark == ",")
    clean = np.where(use_comma, body.str.replace(".", "").str.replace(",", "."), body.str.replace(",", ""))
    lakh = body.str.fullmatch(_OF_LAKH)
    lakh &= code.isin(_LAKH) | (lakh.sum() > 1 and not body.str.fullmatch(_OF_MILLIONS).any())
    grouped = (body.str.fullmatch(_GROUPED) | lakh).to_numpy(dtype=bool) & tidy
    grouped = grouped & ~np.where(use_comma, point, comma)                                      # a cell that only the other mark explains is no number here
    grouped = grouped & ~against                                                                # nor one whose mark of thousands is the decimal mark of others
    signs = got["open"].notna().astype(int) + (got["s1"].fillna("") != "") + (got["s2"].fillna("") != "")
    closed = ((got["open"].notna() == got["close"].notna()) & (signs < 2)).to_numpy()
    value = _floats(pd.Series(clean, dtype="str").where(grouped & closed & (body != "").to_numpy())).to_numpy()
    negative = (got["open"].notna() | got["s1"].isin(["-", "−"]) | got["s2"].isin(["-", "−"])).to_numpy()
    value = np.where(money.isin(CODES) | money.isin(list(SYMBOLS)) | money.isna() | (money.str.startswith("kr").fillna(False)), value, np.nan)
    values = pd.Series(np.where(negative, -value, value)[codes], index=text.index)
    why = f"{says_point} values with a decimal point, {says_comma} with a decimal comma" if torn else f"{says_comma if mark == ',' else says_point} values with a decimal {'comma' if mark == ',' else 'point'}" if says_point or says_comma else (
        "no value needs a decimal mark" if not unclear.any() else "values such as 1.234 can be read both ways")
    return Numbers(values, filled & values.isna().to_numpy(), pd.Series(code.to_numpy()[codes], index=text.index, dtype="str"),
                   bool(got["pct"].notna().any()), mark, why, doubt, torn)


def _of_one(money: pd.Series, some: np.ndarray) -> np.ndarray:
    """The cells in a currency of `some` of them; all, where one of those names none."""
    return money.isin(money[some].dropna()).to_numpy(dtype=bool) | bool(money[some].isna().any())


def _floats(digits: pd.Series) -> pd.Series:
    """The numbers of texts of digits; none where there are more than a number can be."""
    return digits.astype("float64").replace([np.inf, -np.inf], np.nan)


def read_booleans(text: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """(values, mask of filled cells that are neither yes nor no)."""
    word = text.str.strip().str.lower()
    yes, no = word.isin(YES), word.isin(NO)
    return yes.astype("boolean").where(yes | no), (~(yes | no) & (word != "")).to_numpy(dtype=bool)
