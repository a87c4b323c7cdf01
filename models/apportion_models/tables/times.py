"""Dates and times as people write them, read as moments in UTC.

Whether the day or the month comes first is settled by the whole column; what could be both is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from apportion_models.tables.cells import cast, hits
from apportion_models.tables.notes import Mask
from apportion_models.tables.numbers import Said

EARLIEST, LATEST = pd.Timestamp("1900-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")

_CLOCK = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
_OFFSET = r" ?(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)"
_ISO = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({_CLOCK}({_OFFSET})?)?$"
_DATE_ONLY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TAIL = (
    r"(?:(?:,? +|T)(?:at )?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}(?:[.,][0-9]{1,9})?))?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)?(?P<offset> ?(?:Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$"
)
_MONTH = r"(?P<month>[A-Za-z]{3,9})\.?"
_SHAPES = {
    "year first": r"^(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})" + _TAIL,
    "compact": r"^(?P<year>(?:19|20)[0-9]{2})(?P<month>[01][0-9])(?P<day>[0-3][0-9])" + _TAIL,
    "numbers": r"^(?P<day>[0-9]{1,2})(?P<sep>[-/.])(?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4})" + _TAIL,
    "day name": r"^(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?[- .]+" + _MONTH + r"[-, ]+(?P<year>[0-9]{4})" + _TAIL,
    "name day": "^" + _MONTH + r" +(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? +(?P<year>[0-9]{4})" + _TAIL,
}
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
NUMBERED: dict[str, tuple[float, str]] = {
    "excel": (86400.0, "1899-12-30"),
    "unix": (1.0, "1970-01-01"),
    "unix_ms": (1e-3, "1970-01-01"),
}


@dataclass
class Times:
    """Each word's moment (k,), UTC, microseconds; which words had no time of day; what was mended, refused, told."""

    moments: pd.DatetimeIndex
    date_only: Mask
    refused: list[Said] = field(default_factory=list)
    mended: list[Said] = field(default_factory=list)
    told: list[Said] = field(default_factory=list)


def parse_times(
    words: Any, *, zone: str = "UTC", date_format: str | None = None, day_first: bool | None = None
) -> Times:
    """Moments of distinct words (k,), NaT where refused. A word without an offset is local time of `zone`.

    `date_format` is a strptime format, or `excel` (days since 1899-12-30), `unix`, `unix_ms`.
    """
    if date_format in NUMBERED:
        return _bounded(_numbered(words, date_format, zone), words)
    if date_format is not None:
        return _bounded(_formatted(words, date_format, zone), words)
    found = _empty(len(words))
    if _cast(found, words, zone):
        return _bounded(found, words)
    iso = hits(words, _ISO)
    text = words if iso.all() else _as_iso(words, iso, found, day_first)
    _fill(found, text, zone)
    return _bounded(found, words)


def local(naive: pd.DatetimeIndex, zone: str) -> tuple[pd.DatetimeIndex, Mask, Mask]:
    """Local times as UTC; which fell into a gap (moved to its end) and which happened twice (read as the first)."""
    none = np.zeros(len(naive), dtype=bool)
    if zone == "UTC":
        return naive.tz_localize("UTC"), none, none
    info = ZoneInfo(zone)
    first = np.ones(len(naive), dtype=bool)
    some = np.asarray(naive.notna())
    gap: Mask = some & np.asarray(naive.tz_localize(info, ambiguous=first, nonexistent="NaT").isna())
    twice: Mask = some & np.asarray(naive.tz_localize(info, ambiguous="NaT", nonexistent="shift_forward").isna())
    return naive.tz_localize(info, ambiguous=first, nonexistent="shift_forward").tz_convert("UTC"), gap, twice


def typed_times(moments: pd.DatetimeIndex, *, zone: str = "UTC") -> Times:
    """Moments (n,) that the source typed itself: without a zone they are local time of `zone`."""
    found = _empty(len(moments))
    if moments.tz is None:
        _place(found, moments.as_unit("us"), zone, np.ones(len(moments), dtype=bool))
    else:
        found.moments = moments.tz_convert("UTC").as_unit("us")
    return _within(found)


def _empty(size: int) -> Times:
    moments = pd.DatetimeIndex(np.full(size, "NaT", dtype="datetime64[us]")).tz_localize("UTC")
    return Times(moments, np.zeros(size, dtype=bool))


def _numbered(words: Any, unit: str, zone: str) -> Times:
    found = _empty(len(words))
    scale, origin = NUMBERED[unit]
    number = hits(words, r"^-?[0-9]{1,15}(\.[0-9]+)?$")
    text = pc.if_else(pa.array(number), words, pa.scalar(None, pa.string()))
    seconds = pd.Series(np.array(pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)) * scale
    near = seconds.where(seconds.abs() < 1e10)
    naive = pd.DatetimeIndex(pd.Timestamp(origin) + pd.to_timedelta((near * 1e6).round(), unit="us")).as_unit("us")
    if unit == "excel":
        _place(found, naive, zone, number)
        found.date_only = number & (seconds % 86400 == 0).to_numpy()
    else:
        found.moments = naive.tz_localize("UTC")
    return found


