"""Column contracts; reading CSV, Parquet, SQL; mapping files; CRM aliases; what was repaired."""

from __future__ import annotations

from apportion_models.tables.contracts import KINDS, Column, Table
from apportion_models.tables.declared import TABLES
from apportion_models.tables.dictionary import data_dictionary
from apportion_models.tables.mapping import Mapping, TableMapping, load_mapping
from apportion_models.tables.read import (
    read_accounts,
    read_assignments,
    read_calendar,
    read_history,
    read_leads,
    read_overrides,
    read_reps,
    read_table,
    read_teams,
    read_territories,
    read_with_source,
)
from apportion_models.tables.references import check_references

__all__ = [
    "KINDS",
    "TABLES",
    "Column",
    "Mapping",
    "Table",
    "TableMapping",
    "check_references",
    "data_dictionary",
    "load_mapping",
    "read_accounts",
    "read_assignments",
    "read_calendar",
    "read_history",
    "read_leads",
    "read_overrides",
    "read_reps",
    "read_table",
    "read_teams",
    "read_territories",
    "read_with_source",
]
