from __future__ import annotations

from pathlib import Path

import pytest

from apportion_models.errors import Finding, TableError
from apportion_models.tables import Mapping, load_mapping

from .helpers import read_text


def load(text: str, folder: Path) -> Mapping:
    path = folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def wrong(text: str, folder: Path) -> list[Finding]:
    with pytest.raises(TableError) as caught:
        load(text, folder)
    return list(caught.value.findings)


def test_words_stay_text(tmp_path: Path) -> None:
    """Words that YAML would turn into flags, numbers or dates stay the text that stands there."""
    mapping = load(
        "leads: {values: {country: {no: NO, 1.0: one}}, defaults: {created_at: 2024-01-31, x: yes}}", tmp_path
    )
    assert mapping.leads is not None
    assert mapping.leads.values == {"country": {"no": "NO", "1.0": "one"}}
    assert mapping.leads.defaults == {"created_at": "2024-01-31", "x": "yes"}
    assert mapping.folder == tmp_path


def test_errors_name_the_key_path(tmp_path: Path) -> None:
    """Every wrong key and value is told at once, by its path in the file."""
    text = (
        "decimal: ';'\nlead: {}\nleads: {colums: {a: b}, columns: [a], day_first: maybe, time_zone: Berlin}\n"
        "history: {join: {file: a.csv}, values: {outcome: won}}\nfolder: /etc\n"
    )
    paths = {finding.column for finding in wrong(text, tmp_path)}
    assert paths == {
        "decimal",
        "lead",
        "leads.colums",
        "leads.columns",
        "leads.day_first",
        "leads.time_zone",
        "history.join.0.on",
        "history.values.outcome",
        "folder",
    }


@pytest.mark.parametrize("text", ["leads: [", "- a", "leads: {columns: {a: b, a: c}}", "just words", "{[a]: b}"])
def test_no_mapping(text: str, tmp_path: Path) -> None:
    """What is no YAML, no mapping, or names a key twice is refused."""
    assert len(wrong(text, tmp_path)) == 1


def test_empty_parts(tmp_path: Path) -> None:
    """An empty file, and a table's name with nothing below, wish for nothing."""
    assert load("", tmp_path).leads is None
    assert load("leads:\n", tmp_path).leads is None


def test_no_file(tmp_path: Path) -> None:
    """A mapping file that is not there is refused."""
    with pytest.raises(TableError, match="cannot be read"):
        load_mapping(tmp_path / "none.yaml")


def test_common_keys(tmp_path: Path) -> None:
    """What the top of the file says holds for every table that does not say otherwise."""
    mapping = load("decimal: ','\nday_first: true\nleads: {decimal: .}\n", tmp_path)
    assert (mapping.table("leads").decimal, mapping.table("leads").day_first) == (".", True)
    assert mapping.table("reps").decimal == ","


def test_a_dict_is_a_mapping(tmp_path: Path) -> None:
    """A mapping may be given as a dict, and is checked the same."""
    leads, _ = read_text(
        "leads",
        "id_,when\nL1,2024-01-31\n",
        tmp_path,
        mapping={"leads": {"columns": {"lead_id": "id_", "created_at": "when"}}},
    )
    assert leads["lead_id"].tolist() == ["L1"]
    with pytest.raises(TableError, match=r"leads\.colums"):
        load_mapping({"leads": {"colums": {}}})