def _formatted(words: Any, date_format: str, zone: str) -> Times:
    found = _empty(len(words))
    utc = "%z" in date_format
    parsed = pd.DatetimeIndex(
        pd.to_datetime(pd.Series(words.to_pylist(), dtype=object), format=date_format, errors="coerce", utc=utc)
    ).as_unit("us")
    if utc:
        found.moments = parsed
    else:
        _place(found, parsed, zone, np.ones(len(words), dtype=bool))
    found.date_only = np.full(
        len(words), not any(token in date_format for token in ("%H", "%I", "%c", "%X", "%T", "%R"))
    )
    return found


def _cast(found: Times, words: Any, zone: str) -> bool:
    """The common case: ISO throughout, all with an offset or all without. False when it is not so."""
    for unit in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        moments = cast(words, unit)
        if moments is None:
            continue
        naive = pd.DatetimeIndex(moments.to_numpy(zero_copy_only=False).astype("datetime64[us]"))
        if unit.tz is not None:
            found.moments = naive.tz_localize("UTC")
        else:
            short = pc.fill_null(pc.less_equal(pc.binary_length(words), 10), False)
            found.date_only = _true(short.to_numpy(zero_copy_only=False))
            _place(found, naive, zone, np.ones(len(words), dtype=bool))
            _tell_local(found, ~found.date_only, zone)
        return True
    return False


def _tell_local(found: Times, mask: Mask, zone: str) -> None:
    clock = mask & np.asarray(found.moments.notna())
    if clock.any():
        found.told.append((clock, f"times without an offset are read as local time of {zone}", ""))


def _fill(found: Times, text: Any, zone: str) -> None:
    """Moments of ISO texts (null: refused before)."""
    if _cast(found, text, zone):
        return
    found.date_only = _true(hits_or_false(text, _DATE_ONLY))
    zoned = _true(hits_or_false(text, _OFFSET.replace(" ?", "") + "$")) & ~found.date_only
    series = pd.Series(text.to_numpy(zero_copy_only=False), dtype=object)
    moments = pd.Series(found.moments)
    if zoned.any():
        # pandas knows Z, and neither the names nor the small letter
        clean = series[zoned].str.replace(" ?(UTC|GMT|z)$", "Z", regex=True)
        moments[zoned] = pd.to_datetime(clean, format="ISO8601", errors="coerce", utc=True).dt.as_unit("us")
    naive = pd.to_datetime(series.where(~zoned, None), format="ISO8601", errors="coerce")
    found.moments = pd.DatetimeIndex(moments)
    _place(found, pd.DatetimeIndex(naive).as_unit("us"), zone, ~zoned)
    _tell_local(found, ~zoned & ~found.date_only, zone)


def _place(found: Times, naive: pd.DatetimeIndex, zone: str, mask: Mask) -> None:
    """Put local times into `found` where `mask`."""
    moments, gap, twice = local(naive, zone)
    found.moments = found.moments.where(~mask, moments)
    gap, twice = gap & mask, twice & mask
    if gap.any():
        found.mended.append(
            (gap, f"this local time was skipped by the clock change in {zone}; moved to the next moment", "")
        )
    if twice.any():
        found.mended.append(
            (twice, f"this local time happened twice by the clock change in {zone}; read as the first", "")
        )


def _true(mask: Any) -> Mask:
    return np.asarray(mask, dtype=bool)


def hits_or_false(words: Any, pattern: str) -> Mask:
    """`hits`, false for null words."""
    return _true(pc.fill_null(pc.match_substring_regex(words, pattern), False).to_numpy(zero_copy_only=False))


