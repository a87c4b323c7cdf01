from __future__ import annotations

import pytest

from apportion_models.errors import InputError
from apportion_models.features.protected import WORDS, attribute_of, check_override, deny_list, is_protected

RECORD = {"who": "works council", "when": "2024-05-01", "why": "pilot"}


@pytest.mark.parametrize(
    ("column", "attribute"),
    [
        ("gender", "sex"),
        ("Gender", "sex"),
        ("SEX", "sex"),
        ("rep_gender", "sex"),
        ("repGender2", "sex"),
        ("Geschlecht", "sex"),
        ("kön", "sex"),
        ("Kjønn", "sex"),
        ("género", "sex"),
        ("age", "age"),
        ("rep_age", "age"),
        ("age_group", "age"),
        ("AgeBand", "age"),
        ("Alter", "age"),
        ("birth_date", "age"),
        ("dateOfBirth", "age"),
        ("D.O.B.", "age"),
        ("DOB", "age"),
        ("Födelsedatum", "age"),
        ("ethnicity", "ethnicity"),
        ("Ethnic Origin", "ethnicity"),
        ("nationality", "ethnicity"),
        ("Staatsangehörigkeit", "ethnicity"),
        ("country-of-birth", "age"),
        ("religion", "religion"),
        ("Religionszugehörigkeit", "religion"),
        ("disability", "disability"),
        ("IsDisabled", "disability"),
        ("health_status", "disability"),
        ("marital_status", "family"),
        ("estado civil", "family"),
        ("parental_leave", "family"),
        ("pronouns", "orientation"),
        ("sexual_orientation", "orientation"),
        ("trade_union", "belief"),
        ("union", "belief"),
        ("photo_url", "person"),
        ("first_name", "person"),
        ("firstName", "person"),
        ("Prénom", "person"),
    ],
)
def test_protected(column: str, attribute: str) -> None:
    """A protected attribute is known by its name, however it is written, and is called by its own name."""
    assert attribute_of(column) == attribute


@pytest.mark.parametrize(
    "column",
    [
        "language",
        "languages",
        "company_age",
        "lead_age_days",
        "account_age",
        "stage",
        "usage",
        "page",
        "manager",
        "industry",
        "company_size",
        "level",
        "percentage",
        "agency",
        "score",
        "birthrate_index",
        "essex",
        "account_health",
        "health_score",
        "credit_union",
        "data_migration",
        "alternative",
        "trace",
        "",
        "42",
    ],
)
def test_not_protected(column: str) -> None:
    """Names that only look like it stay usable."""
    assert not is_protected(column)


def test_declared() -> None:
    """A person may declare any column; capitals do not count."""
    assert attribute_of("group_b") is None
    assert attribute_of("Group_B", ["group_b"]) == "declared"


def test_the_deny_list_is_whole() -> None:
    """What the card prints is what refuses: every word of it is refused as a column's name."""
    listed = deny_list()
    assert set(listed) == set(WORDS)
    assert all(is_protected(word) for words in listed.values() for word in words)


def test_an_override_is_a_record() -> None:
    """Who, when and why; all that is wrong is told at once."""
    assert check_override({"age": RECORD}) == {"age": RECORD}
    assert check_override(None) == {}
    with pytest.raises(InputError) as caught:
        check_override(
            {
                "age": "works council, 2024-05-01: pilot",  # type: ignore[dict-item]
                "sex": {"who": "", "when": "2024-05-01", "why": " "},
                "religion": RECORD | {"when": "soon"},
                "dob": RECORD | {"because": "x"},
            }
        )
    told = [(finding.column, finding.message) for finding in caught.value.findings]
    assert [column for column, _ in told] == ["age", "dob", "religion", "sex", "sex"]
    assert {"must say who", "must say why"} <= {message.split(" deny-list ")[1][:12] for _, message in told}
