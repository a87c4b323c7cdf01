"""A good body of each call that takes one, and seeded ways to spoil it."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

RAW, TWICE = "@@raw:", "@@twice:"
LEAD = {"lead_id": "F1", "created_at": "2026-03-01T08:00:00Z", "country": "SE", "score": 50, "skills": ["a", "b"]}
REP = {"rep_id": "R1", "capacity": 3.0, "level": "senior", "team_id": "T1", "skills": "a;b"}
POLICY = {"version": 1, "name": "p", "equity": [{"name": "x", "measure": "leads", "low": 0.5, "price": 1.0}]}
TABLES: dict[str, Any] = {
    "leads": [LEAD, LEAD | {"lead_id": "F2", "account_id": "A1", "owner_rep_id": "R1"}],
    "reps": [REP, REP | {"rep_id": "R2"}],
    "accounts": [{"account_id": "A1", "parent_account_id": None}],
    "teams": [{"team_id": "T1", "name": "North"}],
    "territories": [{"territory": "SE", "rep_id": "R1"}],
    "calendar": [{"rep_id": "R1", "start": "2026-03-01", "end": "2026-03-02"}],
    "overrides": [{"lead_id": "F1", "rep_id": "R2", "kind": "ban"}],
    "assignments": [{"lead_id": "old", "rep_id": "R1", "assigned_at": "2026-02-27T08:00:00Z"}],
}
ARRAYS: dict[str, Any] = {
    "value": [[9.0, 1.0], [8.0, 7.0], [3.0, 2.0]],
    "capacity": [2.0, 2.0],
    "effort": [1.0, 1.0, 0.5],
    "eligible": [[True, True], [True, False], [True, True]],
    "nurture": 0.5,
    "must_assign": [False, True, False],
    "min_load": [0.0, 0.0],
    "tier": [0, 1, 1],
    "team": [0, 1],
    "parcel": [0, 1, 2],
    "opportunity": [5.0, 5.0, 2.0],
    "revenue": [[9.0, 1.0], [8.0, 7.0], [3.0, 2.0]],
    "equity": [
        {"measure": "revenue", "low": 0.2, "high": [3.0, 3.0], "by": "rep", "price": 1.0, "weights": [1.0, 2.0]},
        {"measure": "leads", "tier": 1, "high": 2.0, "earlier": [0.0, 1.0], "leads": [True, True, False]},
        {"measure": "max_min", "keep": 0.5, "by": "team"},
    ],
    "limits": [{"measure": "effort", "low": 0.0, "high": 2.0, "by": [0, 1], "name": "most"}],
    "lead_ids": ["a", "b", "c"],
    "rep_ids": ["x", "y"],
}
GOOD: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/v1/plans", {"problem": ARRAYS, "gap": 0.01, "seed": 1, "time_limit": 2.0}),
    ("POST", "/v1/plans", TABLES | {"policy": POLICY, "at": "2026-03-02T08:00:00Z", "seed": 0}),
    ("POST", "/v1/plans", {"from_store": True, "limit": 2, "policy": "version: 1\nequity: []\n"}),
    ("POST", "/v1/leads", {"leads": TABLES["leads"]}),
    ("POST", "/v1/leads:requeue", {"lead_ids": ["L0001", "L0002"]}),
    ("POST", "/v1/leads:route", {"lead": LEAD}),
    ("POST", "/v1/leads:route", {"lead_id": "L0003"}),
    ("POST", "/v1/reps", {"reps": TABLES["reps"]}),
    ("POST", "/v1/reps:retire", {"rep_ids": ["R2"]}),
    (
        "POST",
        "/v1/outcomes",
        {"outcomes": [{"lead_id": "L0004", "outcome": "won", "closed_at": "2026-03-20T09:00:00Z", "deal_value": 9}]},
    ),
    ("POST", "/v1/overrides", {"lead_id": "L0005", "rep_id": "R1", "kind": "ban", "said_by": "Kim", "reason": "r"}),
    ("POST", "/v1/policies:validate", {"policy": POLICY}),
    ("POST", "/v1/policies", {"policy": "version: 1\nname: y\nequity: []\n"}),
    (
        "POST",
        "/v1/scenarios",
        {name: TABLES[name] for name in ("leads", "reps", "teams", "accounts")}
        | {"scenarios": [{"name": "gone", "reps": {"leave": ["R2"]}}], "policy": POLICY, "draws": 20},
    ),
    ("POST", "/v1/policies/1:activate", None),
    ("POST", "/v1/policies:roll-back", None),
    ("DELETE", "/v1/plans/none", None),
    ("DELETE", "/v1/overrides/1", None),
)
LEAVES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**64), 10**40, 0.5, -0.0, 1e308, -1e308, 5e-324, 1e18,
    float("nan"), float("inf"), -float("inf"), RAW + "1e999", RAW + "9" * 400, RAW + "9" * 5000, RAW + "-", RAW + "01",
    RAW + "[" * 31 + "]" * 31, RAW + "[" * 200 + "]" * 200, RAW + "[" * 9000, RAW + '{"a":' * 50 + "1" + "}" * 50,
    "", " ", "x", "\x00", "a\x00b", "\x01\x1f\x7f", "\ud800", "\udc00\ud800", "é\u202e", "\ufeff", "💥", "x" * 201,
    "x" * 100_000, "=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "'", '"; DROP TABLE leads; --', "../../etc/passwd",
    "C:\\x", "sqlite:////etc/passwd", "postgresql://x/y", "http://169.254.169.254/", "file:///etc/passwd",
    "/etc/passwd", "a/b", "..", ".",
    "2026-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-03-29T02:30:00",
    "1e999", "NaN", "nan", "null", "true", "!!python/object:os.system", "&a [*a]", "{{7*7}}", "${jndi:ldap://x}",
    [], {}, [[]], [{}], [None], {"": 1}, {"x": {}}, [1, "a", None], ["a"] * 300, [[1.0]], [[], [1]], [True],
    list(range(600)),
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """One request. parts : the body in pieces, without a length; else whole."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    parts: bool = False


