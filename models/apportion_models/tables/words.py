"""Spellings: what means "missing", what means won, lost or open, what means yes, and which signs name a currency.

Every word is compared without case, spaces, underscores and punctuation (`plain`), unless said otherwise.
"""

from __future__ import annotations

import re

MISSING = frozenset(
    {"", "-", "--", "—", "–", "n/a", "#n/a", "n.a.", "null", "(null)", "none", "(none)", "nan", "nat", "<na>", "\\n"}
    | {"(blank)", "#value!", "#ref!", "#name?", "no value", "(no value)", "undefined"}
)
"""Whole cells, in lower case, that say that there is no value."""

AMBIGUOUS_MISSING = "na"
"""North America, Namibia, or "not available": missing where a text cannot stand, text where it can."""

OUTCOMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("won", ("won", "closed won", "win", "converted", "closed converted", "customer", "evangelist", "true")),
    (
        "lost",
        ("lost", "closed lost", "loss", "closed not converted", "not converted", "disqualified", "unqualified"),
    ),
    (
        "open",
        (
            *("open", "engaging", "prospecting", "new", "in progress", "open deal", "working", "working contacted"),
            *("open not contacted", "contacted", "connected", "attempted to contact", "nurturing", "qualified"),
            *("qualification", "needs analysis", "value proposition", "id. decision makers", "perception analysis"),
            *("proposal/price quote", "proposal", "negotiation/review", "negotiation", "appointment scheduled"),
            *("qualified to buy", "presentation scheduled", "decision maker bought-in", "contract sent", "subscriber"),
            *("lead", "marketing qualified lead", "sales qualified lead", "opportunity"),
        ),
    ),
)

YES = frozenset({"true", "t", "yes", "y", "1", "1.0", "on", "x"})
NO = frozenset({"false", "f", "no", "n", "0", "0.0", "off"})

CURRENCY_SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₽": "RUB",
    "₩": "KRW",
    "₺": "TRY",
    "₴": "UAH",
    "₪": "ILS",
    "฿": "THB",
    "₫": "VND",
    "zł": "PLN",
    "kč": "CZK",
    "r$": "BRL",
    "us$": "USD",
    "a$": "AUD",
    "c$": "CAD",
    "nz$": "NZD",
    "hk$": "HKD",
    "s$": "SGD",
    "fr.": "CHF",
    "$": "$",
    "¥": "¥",
    "kr": "kr",
    "kr.": "kr",
}

SHARED_SIGNS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN"}),
    "¥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}
"""Signs that several currencies share: they go with any one of them."""

CURRENCY_CODES = frozenset(
    {"EUR", "USD", "GBP", "CHF", "JPY", "CNY", "SEK", "NOK", "DKK", "ISK", "PLN", "CZK", "HUF", "RON", "BGN", "TRY"}
    | {"RUB", "UAH", "INR", "PKR", "BDT", "LKR", "AUD", "NZD", "CAD", "MXN", "BRL", "ARS", "CLP", "COP", "PEN", "UYU"}
    | {"ZAR", "NGN", "KES", "EGP", "MAD", "AED", "SAR", "QAR", "KWD", "ILS", "SGD", "HKD", "TWD", "KRW", "THB", "VND"}
    | {"MYR", "IDR", "PHP"}
)


def plain(word: str) -> str:
    """A word without case, spaces, underscores and punctuation; a word of punctuation alone stays as it is.

    >>> plain("Closed Won") == plain("closed_won") == plain("closedwon")
    True
    """
    bare = re.sub(r"[\W_]+", "", word.casefold())
    return bare or word.strip().casefold()


def one_currency(names: set[str]) -> str | None:
    """The currency that all the names can mean together; "" when there is no name, None when they contradict.

    >>> one_currency({"$", "CAD"}), one_currency({"EUR", "USD"}), one_currency(set())
    ('CAD', None, '')
    """
    codes = {name for name in names if name not in SHARED_SIGNS}
    signs = names - codes
    if len(codes) > 1 or len(signs) > 1:
        return None
    if codes and signs:
        (code,), (sign,) = codes, signs
        return code if code in SHARED_SIGNS[sign] else None
    return next(iter(names), "")
