"""Messages to motorists, adjustments, displaced reservations, waivers on a recorded basis."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import grant, graph

revision = "0011"
down_revision = "0010"


OFFERS = (("held", "displace", "displaced"),)
TABLES = ("displacement", "lot_announcement", "free_span", "adjustment_lot", "adjustment", "waiver_basis")
FUNCTIONS = (
    "a_basis_is_approved_once()",
    "an_adjustment_ends_once()",
    "nobody_waives_public_money_on_his_own()",
    "a_displaced_motorist_is_told()",
    "demand_no_promise_under(bigint, bigint)",
    "a_closure_takes_no_promise_unnoticed()",
    "an_applied_adjustment_leaves_no_promise()",
    "a_claim_stays_in_its_lot()",
)


def upgrade() -> None:
    _messages()
    _tables()
    _columns()
    _claims_keep_out_of_closures()
    _nobody_is_forgotten()
    _public_money_is_not_waived()
    _rights()


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("motorist_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("title <> '' AND body <> ''", name="a_message_says_something"),
        sa.CheckConstraint("read_at >= told_at", name="a_message_is_read_after_it_was_told"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_message_motorist_id"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("key", name="uq_message_key"),
        sa.UniqueConstraint("motorist_id", "kind", "subject", name="a_motorist_is_told_once_of_a_subject"),
    )
    op.create_index("ix_message_motorist_id_id", "message", ["motorist_id", "id"])
    op.create_index("ix_message_unread", "message", ["motorist_id"], postgresql_where=sa.text("read_at IS NULL"))
    grant("SELECT, INSERT, UPDATE (read_at)", "message")


def _tables() -> None:
    op.create_table(
        "waiver_basis",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("document_no", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("district_code", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("covers", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("document_no <> '' AND (text <> '' OR file_id IS NOT NULL)", name="a_basis_can_be_read"),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="an_approved_basis_says_who_and_when"),
        sa.CheckConstraint(
            "(isfinite(lower(covers)) AND isfinite(upper(covers))) IS TRUE", name="a_basis_covers_a_span"
        ),
        sa.CheckConstraint("recorded_by <> approved_by", name="nobody_approves_his_own_basis"),
        sa.ForeignKeyConstraint(["approved_by"], ["staff_account.id"], name="fk_waiver_basis_approved_by"),
        sa.ForeignKeyConstraint(["district_code"], ["district.code"], name="fk_waiver_basis_district_code"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_waiver_basis_file_id"),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff_account.id"], name="fk_waiver_basis_recorded_by"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_waiver_basis_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_waiver_basis"),
        sa.UniqueConstraint("key", name="uq_waiver_basis_key"),
    )
    op.create_table(
        "adjustment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("district_code", sa.Text(), nullable=True),
        sa.Column("reason_class", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("announcement", sa.Text(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("review_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("basis_id", sa.BigInteger(), nullable=True),
        sa.Column("by_account", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.Column("request_key", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(scope = 'district') = (district_code IS NOT NULL)", name="a_districts_adjustment_names_it"
        ),
        sa.CheckConstraint(
            "NOT upper_inf(during) OR (kind = 'close' AND reason_class = 'emergency' AND review_at IS NOT NULL)",
            name="an_adjustment_ends_or_is_an_emergency_under_review",
        ),
        sa.CheckConstraint("basis_id IS NULL OR kind = 'free'", name="only_free_time_rests_on_a_basis"),
        sa.CheckConstraint(
            "kind IN ('close', 'bays', 'hours', 'free', 'calendar')", name="an_adjustment_is_of_a_known_kind"
        ),
        sa.CheckConstraint("reason <> '' AND announcement <> ''", name="an_adjustment_says_why_and_tells_the_public"),
        sa.CheckConstraint(
            "reason_class IN ('major_event', 'emergency', 'construction', 'unit_duty', 'safety', 'calendar', 'other')",
            name="an_adjustment_has_a_known_reason",
        ),
        sa.CheckConstraint("scope IN ('lots', 'district', 'city')", name="an_adjustment_has_a_known_scope"),
        sa.CheckConstraint(
            "(lower_inc(during) AND isfinite(lower(during)) AND NOT upper_inc(during)) IS TRUE",
            name="an_adjustment_begins",
        ),
        sa.CheckConstraint(
            "num_nonnulls(ended_at, ended_by, ended_because) IN (0, 3)", name="an_ended_adjustment_says_who_and_why"
        ),
        sa.ForeignKeyConstraint(["basis_id"], ["waiver_basis.id"], name="fk_adjustment_basis_id"),
        sa.ForeignKeyConstraint(["by_account"], ["staff_account.id"], name="fk_adjustment_by_account"),
        sa.ForeignKeyConstraint(["district_code"], ["district.code"], name="fk_adjustment_district_code"),
        sa.ForeignKeyConstraint(["ended_by"], ["staff_account.id"], name="fk_adjustment_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_adjustment"),
        sa.UniqueConstraint("key", name="uq_adjustment_key"),
        sa.UniqueConstraint("request_key", name="an_adjustment_is_made_once"),
    )
    op.create_table(
        "adjustment_lot",
        sa.Column("adjustment_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustment.id"], name="fk_adjustment_lot_adjustment_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_adjustment_lot_lot_id"),
        sa.PrimaryKeyConstraint("adjustment_id", "lot_id", name="pk_adjustment_lot"),
    )
    op.create_index("ix_adjustment_lot_lot_id", "adjustment_lot", ["lot_id"], unique=False)
    op.create_index(
        "ix_adjustment_lot_pending",
        "adjustment_lot",
        ["adjustment_id", "lot_id"],
        unique=False,
        postgresql_where=sa.text("applied_at IS NULL"),
    )
    op.create_table(
        "lot_announcement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.CheckConstraint("text <> ''", name="an_announcement_says_something"),
        sa.CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="an_announcement_begins"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_announcement_lot_id"),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustment.id"], name="fk_lot_announcement_adjustment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_announcement"),
        sa.UniqueConstraint("lot_id", "adjustment_id", name="an_adjustment_is_announced_once_in_a_lot"),
    )
    op.create_index("ix_lot_announcement_adjustment_id", "lot_announcement", ["adjustment_id"])
    op.create_table(
        "free_span",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("adjustment_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(isfinite(lower(valid)) AND isfinite(upper(valid))) IS TRUE", name="free_time_ends"),
        sa.CheckConstraint("lower_inc(valid) AND NOT upper_inc(valid)", name="free_time_is_half_open"),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustment.id"], name="fk_free_span_adjustment_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_free_span_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_free_span"),
        sa.UniqueConstraint("lot_id", "adjustment_id", name="an_adjustment_frees_a_lot_once"),
    )
    op.create_table(
        "displacement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("reservation_id", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("displaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("offer_claim_id", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(answered_at IS NOT NULL) = (outcome IS NOT NULL AND outcome IN ('accepted', 'declined'))",
            name="an_answer_has_its_moment",
        ),
        sa.CheckConstraint(
            "(offer_claim_id IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'nothing_near')",
            name="an_offer_names_its_bay",
        ),
        sa.CheckConstraint(
            "outcome IN ('nothing_near', 'offered', 'accepted', 'declined')", name="an_offer_ends_somehow"
        ),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustment.id"], name="fk_displacement_adjustment_id"),
        sa.ForeignKeyConstraint(["claim_id"], ["bay_claim.id"], name="fk_displacement_claim_id"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_displacement_message_id"),
        sa.ForeignKeyConstraint(["offer_claim_id"], ["bay_claim.id"], name="fk_displacement_offer_claim_id"),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name="fk_displacement_reservation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_displacement"),
        sa.UniqueConstraint("claim_id", name="uq_displacement_claim_id"),
        sa.UniqueConstraint("offer_claim_id", name="uq_displacement_offer_claim_id"),
        sa.UniqueConstraint("reservation_id", name="uq_displacement_reservation_id"),
    )
    op.create_index("ix_displacement_adjustment_id", "displacement", ["adjustment_id"], unique=False)
    op.create_index(
        "ix_displacement_unsought", "displacement", ["id"], unique=False, postgresql_where=sa.text("outcome IS NULL")
    )


def _columns() -> None:
    op.create_foreign_key("fk_bay_closure_adjustment_id", "bay_closure", "adjustment", ["adjustment_id"], ["id"])
    op.create_foreign_key("fk_lot_closure_adjustment_id", "lot_closure", "adjustment", ["adjustment_id"], ["id"])
    op.add_column("bill", sa.Column("waived_fen", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("bill", sa.Column("free_span_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_bill_free_span_id", "bill", "free_span", ["free_span_id"], ["id"])
    _fees("fee_fen = least(own_fen, cap_fen) - waived_fen AND fee_fen >= 0")
    op.create_check_constraint(
        "a_waiver_names_its_free_time", "bill", "waived_fen >= 0 AND (waived_fen = 0 OR free_span_id IS NOT NULL)"
    )
    op.execute(bill_says_the_same("free_span_id", "waived_fen"))
    _turn_aways("'full', 'closed', 'suspended', 'curfew', 'closed_by_adjustment'")
    graph("claim", OFFERS)


def _fees(rule: str) -> None:
    op.drop_constraint("a_fee_is_never_above_the_cap", "bill", type_="check")
    op.create_check_constraint("a_fee_is_never_above_the_cap", "bill", rule)


def _turn_aways(reasons: str) -> None:
    op.drop_constraint("a_turn_away_has_one_of_the_known_reasons", "turn_away", type_="check")
    op.create_check_constraint("a_turn_away_has_one_of_the_known_reasons", "turn_away", f"reason IN ({reasons})")


def bill_says_the_same(*more: str) -> str:
    """The function of 0006 with the columns that bills have besides."""
    told = ("id", "key", "stay_id", "up_to", "own_fen", "cap_fen", "fee_fen", "amount_fen", "explanation", "payee_id")
    columns = (*told, "charge_key", "made_at", *more)
    before, after = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return f"""
        CREATE OR REPLACE FUNCTION a_bill_says_the_same_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF ({before}) IS DISTINCT FROM ({after})
               OR (OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at)
               OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at) THEN
                RAISE EXCEPTION 'a bill is never rewritten'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_bill_says_the_same_for_ever';
            END IF;
            RETURN NEW;
        END $$
    """


def promise_lies_in_a_window(closures: str) -> str:
    """The guard of 0003, with what it must look at besides."""
    return f"""
        CREATE OR REPLACE FUNCTION a_promise_lies_in_an_open_window() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.state NOT IN ('held', 'confirmed') THEN RETURN NEW; END IF;
            PERFORM 1 FROM bay WHERE id = NEW.bay_id FOR UPDATE;
            IF NOT EXISTS (
                SELECT 1 FROM bay WHERE bay.id = NEW.bay_id AND bay.shared AND NEW.during <@ (
                    SELECT range_agg(open_window.during) FROM open_window
                    WHERE open_window.lot_id = bay.lot_id AND open_window.during && NEW.during)
            ) THEN
                RAISE EXCEPTION 'claim outside the open windows of its bay'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_promise_lies_in_an_open_window';
            END IF;
            {closures}
            RETURN NEW;
        END $$
    """


CLOSURES = """
            IF EXISTS (
                SELECT 1 FROM lot_closure JOIN bay ON bay.lot_id = lot_closure.lot_id
                WHERE bay.id = NEW.bay_id AND lot_closure.during && NEW.during
            ) THEN
                RAISE EXCEPTION 'claim in a lot that is closed then'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_promise_lies_in_an_open_window';
            END IF;
            IF EXISTS (SELECT 1 FROM bay_closure WHERE bay_id = NEW.bay_id AND during && NEW.during) THEN
                RAISE EXCEPTION 'claim on a bay that is closed then'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_promise_lies_outside_closures';
            END IF;