def _as_iso(words: Any, iso: Mask, found: Times, day_first: bool | None) -> Any:
    """Every word that we can read, written as ISO; null where we cannot."""
    out = pc.if_else(pa.array(iso), words, pa.scalar(None, pa.string()))
    done = iso.copy()
    for shape, pattern in _SHAPES.items():
        rest = np.flatnonzero(~done)
        if not len(rest):
            break
        parts = pc.extract_regex(words.take(pa.array(rest)), pattern)
        valid = np.asarray(parts.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        if not valid.any():
            continue
        fits = np.zeros(len(words), dtype=bool)
        fits[rest[valid]] = True
        done |= fits
        parts = parts.drop_null()
        part = {parts.type.field(at).name: pc.struct_field(parts, at) for at in range(parts.type.num_fields)}
        if shape != "numbers" or _order(part, fits, found, words, day_first):
            out = pc.replace_with_mask(out, pa.array(fits), _written(part))
    if (~done).any():
        message = "must be a date or a time such as 2024-01-31 or 2024-01-31 14:05"
        found.refused.append((~done, message, _remedy(words, ~done)))
    return out


def _remedy(words: Any, bad: Mask) -> str:
    first = str(words[int(bad.argmax())].as_py())
    if hits(pa.array([first]), r"^[0-9]{5}(\.[0-9]+)?$")[0]:
        return "If these are Excel's day numbers, set the mapping key `date_format: excel`."
    if hits(pa.array([first]), "^[0-9]{10}$|^[0-9]{13}$")[0]:
        return "If these count from 1970, set the mapping key `date_format: unix` (seconds) or `unix_ms`."
    return "Correct the value, or set the mapping key `date_format`."


def _order(part: dict[str, Any], fits: Mask, found: Times, words: Any, day_first: bool | None) -> bool:
    """Settle which of two numbers is the day, swapping them in `part` when it is the second. False: refused.

    `part` has a value for each word that `fits` (k,) marks.
    """
    one, two = np.zeros(len(fits), dtype=np.int64), np.zeros(len(fits), dtype=np.int64)
    one[fits], two[fits] = (pc.cast(part[name], pa.int64()).to_numpy() for name in ("day", "month"))
    if day_first is None:
        day, month = (one > 12) & (two <= 12), (two > 12) & (one <= 12)
        if day.any() and month.any():
            both = np.zeros(len(fits), dtype=bool)
            both[[int(day.argmax()), int(month.argmax())]] = True
            early, late = (words[int(mask.argmax())].as_py() for mask in (day, month))
            message = f"must be written in one way; {early!r} has the day first, {late!r} the month"
            found.refused.append((both, message, "Write the dates in one way, best as 2024-01-31."))
            return False
        settled = day.any() or month.any()
        dotted = pc.any(pc.equal(part["sep"], ".")).as_py()  # 31.01.2024 is never written with the month first
        if not settled and not dotted and (one != two).any():
            message = "could have the day or the month first, and no other value of the column settles it"
            found.refused.append((fits & (one != two), message, "Set the mapping key `day_first` to true or false."))
            return False
        day_first = bool(day.any()) if settled else True
    if not day_first:
        part["day"], part["month"] = part["month"], part["day"]
    found.mended.append((fits, f"date read with the {'day' if day_first else 'month'} first", ""))
    return True


def _written(part: dict[str, Any]) -> Any:
    """ISO text of the parts of dates; null where they are none."""
    names = {word: f"{at:02d}" for at, name in enumerate(_MONTHS, 1) for word in (name[:3], name)} | {"sept": "09"}
    place = pc.index_in(pc.utf8_lower(part["month"]), value_set=pa.array(list(names)))
    month = pc.coalesce(pc.take(pa.array(list(names.values())), place), part["month"])
    date = pc.binary_join_element_wise(part["year"], _two(month), _two(part["day"]), "-")
    hour = np.array(pc.cast(_or(part["hour"], "0"), pa.int64()).to_numpy())
    half = pc.utf8_lower(part["half"])
    halved, late = (
        np.asarray(mask.to_numpy(zero_copy_only=False)) for mask in (pc.not_equal(half, ""), pc.starts_with(half, "p"))
    )
    wrong = halved & ((hour > 12) | (hour < 1))
    hour = np.where(halved, hour % 12 + 12 * late, hour)
    second = pc.replace_substring(_or(part["second"], "00"), ",", ".")
    clock = pc.binary_join_element_wise(_two(pc.cast(pa.array(hour), pa.string())), part["minute"], second, ":")
    full = pc.binary_join_element_wise(date, "T", clock, pc.utf8_trim_whitespace(part["offset"]), "")
    text = pc.if_else(pc.equal(part["minute"], ""), date, full)
    return pc.if_else(pa.array(wrong), pa.scalar(None, pa.string()), text)


def _two(digits: Any) -> Any:
    return pc.utf8_lpad(digits, 2, "0")


def _or(texts: Any, other: str) -> Any:
    return pc.if_else(pc.equal(texts, ""), other, texts)


def _bounded(found: Times, words: Any) -> Times:
    """Refuse what is no date after all, and years that only a typing error can mean."""
    told = np.zeros(len(words), dtype=bool)
    for mask, _, _ in found.refused:
        told |= mask
    # Once the order of day and month is in doubt, every word of that shape is unread: told once, not twice.
    pending = any("`day_first`" in remedy or "one way" in remedy for _, _, remedy in found.refused)
    lost = np.asarray(found.moments.isna()) & ~told
    if lost.any() and not pending:
        found.refused.append(
            (lost, "must be a date or a time that exists", "Correct the value, or set the mapping key `date_format`.")
        )
    return _within(found)


def _within(found: Times) -> Times:
    """Refuse years that only a typing error can mean."""
    far = np.asarray((found.moments < EARLIEST) | (found.moments >= LATEST), dtype=bool)
    if far.any():
        remedy = 'Correct the value; map a word for "never" to nothing with `values`.'
        found.refused.append((far, "must lie between 1900 and 2200", remedy))
        found.moments = pd.DatetimeIndex(pd.Series(found.moments).mask(far))
    return found
