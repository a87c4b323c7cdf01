"""The contracts of leads and history, which share their columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apportion_models.tables.contracts import Column, Table
from apportion_models.tables.words import OUTCOMES

OWNER = ("HubSpot Owner ID", "Contact owner", "Deal owner", "Lead Owner", "Opportunity Owner", "OwnerId", "Owner ID")
RECORD = ("Record ID", "Id", "Record ID - Contact", "Contact ID", "hs_object_id")

LEAD_COLUMNS = (
    Column(
        name="lead_id",
        kind="id",
        required=True,
        unique=True,
        aliases=RECORD,
        description="the lead's name, once a table",
    ),
    Column(
        name="created_at",
        kind="time",
        required=True,
        description="when the lead arrived",
        aliases=("Create Date", "CreatedDate", "Created Date", "Date Created"),
    ),
    Column(
        name="account_id",
        kind="id",
        description="the company that the lead belongs to",
        aliases=(
            "Associated Company",
            "Associated Company IDs",
            "Company",
            "Company ID",
            "Company name",
            "AccountId",
            "Account Name",
            "Account",
        ),
    ),
    Column(
        name="parent_account_id",
        kind="id",
        description="the company that owns the account",
        aliases=("Parent Company", "Parent Company ID", "Parent Account", "Parent Account ID", "ParentId"),
    ),
    Column(
        name="country",
        kind="text",
        literal=("NA",),
        description="country; ISO codes make rules and holidays work best",
        aliases=("Country/Region", "Country Code", "CountryCode", "Mailing Country", "Billing Country"),
    ),
    Column(
        name="region",
        kind="text",
        literal=("NA",),
        description="state, province or sales region",
        aliases=("State/Region", "State", "State/Province", "Province"),
    ),
    Column(
        name="postal_code",
        kind="id",
        description="postal code, kept as text for its leading zeros",
        aliases=("Zip", "Zip Code", "Zip/Postal Code", "Postcode"),
    ),
    Column(name="industry", kind="text", description="the account's industry", aliases=("Sector", "Company Industry")),
    Column(
        name="company_size",
        kind="number",
        low=0,
        description="number of employees",
        aliases=("Number of Employees", "NumberOfEmployees", "Employees", "No. of Employees", "Company size"),
    ),
    Column(
        name="company_revenue",
        kind="amount",
        low=0,
        description="the account's revenue a year",
        aliases=("Annual Revenue", "AnnualRevenue"),
    ),
    Column(
        name="product",
        kind="text",
        description="what the lead asks about",
        aliases=("Product Name", "Product Interest"),
    ),
    Column(name="use_case", kind="text", description="what it is wanted for"),
    Column(
        name="source",
        kind="text",
        description="where the lead came from",
        aliases=("Lead Source", "LeadSource", "Original Source", "Original Traffic Source"),
    ),
    Column(
        name="language",
        kind="text",
        literal=("NA",),
        description="language that the lead speaks",
        aliases=("Preferred language",),
    ),
    Column(
        name="score",
        kind="number",
        description="the lead's score by whoever scored it; higher is better",
        aliases=("Lead Score", "HubSpot Score"),
    ),
    Column(
        name="deal_value",
        kind="amount",
        low=0,
        description="what the lead is worth if it converts",
        aliases=("Amount", "Deal Amount", "Expected Amount", "Opportunity Amount"),
    ),
    Column(
        name="effort",
        kind="number",
        low=0,
        description="what the lead costs of a rep's capacity, in effort units; 1 when absent",
    ),
    Column(name="owner_rep_id", kind="id", description="the rep who owns the lead now", aliases=OWNER),
    Column(
        name="currency",
        kind="text",
        description="currency of the amounts; every row must say the same one",
        aliases=("CurrencyIsoCode", "Deal Currency Code", "Currency Code"),
    ),
)

LEADS = Table(
    name="leads", key=("lead_id",), columns=LEAD_COLUMNS, description="the batch: potential customers to be placed"
)


def _history_columns() -> tuple[Column, ...]:
    """A lead's columns, with the owner's aliases given to `rep_id`, and what became of the lead."""
    changed: dict[str, dict[str, Any]] = {
        "owner_rep_id": {
            "aliases": (),
            "description": "the rep who owned the lead at the end, if others than `rep_id`",
        },
        "deal_value": {
            "description": "what was earned when won; on other rows an estimate, and never counted as earned"
        },
        "created_at": {
            "description": "when the lead arrived; `assigned_at` when the table has no such column",
            "required": False,
        },
    }
    lead = tuple(replace(column, **changed.get(column.name, {})) for column in LEAD_COLUMNS)
    return (
        *lead,
        Column(name="rep_id", kind="id", required=True, description="the first owner", aliases=(*OWNER, "Owner")),
        Column(
            name="assigned_at",
            kind="time",
            required=True,
            description="when the first owner got it",
            aliases=("Owner Assigned Date", "Assigned Date", "hubspot_owner_assigneddate"),
        ),
        Column(
            name="outcome",
            kind="choice",
            required=True,
            words=OUTCOMES,
            description="what became of it",
            aliases=(
                "Stage",
                "StageName",
                "Opportunity: StageName",
                "Deal Stage",
                "Lead Status",
                "Lifecycle stage",
                "IsWon",
            ),
        ),
        Column(
            name="closed_at",
            kind="time",
            description="when it was won or lost; empty while open",
            aliases=("CloseDate", "Close Date", "Closed Date", "Closed At"),
        ),
        Column(
            name="propensity",
            kind="number",
            low=0,
            high=1,
            description="the chance with which the lead was given to this very rep, where a draw decided it, as "
            "`assignments.csv` logs it; 1 where nothing was left to chance; empty where people decided",
        ),
        Column(
            name="holdout",
            kind="flag",
            description="the lead was dealt on purpose without regard to who suits it, to measure",
        ),
    )


HISTORY = Table(
    name="history",
    key=("lead_id",),
    columns=_history_columns(),
    description="past leads: who worked them, when, whether they converted, for how much",
)
