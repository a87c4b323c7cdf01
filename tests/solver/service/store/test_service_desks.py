"""Leases, outbox, idempotency, keys, audit, policies, models, runs: the rules that the service rests on."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from apportion.app.prints import model_print
from apportion.policy import load_policy
from apportion.service.store import LostError, OtherBodyError, StillRunningError, Store
from apportion.service.store.schema import api_keys, audit, model_files
from apportion_models.errors import ApportionError, ConflictError, ModelError, NotFoundError, UsageError
from tests.solver.service.conftest import FakeClock
from tests.solver.service.tables import leads, model


def test_a_lease_is_held_by_one(store: Store, clock: FakeClock) -> None:
    """Nobody takes it before it lapses; who was taken over is told so at every turn; the fence grows."""
    with store.write() as tx:
        mine = tx.leases.take("x", "a", 10)
        assert mine is not None
        assert tx.leases.take("x", "b", 10) is None
    clock.turn(9)
    with store.write() as tx:
        mine = tx.leases.beat(mine, 10)
    clock.turn(9)
    with store.write() as tx:
        assert tx.leases.take("x", "b", 10) is None
    clock.turn(1)
    with store.write() as tx:
        theirs = tx.leases.take("x", "b", 10)
        assert theirs is not None
        assert theirs.fence == mine.fence + 1
        tx.leases.give_back(mine)  # does nothing
        for act in (lambda: tx.leases.beat(mine, 10), lambda: tx.leases.hold(mine)):
            with pytest.raises(LostError, match="taken over from a"):
                act()
        tx.leases.hold(theirs)
        assert tx.leases.holder("x") == theirs
        tx.leases.give_back(theirs)
        assert tx.leases.holder("x") is None
        again = tx.leases.take("x", "a", 10)
        assert again is not None
        assert again.fence == theirs.fence + 1


def test_a_clock_that_jumps_breaks_no_lease(store: Store, clock: FakeClock) -> None:
    """Back in time, a lease lasts longer; forward, it is taken over, and the fence keeps the first from acting."""
    with store.write() as tx:
        mine = tx.leases.take("x", "a", 10)
        assert mine is not None
    clock.turn(-3600)
    with store.write() as tx:
        assert tx.leases.take("x", "b", 10) is None
    clock.turn(7200)
    with store.write() as tx:
        assert tx.leases.take("x", "b", 10) is not None
        with pytest.raises(LostError):
            tx.leases.hold(mine)


def test_letters_are_written_once_a_sink_and_key(store: Store, clock: FakeClock) -> None:
    """Taken letters are out of sight until their time is over, then due again with the same key."""
    with store.write() as tx:
        assert tx.outbox.add(topic="t", key="k", payload={"a": 1}, sinks=["one", "two"]) == 2
        assert tx.outbox.add(topic="t", key="k", payload={"a": 2}, sinks=["two", "three"]) == 1
        first = tx.outbox.take("w", seconds=30, sink="one")
        assert [(letter.key, letter.attempts, letter.payload) for letter in first] == [("k", 1, {"a": 1})]
        assert tx.outbox.take("w", seconds=30, sink="one") == []
    clock.turn(31)
    with store.write() as tx:
        second = tx.outbox.take("w2", seconds=30, sink="one")
        assert [(letter.key, letter.attempts) for letter in second] == [("k", 2)]
        assert not tx.outbox.delivered(first[0])  # too late: another has it
        assert tx.outbox.delivered(second[0])
        assert not tx.outbox.delivered(second[0])
    clock.turn(3600)
    with store.write() as tx:
        assert [letter.sink for letter in tx.outbox.take("w", seconds=30)] == ["two", "three"]
        assert tx.outbox.counts() == {"delivered": 1, "waiting": 2}


def test_letters_come_back_at_their_time_and_from_the_dead(store: Store, clock: FakeClock) -> None:
    """A letter waits until the moment it was put off to; a dead one comes back when a person says so."""
    with store.write() as tx:
        tx.outbox.add(topic="t", key="k", payload={}, sinks=["s"])
        (letter,) = tx.outbox.take("w", seconds=30)
        assert tx.outbox.again(letter, at=clock.now + dt.timedelta(seconds=90), error="500")
    clock.turn(89)
    with store.write() as tx:
        assert tx.outbox.take("w", seconds=30) == []
    clock.turn(1)
    with store.write() as tx:
        (letter,) = tx.outbox.take("w", seconds=30)
        assert tx.outbox.dead(letter, error="gone")
        assert [dead.error for dead in tx.outbox.page(state="dead")] == ["gone"]
        assert tx.outbox.replay([letter.id]) == 1
        assert [back.attempts for back in tx.outbox.take("w", seconds=30)] == [1]


def test_a_key_gets_one_answer(store: Store, clock: FakeClock) -> None:
    """The same body gets the same answer, another a refusal; an unanswered one a conflict, and later another try."""
    ask = {"scope": "key1 POST /v1/leads", "key": "k"}
    with store.write() as tx:
        assert tx.idempotency.begin(**ask, body_hash="h", seconds=60) is None
    with store.write() as tx:
        with pytest.raises(StillRunningError):
            tx.idempotency.begin(**ask, body_hash="h")
        with pytest.raises(OtherBodyError):
            tx.idempotency.begin(**ask, body_hash="other")
        assert tx.idempotency.begin(scope="key2", key="k", body_hash="other") is None
    clock.turn(61)
    with store.write() as tx:
        assert tx.idempotency.begin(**ask, body_hash="h") is None
        tx.idempotency.finish(**ask, status=201, response={"x": [1.5]})
    clock.turn(3600)
    with store.write() as tx:
        answer = tx.idempotency.begin(**ask, body_hash="h")
        assert answer is not None
        assert (answer.status, answer.response) == (201, {"x": [1.5]})
        assert tx.idempotency.sweep() == 1  # key2's, never answered
    clock.turn(86_400)
    with store.write() as tx:
        assert tx.idempotency.begin(**ask, body_hash="new") is None


def test_keys_are_known_by_hash_alone(store: Store, clock: FakeClock) -> None:
    """No secret is stored; the wrong one, a revoked and an expired one are nobody's; an old one has its grace."""
    with store.write() as tx:
        key, secret = tx.keys.create("crm", ["read", "write"], expires_at=clock.now + dt.timedelta(days=2))
        stored = json.dumps([list(map(str, row)) for row in tx.connection.execute(sa.select(api_keys))])
        assert secret not in stored
        assert secret.rpartition("_")[2] not in stored
        assert tx.keys.check(secret) == key
        assert key.may("read")
        assert not key.may("admin")
        for wrong in ("", "x", secret[:-1], secret + "0", f"apn_{key.key_id}_", "apn_a\x00_b", "\ud800", "apn_'_''"):
            assert tx.keys.check(wrong) is None
        rotated, new = tx.keys.rotate(key.key_id, grace=dt.timedelta(hours=1))
        assert tx.keys.check(new) == tx.keys.check(secret) == rotated
    clock.turn(3600)
    with store.write() as tx:
        assert tx.keys.check(secret) is None
        assert tx.keys.check(new) is not None
        _, other = tx.keys.create("other", ["admin"])
        assert tx.keys.revoke(tx.keys.check(other).key_id).revoked_at == clock.now  # type: ignore[union-attr]
        assert tx.keys.check(other) is None
    clock.turn(2 * 86_400)
    with store.write() as tx:
        assert tx.keys.check(new) is None
        for scopes in ([], ["read", "everything"]):
            with pytest.raises(UsageError, match="scopes must be some of"):
                tx.keys.create("x", scopes)
        with pytest.raises(NotFoundError):
            tx.keys.revoke("nobody")


