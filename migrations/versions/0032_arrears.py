"""Arrears: what is owed for ended stays, how it is chased, and where one may leave first and pay later."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import grant

revision = "0032"
down_revision = "0031"

KINDS = "kind IN ('leaving', 'conduct'{})"
CHANGING = (
    "motorist_id, payee_id, amount_fen, charge_key, owed_since, owing, noticed_at, reminded_at, held_at"
)  # fmt: skip


def upgrade() -> None:
    _arrears()
    _pauses()
    _pay_later()
    _follow_the_charge()
    _guard_reservations()
    _know_former_debts()
    _template_kinds(", 'arrears'")
    grant(f"SELECT, INSERT, UPDATE ({CHANGING})", "arrear")
    grant("SELECT, INSERT, UPDATE (outcome, ended_by, ended_at)", "arrear_pause")
    grant("SELECT, INSERT, UPDATE (approved_by, approved_at, ended_by, ended_at)", "pay_later")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


def _key(name: str = "key", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _points(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")


def _arrears() -> None:
    op.create_table(
        "arrear",
        _id(), _key(), _key("stay_key"), _number("lot_id"), _number("motorist_id", nullable=True),
        _number("payee_id"), _number("amount_fen"), _key("charge_key", nullable=True), _moment("left_at"),
        _moment("owed_since"), sa.Column("owing", sa.Boolean, nullable=False), _moment("noticed_at", nullable=True),
        _moment("reminded_at", nullable=True), _moment("held_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_arrear"),
        sa.UniqueConstraint("key", name="uq_arrear_key"),
        sa.UniqueConstraint("stay_key", name="a_stay_is_owed_for_once"),
        sa.UniqueConstraint("charge_key", name="a_charge_is_one_arrear"),
        _points("arrear", "lot_id", "lot"),
        _points("arrear", "motorist_id", "motorist"),
        _points("arrear", "payee_id", "payee"),
        sa.ForeignKeyConstraint(
            ["charge_key", "payee_id", "amount_fen"], ["charge.key", "charge.payee_id", "charge.amount_fen"],
            name="an_arrear_is_what_its_charge_asks",
        ),
        sa.CheckConstraint("amount_fen > 0", name="an_arrear_is_for_money"),
        sa.CheckConstraint("(motorist_id IS NULL) = (charge_key IS NULL)", name="who_owes_is_charged"),
        sa.CheckConstraint(
            "(noticed_at IS NULL OR motorist_id IS NOT NULL) AND "
            "(reminded_at IS NULL OR (noticed_at <= reminded_at) IS TRUE) AND "
            "(held_at IS NULL OR (reminded_at <= held_at) IS TRUE)",
            name="nobody_is_held_to_it_before_he_was_told",
        ),
    )  # fmt: skip
    for name, column, where in (
        ("ix_arrear_holding", "motorist_id", "owing AND held_at IS NOT NULL"),
        ("ix_arrear_motorist_id_owing", "motorist_id", "owing"),
        ("ix_arrear_lot_id_owing", "lot_id", "owing"),
        ("ix_arrear_to_chase", "id", "owing AND held_at IS NULL AND motorist_id IS NOT NULL"),
    ):
        op.create_index(name, "arrear", [column], postgresql_where=sa.text(where))


def _pauses() -> None:
    op.create_table(
        "arrear_pause",
        _id(), _number("arrear_id"), _text("reason"), _number("paused_by"), _moment("paused_at"),
        _text("outcome", nullable=True), _number("ended_by", nullable=True), _moment("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_arrear_pause"),
        _points("arrear_pause", "arrear_id", "arrear"),
        _points("arrear_pause", "paused_by", "staff_account"),
        _points("arrear_pause", "ended_by", "staff_account"),
        sa.CheckConstraint("reason <> '' AND outcome <> ''", name="a_pause_says_why"),
        sa.CheckConstraint(
            "num_nonnulls(outcome, ended_by, ended_at) IN (0, 3) AND (ended_at IS NULL OR ended_at >= paused_at)",
            name="a_pause_that_ended_says_who_when_and_why",
        ),
    )  # fmt: skip
    op.create_index(
        "an_arrear_is_paused_once_at_a_time", "arrear_pause", ["arrear_id"],
        unique=True, postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip


def _pay_later() -> None:
    op.create_table(
        "pay_later",
        _id(), _key(), _number("lot_id"), _text("document_no"), _text("reason"), _number("file_id"),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False), _number("recorded_by"), _moment("recorded_at"),
        _number("approved_by", nullable=True), _moment("approved_at", nullable=True),
        _number("ended_by", nullable=True), _moment("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pay_later"),
        sa.UniqueConstraint("key", name="uq_pay_later_key"),
        _points("pay_later", "lot_id", "lot"),
        _points("pay_later", "file_id", "stored_file"),
        *(_points("pay_later", f"{deed}_by", "staff_account") for deed in ("recorded", "approved", "ended")),
        sa.CheckConstraint("document_no <> '' AND reason <> ''", name="a_deferral_names_document_and_reason"),
        sa.CheckConstraint("(isfinite(lower(valid)) AND isfinite(upper(valid))) IS TRUE", name="a_deferral_ends"),
        sa.CheckConstraint("recorded_by <> approved_by", name="nobody_approves_his_own_deferral"),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)", name="an_approved_deferral_says_who_and_when"
        ),
        sa.CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name="an_ended_deferral_says_who_and_when"),
        postgresql.ExcludeConstraint(
            (sa.column("lot_id"), "="), (sa.column("valid"), "&&"), using="gist",
            where=sa.text("approved_by IS NOT NULL AND ended_by IS NULL"), name="a_lot_defers_on_one_basis_at_a_time",
        ),
    )  # fmt: skip
    op.create_index("ix_pay_later_lot_id", "pay_later", ["lot_id"])


def _follow_the_charge() -> None:
    """What is owed is never a matter of opinion: it is read from the charge, whose row is locked for it."""
    op.execute(
        """
        CREATE FUNCTION owe_as_charged() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            charged record;
        BEGIN
            NEW.owing := true;
            IF NEW.charge_key IS NOT NULL THEN
                SELECT state, motorist_id INTO charged FROM charge WHERE key = NEW.charge_key FOR SHARE;
                IF charged.motorist_id IS DISTINCT FROM NEW.motorist_id THEN
                    RAISE EXCEPTION 'somebody else is charged' USING
                        ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_arrear_is_whose_charge_it_is';
                END IF;
                NEW.owing := charged.state = 'created';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER an_arrear_follows_its_charge BEFORE INSERT OR UPDATE OF charge_key, motorist_id, owing "
        "ON arrear FOR EACH ROW EXECUTE FUNCTION owe_as_charged()"
    )
    op.execute(
        """
        CREATE FUNCTION end_its_arrear() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE arrear SET owing = false WHERE charge_key = NEW.key;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_charge_ends_its_arrear AFTER UPDATE OF state ON charge FOR EACH ROW "
        "WHEN (OLD.state = 'created' AND NEW.state <> 'created') EXECUTE FUNCTION end_its_arrear()"
    )


def _guard_reservations() -> None:
    """A hold and a reservation of one motorist queue at his row; a bay offered for a lost one is not a new promise."""
    op.execute(
        """
        CREATE FUNCTION refuse_who_owes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM motorist WHERE id = NEW.motorist_id FOR NO KEY UPDATE;
            IF EXISTS (SELECT FROM arrear
                       WHERE motorist_id = NEW.motorist_id AND owing AND held_at IS NOT NULL
                         AND NOT EXISTS (SELECT FROM arrear_pause
                                         WHERE arrear_id = arrear.id AND ended_at IS NULL))
               AND NOT EXISTS (SELECT FROM displacement WHERE offer_claim_id = NEW.claim_id) THEN
                RAISE EXCEPTION 'the motorist owes' USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'who_owes_reserves_nothing_new';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER who_owes_reserves_nothing_new BEFORE INSERT ON reservation "
        "FOR EACH ROW EXECUTE FUNCTION refuse_who_owes()"
    )
    op.execute(
        """
        CREATE FUNCTION queue_at_the_motorist() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM motorist WHERE id = NEW.motorist_id FOR NO KEY UPDATE;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_hold_waits_for_reservations BEFORE UPDATE OF held_at ON arrear "
        "FOR EACH ROW EXECUTE FUNCTION queue_at_the_motorist()"
    )


def _know_former_debts() -> None:
    """Whoever left unpaid before is told now, and not held to it sooner than anybody else."""
    op.execute(
        """
        INSERT INTO arrear (key, stay_key, lot_id, motorist_id, payee_id, amount_fen, charge_key, left_at, owed_since)
        SELECT gen_random_uuid(), stay.key, stay.lot_id, charge.motorist_id, charge.payee_id, charge.amount_fen,
               charge.key, stay.exited_at, now()
        FROM stay JOIN bill ON bill.stay_id = stay.id JOIN charge ON charge.key = bill.charge_key
        WHERE stay.state = 'owing' AND charge.state = 'created' AND charge.amount_fen > 0
        """
    )


def _template_kinds(more: str) -> None:
    op.drop_constraint("a_template_is_of_a_known_kind", "message_template")
    op.create_check_constraint("a_template_is_of_a_known_kind", "message_template", KINDS.format(more))


def downgrade() -> None:
    op.execute(
        "DELETE FROM message_delivery USING message_template "
        "WHERE message_template.id = template_row AND kind = 'arrears'"
    )
    op.execute("DELETE FROM message_template WHERE kind = 'arrears'")
    _template_kinds("")
    op.execute("DROP TRIGGER who_owes_reserves_nothing_new ON reservation")
    op.execute("DROP TRIGGER a_charge_ends_its_arrear ON charge")
    for table in ("pay_later", "arrear_pause", "arrear"):
        op.drop_table(table)
    for function in ("owe_as_charged", "end_its_arrear", "refuse_who_owes", "queue_at_the_motorist"):
        op.execute(f"DROP FUNCTION {function}()")
