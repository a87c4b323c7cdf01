"""Leads, reps, outcomes, overrides and reference tables."""

from __future__ import annotations

import pandas as pd
import pytest

from apportion.service.store import Placement, Store, Upserted
from apportion.service.store.cells import frame, records
from apportion_models import read_calendar, read_leads, read_reps, read_territories
from apportion_models.errors import ConflictError, InputError, NotFoundError, TableError, UsageError
from tests.solver.service.conftest import FakeClock
from tests.solver.service.tables import START, leads, reps


def assign(store: Store, *pairs: tuple[str, str]) -> None:
    """Give leads to reps, as a person would."""
    with store.write() as tx:
        lead_keys, rep_keys = tx.leads.keys([lead for lead, _ in pairs]), tx.reps.keys([rep for _, rep in pairs])
        placed = [
            Placement(lead_key=lead_keys[lead], rep_key=rep_keys[rep], outcome="assigned", told={}, deal_value=100.0)
            for lead, rep in pairs
        ]
        tx.assignments.add(placed, origin="person", at=tx.now())


def open_leads(store: Store) -> dict[str, tuple[float, float]]:
    """Of each rep."""
    with store.read() as tx:
        return {str(row["rep_id"]): (row["open_leads"], row["open_pipeline"]) for row in tx.reps.contents()}


def test_a_table_comes_back_as_it_went_in(store: Store) -> None:
    """What the reader gave is what the reader gives again from the store: lists, times, flags, gaps, attributes."""
    given = read_leads(
        pd.DataFrame(
            {
                "lead_id": ["007", "b", "å-ä"],
                "created_at": ["2026-03-01T08:00:00.123456Z", "2026-02-28", "2026-01-01T00:00:00+05:30"],
                "country": ["NA", None, "SE"],
                "effort": [0.1, None, 2.0],
                "colour": ["red", "blue", None],
                "visits": [3, 4, 5],
            }
        )
    )
    people = read_reps(
        pd.DataFrame({"rep_id": ["x", "y"], "skills": ["a;b", ""], "paused": [True, False], "capacity": [1.5, None]})
    )
    with store.write() as tx:
        tx.leads.upsert(given)
        tx.reps.upsert(people)
    with store.read() as tx:
        ids = sorted(given["lead_id"])
        kept = tx.leads.contents(list(tx.leads.keys(ids).values()))
        again = read_leads(frame(kept, "leads"))
        ordered = given.set_index("lead_id").loc[ids].reset_index()
        pd.testing.assert_frame_equal(again, ordered[list(again.columns)])
        back = read_reps(frame([rep.content for rep in tx.reps.all()], "reps"))
        pd.testing.assert_frame_equal(back, people[list(back.columns)])


def test_upsert_counts_what_it_did(store: Store, clock: FakeClock) -> None:
    """New, changed and unchanged rows are told apart; a changed lead stays where it stands."""
    with store.write() as tx:
        assert tx.leads.upsert(leads(5)) == Upserted(5, 0, 0)
        assert tx.reps.upsert(reps(2)) == Upserted(2, 0, 0)
    assign(store, ("L0001", "R1"))
    clock.turn(60)
    changed = leads(6, country=["IT", *["SE"] * 5])
    with store.write() as tx:
        before = {lead.lead_id: lead.state for lead in tx.leads.page()}
        told = tx.leads.upsert(changed)
        assert told.new == 1
        assert told.new + told.changed + told.same == 6
        assert tx.leads.upsert(changed) == Upserted(0, 0, 6)
        assert tx.reps.upsert(reps(2)) == Upserted(0, 0, 2)
        after = {lead.lead_id: lead.state for lead in tx.leads.page()}
    assert after == before | {"L0006": "waiting"}
    assert after["L0001"] == "assigned"


def test_pages_cover_everything_once(store: Store) -> None:
    """Page after page, every lead comes once, in the order of ids."""
    with store.write() as tx:
        tx.leads.upsert(leads(23))
    seen: list[str] = []
    after = None
    with store.read() as tx:
        while True:
            page = tx.leads.page(after=after, limit=5)
            seen += [lead.lead_id for lead in page]
            if (after := page.after) is None:
                break
        assert seen == sorted(tx.leads.keys(seen))
        assert len(tx.leads.page(limit=23)) == 23
        assert tx.leads.page(limit=23).after is None
    assert len(seen) == 23


