"""Lots from draft to withdrawal: entrances, opening plans, facilities, approvals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph

revision = "0009"
down_revision = "0008"

LOT = (
    ("", "draft", "draft"),
    ("draft", "submit", "submitted"),
    ("submitted", "send_back", "draft"),
    ("submitted", "approve", "approved"),
    ("approved", "send_back", "draft"),
    ("approved", "publish", "open"),
    ("open", "suspend", "suspended"),
    ("suspended", "reopen", "open"),
    ("draft", "withdraw", "withdrawn"),
    ("submitted", "withdraw", "withdrawn"),
    ("approved", "withdraw", "withdrawn"),
    ("open", "withdraw", "withdrawn"),
    ("suspended", "withdraw", "withdrawn"),
)
PLAN = (
    ("", "draft", "draft"),
    ("draft", "submit", "submitted"),
    ("submitted", "return", "returned"),
    ("submitted", "approve", "approved"),
    ("approved", "supersede", "superseded"),
)
TABLES = (
    "bay_closure",
    "lot_closure",
    "plan_contact",
    "opening_plan",
    "facility_check",
    "lot_step",
    "lot_photo",
    "entrance",
)


def upgrade() -> None:
    _each_move_has_its_own_event()
    _columns()
    _tables()
    graph("lot", LOT)
    follows_graph("lot", "lot")
    graph("opening_plan", PLAN)
    follows_graph("opening_plan", "opening_plan")
    _rights()


DEMAND = """
    CREATE OR REPLACE FUNCTION demand_its_event() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE before text := '';
    BEGIN
        IF TG_OP = 'UPDATE' THEN before := OLD.state; END IF;
        IF before <> NEW.state AND NOT EXISTS (
            SELECT FROM state_event
            WHERE machine = TG_ARGV[0] AND entity_id = NEW.id AND from_state = before AND to_state = NEW.state{same}
        ) THEN
            RAISE EXCEPTION '% % moved from % to % and nobody wrote it down', TG_ARGV[0], NEW.id, before, NEW.state
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_tells_each_move';
        END IF;
        RETURN NULL;
    END $$
"""


def _each_move_has_its_own_event() -> None:
    """A lot is suspended and opened again many times: an event of long ago must not stand for today's move."""
    op.execute("ALTER TABLE state_event ADD COLUMN transaction_id bigint NOT NULL DEFAULT txid_current()")
    op.execute(DEMAND.format(same=" AND transaction_id = txid_current()"))