"""


def _claims_keep_out_of_closures() -> None:
    """A closure binds new promises from its commit on; it is written with the bays locked, so that none slips by.

    A closure that is not applied yet may lie over older promises: its `adjustment_lot` says so, and somebody works on it.
    """
    op.execute(promise_lies_in_a_window(CLOSURES))
    op.execute(
        """
        CREATE FUNCTION demand_no_promise_under(which bigint, lot bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM lot_closure WHERE lot_closure.lot_id = lot AND adjustment_id = which)
               AND NOT EXISTS (
                SELECT FROM bay_closure JOIN bay ON bay.id = bay_closure.bay_id
                WHERE bay.lot_id = lot AND adjustment_id = which
            ) THEN RETURN; END IF;
            PERFORM FROM bay WHERE lot_id = lot ORDER BY id FOR UPDATE;
            IF EXISTS (
                SELECT FROM bay_claim JOIN bay ON bay.id = bay_claim.bay_id
                WHERE bay.lot_id = lot AND bay_claim.state IN ('held', 'confirmed') AND (
                    EXISTS (SELECT FROM lot_closure WHERE lot_closure.lot_id = lot
                            AND lot_closure.adjustment_id = which AND lot_closure.during && bay_claim.during)
                    OR EXISTS (SELECT FROM bay_closure WHERE bay_closure.bay_id = bay.id
                               AND bay_closure.adjustment_id = which AND bay_closure.during && bay_claim.during))
            ) THEN
                RAISE EXCEPTION 'a promise lies under adjustment % in lot %', which, lot
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_closure_takes_no_promise_unnoticed';
            END IF;
        END $$;

        CREATE FUNCTION a_closure_takes_no_promise_unnoticed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE lot bigint;
        BEGIN
            lot := (to_jsonb(NEW) ->> 'lot_id')::bigint;
            IF TG_TABLE_NAME = 'bay_closure' THEN
                SELECT lot_id INTO lot FROM bay WHERE id = (to_jsonb(NEW) ->> 'bay_id')::bigint;
            END IF;
            IF NOT EXISTS (
                SELECT FROM adjustment_lot WHERE adjustment_id = NEW.adjustment_id AND lot_id = lot AND applied_at IS NULL
            ) THEN
                PERFORM demand_no_promise_under(NEW.adjustment_id, lot);
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_closure_takes_no_promise_unnoticed AFTER INSERT OR UPDATE ON lot_closure
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_closure_takes_no_promise_unnoticed();
        CREATE CONSTRAINT TRIGGER a_closure_takes_no_promise_unnoticed AFTER INSERT OR UPDATE ON bay_closure
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_closure_takes_no_promise_unnoticed();

        CREATE FUNCTION an_applied_adjustment_leaves_no_promise() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM demand_no_promise_under(NEW.adjustment_id, NEW.lot_id);
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_applied_adjustment_leaves_no_promise AFTER INSERT OR UPDATE OF applied_at
            ON adjustment_lot DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.applied_at IS NOT NULL)
            EXECUTE FUNCTION an_applied_adjustment_leaves_no_promise();

        CREATE FUNCTION a_claim_stays_in_its_lot() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(DISTINCT lot_id) FROM bay WHERE id IN (OLD.bay_id, NEW.bay_id)) <> 1 THEN
                RAISE EXCEPTION 'claim % would change its lot', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_claim_stays_in_its_lot';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_claim_stays_in_its_lot BEFORE UPDATE OF bay_id ON bay_claim
            FOR EACH ROW WHEN (NEW.bay_id <> OLD.bay_id) EXECUTE FUNCTION a_claim_stays_in_its_lot();
        """
    )


def _nobody_is_forgotten() -> None:
    """A promise that was taken back has, by the commit, a row that says which adjustment did so and what was told."""
    op.execute(
        """
        CREATE FUNCTION a_displaced_motorist_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM displacement
                JOIN reservation ON reservation.id = displacement.reservation_id AND reservation.claim_id = NEW.id
                JOIN message ON message.id = displacement.message_id AND message.motorist_id = reservation.motorist_id
                WHERE displacement.claim_id = NEW.id
            ) THEN
                RAISE EXCEPTION 'claim % was displaced and nobody told its motorist', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_displaced_motorist_is_told';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_displaced_motorist_is_told AFTER INSERT OR UPDATE OF state ON bay_claim
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'displaced')
            EXECUTE FUNCTION a_displaced_motorist_is_told();

        CREATE FUNCTION an_adjustment_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'adjustment % has ended', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_adjustment_ends_once';
        END $$;
        CREATE TRIGGER an_adjustment_ends_once BEFORE UPDATE ON adjustment
            FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION an_adjustment_ends_once();
        """
    )


def _public_money_is_not_waived() -> None:
    """What organs and institutions collect is the treasury's: free only on an approved basis that covers lot and span."""
    op.execute(
        """
        CREATE FUNCTION nobody_waives_public_money_on_his_own() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM lot JOIN unit ON unit.id = lot.unit_id
                WHERE lot.id = NEW.lot_id AND unit.kind <> 'enterprise' AND NOT EXISTS (
                    SELECT FROM adjustment JOIN waiver_basis ON waiver_basis.id = adjustment.basis_id
                    WHERE adjustment.id = NEW.adjustment_id AND waiver_basis.approved_by IS NOT NULL
                      AND NEW.valid <@ waiver_basis.covers
                      AND coalesce(waiver_basis.district_code, unit.district_code) = unit.district_code
                      AND coalesce(waiver_basis.unit_id, unit.id) = unit.id)
            ) THEN
                RAISE EXCEPTION 'lot % collects public money', NEW.lot_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'nobody_waives_public_money_on_his_own';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER nobody_waives_public_money_on_his_own BEFORE INSERT OR UPDATE ON free_span
            FOR EACH ROW EXECUTE FUNCTION nobody_waives_public_money_on_his_own();

        CREATE FUNCTION a_basis_is_approved_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'basis % is approved', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_basis_is_approved_once';
        END $$;
        CREATE TRIGGER a_basis_is_approved_once BEFORE UPDATE ON waiver_basis
            FOR EACH ROW WHEN (OLD.approved_by IS NOT NULL) EXECUTE FUNCTION a_basis_is_approved_once();
        """
    )