def test_waiting_tells_how_many_and_since_when(store: Store, clock: FakeClock) -> None:
    """The time counts from when a lead began to wait in the store, not from when it was created somewhere."""
    with store.write() as tx:
        assert tx.leads.waiting().count == 0
        tx.leads.upsert(leads(2))
    first = clock.now
    clock.turn(600)
    with store.write() as tx:
        tx.leads.upsert(leads(3))
        assert (tx.leads.waiting().count, tx.leads.waiting().since) == (3, first)


def test_open_leads_are_what_was_told_and_what_came_since(store: Store, clock: FakeClock) -> None:
    """A rep's count grows by what the store gives, falls by what closes, and begins anew when it is told again."""
    with store.write() as tx:
        tx.leads.upsert(leads(6))
        tx.reps.upsert(reps(2, open_leads=[5, None], open_pipeline=[1000.0, None]))
    assert open_leads(store) == {"R1": (5, 1000), "R2": (0, 0)}
    assign(store, ("L0001", "R1"), ("L0002", "R1"), ("L0003", "R2"))
    assert open_leads(store) == {"R1": (7, 1200), "R2": (1, 100)}
    with store.write() as tx:
        tx.outcomes.upsert(pd.DataFrame({"lead_id": ["L0001", "L0003"], "outcome": ["won", "lost"]}))
    assert open_leads(store) == {"R1": (6, 1100), "R2": (0, 0)}
    with store.write() as tx:  # the CRM says it anew: L0002 is among the 6
        tx.reps.upsert(reps(2, open_leads=[6, 0], open_pipeline=[900.0, 0.0]))
    assert open_leads(store) == {"R1": (6, 900), "R2": (0, 0)}
    with store.write() as tx:
        tx.outcomes.upsert(pd.DataFrame({"lead_id": ["L0002"], "outcome": ["lost"]}))
    assert open_leads(store) == {"R1": (5, 800), "R2": (0, 0)}


def test_an_outcome_can_be_corrected(store: Store) -> None:
    """A lead that was lost by mistake is open again, with its rep, and counts again."""
    with store.write() as tx:
        tx.leads.upsert(leads(1))
        tx.reps.upsert(reps(1))
    assign(store, ("L0001", "R1"))
    for outcome, state, count in (("lost", "closed", 0), ("open", "assigned", 1), ("won", "closed", 0)):
        with store.write() as tx:
            tx.outcomes.upsert(pd.DataFrame({"lead_id": ["L0001"], "outcome": [outcome]}))
            lead, told = tx.leads.get("L0001"), tx.outcomes.get("L0001")
        assert lead is not None
        assert told is not None
        assert (lead.state, told.outcome) == (state, outcome)
        assert open_leads(store)["R1"][0] == count


def test_outcomes_name_every_fault_at_once(store: Store) -> None:
    """Unknown leads, words that are none and negative values are told together, and nothing is stored."""
    with store.write() as tx:
        tx.leads.upsert(leads(2))
    bad = pd.DataFrame(
        {"lead_id": ["L0001", "nobody", "L0002"], "outcome": ["won", "lost", "maybe"], "deal_value": [-1.0, 2.0, 3.0]}
    )
    with pytest.raises(TableError) as caught, store.write() as tx:
        tx.outcomes.upsert(bad)
    places = {(finding.row, finding.column) for finding in caught.value.findings}
    assert places == {(1, "deal_value"), (2, "lead_id"), (3, "outcome")}
    with store.read() as tx:
        assert tx.outcomes.get("L0001") is None


def test_overrides_do_not_contradict_each_other(store: Store) -> None:
    """A lead has one lock; a pair is not both locked and banned; a lifted override is out of the way."""
    with store.write() as tx:
        tx.leads.upsert(leads(2))
        tx.reps.upsert(reps(2))
        lock = tx.overrides.set(lead_id="L0001", rep_id="R1", kind="lock", said_by="Kim", reason="knows them")
        assert tx.overrides.set(lead_id="L0001", rep_id="R1", kind="lock") == lock
        for rep, kind in (("R2", "lock"), ("R1", "ban")):
            with pytest.raises(ConflictError, match="lift it first"):
                tx.overrides.set(lead_id="L0001", rep_id=rep, kind=kind)
        tx.overrides.set(lead_id="L0001", rep_id="R2", kind="ban")
        assert tx.overrides.lift(lock.id).lifted_at is not None
        assert [override.kind for override in tx.overrides.page()] == ["ban"]
        tx.overrides.set(lead_id="L0001", rep_id="R1", kind="ban")
        assert len(tx.overrides.page(holding=False)) == 3
        with pytest.raises(TableError) as caught:
            tx.overrides.set(lead_id="x", rep_id="y", kind="z")
        assert len(caught.value.findings) == 3
        with pytest.raises(NotFoundError):
            tx.overrides.lift(99)