def _columns() -> None:
    op.drop_constraint("a_lot_is_open_suspended_or_withdrawn", "lot")
    op.add_column("lot", sa.Column("length_limit_cm", sa.BigInteger(), nullable=True))
    op.add_column("lot", sa.Column("area", sa.Text(), nullable=True))
    op.execute("UPDATE lot SET area = 'ordinary'")
    op.alter_column("lot", "area", nullable=False)
    op.add_column("lot", sa.Column("submitted_by", sa.BigInteger(), nullable=True))
    op.add_column("lot", sa.Column("approved_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_lot_approved_by", "lot", "staff_account", ["approved_by"], ["id"])
    op.create_foreign_key("fk_lot_submitted_by", "lot", "staff_account", ["submitted_by"], ["id"])
    op.drop_column("lot", "operator_id")
    op.create_check_constraint(
        "a_lot_is_in_a_known_state",
        "lot",
        "state IN ('draft', 'submitted', 'approved', 'open', 'suspended', 'withdrawn')",
    )
    op.create_check_constraint(
        "a_lot_lies_in_one_of_three_areas", "lot", "area IN ('centre', 'commercial', 'ordinary')"
    )
    op.create_check_constraint("a_limit_lets_some_vehicle_in", "lot", "height_limit_cm > 0 AND length_limit_cm > 0")
    op.create_check_constraint("nobody_approves_his_own_submission", "lot", "submitted_by <> approved_by")


def _tables() -> None:
    op.create_table(
        "entrance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out', 'both')", name="an_entrance_leads_in_or_out"),
        sa.CheckConstraint(
            "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="an_entrance_lies_in_hangzhou"
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_entrance_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_entrance"),
        sa.UniqueConstraint("lot_id", "name", name="a_lot_names_each_entrance_once"),
    )
    op.create_table(
        "facility_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.Boolean(), nullable=False),
        sa.Column("lighting", sa.Boolean(), nullable=False),
        sa.Column("fire", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("checked_by", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["checked_by"], ["staff_account.id"], name="fk_facility_check_checked_by"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_facility_check_file_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_facility_check_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_facility_check"),
    )
    op.create_index("ix_facility_check_lot_id_checked_at", "facility_check", ["lot_id", "checked_at"], unique=False)
    op.create_table(
        "lot_closure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("adjustment_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="a_closure_begins"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_closure_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_closure"),
    )
    op.create_index(
        "ix_lot_closure_lot_id_during", "lot_closure", ["lot_id", "during"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "lot_photo",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_lot_photo_file_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_photo_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_photo"),
    )
    op.create_table(
        "lot_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("by_account", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_account"], ["staff_account.id"], name="fk_lot_step_by_account"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_step_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_step"),
    )
    op.create_index("ix_lot_step_lot_id_id", "lot_step", ["lot_id", "id"], unique=False)
    op.create_table(
        "opening_plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("shared_bays", sa.BigInteger(), nullable=False),
        sa.Column("shared_chargers", sa.BigInteger(), nullable=False),
        sa.Column("closes_before_minutes", sa.BigInteger(), nullable=False),
        sa.Column("opens_after_minutes", sa.BigInteger(), nullable=False),
        sa.Column("duty_days", postgresql.JSONB, server_default="[]", nullable=False),
        sa.Column("exceptions", postgresql.JSONB, server_default="[]", nullable=False),
        sa.Column("curfew_begins", sa.Time(), nullable=True),
        sa.Column("curfew_ends", sa.Time(), nullable=True),
        sa.Column("safety_rules", sa.Text(), nullable=False),
        sa.Column("emergency_plan", sa.Text(), nullable=False),
        sa.Column("shortfall_reason", sa.Text(), nullable=True),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_because", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'returned', 'superseded')", name="a_plan_is_in_a_known_state"
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'returned', 'superseded') OR decided_by IS NOT NULL",
            name="a_plan_in_force_was_decided",
        ),
        sa.CheckConstraint(
            "state NOT IN ('submitted', 'approved') OR (safety_rules <> '' AND emergency_plan <> '')",
            name="a_plan_tells_safety_and_emergency",
        ),
        sa.CheckConstraint(
            "(curfew_begins IS NULL) = (curfew_ends IS NULL) AND curfew_begins <> curfew_ends",
            name="a_curfew_begins_and_ends",
        ),
        sa.CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="a_decided_plan_says_who_and_when"),
        sa.CheckConstraint(
            "closes_before_minutes BETWEEN 0 AND 720 AND opens_after_minutes BETWEEN 0 AND 720",
            name="a_margin_is_between_nothing_and_half_a_day",
        ),
        sa.CheckConstraint("decided_by <> submitted_by AND decided_by <> made_by", name="nobody_decides_his_own_plan"),
        sa.CheckConstraint("shared_bays > 0 AND shared_chargers >= 0", name="a_plan_shares_bays"),
        sa.ForeignKeyConstraint(["decided_by"], ["staff_account.id"], name="fk_opening_plan_decided_by"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_opening_plan_lot_id"),
        sa.ForeignKeyConstraint(["made_by"], ["staff_account.id"], name="fk_opening_plan_made_by"),
        sa.ForeignKeyConstraint(["submitted_by"], ["staff_account.id"], name="fk_opening_plan_submitted_by"),
        sa.PrimaryKeyConstraint("id", name="pk_opening_plan"),
        sa.UniqueConstraint("key", name="uq_opening_plan_key"),
        sa.UniqueConstraint("lot_id", "version", name="a_lot_numbers_each_plan_once"),
    )
    op.create_index(
        "a_lot_has_one_plan_in_force",
        "opening_plan",
        ["lot_id"],
        unique=True,
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_table(
        "bay_closure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bay_id", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("adjustment_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="a_bays_closure_begins"),
        sa.ForeignKeyConstraint(["bay_id"], ["bay.id"], name="fk_bay_closure_bay_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bay_closure"),
    )
    op.create_index(
        "ix_bay_closure_bay_id_during", "bay_closure", ["bay_id", "during"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "plan_contact",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name_enc", sa.LargeBinary(), nullable=False),
        sa.Column("phone_enc", sa.LargeBinary(), nullable=False),
        sa.Column("duty_times", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("duty_times <> ''", name="a_contact_tells_when_on_duty"),
        sa.CheckConstraint("role IN ('responsible', 'deputy')", name="a_contact_is_responsible_or_deputy"),
        sa.ForeignKeyConstraint(["plan_id"], ["opening_plan.id"], name="fk_plan_contact_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_contact"),
        sa.UniqueConstraint("key", name="uq_plan_contact_key"),
        sa.UniqueConstraint("plan_id", "role", name="a_plan_names_each_person_once"),
    )


def _rights() -> None:
    append_only("lot_step", "facility_check")
    grant("SELECT, INSERT, UPDATE, DELETE", "entrance")
    grant("SELECT, INSERT, UPDATE (removed_at)", "lot_photo")
    plan = "state, submitted_by, decided_by, decided_at, decided_because, valid_from"
    grant(f"SELECT, INSERT, UPDATE ({plan})", "opening_plan")
    grant("SELECT, INSERT, UPDATE (checked_at)", "plan_contact")
    grant("SELECT, INSERT, UPDATE (during)", "lot_closure", "bay_closure")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP TRIGGER lot_follows_its_graph ON lot")
    op.execute("DROP TRIGGER lot_tells_each_move ON lot")
    forget_graph("opening_plan")
    forget_graph("lot")
    op.execute(DEMAND.format(same=""))
    op.drop_column("state_event", "transaction_id")
    op.drop_constraint("a_lot_is_in_a_known_state", "lot")
    for column in ("approved_by", "submitted_by", "area", "length_limit_cm"):
        op.drop_column("lot", column)
    op.add_column(
        "lot", sa.Column("operator_id", sa.BigInteger, sa.ForeignKey("operator.id", name="fk_lot_operator_id"))
    )
    op.execute("UPDATE lot SET state = 'withdrawn' WHERE state NOT IN ('open', 'suspended', 'withdrawn')")
    op.create_check_constraint(
        "a_lot_is_open_suspended_or_withdrawn", "lot", "state IN ('open', 'suspended', 'withdrawn')"
    )
