"""Visits: who receives a lot's money, reservations, stays, bills and turn-aways."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph, only_ends

revision = "0006"
down_revision = "0005"

STAY = (
    ("", "enter", "parked"),
    ("parked", "leave", "owing"),
    ("parked", "leave_paid", "settled"),
    ("owing", "settle", "settled"),
)
TABLES = ("turn_away", "passage_outcome", "bill", "stay", "cancellation", "reservation", "lot_payee")
FUNCTIONS = (
    "a_bill_says_the_same_for_ever",
    "a_bill_is_for_the_lots_payee",
    "a_bill_is_paid_with_its_charge",
    "a_stay_ends_once_and_keeps_its_owner",
    "a_passage_is_understood_once",
)


def upgrade() -> None:
    _payees()
    _reservations()
    _stays()
    _bills_stay_as_they_were()
    _bills_are_true()
    _visits_happen_once()
    graph("stay", STAY)
    follows_graph("stay", "stay")
    append_only("reservation", "cancellation", "turn_away")
    grant("SELECT, INSERT, UPDATE", "bill")
    grant("SELECT, INSERT, UPDATE (state, exited_at, exit_event_id, motorist_id, claim_id)", "stay")
    grant("SELECT, INSERT, UPDATE (outcome, stay_id)", "passage_outcome")
    only_ends("lot_payee")


def _payees() -> None:
    op.create_table(
        "lot_payee",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("unit_id", sa.BigInteger, nullable=False),
        sa.Column("unit_kind", sa.Text, nullable=False),
        sa.Column("unit_level", sa.Text, nullable=False),
        sa.Column("district_code", sa.Text, nullable=False),
        sa.Column("payee_id", sa.BigInteger, nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False),
        sa.Column(
            "purse",
            sa.Text,
            sa.Computed(
                "CASE WHEN unit_kind = 'enterprise'::text THEN 'enterprise'::text "
                "WHEN unit_level = 'city'::text THEN 'city'::text ELSE district_code END",
                persisted=True,
            ),
            nullable=False,
        ),
        postgresql.ExcludeConstraint(
            (sa.column("lot_id"), "="), (sa.column("valid"), "&&"), using="gist", name="a_lot_has_one_payee_at_a_time"
        ),
        sa.ForeignKeyConstraint(
            ["lot_id", "unit_id"], ["lot.id", "lot.unit_id"], name="a_lots_payee_is_for_the_lots_unit"
        ),
        sa.ForeignKeyConstraint(
            ["unit_id", "unit_kind", "unit_level", "district_code"],
            ["unit.id", "unit.kind", "unit.level", "unit.district_code"],
            name="a_lots_payee_knows_the_unit",
        ),
        sa.ForeignKeyConstraint(
            ["payee_id", "purse"], ["payee.id", "payee.purse"], name="a_lot_pays_the_purse_of_its_unit"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_lot_payee"),
    )


def _reservations() -> None:
    op.create_table(
        "reservation",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("motorist_id", sa.BigInteger, nullable=False),
        sa.Column("vehicle_id", sa.BigInteger, nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("claim_id", sa.BigInteger, nullable=False),
        sa.Column("agreement_signature_id", sa.BigInteger, nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("begins_at < ends_at", name="a_reservation_begins_before_it_ends"),
        sa.ForeignKeyConstraint(
            ["agreement_signature_id"], ["agreement_signature.id"], name="fk_reservation_agreement_signature_id"
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["bay_claim.id"], name="fk_reservation_claim_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_reservation_lot_id"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_reservation_motorist_id"),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicle.id"], name="fk_reservation_vehicle_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reservation"),
        sa.UniqueConstraint("claim_id", name="uq_reservation_claim_id"),
        sa.UniqueConstraint("key", name="uq_reservation_key"),
    )
    op.create_index("ix_reservation_motorist_id_id", "reservation", ["motorist_id", "id"], unique=False)
    op.create_table(
        "cancellation",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("reservation_id", sa.BigInteger, nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_time", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name="fk_cancellation_reservation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_cancellation"),
        sa.UniqueConstraint("reservation_id", name="uq_cancellation_reservation_id"),
    )


def _stays() -> None:
    op.create_table(
        "stay",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("claim_id", sa.BigInteger, nullable=True),
        sa.Column("plate_id", sa.BigInteger, nullable=True),
        sa.Column("motorist_id", sa.BigInteger, nullable=True),
        sa.Column("code_digest", sa.LargeBinary, nullable=False),
        sa.Column("vehicle_class", sa.Text, nullable=False),
        sa.Column("entry_event_id", sa.BigInteger, nullable=False),
        sa.Column("exit_event_id", sa.BigInteger, nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.CheckConstraint("(state = 'parked') = (exited_at IS NULL)", name="a_stay_that_ended_has_an_exit"),
        sa.CheckConstraint("state IN ('parked', 'owing', 'settled')", name="a_stay_is_parked_owing_or_settled"),
        sa.CheckConstraint("exited_at >= entered_at", name="a_car_leaves_after_it_entered"),
        sa.ForeignKeyConstraint(["claim_id"], ["bay_claim.id"], name="fk_stay_claim_id"),
        sa.ForeignKeyConstraint(["entry_event_id"], ["gate_event.id"], name="fk_stay_entry_event_id"),
        sa.ForeignKeyConstraint(["exit_event_id"], ["gate_event.id"], name="fk_stay_exit_event_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_stay_lot_id"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_stay_motorist_id"),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name="fk_stay_plate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stay"),
        sa.UniqueConstraint("claim_id", name="uq_stay_claim_id"),
        sa.UniqueConstraint("code_digest", name="uq_stay_code_digest"),
        sa.UniqueConstraint("entry_event_id", name="uq_stay_entry_event_id"),
        sa.UniqueConstraint("exit_event_id", name="uq_stay_exit_event_id"),
        sa.UniqueConstraint("key", name="uq_stay_key"),
    )
    op.create_index(
        "a_plate_is_parked_once_in_a_lot",
        "stay",
        ["lot_id", "plate_id"],
        unique=True,
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.create_index("ix_stay_motorist_id_id", "stay", ["motorist_id", "id"], unique=False)
    op.create_index("ix_stay_plate_id", "stay", ["plate_id"], unique=False)
    op.create_table(
        "bill",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("stay_id", sa.BigInteger, nullable=False),
        sa.Column("up_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("own_fen", sa.BigInteger, nullable=False),
        sa.Column("cap_fen", sa.BigInteger, nullable=True),
        sa.Column("fee_fen", sa.BigInteger, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.Column("explanation", postgresql.JSONB, nullable=False),
        sa.Column("payee_id", sa.BigInteger, nullable=False),
        sa.Column("charge_key", sa.Uuid, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen = 0 OR charge_key IS NOT NULL", name="what_a_bill_asks_for_is_charged"),
        sa.ForeignKeyConstraint(
            ["charge_key", "payee_id", "amount_fen"],
            ["charge.key", "charge.payee_id", "charge.amount_fen"],
            name="a_bill_asks_what_its_charge_asks",
        ),
        sa.CheckConstraint("amount_fen BETWEEN 0 AND fee_fen", name="a_bill_asks_for_no_more_than_the_fee"),
        sa.CheckConstraint("fee_fen = least(own_fen, cap_fen) AND fee_fen >= 0", name="a_fee_is_never_above_the_cap"),
        sa.ForeignKeyConstraint(["payee_id"], ["payee.id"], name="fk_bill_payee_id"),
        sa.ForeignKeyConstraint(["stay_id"], ["stay.id"], name="fk_bill_stay_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill"),
        sa.UniqueConstraint("charge_key", name="uq_bill_charge_key"),
        sa.UniqueConstraint("key", name="uq_bill_key"),
    )
    op.create_index(
        "a_stay_is_billed_once_up_to_a_moment",
        "bill",
        ["stay_id", "up_to"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "passage_outcome",
        sa.Column("event_id", sa.BigInteger, nullable=False),
        sa.Column("stay_id", sa.BigInteger, nullable=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("projected_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome = 'review' OR stay_id IS NOT NULL", name="a_passage_understood_names_its_stay"),
        sa.CheckConstraint(
            "outcome IN ('entered', 'left', 'repeated', 'review')", name="a_passage_has_a_known_outcome"
        ),
        sa.ForeignKeyConstraint(["event_id"], ["gate_event.id"], name="fk_passage_outcome_event_id"),
        sa.ForeignKeyConstraint(["stay_id"], ["stay.id"], name="fk_passage_outcome_stay_id"),
        sa.PrimaryKeyConstraint("event_id", name="pk_passage_outcome"),
    )
    op.create_table(
        "turn_away",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("shared_bays", sa.BigInteger, nullable=False),
        sa.Column("occupied_bays", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason IN ('full', 'closed', 'suspended')", name="a_turn_away_has_one_of_the_known_reasons"
        ),
        sa.ForeignKeyConstraint(["event_id"], ["gate_event.id"], name="fk_turn_away_event_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_turn_away_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_turn_away"),
        sa.UniqueConstraint("event_id", name="uq_turn_away_event_id"),
    )


def _bills_stay_as_they_were() -> None:
    """A bill may be paid or withdrawn once; what it says never changes."""
    op.execute(
        """
        CREATE FUNCTION a_bill_says_the_same_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (OLD.id, OLD.key, OLD.stay_id, OLD.up_to, OLD.own_fen, OLD.cap_fen, OLD.fee_fen, OLD.amount_fen,
                OLD.explanation, OLD.payee_id, OLD.charge_key, OLD.made_at)
               IS DISTINCT FROM
               (NEW.id, NEW.key, NEW.stay_id, NEW.up_to, NEW.own_fen, NEW.cap_fen, NEW.fee_fen, NEW.amount_fen,
                NEW.explanation, NEW.payee_id, NEW.charge_key, NEW.made_at)
               OR (OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at)
               OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at) THEN
                RAISE EXCEPTION 'a bill is never rewritten'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_bill_says_the_same_for_ever';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_bill_says_the_same_for_ever BEFORE UPDATE ON bill
            FOR EACH ROW EXECUTE FUNCTION a_bill_says_the_same_for_ever();
        """
    )


def _bills_are_true() -> None:
    """A bill is for whoever receives the lot's money at the entry, and paid only when its charge is."""
    op.execute(
        """
        CREATE FUNCTION a_bill_is_for_the_lots_payee() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM stay JOIN lot_payee ON lot_payee.lot_id = stay.lot_id AND lot_payee.valid @> stay.entered_at
                WHERE stay.id = NEW.stay_id AND lot_payee.payee_id = NEW.payee_id
            ) THEN
                RAISE EXCEPTION 'the lot of stay % does not pay payee %', NEW.stay_id, NEW.payee_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_bill_is_for_the_lots_payee';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_bill_is_for_the_lots_payee BEFORE INSERT ON bill
            FOR EACH ROW EXECUTE FUNCTION a_bill_is_for_the_lots_payee();

        CREATE FUNCTION a_bill_is_paid_with_its_charge() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM charge WHERE key = NEW.charge_key AND state IN ('paid', 'fulfilled')) THEN
                RAISE EXCEPTION 'the charge of bill % is not paid', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_bill_is_paid_with_its_charge';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_bill_is_paid_with_its_charge BEFORE INSERT OR UPDATE OF paid_at ON bill FOR EACH ROW
            WHEN (NEW.paid_at IS NOT NULL AND NEW.amount_fen > 0)
            EXECUTE FUNCTION a_bill_is_paid_with_its_charge();
        """
    )


