"""The log in the database: who may write it, what is sealed when, and that nothing done to it stays unnoticed."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import InsufficientPrivilege, IntegrityConstraintViolation
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DataError

from app.adapters.anchors import AnchorsUnreadable, FolderAnchors
from app.domain.audit import actions
from app.domain.audit.models import AuditBlock, AuditCheck
from app.domain.audit.queries import proof, proved, standing
from app.domain.audit.rules import Printed
from app.domain.tasks.models import Task
from app.kernel import audit
from app.kernel.audit import AuditEntry
from app.kernel.db import transaction
from tests.audit.scene import deeds, deeds_at_once, kept, lines, seal_all, several_blocks
from tests.commands import run
from tests.ground import Addresses

TELL = (
    "INSERT INTO audit_entry (at, actor, action, subject, subject_id, request_id) VALUES (now(), 'x', 'x', 'x', 1, '')"
)
IN_THE_DATABASE = 200


@pytest.fixture
def late(database: Addresses) -> Callable[[], psycopg.Connection[Any]]:
    """A writer whose transaction stays open until it is told."""
    return lambda: psycopg.connect(database.app.replace("+psycopg", "", 1))


def test_a_block_says_what_its_entries_say(place: FolderAnchors, database: Addresses) -> None:
    """The database seals and the program proves: two writings of one canon."""
    deeds_at_once(3, actor="staff:1 某人")
    found = seal_all([place])
    assert found.faults == []
    assert (found.blocks, found.entries, found.unsealed) == (1, 3, 0)


def test_an_anchor_outside_says_where_the_chain_stands(place: FolderAnchors, database: Addresses) -> None:
    several_blocks([place], blocks=3, each=2)
    head = standing()
    assert head is not None
    assert (head.block_no, head.entries) == (3, 6)
    last = place.last()
    assert last is not None
    assert (last.block_no, last.hash, last.rows) == (3, head.hash, 6)
    assert [each.block_no for each in place.all()] == [1, 2, 3]
    assert actions.anchor([place]) == 0, "the head is there already"


def test_what_a_running_transaction_may_still_say_is_not_passed_by(
    database: Addresses, late: Callable[[], psycopg.Connection[Any]]
) -> None:
    with late() as writer:
        writer.execute(TELL)
        deeds(2)
        actions.seal()
        assert proof([]).entries == 0, "the late writer has the smaller number"
        writer.commit()
    found = seal_all()
    assert (found.entries, found.faults) == (3, [])


def test_a_number_that_is_never_used_is_no_gap(
    database: Addresses, late: Callable[[], psycopg.Connection[Any]]
) -> None:
    deeds(1)
    with late() as writer:
        writer.execute(TELL)
        writer.rollback()
    deeds(1)
    assert seal_all().faults == []


def test_everything_is_sealed_once_while_many_write_and_some_commit_late(app: Flask, database: Addresses) -> None:
    done = threading.Event()

    def write(seed: int) -> int:
        chance, written = random.Random(seed), 0
        with psycopg.connect(database.app.replace("+psycopg", "", 1)) as writer:
            for _ in range(40):
                count = chance.randint(1, 3)
                for _ in range(count):
                    writer.execute(TELL)
                if chance.random() < 0.2:
                    writer.rollback()
                else:
                    writer.commit()
                    written += count
        return written

    def seal() -> None:
        with app.app_context():
            while not done.is_set():
                actions.seal()

    with ThreadPoolExecutor(7) as pool:
        sealers = [pool.submit(seal) for _ in range(2)]
        written = sum(pool.map(write, range(5)))
        done.set()
        for each in sealers:
            each.result()
    found = seal_all()
    assert (found.entries, found.faults) == (written, [])


def test_the_program_can_add_deeds_and_nothing_else(late: Callable[[], psycopg.Connection[Any]]) -> None:
    several_blocks([])
    for refused in (
        "UPDATE audit_entry SET actor = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "INSERT INTO audit_entry (at, transaction_id) VALUES (now(), 4)",
        "INSERT INTO audit_entry (id, at) OVERRIDING SYSTEM VALUE VALUES (4, now())",
        "INSERT INTO audit_block SELECT * FROM audit_block",
        "UPDATE audit_block SET entries = 1",
        "DELETE FROM audit_anchor",
        "UPDATE audit_check SET faults = 0",
    ):
        with late() as writer, pytest.raises(InsufficientPrivilege):
            writer.execute(refused.encode())


def test_the_owner_of_the_schema_cannot_rewrite_it_either(place: FolderAnchors, database: Addresses) -> None:
    several_blocks([place], blocks=1)
    actions.check([place])
    for table, column in (
        ("audit_entry", "actor"), ("audit_block", "hash"), ("audit_anchor", "place"), ("audit_check", "faults")
    ):  # fmt: skip
        for refused in ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"):
            owner = psycopg.connect(database.migration.replace("+psycopg", "", 1))
            with owner, pytest.raises(IntegrityConstraintViolation) as refusal:
                owner.execute(refused.format(table, column).encode())
            assert refusal.value.diag.constraint_name == f"{table}_is_append_only"


TAMPERS: dict[str, str] = {
    "change a field": "UPDATE audit_entry SET {column} WHERE id = {row}",
    "remove a row": "DELETE FROM audit_entry WHERE id = {row}",
    "swap two rows": (
        "UPDATE audit_entry a SET actor = b.actor, detail = b.detail, subject_id = b.subject_id, at = b.at "
        "FROM audit_entry b WHERE (a.id, b.id) IN (({row}, {other}), ({other}, {row}))"
    ),
    "insert a row": (
        "INSERT INTO audit_entry (id, at, actor, action, subject, subject_id, detail, request_id, transaction_id) "
        "OVERRIDING SYSTEM VALUE SELECT 900000 + id, at, actor, action, subject, subject_id, detail, request_id, "
        "transaction_id FROM audit_entry WHERE id = {row}"
    ),
    "move a row to later": "UPDATE audit_entry SET transaction_id = transaction_id + 100000000 WHERE id = {row}",
    "cut the tail": (
        "DELETE FROM audit_entry WHERE transaction_id >= (SELECT from_xid FROM audit_block WHERE block_no = {block}); "
        "DELETE FROM audit_block WHERE block_no >= {block}"
    ),
    "cut the tail and the notes": (
        "DELETE FROM audit_anchor WHERE block_no >= {block}; "
        "DELETE FROM audit_entry WHERE transaction_id >= (SELECT from_xid FROM audit_block WHERE block_no = {block}); "
        "DELETE FROM audit_block WHERE block_no >= {block}"
    ),
    "remove a block": "DELETE FROM audit_block WHERE block_no = {block}",
    "change a block": "UPDATE audit_block SET {block_column} WHERE block_no = {block}",
    "change a note": "UPDATE audit_anchor SET digest = sha256(digest) WHERE block_no = {block}",
}
COLUMNS = (
    "at = at + interval '1 microsecond'", "actor = actor || ' '", "action = 'lots.see'", "subject = 'unit'",
    "subject_id = subject_id + 1", "detail = detail || '{\"bays\": 99}'", "request_id = 'x'",
    "transaction_id = transaction_id - 1",
)  # fmt: skip
BLOCK_COLUMNS = (
    "hash = sha256(hash)", "root = sha256(root)", "previous = sha256(previous)", "first_id = first_id - 1",
    "leaves = set_byte(leaves, 11, get_byte(leaves, 11) # 1)", "sealed_at = sealed_at + interval '1 second'",
    "below_xid = below_xid + 1", "from_xid = from_xid - 1",
)  # fmt: skip


def does(superuser: Connection, statements: str) -> None:
    for statement in statements.split("; "):
        superuser.exec_driver_sql(statement)


def test_hundreds_of_tamperings_in_the_database_are_all_found(place: FolderAnchors, superuser: Connection) -> None:
    found = several_blocks([place])
    assert found.faults == []
    with transaction() as session:
        numbers = session.scalars(select(AuditEntry.id)).all()
    chance, missed, anchors = random.Random(20260610), [], kept(place)
    for number in range(IN_THE_DATABASE):
        name = list(TAMPERS)[number % len(TAMPERS)]
        row, other = chance.sample(numbers, 2)
        statement = TAMPERS[name].format(
            row=row, other=other, block=chance.randint(1, found.blocks),
            column=chance.choice(COLUMNS), block_column=chance.choice(BLOCK_COLUMNS),
        )  # fmt: skip
        does(superuser, statement)
        if proved(superuser, anchors).is_sound:
            missed.append(statement)
        superuser.rollback()
    assert missed == []
    assert proved(superuser, anchors).is_sound


def test_a_changed_row_is_named_and_the_command_fails(
    app: Flask, wired_place: FolderAnchors, admin: psycopg.Connection[Any]
) -> None:
    several_blocks([wired_place], blocks=2)
    assert run(app, None, "audit", "verify", "--json").exit_code == 0
    with transaction() as session:
        last = session.scalars(select(AuditEntry.id).order_by(AuditEntry.id.desc())).first()
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("UPDATE audit_entry SET actor = 'staff:2' WHERE id = %s", [last])
    told = run(app, None, "audit", "verify", "--json")
    assert told.exit_code == 1
    fault = {"kind": "row_changed", "block": 2, "row": last, "place": None, "more": 0}
    assert f'"faults": [{fault}]'.replace("'", '"').replace("None", "null") in told.stdout
    shown = run(app, None, "audit", "verify")
    assert shown.exit_code == 1
    assert str(last) in shown.stdout
    assert "记录内容被改动" in shown.stdout


def test_a_printed_anchor_finds_a_tail_that_was_cut_with_everything_that_knew_of_it(
    place: FolderAnchors, superuser: Connection
) -> None:
    several_blocks([place], blocks=3)
    head = standing()
    assert head is not None
    sheet = [Printed(head.block_no, head.hash)]
    place.file.write_text("\n".join(lines(place.folder)[:2]) + "\n")
    does(superuser, TAMPERS["cut the tail and the notes"].format(block=3))
    assert proved(superuser, kept(place)).is_sound, "everybody who knew is silent"
    assert {fault.kind for fault in proved(superuser, kept(place), sheet).faults} == {"tail_cut"}


def test_an_anchor_taken_from_the_file_is_missed(place: FolderAnchors, database: Addresses) -> None:
    several_blocks([place], blocks=3, each=1)
    told = lines(place.folder)
    for kind, left in {"anchor_changed": [told[0], told[2]], "anchor_removed": told[:2]}.items():
        place.file.write_text("\n".join(left) + "\n")
        assert kind in {fault.kind for fault in proof([place]).faults}
    place.file.write_text("no anchor\n")
    with pytest.raises(AnchorsUnreadable):
        proof([place])


def test_a_check_is_written_down_and_what_it_finds_is_a_task(
    place: FolderAnchors, admin: psycopg.Connection[Any], database: Addresses
) -> None:
    several_blocks([place], blocks=1)
    assert actions.check([place]).is_sound
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("DELETE FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry)")
    actions.check([place])
    actions.check([place])
    with transaction() as session:
        checks = session.scalars(select(AuditCheck.faults).order_by(AuditCheck.id)).all()
        tasks = session.scalars(select(Task).filter_by(kind=actions.BROKEN)).all()
    assert checks == [0, 1, 1]
    assert [task.detail["first"]["kind"] for task in tasks] == ["row_removed"]


@pytest.fixture
def spoilt(tmp_path: Path) -> FolderAnchors:
    """A place whose only line has an end, and is no anchor."""
    spoilt = FolderAnchors(tmp_path / "spoilt")
    spoilt.folder.mkdir()
    spoilt.file.write_text('{"block":1,"ha\n')
    return spoilt


def test_a_place_that_cannot_be_read_keeps_no_other_from_its_anchor(
    place: FolderAnchors, spoilt: FolderAnchors, database: Addresses
) -> None:
    deeds(1)
    seal_all()
    with pytest.raises(ExceptionGroup) as failed:
        actions.anchor([spoilt, place])
    assert failed.value.subgroup(AnchorsUnreadable) is not None
    assert [each.block_no for each in place.all()] == [1]
    assert open_kinds() == {actions.UNANCHORED}
    actions.anchor([place])
    assert open_kinds() == set()


def open_kinds() -> set[str]:
    with transaction() as session:
        return set(session.scalars(select(Task.kind).where(Task.closed_at.is_(None))))


def test_a_place_that_cannot_be_read_is_written_down_and_a_task(
    place: FolderAnchors, spoilt: FolderAnchors, database: Addresses
) -> None:
    several_blocks([place], blocks=1)
    found = actions.check([spoilt, place])
    assert (found.blocks, [fault.kind for fault in found.faults]) == (1, ["anchors_unreadable"])
    with transaction() as session:
        assert session.scalars(select(AuditCheck.faults)).all() == [1]
        (task,) = session.scalars(select(Task).filter_by(kind=actions.BROKEN)).all()
    assert task.detail["first"]["place"] == spoilt.name


def test_a_check_is_asked_for_once_a_day(
    evening: datetime, at: Callable[[datetime], None], admin: psycopg.Connection[Any]
) -> None:
    assert actions.ask_for_check() == 0, "there is nothing to prove yet"
    deeds(1)
    seal_all()
    assert actions.ask_for_check() == 1
    actions.check([])
    admin.execute("DELETE FROM procrastinate_jobs")
    assert actions.ask_for_check() == 0
    at(evening + timedelta(days=1))
    assert actions.ask_for_check() == 1


@pytest.mark.parametrize("state", ["todo", "doing"])
def test_a_check_that_waits_or_lasts_is_not_asked_for_again(
    evening: datetime, admin: psycopg.Connection[Any], state: str
) -> None:
    deeds(1)
    seal_all()
    assert actions.ask_for_check() == 1
    admin.execute("UPDATE procrastinate_jobs SET status = %s", [state])
    assert actions.ask_for_check() == 0
    admin.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert actions.ask_for_check() == 1


def test_a_transaction_that_does_not_end_is_a_task_until_it_does(
    evening: datetime, at: Callable[[datetime], None], late: Callable[[], psycopg.Connection[Any]]
) -> None:
    with late() as writer:
        writer.execute(TELL)
        deeds(1)
        at(evening + timedelta(hours=2))
        actions.seal()
        assert _open_tasks() == 1
        writer.commit()
    seal_all()
    actions.seal()
    assert _open_tasks() == 0


def test_a_log_that_cannot_be_sealed_is_a_task_although_sealing_fails(
    evening: datetime, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    deeds(1)
    at(evening + timedelta(hours=2))
    with monkeypatch.context() as broken:
        broken.setattr(actions, "_SEAL", text("SELECT 1 / 0 WHERE :moment IS NOT NULL AND :at_most > 0"))
        with pytest.raises(DataError):
            actions.seal()
    assert _open_tasks() == 1
    seal_all()
    actions.seal()
    assert _open_tasks() == 0


def test_a_block_takes_as_long_as_its_largest_transaction_needs(database: Addresses) -> None:
    with transaction() as session:
        actions.seal()
        assert session.scalar(text("SHOW statement_timeout")) == "0"


def _open_tasks() -> int:
    with transaction() as session:
        return session.query(Task).filter_by(kind=actions.UNSEALED, closed_at=None).count()


def test_a_block_holds_no_more_than_it_should(database: Addresses) -> None:
    deeds(7)
    with transaction():
        for _ in range(4):
            audit.record("lots.change", "lot", 1, "staff:1")
    deeds(1)
    sizes: list[int] = []
    for _ in range(10_000):
        with transaction() as session:
            sizes += [session.scalar(text("SELECT seal_audit(now(), 3)")) or 0]
        if sum(sizes) == 12:
            break
    with transaction() as session:
        held = session.scalars(select(AuditBlock.entries).order_by(AuditBlock.block_no)).all()
    assert sum(held) == 12
    assert max(held) <= 5, "a transaction is never torn"
    assert proof([]).is_sound