def test_the_trail_cannot_be_changed(store: Store) -> None:
    """The database refuses to change or remove an entry; where that is got round, the hashes tell the place."""
    for count in (2, 3, 4):
        with store.write(actor="test") as tx:
            tx.leads.upsert(leads(count))
    for change in (
        sa.update(audit).values(actor="somebody else"),
        sa.delete(audit).where(audit.c.seq == 3),
        sa.text("DELETE FROM audit"),
    ):
        with pytest.raises(ApportionError, match="append-only"), store.write() as tx:
            tx.connection.execute(change)
    with store.read() as tx:
        assert tx.audit.verify().ok
        assert [(entry.actor, entry.action, entry.about["new"]) for entry in tx.audit.page()] == [
            ("test", "leads.upsert", new) for new in (2, 1, 1)
        ]
    drop = ["DROP TRIGGER audit_no_update"] if store.embedded else ["DROP TRIGGER audit_no_change ON audit"]
    with store.write() as tx:
        for statement in (*drop, "UPDATE audit SET actor = 'forger' WHERE seq = 2"):
            tx.connection.exec_driver_sql(statement)
        assert tx.audit.verify().broken_at == 2


def test_what_comes_to_nothing_leaves_no_entry(store: Store) -> None:
    """A transaction that raises changes nothing, the trail neither."""
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        tx.leads.upsert(leads(3))
        raise ZeroDivisionError
    with store.read() as tx:
        assert tx.leads.counts() == {}
        assert tx.audit.verify().entries == 0


def test_reading_sees_one_state(store: Store) -> None:
    """What is written meanwhile is not seen before the next reading, and reading cannot write."""
    with store.read() as tx:
        assert tx.leads.counts() == {}
        with store.write() as other:
            other.leads.upsert(leads(2))
        assert tx.leads.counts() == {}
    with store.read() as tx:
        assert tx.leads.counts() == {"waiting": 2}