def _visits_happen_once() -> None:
    """A stay ends once and is taken by one motorist; a passage that was understood stays so."""
    op.execute(
        """
        CREATE FUNCTION a_stay_ends_once_and_keeps_its_owner() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'stay % has its exit and its owner', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_stay_ends_once_and_keeps_its_owner';
        END $$;
        CREATE TRIGGER a_stay_ends_once_and_keeps_its_owner BEFORE UPDATE ON stay FOR EACH ROW
            WHEN ((OLD.exited_at IS NOT NULL AND NEW.exited_at IS DISTINCT FROM OLD.exited_at)
                  OR (OLD.exited_at IS NOT NULL AND NEW.exit_event_id IS DISTINCT FROM OLD.exit_event_id)
                  OR (OLD.motorist_id IS NOT NULL AND NEW.motorist_id IS DISTINCT FROM OLD.motorist_id))
            EXECUTE FUNCTION a_stay_ends_once_and_keeps_its_owner();

        CREATE FUNCTION a_passage_is_understood_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'passage % is understood', OLD.event_id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_passage_is_understood_once';
        END $$;
        CREATE TRIGGER a_passage_is_understood_once BEFORE UPDATE ON passage_outcome FOR EACH ROW
            WHEN (OLD.outcome <> 'review' OR NEW.outcome = 'review')
            EXECUTE FUNCTION a_passage_is_understood_once();
        """
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute(f"DROP FUNCTION {', '.join(FUNCTIONS)}")
    forget_graph("stay")