def _rights() -> None:
    grant("SELECT, INSERT, UPDATE (approved_by, approved_at)", "waiver_basis")
    grant("SELECT, INSERT, UPDATE (ended_at, ended_by, ended_because)", "adjustment")
    grant("SELECT, INSERT, UPDATE (applied_at, reopened_at)", "adjustment_lot")
    grant("SELECT, INSERT, UPDATE (outcome, offer_claim_id, answered_at)", "displacement")
    grant("SELECT, INSERT, UPDATE (valid), DELETE", "free_span")
    grant("SELECT, INSERT, UPDATE (during), DELETE", "lot_announcement")
    grant("DELETE", "lot_closure", "bay_closure")


def downgrade() -> None:
    op.execute("DROP TRIGGER a_displaced_motorist_is_told ON bay_claim")
    op.execute("DROP TRIGGER a_claim_stays_in_its_lot ON bay_claim")
    for table in ("lot_closure", "bay_closure"):
        op.execute(f"DROP TRIGGER a_closure_takes_no_promise_unnoticed ON {table}")
        op.drop_constraint(f"fk_{table}_adjustment_id", table)
        op.execute(f"REVOKE DELETE ON {table} FROM app_rw")
    op.execute(promise_lies_in_a_window(""))
    _forget_offers()
    op.execute("DELETE FROM turn_away WHERE reason = 'closed_by_adjustment'")
    _turn_aways("'full', 'closed', 'suspended', 'curfew'")
    op.execute(bill_says_the_same())
    op.drop_constraint("a_waiver_names_its_free_time", "bill", type_="check")
    op.execute("DELETE FROM bill WHERE waived_fen > 0")
    _fees("fee_fen = least(own_fen, cap_fen) AND fee_fen >= 0")
    op.drop_column("bill", "free_span_id")
    op.drop_column("bill", "waived_fen")
    for table in TABLES:
        op.drop_table(table)
    op.execute(f"DROP FUNCTION {', '.join(FUNCTIONS)}")
    op.drop_table("message")


def _forget_offers() -> None:
    op.execute("ALTER TABLE state_event DISABLE TRIGGER state_event_rows_never_change")
    op.execute("DELETE FROM state_event WHERE machine = 'claim' AND from_state = 'held' AND event = 'displace'")
    op.execute("ALTER TABLE state_event ENABLE TRIGGER state_event_rows_never_change")
    op.execute("DELETE FROM state_transition WHERE machine = 'claim' AND from_state = 'held' AND event = 'displace'")
