"""Every table's contract, declared once. `docs/data-dictionary.md` is generated from here."""

from __future__ import annotations

from dataclasses import replace

from apportion_models.tables.contracts import Column, Table
from apportion_models.tables.declared_leads import HISTORY, LEAD_COLUMNS, LEADS, OWNER, RECORD

REPS = Table(
    name="reps",
    key=("rep_id",),
    description="the salespeople",
    columns=(
        Column(
            name="rep_id",
            kind="id",
            required=True,
            unique=True,
            description="the rep's name, once a table",
            aliases=("User ID", "Id", "Owner ID", "HubSpot Owner ID", "Record ID"),
        ),
        Column(
            name="name",
            kind="text",
            literal=("Null", "None", "NA"),
            description="what people call the rep",
            aliases=("Full Name", "User Name", "Rep Name"),
        ),
        Column(
            name="team_id",
            kind="id",
            description="the rep's team",
            aliases=("Team", "HubSpot Team", "Main team", "UserRoleId", "Role"),
        ),
        Column(name="manager_id", kind="id", description="the rep's manager", aliases=("Manager",)),
        Column(
            name="start_date",
            kind="time",
            description="first day in the job, which dates the ramp; may lie ahead",
            aliases=("Hire Date", "Date Hired"),
        ),
        Column(name="level", kind="text", description="seniority, such as junior, senior", aliases=("Seniority",)),
        Column(
            name="capacity", kind="number", low=0, description="effort units a window, before ramp and availability"
        ),
        Column(
            name="territories",
            kind="list",
            literal=("NA",),
            description="territories that the rep covers",
            aliases=("Territory",),
        ),
        Column(name="skills", kind="list", description="products and skills", aliases=("Products",)),
        Column(
            name="languages",
            kind="list",
            literal=("NA",),
            description="languages that the rep speaks",
            aliases=("Language",),
        ),
        Column(
            name="time_zone", kind="text", description="IANA name such as Europe/Berlin", aliases=("TimeZoneSidKey",)
        ),
        Column(name="open_leads", kind="count", low=0, description="leads that are open with the rep now"),
        Column(name="open_pipeline", kind="amount", low=0, description="value of what is open with the rep now"),
        Column(name="paused", kind="flag", description="gets no leads for now"),
    ),
)


ACCOUNTS = Table(
    name="accounts",
    key=("account_id",),
    description="the companies that leads belong to",
    columns=(
        Column(
            name="account_id",
            kind="id",
            required=True,
            unique=True,
            description="the account's name, once a table",
            aliases=("Record ID", "Id", "Company ID", "Record ID - Company"),
        ),
        Column(
            name="name",
            kind="text",
            literal=("NA",),
            description="what people call the account",
            aliases=("Company name", "Account Name", "Company"),
        ),
        *(
            column
            if column.name != "owner_rep_id"
            else replace(
                column, description="the rep who owns the account", aliases=(*OWNER, "Company owner", "Account Owner")
            )
            for column in LEAD_COLUMNS
            if column.name
            in (
                "parent_account_id",
                "owner_rep_id",
                "country",
                "region",
                "postal_code",
                "industry",
                "company_size",
                "company_revenue",
                "currency",
            )
        ),
    ),
)

TEAMS = Table(
    name="teams",
    key=("team_id",),
    description="groups of reps",
    columns=(
        Column(
            name="team_id",
            kind="id",
            required=True,
            unique=True,
            description="the team's name, once a table",
            aliases=("Id", "Team"),
        ),
        Column(
            name="name", kind="text", literal=("NA",), description="what people call the team", aliases=("Team Name",)
        ),
        Column(name="manager_id", kind="id", description="who leads the team", aliases=("Manager",)),
        Column(
            name="parent_team_id",
            kind="id",
            description="the team that this one is part of",
            aliases=("Parent Team", "ParentRoleId"),
        ),
    ),
)

