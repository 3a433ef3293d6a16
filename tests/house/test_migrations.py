"""The schema's history: numbered, in one line, takeable back, and equal to the models."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, pool, text

from app.domain.city_feed.rules import UPLOAD
from app.domain.claims.rules import CLAIM
from app.domain.departures.rules import TOW
from app.domain.gates.models import COMMAND
from app.domain.lots.rules import LOT, PLAN
from app.domain.messages.rules import DELIVERY
from app.domain.pricing.rules.flow import LOT_PRICE, REFERENCE, REFERENCE_SET
from app.domain.receipts.rules import MAIL
from app.domain.regulars.rules import APPLICATION, ROUND
from app.domain.reservations.rules import WAITLIST
from app.domain.stays.rules import STAY
from app.kernel.states import registered_rows
from migrations.tables import metadata, ours
from payments.charges.rules import CHARGE, ORDER
from payments.receipts.rules import RECEIPT
from payments.reconciliation.rules import DIFFERENCE, PLACEMENT
from payments.refunds.rules import REFUND
from payments.remittance.rules import REMITTANCE
from payments.shipping.rules import SHIPMENT
from tests.ground import Addresses
from tests.lines import PATIENT, linux, silence_borne

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
OLD_PAYEES: LiteralString = """
WITH opened AS (
    INSERT INTO payee (key, name, regime, tax_number, bank_name, bank_account, created_at)
    SELECT gen_random_uuid(), name, 'SOE', '91330100MA00000000', 'bank', name, now()
    FROM unnest(ARRAY['waiting', 'confirmed']) AS name RETURNING id, name
), told AS (
    INSERT INTO audit_entry (at, actor, action, subject, subject_id, request_id)
    SELECT now(), 'staff:1', 'payee.open', 'payee', id, 'test' FROM opened
)
INSERT INTO payee_confirmation (payee_id, confirmed_by, confirmed_at, note, sample)
SELECT id, 'staff:1', now(), 'test', false FROM opened WHERE name = 'confirmed'
"""
"""Before two persons were asked: one opened both, and confirmed one of them."""
OLD_CHANNELS: LiteralString = """
INSERT INTO merchant_channel (payee_id, sp_mchid, sub_mchid, opened_at)
SELECT id, '1', number::text, make_date(2026, number, 1)::timestamp AT TIME ZONE 'UTC'
FROM payee, generate_series(1, 2) AS number WHERE name = 'confirmed'
"""
OLD_TERMS: LiteralString = """
INSERT INTO receipt_terms (key, payee_id, regime, valid, item_code, item_name, vat_method, vat_basis_points, note,
    sample, recorded_by, recorded_at)
SELECT gen_random_uuid(), id, regime, '[2026-01-01,)', '3', '停车', 'general', 900, '函', false, 'staff:1', now()
FROM payee
"""
"""Before an enterprise said as what it invoices parking."""
MACHINES = (
    APPLICATION, CHARGE, CLAIM, COMMAND, DELIVERY, DIFFERENCE, LOT, LOT_PRICE, MAIL, ORDER, PLACEMENT, PLAN, RECEIPT,
    REFERENCE, REFERENCE_SET, REFUND, REMITTANCE, ROUND, SHIPMENT, STAY, TOW, UPLOAD, WAITLIST,
)  # fmt: skip


def config(url: str = "") -> Config:
    made = Config(MIGRATIONS / "alembic.ini")
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["url"] = url
    return made


@pytest.fixture
def empty_database(servers: Addresses, admin: psycopg.Connection[Any]) -> Iterator[str]:
    """A database of the owner's without any table."""
    name = f"{admin.info.dbname}_steps"
    owner = psycopg.conninfo.conninfo_to_dict(servers.migration.replace("+psycopg", "", 1))["user"]
    admin.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
    yield servers.migration.rsplit("/", 1)[0] + f"/{name}"
    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_migrations_are_numbered_in_one_line() -> None:
    steps = list(ScriptDirectory.from_config(config()).walk_revisions())
    numbers = [step.revision for step in reversed(steps)]
    assert numbers == [f"{number:04d}" for number in range(1, len(steps) + 1)]
    assert all(Path(step.path).name.startswith(f"{step.revision}_") for step in steps)