def spoilt(seed: int, count: int) -> Iterator[Sent]:
    """So many requests, each good but for a few changes."""
    rng = random.Random(seed)
    for _ in range(count):
        method, path, body = rng.choice(GOOD)
        tree = json.loads(json.dumps(body))
        for _ in range(rng.choice((0, 1, 1, 1, 2, 4))):
            tree = _changed(rng, tree)
        headers = {"Content-Type": "application/json"}
        if rng.random() < 0.2:
            headers["Idempotency-Key"] = rng.choice(("k", "same", "x" * 200, "x" * 201, "a b", "{}"))
        if rng.random() < 0.1:
            headers["Prefer"] = rng.choice(("respond-async", "wait=1", "x" * 5000))
        raw = b"" if tree is None else _written(tree)
        if rng.random() < 0.2:
            raw, more = rng.choice(BYTES)(rng, raw)
            headers |= more
        yield Sent(method, path, raw, headers, parts=rng.random() < 0.05)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every key of every object and every place of every list."""
    found, level = list[tuple[Any, Any]](), [tree]
    while level:
        one = level.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        level += [one[key] for key in keys]
    return found


def _leaf(rng: random.Random) -> Any:
    return copy.deepcopy(rng.choice(LEAVES))


def _changed(rng: random.Random, tree: Any) -> Any:
    places = _places(tree)
    if not places or rng.random() < 0.03:
        return _leaf(rng)
    holder, key = rng.choice(places)
    other, place = rng.choice(places)
    alike = copy.deepcopy(other[place])
    what = rng.random()
    if what < 0.6:
        holder[key] = _leaf(rng)
    elif what < 0.7:
        del holder[key]
    elif what < 0.8 and isinstance(holder, list):
        holder += [holder[key]] * rng.choice((1, 2, 50))
    elif what < 0.9 and isinstance(holder, dict):
        mark = rng.choice((TWICE, "", " "))
        holder[mark + str(key)] = _leaf(rng) if mark else holder[key]
    else:
        holder[key] = alike
    return tree


def _written(tree: Any) -> bytes:
    """JSON, with what no writer of JSON would write."""
    text = json.dumps(tree)
    pieces = text.split('"' + RAW)
    rest = [piece.partition('"') for piece in pieces[1:]]
    text = pieces[0] + "".join(raw.replace("\\", "") + after for raw, _, after in rest)
    return text.replace('"' + TWICE, '"').encode()


def _typed(name: str) -> Callable[[random.Random, bytes], tuple[bytes, dict[str, str]]]:
    return lambda rng, raw: (raw, {"Content-Type": name})


def _halves(raw: bytes) -> tuple[bytes, bytes]:
    return raw[: len(raw) // 2], raw[len(raw) // 2 :]


BYTES: tuple[Callable[[random.Random, bytes], tuple[bytes, dict[str, str]]], ...] = (
    lambda rng, raw: (raw[: rng.randrange(len(raw) + 1)], {}),
    lambda rng, raw: (rng.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b"\\")).join(_halves(raw)), {}),
    lambda rng, raw: (raw.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32-le", "utf-8-sig"))), {}),
    lambda rng, raw: (gzip.compress(raw + b" " * 2_000_000), {"Content-Encoding": "gzip"}),
    lambda rng, raw: (raw, {"Content-Encoding": rng.choice(("deflate", "br", "gzip, gzip", "identity", "x"))}),
    lambda rng, raw: (raw + raw, {}),
    lambda rng, raw: (b"a=1&b=2", {"Content-Type": "application/x-www-form-urlencoded"}),
    lambda rng, raw: (bytes(rng.randrange(256) for _ in range(200)), {}),
    _typed("text/plain"),
    _typed("text/json"),
    _typed("application/json; charset=utf-16"),
    _typed("application/vnd.x+json"),
    _typed("multipart/form-data; boundary=x"),
    _typed("application/xml"),
    _typed(""),
    _typed("application/json/json"),
)  # fmt: skip
