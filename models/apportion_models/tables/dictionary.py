"""The data dictionary: the column contracts as a page for people."""

from __future__ import annotations

from apportion_models.tables.contracts import KINDS, Column
from apportion_models.tables.declared import TABLES
from apportion_models.tables.mapping import Join, Mapping, TableMapping

_HEAD = """# Data dictionary

<!-- Generated from the column contracts by `apportion_models.tables.data_dictionary()`.
     Change the contracts, not this page. -->

Tables are read from CSV (any usual separator and encoding), Parquet, a SQL URL (`sqlite:///crm.db#leads`, or a query
after the `#`), or a DataFrame. Column names are matched without case, spaces and underscores; the aliases are the names
that HubSpot and Salesforce exports use. Any column that is not listed is kept as an attribute that rules and the fit
model may use: a number when every value is one, else text.

What can be read safely is read, and reported as a repair. What cannot is refused with table, row, column, value and
remedy, all at once. Rows are counted from 1 without the header.

What comes out joins with what went in: `assignments.csv` has the leads' own columns, all of them, with their names,
order and cells, then the columns of the plan. `lead_id` is always there; a column of yours that bears the name of one
of the plan's is kept as `lead_<name>`.
"""

_RULES = """## Rules between columns

- A row that stands twice and is identical is read once. Two rows of one key that differ are refused.
- history: `closed_at` before `assigned_at` is refused. A date without a time of day, on the day of `assigned_at`, is
  read as that moment.
- history: `closed_at` on an open lead is left out and reported: CRM systems keep the *expected* close date there.
- history: a won or lost lead without `closed_at` is kept, with a notice. The date stays missing: an invented one would
  tell the model when the outcome became known. Whoever needs the date must treat it as unknown.
- history: without `created_at`, it is `assigned_at`, reported as a repair. A pair of flags such as Salesforce's IsWon
  and IsClosed gives the outcome where there is no column `outcome`, rather than the name of a stage.
- history: a `deal_value` on a lead that was not won is kept as an estimate, and never counted as earned.
- accounts: a parent that is the account itself is no parent; a circle of parents is refused.
- calendar: `end` must lie after `start`. overrides: a lead is locked to one rep at most.
- Amounts of one table must be of one currency.
- "N/A", "null", "-" and the like mean missing. A bare "NA" does too, except where it can be a name (North America,
  Namibia) and in text attributes.

## What to log, so that plans can be judged later

Nothing but leads that were dealt by chance tells skill from good leads (`apportion evaluate`, evaluation.md).

- history: `propensity` is the chance of the pair: of this lead with this rep. Plans with `swaps` write it into
  `assignments.csv`; carry it into the history, on every lead of such a plan: 1 says that nothing was left to chance.
  Empty says that nobody knows, and the chance is estimated.
- history: beside a filled `arm` it is the chance of the *arm* of an experiment, for that is what the experiment's files
  say; it is then not read as the chance of a rep. To keep both, carry the pair's own chance over, without the `arm`.
- history: `holdout` marks leads that were dealt on purpose without regard to who suits them: drawn, or strictly in
  turn among those who may get them. A lead that a manager picked is none, whatever the reason.
- From 200 leads on with a `propensity` below 1 or a true `holdout`, 20 of them won and 20 lost, they correct what all
  other leads say. Neither column is ever a feature.
"""


def data_dictionary() -> str:
    """The page `docs/data-dictionary.md`, as Markdown."""
    kinds = "\n".join(f"| {kind} | {meaning} |" for kind, meaning in KINDS.items())
    parts = [_HEAD, f"## Kinds\n\n| kind | meaning |\n|---|---|\n{kinds}\n"]
    for table in TABLES.values():
        key = f" Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
        rows = "\n".join(_row(column) for column in table.columns)
        head = "| column | kind | must | meaning | aliases |\n|---|---|---|---|---|"
        parts.append(f"## {table.name}\n\n{_sentence(table.description)}{key}\n\n{head}\n{rows}\n")
    parts += [_choices(), _RULES, _mapping()]
    return "\n".join(parts)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _row(column: Column) -> str:
    must = ["required"] * column.required + ["unique"] * column.unique
    if column.low is not None:
        must.append(f"≥ {column.low:g}")
    if column.high is not None:
        must.append(f"≤ {column.high:g}")
    must += [" / ".join(column.choices)] if column.choices else []
    return (
        f"| `{column.name}` | {column.kind} | {', '.join(must)} | {column.description} | {', '.join(column.aliases)} |"
    )


def _choices() -> str:
    lines = [
        "## Words that are understood\n",
        "Compared without case, spaces and punctuation. Others need the mapping's `values`.\n",
    ]
    lines += ["| table | column | value | words |", "|---|---|---|---|"]
    for table in TABLES.values():
        for column in table.columns:
            lines += [
                f"| {table.name} | `{column.name}` | {choice} | {', '.join(words)} |" for choice, words in column.words
            ]
    return "\n".join(lines) + "\n"


def _mapping() -> str:
    lines = [
        "## Mapping file\n",
        "A YAML file with a part for each table says how others' tables become these; `docs/examples/` has one.",
        "The last five keys may also stand at the top of the file, for all tables. Every word in it is text, as in the",
        "tables themselves; keys are checked, and errors name their path, such as `history.values.outcome`.\n",
        "| key | meaning |\n|---|---|",
    ]
    reading = [name for name in TableMapping.model_fields if name in Mapping.model_fields]
    own = [name for name in TableMapping.model_fields if name not in reading]
    for name in (*own, *reading):
        lines.append(f"| `{name}` | {TableMapping.model_fields[name].description} |")
        if name == "join":
            lines += [f"| `join.{key}` | {field.description} |" for key, field in Join.model_fields.items()]
    return "\n".join(lines) + "\n"
