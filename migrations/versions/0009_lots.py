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
    ("draft", "widen", "approved"),
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
TRIGGERS = (
    ("open_window", "a_narrowed_window_locks_its_bays"),
    ("open_window", "a_deleted_window_locks_its_bays"),
    ("bay", "a_lot_shares_what_it_has_when_bays_come"),
    ("bay", "a_lot_shares_what_it_has_when_bays_change"),
    ("lot", "a_lot_has_the_bays_it_shares"),
    ("lot", "an_open_lot_is_lawful"),
)
FUNCTIONS = (
    "lock_its_lot()",
    "an_open_lot_is_lawful()",
    "demand_a_lawful_opening(bigint)",
    "a_lot_shares_what_it_has()",
    "a_lot_has_the_bays_it_shares()",
    "a_submitted_plan_stays_as_it_was()",
    "a_plan_in_force_fits()",
    "a_narrowed_window_locks_its_bays()",
)


def upgrade() -> None:
    _each_move_has_its_own_event()
    _columns()
    _tables()
    graph("lot", LOT)
    follows_graph("lot", "lot")
    graph("opening_plan", PLAN)
    follows_graph("opening_plan", "opening_plan")
    _windows()
    _turn_aways("'full', 'closed', 'suspended', 'curfew'")
    _open_lots_are_lawful()
    _bays_are_counted()
    _plans_stay()
    _windows_keep_promises()
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
    op.add_column("lot", sa.Column("windows_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("lot", sa.Column("windows_narrowed", sa.BigInteger, nullable=True))
    op.create_index(
        "ix_lot_windows_narrowed", "lot", ["windows_narrowed"], postgresql_where=sa.text("windows_narrowed IS NOT NULL")
    )
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
    op.execute("UPDATE lot SET state = 'draft' WHERE state IN ('open', 'suspended')")  # nobody approved them
    op.create_check_constraint(
        "a_lot_is_approved_by_somebody",
        "lot",
        "state NOT IN ('approved', 'open', 'suspended') OR (submitted_by IS NOT NULL AND approved_by IS NOT NULL)",
    )


def _windows() -> None:
    op.add_column(
        "open_window",
        sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("opening_plan.id", name="fk_open_window_plan_id")),
    )
    op.add_column(
        "open_window",
        sa.Column("calendar_ids", postgresql.ARRAY(sa.BigInteger), server_default="{}", nullable=False),
    )


def _turn_aways(reasons: str) -> None:
    op.drop_constraint("a_turn_away_has_one_of_the_known_reasons", "turn_away", type_="check")
    op.create_check_constraint("a_turn_away_has_one_of_the_known_reasons", "turn_away", f"reason IN ({reasons})")


def _open_lots_are_lawful() -> None:
    """The lot's row is locked by whoever opens it and by whoever decides on its plan or its facilities."""
    op.execute(
        """
        CREATE FUNCTION lock_its_lot() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM lot WHERE id = NEW.lot_id FOR NO KEY UPDATE;
            RETURN NEW;
        END $$;
        CREATE TRIGGER facility_check_locks_its_lot BEFORE INSERT ON facility_check
            FOR EACH ROW EXECUTE FUNCTION lock_its_lot();
        CREATE TRIGGER opening_plan_locks_its_lot BEFORE INSERT OR UPDATE OF state ON opening_plan
            FOR EACH ROW EXECUTE FUNCTION lock_its_lot();

        CREATE FUNCTION demand_a_lawful_opening(which bigint) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE lacks text;
        BEGIN
            IF NOT EXISTS (SELECT FROM lot WHERE id = which AND state = 'open') THEN RETURN; END IF;
            IF NOT EXISTS (SELECT FROM opening_plan WHERE lot_id = which AND state = 'approved') THEN
                lacks := 'an_open_lot_has_an_approved_plan';
            ELSIF (
                SELECT security AND lighting AND fire FROM facility_check WHERE lot_id = which
                ORDER BY checked_at DESC, id DESC LIMIT 1
            ) IS NOT TRUE THEN
                lacks := 'an_open_lot_has_sound_facilities';
            END IF;
            IF lacks IS NOT NULL THEN
                RAISE EXCEPTION 'lot % may not be open', which
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = lacks;
            END IF;
        END $$;
        CREATE FUNCTION an_open_lot_is_lawful() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM demand_a_lawful_opening(CASE WHEN TG_TABLE_NAME = 'lot' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                                 ELSE (to_jsonb(NEW) ->> 'lot_id')::bigint END);
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_open_lot_is_lawful AFTER INSERT OR UPDATE OF state ON lot
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'open')
            EXECUTE FUNCTION an_open_lot_is_lawful();
        CREATE CONSTRAINT TRIGGER an_open_lot_is_lawful AFTER INSERT ON facility_check
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_open_lot_is_lawful();
        CREATE CONSTRAINT TRIGGER an_open_lot_is_lawful AFTER UPDATE OF state ON opening_plan
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_open_lot_is_lawful();
        """
    )


def _bays_are_counted() -> None:
    """Counted once a statement and lot, with the lot's row locked, so that a whole import is looked at once."""
    op.execute(
        """
        CREATE FUNCTION a_lot_shares_what_it_has() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE lacks text;
        BEGIN
            PERFORM FROM lot WHERE id IN (SELECT lot_id FROM touched) ORDER BY id FOR NO KEY UPDATE;
            SELECT CASE WHEN shared > total_bays THEN 'a_lot_shares_no_more_bays_than_it_has'
                        ELSE 'an_open_lot_shares_what_its_plan_states' END
            INTO lacks
            FROM lot CROSS JOIN LATERAL (
                SELECT count(*) AS shared FROM bay WHERE bay.lot_id = lot.id AND bay.shared
            ) AS counted
            LEFT JOIN opening_plan ON opening_plan.lot_id = lot.id AND opening_plan.state = 'approved'
                                  AND lot.state = 'open'
            WHERE lot.id IN (SELECT lot_id FROM touched) AND (shared > total_bays OR shared < shared_bays)
            LIMIT 1;
            IF lacks IS NOT NULL THEN
                RAISE EXCEPTION 'shared bays do not fit'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = lacks;
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER a_lot_shares_what_it_has_when_bays_come AFTER INSERT ON bay
            REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION a_lot_shares_what_it_has();
        CREATE TRIGGER a_lot_shares_what_it_has_when_bays_change AFTER UPDATE ON bay
            REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION a_lot_shares_what_it_has();

        CREATE FUNCTION a_lot_has_the_bays_it_shares() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM bay WHERE lot_id = NEW.id AND shared) > NEW.total_bays THEN
                RAISE EXCEPTION 'lot % shares more bays', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_lot_shares_no_more_bays_than_it_has';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_lot_has_the_bays_it_shares BEFORE UPDATE OF total_bays ON lot
            FOR EACH ROW EXECUTE FUNCTION a_lot_has_the_bays_it_shares();
        """
    )


def _plans_stay() -> None:
    """What was submitted is what is decided on; what takes effect matches the bays, and nobody widens to less."""
    op.execute(
        """
        CREATE FUNCTION a_submitted_plan_stays_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE moves text[] := ARRAY['state', 'submitted_by', 'decided_by', 'decided_at', 'decided_because',
                                      'valid_from', 'widens'];
        BEGIN
            IF to_jsonb(OLD) - moves <> to_jsonb(NEW) - moves THEN
                RAISE EXCEPTION 'plan % was submitted', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_submitted_plan_stays_as_it_was';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_submitted_plan_stays_as_it_was BEFORE UPDATE ON opening_plan FOR EACH ROW
            WHEN (OLD.state <> 'draft' OR NEW.state <> 'draft') EXECUTE FUNCTION a_submitted_plan_stays_as_it_was();

        CREATE FUNCTION a_plan_in_force_fits() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE former opening_plan;
        BEGIN
            IF (SELECT count(*) FROM bay WHERE lot_id = NEW.lot_id AND shared) <> NEW.shared_bays THEN
                RAISE EXCEPTION 'plan % states other bays than are marked', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_plan_matches_the_bays_it_shares';
            END IF;
            IF NOT NEW.widens THEN RETURN NEW; END IF;
            SELECT * INTO former FROM opening_plan
            WHERE lot_id = NEW.lot_id AND state = 'superseded' ORDER BY version DESC LIMIT 1;
            IF (NEW.closes_before_minutes <= former.closes_before_minutes
                AND NEW.opens_after_minutes <= former.opens_after_minutes
                AND NEW.shared_bays >= former.shared_bays AND NEW.shared_chargers >= former.shared_chargers
                AND NEW.duty_days <@ former.duty_days
                AND jsonb_path_query_array(NEW.exceptions, '$[*] ? (exists(@.begins))') <@ former.exceptions
                AND jsonb_path_query_array(former.exceptions, '$[*] ? (!exists(@.begins))') <@ NEW.exceptions
                AND (NEW.curfew_begins IS NULL
                     OR (NEW.curfew_begins, NEW.curfew_ends) = (former.curfew_begins, former.curfew_ends))
                AND NEW.withholds = '[]'::jsonb) IS NOT TRUE
            THEN
                RAISE EXCEPTION 'plan % is not wider than the one before', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_widening_plan_takes_nothing_away';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_plan_in_force_fits BEFORE UPDATE OF state ON opening_plan FOR EACH ROW
            WHEN (NEW.state = 'approved' AND OLD.state <> 'approved') EXECUTE FUNCTION a_plan_in_force_fits();
        """
    )


def _windows_keep_promises() -> None:
    """Bays are locked once a statement, when a window shrinks; windows that only grow take no promise away.

    The lots whose windows shrank are marked, and at the commit the promises of all of them are looked at in one go.
    """
    op.execute(
        """
        CREATE FUNCTION a_narrowed_window_locks_its_bays() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE narrowed bigint[];
        BEGIN
            IF TG_OP = 'DELETE' THEN
                SELECT array_agg(DISTINCT lot_id) INTO narrowed FROM before;
            ELSE
                SELECT array_agg(DISTINCT before.lot_id) INTO narrowed FROM before LEFT JOIN after USING (id)
                WHERE (after.lot_id = before.lot_id AND after.during @> before.during) IS NOT TRUE;
            END IF;
            IF narrowed IS NULL THEN RETURN NULL; END IF;
            UPDATE lot SET windows_narrowed = txid_current() WHERE id = ANY(narrowed);
            PERFORM FROM bay WHERE lot_id = ANY(narrowed) ORDER BY id FOR UPDATE;
            RETURN NULL;
        END $$;
        CREATE TRIGGER a_narrowed_window_locks_its_bays AFTER UPDATE ON open_window
            REFERENCING OLD TABLE AS before NEW TABLE AS after
            FOR EACH STATEMENT EXECUTE FUNCTION a_narrowed_window_locks_its_bays();
        CREATE TRIGGER a_deleted_window_locks_its_bays AFTER DELETE ON open_window
            REFERENCING OLD TABLE AS before
            FOR EACH STATEMENT EXECUTE FUNCTION a_narrowed_window_locks_its_bays();

        DROP TRIGGER a_window_keeps_its_promises ON open_window;
        CREATE OR REPLACE FUNCTION a_window_keeps_its_promises() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE narrowed bigint[];
        BEGIN
            IF (SELECT windows_narrowed FROM lot WHERE id = NEW.id) IS NULL THEN RETURN NULL; END IF;
            WITH done AS (
                UPDATE lot SET windows_narrowed = NULL WHERE windows_narrowed = txid_current() RETURNING id
            ) SELECT array_agg(id) INTO narrowed FROM done;
            IF EXISTS (
                SELECT FROM bay JOIN bay_claim ON bay_claim.bay_id = bay.id
                WHERE bay.lot_id = ANY(narrowed) AND bay_claim.state IN ('held', 'confirmed')
                  AND (bay_claim.during <@ (
                    SELECT range_agg(open_window.during) FROM open_window
                    WHERE open_window.lot_id = bay.lot_id AND open_window.during && bay_claim.during)) IS NOT TRUE
            ) THEN
                RAISE EXCEPTION 'a promised span would no longer be open'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_window_keeps_its_promises';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_window_keeps_its_promises AFTER UPDATE OF windows_narrowed ON lot
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.windows_narrowed IS NOT NULL)
            EXECUTE FUNCTION a_window_keeps_its_promises();
        """
    )


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
        sa.CheckConstraint(
            "NOT (security AND lighting AND fire) OR file_id IS NOT NULL", name="a_sound_check_shows_a_photo"
        ),
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
        sa.Column("withholds", postgresql.JSONB, server_default="[]", nullable=False),
        sa.Column("widens", sa.Boolean(), nullable=False),
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
            "state NOT IN ('approved', 'returned', 'superseded') OR decided_by IS NOT NULL OR widens",
            name="a_plan_in_force_was_decided",
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'superseded') OR valid_from IS NOT NULL", name="a_plan_in_force_holds_from_a_day"
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
    op.create_index(
        "a_lot_has_one_plan_in_the_making",
        "opening_plan",
        ["lot_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'submitted')"),
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
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("duty_times <> ''", name="a_contact_tells_when_on_duty"),
        sa.CheckConstraint("ended_at >= checked_at", name="a_contact_ends_after_it_was_checked"),
        sa.CheckConstraint("role IN ('responsible', 'deputy')", name="a_contact_is_responsible_or_deputy"),
        sa.ForeignKeyConstraint(["plan_id"], ["opening_plan.id"], name="fk_plan_contact_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plan_contact"),
        sa.UniqueConstraint("key", name="uq_plan_contact_key"),
    )
    op.create_index(
        "a_plan_names_each_person_once",
        "plan_contact",
        ["plan_id", "role"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _rights() -> None:
    append_only("lot_step", "facility_check")
    grant("SELECT, INSERT, UPDATE, DELETE", "entrance")
    grant("SELECT, INSERT, UPDATE (removed_at)", "lot_photo")
    grant("SELECT, INSERT, UPDATE", "opening_plan")
    grant("SELECT, INSERT, UPDATE (checked_at, ended_at)", "plan_contact")
    grant("SELECT, INSERT, UPDATE (during)", "lot_closure", "bay_closure")


PROMISES = """
    DROP TRIGGER a_window_keeps_its_promises ON lot;
    CREATE OR REPLACE FUNCTION a_window_keeps_its_promises() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM bay WHERE lot_id = OLD.lot_id ORDER BY id FOR UPDATE;
        IF EXISTS (
            SELECT 1 FROM bay_claim JOIN bay ON bay.id = bay_claim.bay_id
            WHERE bay.lot_id = OLD.lot_id AND bay_claim.during && OLD.during
              AND bay_claim.state IN ('held', 'confirmed')
              AND (bay_claim.during <@ (
                SELECT range_agg(open_window.during) FROM open_window
                WHERE open_window.lot_id = OLD.lot_id AND open_window.during && bay_claim.during)) IS NOT TRUE
        ) THEN
            RAISE EXCEPTION 'a promised span would no longer be open'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'a_window_keeps_its_promises';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER a_window_keeps_its_promises AFTER UPDATE OR DELETE ON open_window
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_window_keeps_its_promises();
"""
"""As it was before this step."""


def downgrade() -> None:
    op.execute(PROMISES)
    for table, trigger in TRIGGERS:
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.drop_column("open_window", "calendar_ids")
    op.drop_column("open_window", "plan_id")
    for table in TABLES:
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("ALTER TABLE turn_away DISABLE TRIGGER turn_away_rows_never_change")
    op.execute("DELETE FROM turn_away WHERE reason = 'curfew'")
    op.execute("ALTER TABLE turn_away ENABLE TRIGGER turn_away_rows_never_change")
    _turn_aways("'full', 'closed', 'suspended'")
    op.drop_constraint("a_lot_is_approved_by_somebody", "lot", type_="check")
    op.execute("DROP TRIGGER lot_follows_its_graph ON lot")
    op.execute("DROP TRIGGER lot_tells_each_move ON lot")
    forget_graph("opening_plan")
    forget_graph("lot")
    op.execute(DEMAND.format(same=""))
    op.drop_column("state_event", "transaction_id")
    op.drop_constraint("a_lot_is_in_a_known_state", "lot")
    for column in ("windows_narrowed", "windows_until", "approved_by", "submitted_by", "area", "length_limit_cm"):
        op.drop_column("lot", column)
    op.add_column(
        "lot", sa.Column("operator_id", sa.BigInteger, sa.ForeignKey("operator.id", name="fk_lot_operator_id"))
    )
    op.execute("UPDATE lot SET state = 'withdrawn' WHERE state NOT IN ('open', 'suspended', 'withdrawn')")
    op.create_check_constraint(
        "a_lot_is_open_suspended_or_withdrawn", "lot", "state IN ('open', 'suspended', 'withdrawn')"
    )