def test_every_migration_can_be_taken_back_and_made_again(empty_database: str) -> None:
    before = tables(empty_database)
    command.upgrade(config(empty_database), "head")
    made = tables(empty_database)
    command.downgrade(config(empty_database), "base")
    assert tables(empty_database) - before == {"alembic_version"}
    command.upgrade(config(empty_database), "0063")
    with psycopg.connect(empty_database.replace("+psycopg", "", 1)) as owner:
        owner.execute(OLD_PAYEES)
        owner.execute(OLD_CHANNELS)
    command.upgrade(config(empty_database), "0080")
    with psycopg.connect(empty_database.replace("+psycopg", "", 1)) as owner:
        owner.execute(OLD_TERMS)
    command.upgrade(config(empty_database), "head")
    assert tables(empty_database) == made
    with psycopg.connect(empty_database.replace("+psycopg", "", 1)) as owner:
        owner.execute("SET timezone TO UTC")
        opened = owner.execute("SELECT name, opened_by FROM payee ORDER BY name").fetchall()
        forms = owner.execute("SELECT DISTINCT invoice_form, area_unit, cross_city FROM receipt_terms").fetchall()
        taking = owner.execute("SELECT valid::text, reopened FROM merchant_channel ORDER BY sub_mchid").fetchall()
    assert opened == [("confirmed", "unrecorded"), ("waiting", "staff:1")]
    assert taking == [
        ('{["2026-01-01 00:00:00+00","2026-02-01 00:00:00+00")}', 0),
        ('{["2026-02-01 00:00:00+00",)}', 0),
    ]
    assert forms == [("plain", None, None)]


def seen_by(look: Callable[[psycopg.Connection[Any]], object], url: str) -> list[object]:
    """What each connection that migrating opens looks like."""
    seen: list[object] = []

    def connected(connection: psycopg.Connection[Any], _: object) -> None:
        seen.append(look(connection))
        connection.rollback()

    event.listen(Engine, "connect", connected)
    try:
        command.current(config(url))
    finally:
        event.remove(Engine, "connect", connected)
    return seen


def test_a_step_waits_for_no_table_so_long_that_all_wait_behind_it(empty_database: str) -> None:
    assert seen_by(lambda owner: owner.execute("SHOW lock_timeout").fetchall(), empty_database) == [[("5s",)]]


@linux
def test_a_step_waits_no_longer_than_everybody_for_a_database_that_is_gone(empty_database: str) -> None:
    assert seen_by(lambda owner: silence_borne(owner.fileno()), empty_database) == [PATIENT]


def test_whatever_is_kept_is_proven_of_old_rows_but_where_they_may_end_as_they_were(
    admin: psycopg.Connection[Any],
) -> None:
    unproven = admin.execute("SELECT conname FROM pg_constraint WHERE NOT convalidated").fetchall()
    assert unproven == [("fiscal_terms_name_their_payees_item",)]


def tables(url: str) -> set[str]:
    """Names of all tables, types and functions of ours."""
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        named = text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S') "
            "UNION SELECT proname || '()' FROM pg_proc p WHERE pronamespace = 'public'::regnamespace "
            "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        return set(connection.scalars(named))


def test_models_and_migrations_tell_the_same(servers: Addresses) -> None:
    with create_engine(servers.migration, poolclass=pool.NullPool).connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, metadata()) == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_graph_in_the_database_is_the_graph_in_the_code(admin: psycopg.Connection[Any], machine: Any) -> None:
    rows = admin.execute(
        "SELECT from_state, event, to_state FROM state_transition WHERE machine = %s", [machine.name]
    ).fetchall()
    told = {(row["from_state"], row["event"], row["to_state"]) for row in registered_rows(machine)}
    assert set(rows) == told


def test_every_graph_in_the_database_has_its_machine(admin: psycopg.Connection[Any]) -> None:
    names = {name for (name,) in admin.execute("SELECT DISTINCT machine FROM state_transition").fetchall()}
    assert names == {machine.name for machine in MACHINES}


def test_the_programs_role_owns_nothing(admin: psycopg.Connection[Any]) -> None:
    owned = admin.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND "
        "pg_has_role('app_rw', relowner, 'MEMBER')"
    ).fetchall()
    assert owned == []
