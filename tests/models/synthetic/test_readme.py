from __future__ import annotations

import re

from apportion_models.synthetic.cover import TERRITORIES


def sections(readme: str) -> dict[str, str]:
    parts = re.split(r"^### (\w+)\.csv.*$", readme, flags=re.MULTILINE)
    return {name: re.split(r"^## ", text, flags=re.MULTILINE)[0] for name, text in zip(parts[1::2], parts[2::2])}


def test_dictionary_names_every_column_of_every_file_in_order(company, data):
    """The data dictionary has a row for each column of each file, and no other."""
    documented = sections((data / "README.md").read_text(encoding="utf-8"))
    assert set(documented) == set(company.tables)
    for name, table in company.tables.items():
        assert re.findall(r"^\| `(\w+)` \|", documented[name], flags=re.MULTILINE) == list(table.columns)


def test_dictionary_states_the_territories(data):
    """Each territory stands in the dictionary with its predicate."""
    readme = (data / "README.md").read_text(encoding="utf-8")
    for territory in TERRITORIES:
        assert (
            f"| `{territory.territory}` | {territory.name} | {territory.team_id} | `{territory.predicate}` |" in readme
        )