def test_policies_are_known_by_content(store: Store) -> None:
    """Equal rules have one version; the active one changes and rolls back, step by step, to the first."""
    plans = [load_policy({"name": name, "window": {"days": days}}) for name, days in (("a", 1), ("b", 2), ("c", 3))]
    with store.write() as tx:
        assert tx.policies.active() is None
        versions = [tx.policies.add(policy).version for policy in plans]
        assert [tx.policies.add(policy).version for policy in plans] == versions
        for version in versions:
            tx.policies.activate(version)
        active = tx.policies.active()
        assert active is not None
        assert active.policy == plans[2]
        assert active.policy.fingerprint == active.fingerprint
        assert tx.policies.roll_back() == versions[1]
        tx.policies.activate(versions[1])  # it is already: nothing happens
        assert tx.policies.roll_back() == versions[0]
        with pytest.raises(ConflictError, match="nothing to roll back"):
            tx.policies.roll_back()
        assert tx.policies.active_version() == versions[0]
        with pytest.raises(NotFoundError):
            tx.policies.activate(99)
        assert [one.version for one in tx.policies.page()] == versions[::-1]


def test_the_largest_policy_comes_back(store: Store) -> None:
    """Every rule of the commented example survives being stored, predicates and prices too."""
    policy = load_policy("docs/examples/policy.yaml")
    with store.write() as tx:
        assert tx.policies.add(policy).policy.fingerprint == policy.fingerprint


def test_models_are_kept_to_the_byte(store: Store) -> None:
    """A model from the store predicts as before; a damaged file is refused."""
    with store.write() as tx:
        kept = tx.models.add(model())
        assert tx.models.add(model()) == kept
        assert model_print(tx.models.load(kept.version)) == model_print(model()) == kept.fingerprint
        assert tx.models.get(kept.version).card == model().card_
        with pytest.raises(NotFoundError):
            tx.models.load(9)
        tx.connection.execute(sa.update(model_files).values(content=b"{}"))
        with pytest.raises(ModelError, match="changed in the store"):
            tx.models.load(kept.version)


def test_a_slot_has_one_run(store: Store, clock: FakeClock) -> None:
    """The second who asks for a slot's run gets None; runs without a slot are as many as are asked for."""
    with store.write() as tx:
        first = tx.runs.add(schedule="morning", slot=clock.now)
        assert first is not None
        assert first.at == clock.now
        assert tx.runs.add(schedule="morning", slot=clock.now) is None
        assert tx.runs.add(schedule="evening", slot=clock.now) is not None
        assert tx.runs.add() is not None
        assert tx.runs.add() is not None
        assert tx.runs.of_slot("morning", clock.now) == first
        assert tx.runs.last_slot("morning") == clock.now
        assert tx.runs.last_slot("never") is None
        numbers = [run.number for run in tx.runs.page()]
        assert numbers == sorted(numbers, reverse=True)
        assert len(set(numbers)) == 4


def test_one_batch_runs_at_a_time(store: Store) -> None:
    """Two batches would give the same capacity away: the second waits, plans of other tables do not."""
    with store.write() as tx:
        for kind in ("batch", "batch", "given"):
            tx.runs.add(kind=kind)
        taken = [tx.runs.take("w", 60)]
        assert taken[0] is not None
        run, lease = taken[0]
        tx.runs.start(run, lease)
        other = tx.runs.take("w2", 60)
        assert other is not None
        assert other[0].kind == "given"
        assert tx.runs.take("w3", 60) is None
        tx.runs.stop(run, lease)
        third = tx.runs.take("w3", 60)
        assert third is not None
        assert third[0].kind == "batch"


def test_cancelling(store: Store) -> None:
    """A run that waits ends at once; one that runs is told; one that is over cannot be called off."""
    with store.write() as tx:
        waiting, running = tx.runs.add(), tx.runs.add()
        assert waiting is not None
        assert running is not None
        assert tx.runs.cancel(waiting.run_id).state == "cancelled"
        taken = tx.runs.take("w", 60)
        assert taken is not None
        run, lease = taken
        tx.runs.start(run, lease)
        assert not tx.runs.tell(lease, 60, {"step": "Solving"})
        assert tx.runs.cancel(run.run_id).state == "running"
        assert tx.runs.tell(lease, 60)
        assert tx.runs.get(run.run_id).progress == {"step": "Solving"}
        assert tx.runs.stop(run, lease).state == "cancelled"
        with pytest.raises(ConflictError, match="cancelled already"):
            tx.runs.cancel(run.run_id)
        with pytest.raises(NotFoundError):
            tx.runs.cancel("none")
