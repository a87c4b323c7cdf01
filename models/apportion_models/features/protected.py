"""Protected attributes of people: what says that a column holds one, and the record by which it may be used after all.

The one place for that rule. A column is known by its name, in the spellings of several languages, or because somebody
declared it. What a column called `group_b` holds, only those know who filled it.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping

from apportion_models.errors import Finding, InputError

RECORD = ("who", "when", "why")
HOW_TO_ALLOW = "To use it, put it on record: override={'%s': {'who': …, 'when': 'YYYY-MM-DD', 'why': …}}."


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Attribute -> words of a column's name that say it is that. Accents are dropped, capitals do not count.
WORDS: dict[str, frozenset[str]] = {
    "sex": _words("sex sexes gender genders geschlecht sexe sexo genero genere geslacht kjonn koen"),
    "age": _words(
        "birth birthday birthdate birthplace birthyear dob geburt geburtsdatum geburtsjahr naissance nacimiento "
        "nascita geboortedatum fodelsedatum fodselsdato fodselsdag leeftijd edad"
    ),
    "ethnicity": _words(
        "ethnicity ethnic ethnicities race races racial ancestry nationality nationalities citizenship caste skin "
        "ethnie etnia ethnizitat nationalitat nationalite nacionalidad nazionalita staatsangehorigkeit "
        "staatsburgerschaft immigrant"
    ),
    "religion": _words("religion religions religious faith creed konfession religionszugehorigkeit religione geloof"),
    "disability": _words(
        "disability disabilities disabled handicap handicapped impairment behinderung schwerbehinderung "
        "schwerbehindert discapacidad disabilita illness neurodivergent neurodiverse"
    ),
    "family": _words(
        "marital married spouse parental children kids pregnancy pregnant maternity paternity caregiver "
        "familienstand kinder schwangerschaft elternzeit matrimoniale"
    ),
    "orientation": _words("orientation lgbt lgbtq lgbtqia transgender pronoun pronouns"),
    "belief": _words("politics political gewerkschaft veteran veterans"),
    "person": _words(
        "photo photos picture portrait avatar selfie firstname forename surname lastname maidenname vorname nachname "
        "prenom fornamn efternamn"
    ),
}
PAIRS: dict[str, tuple[str, ...]] = {
    "age": ("year_of_birth", "date_of_birth", "place_of_birth"),
    "family": ("family_status", "civil_status", "etat_civil", "estado_civil", "stato_civile", "child_count"),
    "person": ("first_name", "last_name", "given_name", "family_name", "full_name", "maiden_name"),
    "ethnicity": ("country_of_birth", "country_of_origin", "mother_tongue", "native_language"),
    "disability": ("health_status", "health_condition", "medical_condition", "medical_leave"),
    "belief": ("trade_union", "union_member", "union_status"),
}
# Words that mean other things too: an attribute only where nothing but these and fillers stand in the name.
ALONE = {
    **dict.fromkeys(("age", "ages", "alter", "idade", "alder"), "age"),
    **dict.fromkeys(("health", "medical"), "disability"),
    **dict.fromkeys(("union", "unions"), "belief"),
    "kon": "sex",
}
FILLERS = _words("rep person employee contact seller agent user group band bracket years in of the")


def attribute_of(column: str, declared: Iterable[str] = ()) -> str | None:
    """Which protected attribute the column holds by its name, or "declared"; None where it is none that we know."""
    if column.casefold() in {name.casefold() for name in declared}:
        return "declared"
    words = name_words(column)
    joined = "_".join(words)
    for attribute, known in WORDS.items():
        if known.intersection(words) or any(pair in joined for pair in PAIRS.get(attribute, ())):
            return attribute
    rest = [word for word in words if word not in FILLERS]
    return ALONE.get(rest[0]) if len(rest) == 1 else None


def is_protected(column: str, declared: Iterable[str] = ()) -> bool:
    """Whether the column holds a protected attribute of a person (or what gives one away), by name or declaration."""
    return attribute_of(column, declared) is not None


def name_words(column: str) -> list[str]:
    """The words of a column's name: without accents and capitals, cut at underscores, digits and humps."""
    plain = unicodedata.normalize("NFKD", column.replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    humps = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    letters = "".join(letter for letter in humps if not unicodedata.combining(letter))
    dotted = re.sub(r"(?<![a-z])([a-z])\.([a-z])\.([a-z])\b\.?", r"\1\2\3", letters.casefold())
    return re.findall(r"[^\W\d_]+", dotted)


def check_override(override: Mapping[str, Mapping[str, object]] | None) -> dict[str, dict[str, str]]:
    """The columns that somebody allowed, each with who, when (a day) and why.

    Raises InputError, with all findings, where part of a record is missing, empty, or no day.
    """
    errors: list[Finding] = []
    allowed: dict[str, dict[str, str]] = {}
    for column, record in sorted((override or {}).items()):
        if not isinstance(record, Mapping):
            errors.append(_no_record(column, "must say who, when and why, each by its name.", record))
            continue
        said = {key: str(record.get(key, "") or "").strip() for key in RECORD}
        errors += [_no_record(column, f"must say {key}.", None) for key in RECORD if not said[key]]
        errors += [
            _no_record(column, f"knows {', '.join(RECORD)} only.", key) for key in sorted(set(record) - set(RECORD))
        ]
        if said["when"] and not _is_day(said["when"]):
            errors.append(_no_record(column, "when must be a day, YYYY-MM-DD.", said["when"]))
        allowed[column] = said
    if errors:
        raise InputError(errors)
    return allowed


def refused(table: str, column: str, attribute: str, severity: str = "notice") -> Finding:
    """The finding on a protected column that is not allowed."""
    told = "declared as protected" if attribute == "declared" else f"by its name it holds or gives away: {attribute}"
    return Finding(
        severity="error" if severity == "error" else "notice",
        table=table,
        column=column,
        message=f"a protected attribute of a person is not used as a feature ({told}).",
        remedy=HOW_TO_ALLOW % column,
    )


def deny_list() -> dict[str, list[str]]:
    """Attribute -> the words and spellings by which a column is refused, for the model card."""
    known = {name: sorted(words | set(PAIRS.get(name, ()))) for name, words in WORDS.items()}
    for word, attribute in ALONE.items():
        known[attribute] = sorted({*known[attribute], word})
    return known


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _no_record(column: str, rule: str, value: object) -> Finding:
    return Finding(
        severity="error",
        table="model",
        column=column,
        value=value,
        message=f"an override of the deny-list {rule}",
        remedy="Write {'who': …, 'when': 'YYYY-MM-DD', 'why': …}.",
    )
