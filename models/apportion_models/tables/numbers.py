"""Numbers as people write them: decimal commas, thousands, currencies, percent, brackets.

Which sign is the decimal one is settled by the whole column. What could be both is refused, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from apportion_models.tables.cells import cast, hits
from apportion_models.tables.notes import Mask
from apportion_models.tables.words import CURRENCY_CODES, CURRENCY_SIGNS, one_currency

Said = tuple[Mask, str, str]
"""Words (k,) that something holds for, what holds, and what would be right."""

_HEAD = 20_000
_DOT_COULD_GROUP = r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$"
_COMMA_COULD_GROUP = r"^-?[1-9][0-9]{0,2},[0-9]{3}$"
_DOT_DECIMAL = (
    r"^([0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}\.[0-9]*|[0-9]{1,3}(,[0-9]{2,3})+,[0-9]{3}|[0-9]*\.[0-9]*)(e[+-]?[0-9]+)?$"
)
_COMMA_DECIMAL = r"^([0-9]{1,3}(\.[0-9]{3})+,[0-9]*|[0-9]{1,3}(\.[0-9]{3}){2,}|[0-9]*,[0-9]*)$"
_SPACED = r"^[0-9]{1,3}([ '’][0-9]{3})+([.,][0-9]*)?$"
_WHOLE = r"^[0-9]+(e[+-]?[0-9]+)?$"
_SIGN = "|".join(
    sorted((sign.replace(".", r"\.").replace("$", r"\$") for sign in CURRENCY_SIGNS), key=lambda s: (-len(s), s))
)
_WORD = (
    r"^(?P<open>\()?(?P<minus>[-−+])?\s*(?P<before>SIGNS|[a-z]{3})?\s*(?P<minus2>[-−+])?"
    r"(?P<body>[0-9.,][0-9.,'’ ]*?(?:e[+-]?[0-9]+)?)\s*(?P<kilo>k)?\s*(?P<percent>%)?"
    r"\s*(?P<after>SIGNS|[a-z]{3})?(?P<minus3>-)?(?P<close>\))?$"
).replace("SIGNS", _SIGN)


@dataclass
class Numbers:
    """Each word's value (k,), and what was mended, refused, or is worth telling."""

    values: npt.NDArray[np.float64]
    refused: list[Said] = field(default_factory=list)
    mended: list[Said] = field(default_factory=list)
    told: list[Said] = field(default_factory=list)
    currency: str = ""


def parse_numbers(words: Any, *, decimal: str | None = None, dot_is_decimal: bool = False) -> Numbers:
    """Numbers (k,) of distinct words, NaN where refused.

    `decimal` is the mapping's word ("." or ","). `dot_is_decimal`: the file is separated by commas, so that a dot
    alone is not taken for a sign between thousands.
    """
    if not len(words):
        return Numbers(np.zeros(0))
    values = None if decimal == "," else _cast(words)
    if values is not None:
        if decimal or _dots_are_plain(words.slice(0, _HEAD)):
            return _finite(Numbers(values))
        dots, doubt = hits(words, r"\."), hits(words, _DOT_COULD_GROUP)
        if (dots & ~doubt).any() or not dots.any():
            return _finite(Numbers(values))
        if dot_is_decimal or hits(words, "[eE]|[0-9]{4}$").any():  # whole numbers stand ungrouped: dots do not group
            remedy = "If it groups thousands, set the mapping key `decimal: ','`."
            return _finite(Numbers(values, told=[(doubt, "the dot is read as the decimal point", remedy)]))
    return _written(words, decimal=decimal, dot_is_decimal=dot_is_decimal)


def _cast(words: Any) -> npt.NDArray[np.float64] | None:
    """The common case, that a computer wrote them; None when some word is no plain number."""
    plain = cast(words, pa.float64())
    if plain is None:
        return None
    values = np.array(plain.to_numpy(zero_copy_only=False), dtype=np.float64)
    return None if np.isnan(values).any() else values


def _dots_are_plain(words: Any) -> bool:
    """Whether some word has a dot that cannot stand between thousands."""
    return bool((hits(words, r"\.") & ~hits(words, _DOT_COULD_GROUP)).any())


def _finite(found: Numbers) -> Numbers:
    huge = np.isinf(found.values)
    if huge.any():
        found.values[huge] = np.nan
        found.refused.append((huge, "must be a number that fits in 64 bits", "Correct the value."))
    return found


def _written(words: Any, *, decimal: str | None, dot_is_decimal: bool) -> Numbers:
    """The general case: taken apart into sign, currency, body, percent."""
    lower = pc.utf8_lower(words)
    parts = pc.extract_regex(lower, _WORD)
    part = {name: pc.fill_null(pc.struct_field(parts, name), "") for name in _names(parts)}
    bad = np.array(pc.is_null(parts).to_numpy(zero_copy_only=False), dtype=bool)
    flag = {name: np.asarray(pc.not_equal(part[name], "").to_numpy(zero_copy_only=False), dtype=bool) for name in part}
    bad |= flag["open"] != flag["close"]
    found = Numbers(np.full(len(words), np.nan))
    bad |= _currencies(found, part["before"], part["after"], ~bad)
    body, spaced = _without_spaces(part["body"])
    bad |= _decimals(found, body, spaced & ~bad, ~bad, decimal=decimal, dot_is_decimal=dot_is_decimal)
    _scale(found, part, flag, bad)
    if bad.any():
        found.values[bad] = np.nan
        found.refused.append((bad, "must be a number", "Correct it, or map it with `values`."))
    return _finite(found)


def _names(parts: Any) -> list[str]:
    return [parts.type.field(i).name for i in range(parts.type.num_fields)]