def test_requeue_takes_the_lead_from_its_rep(store: Store) -> None:
    """A lead that waits again has no rep, and can be given once more; a closed one cannot wait."""
    with store.write() as tx:
        tx.leads.upsert(leads(3))
        tx.reps.upsert(reps(2))
    assign(store, ("L0001", "R1"), ("L0002", "R1"))
    with store.write() as tx:
        assert tx.leads.requeue(["L0001"]) == 1
        assert tx.assignments.of_lead("L0001") is None
        assert tx.leads.requeue(["L0001"]) == 0
        tx.outcomes.upsert(pd.DataFrame({"lead_id": ["L0002"], "outcome": ["won"]}))
        with pytest.raises(TableError) as caught:
            tx.leads.requeue(["L0002", "nobody"])
        assert [finding.row for finding in caught.value.findings] == [1, 2]
    assign(store, ("L0001", "R2"))
    with store.read() as tx:
        now = tx.assignments.of_lead("L0001")
        assert now is not None
        assert now.rep_id == "R2"
        assert [one.is_current for one in tx.assignments.page(lead_id="L0001")] == [False, True]


def test_a_lead_has_one_rep(store: Store) -> None:
    """Nobody can give a lead away that is given already."""
    with store.write() as tx:
        tx.leads.upsert(leads(1))
        tx.reps.upsert(reps(2))
    assign(store, ("L0001", "R1"))
    with pytest.raises(ConflictError, match="no longer there"):
        assign(store, ("L0001", "R2"))


def test_reference_tables_are_replaced_whole(store: Store) -> None:
    """The last table that was put counts; one that is not known is refused."""
    with store.write() as tx:
        assert tx.tables.get("calendar") is None
        calendar = read_calendar(
            pd.DataFrame({"rep_id": ["R1"], "start": ["2026-03-02"], "end": ["2026-03-05"], "capacity": [0.5]})
        )
        tx.tables.put("calendar", calendar)
        tx.tables.put("territories", read_territories(pd.DataFrame({"territory": ["a", "b"], "rep_id": ["R1", "R1"]})))
        tx.tables.put("territories", read_territories(pd.DataFrame({"territory": ["c"], "rep_id": ["R1"]})))
        there = tx.tables.get("calendar")
        assert there is not None
        pd.testing.assert_frame_equal(read_calendar(there), calendar)
        territories = tx.tables.get("territories")
        assert territories is not None
        assert list(territories["territory"]) == ["c"]
        with pytest.raises(UsageError, match="accounts, teams"):
            tx.tables.put("leads", calendar)


def test_text_that_a_database_cannot_hold_is_refused_by_both(store: Store) -> None:
    """A NUL or half a surrogate pair is bad input on SQLite too, and quotes and signs of SQL are only text."""
    for evil in ("a\x00b", "\ud800"):
        with pytest.raises(InputError, match="NUL"), store.read() as tx:
            tx.leads.get(evil)
    odd = "'; DROP TABLE leads; -- \u2028 🙂 %s :x"
    with store.write() as tx:
        tx.leads.upsert(leads(1, lead_id=[odd], contact=["\x01\ud800 a\x00"[:1]]))
        found = tx.leads.get(odd)
    assert found is not None
    assert found.lead_id == odd


def test_records_are_json_and_keep_every_digit() -> None:
    """Floats keep all their digits; what is missing or not finite is left out; the order of columns does not matter."""
    table = pd.DataFrame({"b": [0.1 + 0.2, float("nan")], "a": [START, pd.NaT], "c": [("x", "y"), ()]})
    assert records(table) == [{"a": "2026-03-02T07:00:00+00:00", "b": 0.30000000000000004, "c": ["x", "y"]}, {}]
    assert records(table[["c", "b", "a"]]) == records(table)