TERRITORIES = Table(
    name="territories",
    key=("territory", "rep_id"),
    description="which rep covers which territory; the policy states what belongs to a territory",
    columns=(
        Column(
            name="territory",
            kind="id",
            required=True,
            literal=("NA",),
            description="the territory's name in the policy",
            aliases=("Territory Name", "Territory2Id"),
        ),
        Column(
            name="rep_id", kind="id", required=True, description="the rep who covers it", aliases=("User ID", *OWNER)
        ),
        Column(
            name="cover",
            kind="choice",
            description="`primary` gets its leads first, `overflow` what those cannot take; primary when absent",
            words=(("primary", ("primary", "main")), ("overflow", ("overflow", "secondary", "backup"))),
        ),
    ),
)

CALENDAR = Table(
    name="calendar",
    key=(),
    description="when reps are away or have less time",
    columns=(
        Column(
            name="rep_id", kind="id", required=True, description="whose time it is", aliases=("User ID", "Employee ID")
        ),
        Column(
            name="start",
            kind="time",
            required=True,
            description="first moment",
            aliases=("Start Date", "Start Time", "From", "StartDateTime"),
        ),
        Column(
            name="end",
            kind="time",
            required=True,
            whole_day=True,
            aliases=("End Date", "End Time", "To", "Until", "EndDateTime"),
            description="first moment after it; a date without a time of day means to the end of that day",
        ),
        Column(
            name="kind",
            kind="choice",
            aliases=("Type", "Reason"),
            description="why",
            words=(
                (
                    "leave",
                    ("leave", "vacation", "annual leave", "pto", "paid time off", "day off", "off", "parental leave"),
                ),
                ("holiday", ("holiday", "public holiday", "bank holiday")),
                ("training", ("training", "onboarding", "course")),
                ("sick", ("sick", "sick leave", "illness")),
                ("travel", ("travel", "conference", "event")),
                ("part_time", ("part time", "reduced hours")),
                ("other", ("other",)),
            ),
        ),
        Column(
            name="capacity",
            kind="number",
            low=0,
            high=1,
            description="share of capacity that is left meanwhile; 0 when absent",
        ),
    ),
)

OVERRIDES = Table(
    name="overrides",
    key=("lead_id", "rep_id"),
    description="a person's locks and bans",
    columns=(
        Column(name="lead_id", kind="id", required=True, description="the lead", aliases=RECORD),
        Column(name="rep_id", kind="id", required=True, description="the rep", aliases=OWNER),
        Column(
            name="kind",
            kind="choice",
            required=True,
            description="`lock`: this lead goes to this rep; `ban`: it never does",
            words=(("lock", ("lock", "pin", "force")), ("ban", ("ban", "exclude", "forbid", "block"))),
        ),
        Column(name="by", kind="text", description="who said so"),
        Column(name="reason", kind="text", description="why"),
        Column(name="at", kind="time", description="when"),
    ),
)

ASSIGNMENTS = Table(
    name="assignments",
    key=("lead_id", "assigned_at"),
    description="what earlier batches gave, for rolling windows and caps",
    columns=(
        Column(name="lead_id", kind="id", required=True, description="the lead", aliases=RECORD),
        Column(name="rep_id", kind="id", required=True, description="who got it", aliases=OWNER),
        Column(
            name="assigned_at",
            kind="time",
            required=True,
            description="when",
            aliases=("Owner Assigned Date", "Assigned Date"),
        ),
        Column(name="effort", kind="number", low=0, description="effort units; 1 when absent"),
        Column(name="opportunity", kind="amount", low=0, description="the rep-neutral expected value that was offered"),
        Column(name="expected_revenue", kind="amount", low=0, description="fit × deal value then"),
        Column(name="tier", kind="text", description="the lead's tier then"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (LEADS, REPS, HISTORY, ACCOUNTS, TEAMS, TERRITORIES, CALENDAR, OVERRIDES, ASSIGNMENTS)
}
