from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from apportion_models.errors import ApportionError, ServiceError, TableError, UsageError
from apportion_models.tables import read_leads


@pytest.fixture
def crm(tmp_path: Path) -> str:
    path = tmp_path / "crm.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    frame = pd.DataFrame(
        {
            "lead_id": [1, 2],
            "created_at": ["2024-01-31", "2024-02-01"],
            "deal_value": [5.5, None],
            "note": ["a:b", None],
        }
    )
    with engine.begin() as connection:
        frame.to_sql("leads", connection, index=False)
        frame.to_sql("odd name", connection, index=False)
    engine.dispose()
    return f"sqlite:///{path}"


def test_table_and_query(crm: str) -> None:
    """A table's name or a query after the # gives the same rows."""
    leads = read_leads(f"{crm}#leads")
    assert leads["lead_id"].tolist() == ["1", "2"] and leads["deal_value"].isna().tolist() == [False, True]
    pd.testing.assert_frame_equal(read_leads(f"{crm}#odd name"), leads)
    pd.testing.assert_frame_equal(read_leads(f"{crm}#SELECT * FROM leads"), leads)
    pd.testing.assert_frame_equal(read_leads(f"{crm}#select * from leads where note = 'a:b'"), leads.iloc[:1])


def test_only_reads(crm: str) -> None:
    """Whatever stands after the #, nothing in the database changes."""
    for wanted in (
        "DROP TABLE leads",
        "leads; DROP TABLE leads",
        "select 1; drop table leads",
        "with x as (select 1) delete from leads",
    ):
        with pytest.raises(ApportionError):
            read_leads(f"{crm}#{wanted}")
    assert len(read_leads(f"{crm}#leads")) == 2


def test_unknown_table_and_bad_query(crm: str) -> None:
    """A table that is not there is refused with those that are; a bad query with the database's words."""
    with pytest.raises(TableError, match="it has: leads, odd name"):
        read_leads(f"{crm}#lead")
    with pytest.raises(TableError, match="no such column"):
        read_leads(f"{crm}#SELECT nix FROM leads")
    with pytest.raises(UsageError, match="#leads"):
        read_leads(crm)


def test_out_of_reach(tmp_path: Path) -> None:
    """A database that is not there is a service's failure, and is not made by asking."""
    with pytest.raises(ServiceError, match="cannot be reached"):
        read_leads(f"sqlite:///{tmp_path}/none.db#leads")
    assert not list(tmp_path.iterdir())
    (tmp_path / "no.db").write_text("this is no database, only words, and long enough to be told from one")
    with pytest.raises(ServiceError):
        read_leads(f"sqlite:///{tmp_path}/no.db#leads")


@pytest.mark.parametrize(
    "url",
    [
        "nosuch://joe:hunter2@host/db#leads",
        "postgresql+psycopg2://joe:hunter2@127.0.0.1:1/db#leads",
        "mysql://joe:hunter2@host:port/db#leads",
        "postgresql://joe@host/db?password=hunter2",
        "postgresql+asyncpg://joe:hunter2@h/d",
    ],
)
def test_no_password_in_errors(url: str) -> None:
    """No error shows a password, in its text or in what it came from."""
    with pytest.raises((UsageError, ServiceError)) as caught:
        read_leads(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
