"""What every section of the policy is made of: strict sections, numbers, prices, predicates."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from apportion.policy.predicates import Predicate, PredicateError, Scope, parse


class Section(BaseModel):
    """A part of the policy: immutable, and refusing keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)


def _predicate(scope: Scope, what: str, example: str) -> Any:
    def read(value: object) -> Predicate:
        if isinstance(value, Predicate):
            return value
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(value, str):
            raise ValueError(f"must be a predicate in text, such as {example}")
        try:
            return parse(value, scope=scope)
        except PredicateError as error:
            raise ValueError(f"must be a predicate over {what}. {error}") from None

    schema = {"type": ["string", "boolean"], "title": f"Predicate over {what}", "examples": [example]}
    return (BeforeValidator(read), PlainSerializer(str, return_type=str), WithJsonSchema(schema))


_lead = _predicate("lead", "leads", "country in ['SE', 'NO'] and company_size >= 50")
_rep = _predicate("rep", "reps", "level == 'senior'")
_pair = _predicate("pair", "leads and reps", "has(rep.skills, lead.product)")
LeadPredicate = Annotated[Predicate, *_lead]
RepPredicate = Annotated[Predicate, *_rep]
PairPredicate = Annotated[Predicate, *_pair]


def _price(value: object) -> object:
    if value == "hard":
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError("must be hard, or a price in currency: a number, 0 or more")
    return float(value)


PRICE_SCHEMA = {"anyOf": [{"const": "hard"}, {"type": "number", "minimum": 0}], "title": "hard, or a price in currency"}
Price = Annotated[float | Literal["hard"], BeforeValidator(_price), WithJsonSchema(PRICE_SCHEMA)]


def _word_or_price(*words: str) -> tuple[Any, ...]:
    """Reads one of the words, or a price."""

    def read(value: object) -> object:
        if value in words:
            return value
        try:
            price = _price(value)
        except ValueError:
            price = "hard"
        if price == "hard":
            raise ValueError(f"must be {', '.join(words)}, or a price in currency: a number, 0 or more")
        return price

    schema = {"anyOf": [{"enum": list(words)}, {"type": "number", "minimum": 0}]}
    return (BeforeValidator(read), WithJsonSchema(schema))


_keep, _away, _unmatched = (
    _word_or_price("hard", "off"),
    _word_or_price("release", "nurture"),
    _word_or_price("any", "nurture", "reject"),
)
Keep = Annotated[float | Literal["hard", "off"], *_keep]
Away = Annotated[float | Literal["release", "nurture"], *_away]
Unmatched = Annotated[float | Literal["any", "nurture", "reject"], *_unmatched]

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
Share = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0)]
Flag = Annotated[bool, Field(strict=True)]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value.strip()


Text = Annotated[str, Field(strict=True, min_length=1, max_length=500), AfterValidator(_not_blank)]
Name = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=120, description="What this rule is called wherever it is told of."),
    AfterValidator(_not_blank),
]


def increasing(points: tuple[Any, ...], attribute: str) -> tuple[Any, ...]:
    """Refuse points that are not in rising order of `attribute`."""
    places = [getattr(point, attribute) for point in points]
    if any(later <= earlier for earlier, later in pairwise(places)):
        raise ValueError(
            f"must be in rising order of {attribute}, each once. Got {', '.join(f'{p:g}' for p in places)}"
        )
    return points


def unique_names(rules: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse two rules of one name in a list: a reason must say which of them it was."""
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"must have distinct names. Got twice: {', '.join(twice)}")
    return rules


Unique = AfterValidator(unique_names)
EVERY_LEAD = parse("true", scope="lead")
EVERY_REP = parse("true", scope="rep")
EVERY_PAIR = parse("true", scope="pair")
