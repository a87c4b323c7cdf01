"""Sources are read by themselves: every few minutes and before each batch, by one of many, and never at its cost."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from apportion.service import feed as feeding
from apportion.service.clockwork import Clockwork
from apportion.service.feed import Feed, Feeder, read_feed, unread_lately
from apportion.service.outbox import Route
from apportion.service.store import Store
from apportion_models.errors import InputError
from tests.solver.service import tables
from tests.solver.service.conftest import FakeClock
from tests.solver.service.test_clockwork import NINE, Mailbox


def _write(path: Path, *names: str) -> None:
    rows = {"lead_id": names, "created_at": "2026-03-02T07:00:00Z", "country": "SE", "score": 50.0, "deal_value": 900.0}
    pd.DataFrame(rows).to_csv(path, index=False)


def _into_database(path: Path, *names: str) -> None:
    _write(path.with_suffix(".csv"), *names)
    with closing(sqlite3.connect(path)) as connection:
        pd.read_csv(path.with_suffix(".csv")).to_sql("leads", connection, index=False, if_exists="replace")


def _leads(store: Store) -> dict[str, str]:
    with store.read() as tx:
        return {lead.lead_id: lead.state for lead in tx.leads.page(limit=1000)}


@pytest.mark.parametrize("sort", ["file", "sql"])
def test_a_batch_has_what_its_sources_have_then(store: Store, clock: FakeClock, tmp_path: Path, sort: str) -> None:
    """Also what came after the last reading: a slot reads anew, whatever the minutes."""
    write, place = (_write, "leads.csv") if sort == "file" else (_into_database, "crm.db")
    address = str(tmp_path / place) if sort == "file" else f"sqlite:///{tmp_path}/{place}#leads"
    tables.set_up(store, n_leads=2, policy=NINE)
    write(tmp_path / place, "N1")
    clock.turn(3540)
    clockwork = Clockwork(store, {}, feed=Feed(tables={"leads": address}, minutes=600))
    assert clockwork.once().ticked.asked == () and _leads(store)["N1"] == "waiting"
    write(tmp_path / place, "N1", "N2")
    clockwork.once()
    assert "N2" not in _leads(store)
    clock.turn(60)
    assert len(clockwork.once().ticked.ended) == 1
    assert _leads(store) == dict.fromkeys(("L0001", "L0002", "N1", "N2"), "assigned")


def test_leads_that_wait_are_seen_within_minutes(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    """Where no slot comes by the clock, the readings bring the leads that start a batch."""
    tables.set_up(store, n_leads=1, policy={"equity": [], "schedule": {"waiting": {"leads": 3}}})
    _write(tmp_path / "leads.csv", "N1", "N2")
    clockwork = Clockwork(store, {}, feed=Feed(tables={"leads": str(tmp_path / "leads.csv")}))
    assert len(clockwork.once().ticked.ended) == 1
    assert set(_leads(store).values()) == {"assigned"}


def test_a_batch_waits_for_who_reads_for_it_unless_he_died(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    """Two services: the second begins no batch while the first still reads, and reads itself when that was too long."""
    tables.set_up(store, policy=NINE)
    _write(tmp_path / "leads.csv", "N1")
    clock.turn(3600)
    feed = Feed(tables={"leads": str(tmp_path / "leads.csv")})
    store.attempt(Feeder(store, feed)._reserve)  # this one dies
    other = Clockwork(store, {}, feed=feed)
    assert other.once().ticked.asked == ()
    clock.turn(2 * feeding.LONGEST + 1)
    assert len(other.once().ticked.ended) == 1 and _leads(store)["N1"] == "assigned"


def test_what_cannot_be_read_is_told_and_the_batch_goes_without(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    """No cell is in the alarm; it is told once a day and reason."""
    tables.set_up(store, n_leads=2, policy=NINE)
    clock.turn(3600)
    pd.DataFrame({"lead_id": ["Anna"], "created_at": ["Anna's birthday"]}).to_csv(tmp_path / "leads.csv", index=False)
    box = Mailbox()
    clockwork = Clockwork(
        store, {"oncall": Route(box, ("alert",))}, feed=Feed(tables={"leads": str(tmp_path / "leads.csv")})
    )
    done = clockwork.once()
    assert [run.state for run in done.ticked.ended] == ["done"]
    (message,) = box.got
    assert message.rows[0]["kind"] == "sources" and "1 fault in them" in str(message.rows[0]["sentence"])
    assert "Anna" not in str(message)
    clock.turn(600)
    clockwork._next_look = 0.0
    clockwork.once()
    assert len(box.got) == 1
    with store.read() as tx:
        assert len(unread_lately(tx)) == 2


def test_a_source_that_hangs_stops_no_batch(
    store: Store, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left to its thread, of which there is one, however often it is tried."""
    tables.set_up(store, n_leads=2, policy=NINE)
    let_go, begun = threading.Event(), []

    def hangs(*_: object, **__: object) -> None:
        begun.append(1)
        let_go.wait(60)

    monkeypatch.setattr(feeding, "LONGEST", 0.1)
    monkeypatch.setattr(feeding, "load_tables", hangs)
    clockwork = Clockwork(store, {}, feed=Feed(tables={"leads": str(tmp_path / "leads.csv")}))
    clock.turn(3600)
    assert len(clockwork.once().ticked.ended) == 1
    clock.turn(600)
    clockwork.once()
    with store.read() as tx:
        whys = [unread.why for unread in unread_lately(tx)]
    let_go.set()
    assert whys == ["no answer within 0.1 seconds", "an earlier reading still hangs"] and len(begun) == 1


def test_the_file_of_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets from the environment; every fault at once, and no secret in it."""
    path = tmp_path / "sources.toml"
    monkeypatch.setenv("CRM_LEADS", "postgresql://reader:hidden@crm/db#leads")
    path.write_text('minutes = 2\nmapping = "m.yaml"\n[tables]\nleads = "env:CRM_LEADS"\nreps = "reps.csv"\n')
    feed = read_feed(path)
    assert (feed.minutes, feed.mapping, feed.tables["reps"]) == (2.0, "m.yaml", "reps.csv")
    assert feed.tables["leads"].endswith("#leads") and "hidden" not in repr(feed)
    for text, faults in (
        ('[tables]\nleads = "env:NO_SUCH_A"\nreps = "env:NO_SUCH_B"\n', 2),
        ('minutes = 0\n[tables]\nhistory = "h.csv"\n', 2),
        ("minutes = 5\n", 1),
        ("[tables", 1),
    ):
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            read_feed(path)
        assert len(caught.value.findings) == faults, text
    with pytest.raises(InputError, match="cannot be read"):
        read_feed(tmp_path / "none.toml")