def _currencies(found: Numbers, before: Any, after: Any, good: Mask) -> Mask:
    """Note the one currency; refuse several. Gives the words whose letters are no currency."""
    signs = {str(sign) for part in (before, after) for sign in pc.unique(part).to_pylist()} - {""}
    by_name: dict[str, list[str]] = {}
    for sign in sorted(signs):
        code = sign.upper() if sign.upper() in CURRENCY_CODES else ""
        by_name.setdefault(CURRENCY_SIGNS.get(sign, code), []).append(sign)
    masks = {name: _either(before, after, some) for name, some in by_name.items()}
    unknown = masks.pop("", np.zeros(len(good), dtype=bool))
    marks = {name: marked for name, mask in masks.items() if (marked := mask & good & ~unknown).any()}
    currency = one_currency(set(marks))
    if currency is None:
        first = np.zeros(len(good), dtype=bool)
        first[[int(mask.argmax()) for mask in marks.values()]] = True
        message = f"must be of one currency; {' and '.join(sorted(marks))} are mixed"
        found.refused.append((first, message, "Convert the amounts to one currency."))
    elif marks:
        found.currency = currency
        found.mended.append(
            (np.logical_or.reduce(list(marks.values())), f"currency {currency} taken off the number", "")
        )
    return unknown


def _either(before: Any, after: Any, signs: list[str]) -> Mask:
    known = pa.array(signs, pa.string())
    both = pc.or_(pc.is_in(before, value_set=known), pc.is_in(after, value_set=known))
    return np.asarray(both.to_numpy(zero_copy_only=False), dtype=bool)


def _without_spaces(body: Any) -> tuple[Any, Mask]:
    """Bodies without spaces and apostrophes between thousands, and which had them."""
    spaced = hits(body, _SPACED)
    if spaced.any():
        body = pc.if_else(pa.array(spaced), pc.replace_substring_regex(body, "[ '’]", ""), body)
    return body, spaced


def _decimals(
    found: Numbers, body: Any, spaced: Mask, good: Mask, *, decimal: str | None, dot_is_decimal: bool
) -> Mask:
    """Settle the decimal sign by all words, and fill `values`. Gives the words that are no numbers."""
    could_dot, could_comma = hits(body, _DOT_COULD_GROUP) & ~spaced, hits(body, _COMMA_COULD_GROUP) & ~spaced
    whole = hits(body, _WHOLE)
    dot = hits(body, _DOT_DECIMAL) & hits(body, "[0-9]") & ~whole & ~could_dot & good
    comma = hits(body, _COMMA_DECIMAL) & hits(body, "[0-9]") & ~whole & ~could_comma & good
    doubt = (could_dot | could_comma) & good
    sign = decimal
    if sign is None and dot.any() and comma.any():
        both = np.zeros(len(dot), dtype=bool)
        both[[int(dot.argmax()), int(comma.argmax())]] = True
        one, two = (body[int(mask.argmax())].as_py() for mask in (dot, comma))
        shown = f"{one!r} has a decimal point and {two!r} a decimal comma"
        found.refused.append((both, f"must be written in one way; {shown}", "Write the column in one way."))
        return ~good
    if sign is None and (dot.any() or comma.any()):
        sign = "." if dot.any() else ","
    if sign is None and doubt.any() and dot_is_decimal and not (could_comma & good).any():
        sign = "."
        found.told.append(
            (doubt, "the dot is read as the decimal point", "If it groups thousands, set `decimal: ','`.")
        )
    if sign is None and doubt.any():
        message = "could be a decimal or a group of thousands, and no other value of the column settles it"
        found.refused.append((doubt, message, "Set the mapping key `decimal` to '.' or ','."))
        return ~good
    sign = sign or "."
    wrong = ~(whole | (dot if sign == "." else comma) | doubt)
    number = pc.replace_substring(body, "," if sign == "." else ".", "")
    number = pc.replace_substring(number, ",", ".")
    readable = ~wrong & good & hits(number, r"^([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?$")
    number = pc.if_else(pa.array(readable), number, pa.scalar(None, pa.string()))
    found.values = np.array(pc.cast(number, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    grouped = readable & (hits(body, "," if sign == "." else r"\.") | spaced)
    for mask, what in (
        (grouped, "signs between thousands taken off"),
        (readable & hits(body, ",") & (sign == ","), "decimal comma read"),
    ):
        if mask.any():
            found.mended.append((mask, what, ""))
    return ~readable


def _scale(found: Numbers, part: dict[str, Any], flag: dict[str, Mask], bad: Mask) -> None:
    """Signs, brackets, thousands written as k, percent."""
    signs = [part[name] for name in ("minus", "minus2")]
    negative = flag["open"] | flag["minus3"]
    for sign in signs:
        negative |= np.asarray(
            pc.is_in(sign, value_set=pa.array(["-", "−"])).to_numpy(zero_copy_only=False), dtype=bool
        )
    twice = flag["open"].astype(int) + flag["minus"] + flag["minus2"] + flag["minus3"] > 1
    bad |= twice
    found.values[negative] *= -1.0
    kilo, percent = flag["kilo"] & ~bad, flag["percent"] & ~bad
    found.values[kilo] *= 1000.0
    if kilo.any():
        found.mended.append((kilo, "k read as thousand", ""))
    if not percent.any():
        return
    found.values[percent] /= 100.0
    if (percent | bad).all():
        found.mended.append((percent, "percent read as a share: 85 % is 0.85", ""))
    else:
        mixed = ~percent & ~bad
        found.refused.append(
            (mixed, "must be in percent as the column's other values are", "Write all or none with %.")
        )
