from __future__ import annotations

from pathlib import Path

from apportion_models.tables import TABLES, data_dictionary

PAGE = Path(__file__).parents[3] / "docs" / "data-dictionary.md"


def test_page_is_the_generated_one() -> None:
    """The page on disk is what the contracts say; if not: write `data_dictionary()` to it."""
    assert PAGE.read_text(encoding="utf-8") == data_dictionary()


def test_page_names_everything() -> None:
    """Every table, column, alias and mapping key is on the page."""
    page = data_dictionary()
    for table in TABLES.values():
        part = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` | {column.kind} |" in part
            assert all(alias in part for alias in column.aliases)
    for key in (
        "columns",
        "values",
        "defaults",
        "where",
        "join.on",
        "date_format",
        "day_first",
        "decimal",
        "time_zone",
        "currency",
    ):
        assert f"| `{key}` |" in page
