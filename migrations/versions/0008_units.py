"""Units with their credit codes and findings, operators and their agreements, stored files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, grant

revision = "0008"
down_revision = "0007"

TABLES = (
    "register_change",
    "self_operation",
    "agreement_reminder",
    "agreement_ending",
    "agreement_lot",
    "unit_finding",
    "operating_agreement",
    "stored_file",
)
FUNCTIONS = (
    "an_excluded_unit_has_no_open_lot",
    "a_lifted_finding_stays_lifted",
    "an_agreement_covers_a_lot",
    "an_agreed_lot_follows_its_agreement",
)


def upgrade() -> None:
    _credit_codes()
    _columns()
    _hours()
    _files()
    _findings()
    _agreements()
    _agreed_lots()
    _endings()
    _changes()
    _excluded_units_stay_shut()
    _agreed_lots_follow()
    _rights()


def _credit_codes() -> None:
    """GB 32100-2015: seventeen signs of an alphabet of 31, weighed with 3^n modulo 31, and the check digit."""
    op.execute(
        """
        CREATE FUNCTION is_credit_code(code text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT code ~ '^[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}$'
               AND (SELECT sum((strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(code, place, 1)) - 1)
                               * (ARRAY[1,3,9,27,19,26,16,17,20,29,25,13,8,24,10,30,28,1])[place]) % 31 = 0
                    FROM generate_series(1, 18) AS place)
        $$
        """
    )


def _columns() -> None:
    op.add_column("operator", sa.Column("credit_code", sa.Text(), nullable=True))
    op.add_column("operator", sa.Column("service_phone", sa.Text(), nullable=True))
    op.create_unique_constraint("uq_operator_credit_code", "operator", ["credit_code"])
    op.add_column("unit", sa.Column("credit_code", sa.Text(), nullable=True))
    op.add_column("unit", sa.Column("authority", sa.Text(), nullable=True))
    op.execute(
        "UPDATE unit SET authority = CASE WHEN level = 'district' THEN 'district' "
        "WHEN kind = 'enterprise' THEN 'state_assets' ELSE 'government_offices' END"
    )
    op.alter_column("unit", "authority", nullable=False)
    op.add_column("unit", sa.Column("authority_name", sa.Text(), nullable=True))
    op.create_unique_constraint("uq_unit_credit_code", "unit", ["credit_code"])
    op.create_check_constraint("a_units_credit_code_has_its_check_digit", "unit", "is_credit_code(credit_code)")
    op.create_check_constraint(
        "a_unit_has_one_supervising_authority",
        "unit",
        "authority IN ('government_offices', 'state_assets', 'district', 'department')",
    )
    op.create_check_constraint(
        "a_supervising_department_has_a_name", "unit", "(authority = 'department') = (authority_name IS NOT NULL)"
    )
    op.create_check_constraint(
        "a_unit_is_supervised_by_its_own",
        "unit",
        "authority = 'department' OR authority = CASE WHEN level = 'district' THEN 'district' "
        "WHEN kind = 'enterprise' THEN 'state_assets' ELSE 'government_offices' END",
    )
    op.create_check_constraint(
        "a_districts_unit_lies_in_a_district", "unit", "level = 'city' OR district_code <> '330100'"
    )
    op.create_check_constraint(
        "an_operators_credit_code_has_its_check_digit", "operator", "is_credit_code(credit_code)"
    )
    op.create_check_constraint("a_service_phone_can_be_dialled", "operator", "service_phone ~ '^[0-9 +-]{5,20}$'")


def _hours() -> None:
    """A unit may work through the night: hours that end earlier than they begin end on the next day."""
    op.drop_constraint("an_office_day_begins_before_it_ends", "unit", type_="check")
    op.create_check_constraint("office_hours_take_some_time", "unit", "office_begins <> office_ends")


def _files() -> None:
    op.create_table(
        "stored_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored_by", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/png', 'image/jpeg')", name="a_stored_file_is_of_a_known_kind"
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name="a_stored_file_has_a_name"),
        sa.CheckConstraint(
            "starts_with(encode(substr(content, 1, 8), 'hex'), CASE media_type WHEN 'application/pdf' THEN '255044462d' "
            "WHEN 'image/png' THEN '89504e470d0a1a0a' ELSE 'ffd8ff' END)",
            name="a_stored_file_is_what_it_says",
        ),
        sa.CheckConstraint("sha256 = sha256(content)", name="a_stored_file_has_its_hash"),
        sa.CheckConstraint("size = octet_length(content)", name="a_stored_file_has_its_size"),
        sa.CheckConstraint("size BETWEEN 1 AND 10485760", name="a_stored_file_has_at_most_10_mb"),
        sa.ForeignKeyConstraint(["stored_by"], ["staff_account.id"], name="fk_stored_file_stored_by"),
        sa.PrimaryKeyConstraint("id", name="pk_stored_file"),
        sa.UniqueConstraint("key", name="uq_stored_file_key"),
    )


def _findings() -> None:
    op.create_table(
        "unit_finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("found_by", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "ground IN ('secret', 'special_security', 'always_open', 'school', 'hospital', 'care')",
            name="a_unit_is_excepted_on_a_ground_of_the_notice",
        ),
        sa.CheckConstraint("reason <> '' AND evidence <> ''", name="a_finding_gives_reason_and_evidence"),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_because IS NULL)",
            name="a_lifted_finding_says_who_and_why",
        ),
        sa.CheckConstraint("lifted_by <> found_by", name="nobody_lifts_his_own_finding"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_unit_finding_file_id"),
        sa.ForeignKeyConstraint(["found_by"], ["staff_account.id"], name="fk_unit_finding_found_by"),
        sa.ForeignKeyConstraint(["lifted_by"], ["staff_account.id"], name="fk_unit_finding_lifted_by"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_unit_finding_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_unit_finding"),
        sa.UniqueConstraint("key", name="uq_unit_finding_key"),
    )
    op.create_index(
        "a_unit_has_one_live_finding_of_a_ground",
        "unit_finding",
        ["unit_id", "ground"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )


def _agreements() -> None:
    op.create_table(
        "operating_agreement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("shared_bays", sa.BigInteger(), nullable=False),
        sa.Column("hours_text", sa.Text(), nullable=False),
        sa.Column("services", sa.Text(), nullable=False),
        sa.Column("unit_duties", sa.Text(), nullable=False),
        sa.Column("operator_duties", sa.Text(), nullable=False),
        sa.Column("term", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("signed_by", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "hours_text <> '' AND services <> '' AND unit_duties <> '' AND operator_duties <> ''",
            name="an_agreement_states_what_the_notice_demands",
        ),
        sa.CheckConstraint(
            "(lower_inc(term) AND NOT upper_inc(term) AND isfinite(lower(term)) AND isfinite(upper(term))) IS TRUE",
            name="a_term_is_a_finite_half_open_span",
        ),
        sa.CheckConstraint("shared_bays > 0", name="an_agreement_states_its_bays"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_operating_agreement_file_id"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_operating_agreement_operator_id"),
        sa.ForeignKeyConstraint(["signed_by"], ["staff_account.id"], name="fk_operating_agreement_signed_by"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_operating_agreement_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_operating_agreement"),
        sa.UniqueConstraint("id", "unit_id", name="an_agreement_is_of_one_unit"),
        sa.UniqueConstraint("key", name="uq_operating_agreement_key"),
    )


def _agreed_lots() -> None:
    op.create_table(
        "agreement_lot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("lot_id"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="a_lot_has_one_operator_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id", "unit_id"],
            ["operating_agreement.id", "operating_agreement.unit_id"],
            name="an_agreement_covers_lots_of_its_unit",
        ),
        sa.ForeignKeyConstraint(
            ["lot_id", "unit_id"], ["lot.id", "lot.unit_id"], name="an_agreed_lot_belongs_to_the_unit"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_lot"),
    )
    op.create_index("ix_agreement_lot_agreement_id", "agreement_lot", ["agreement_id"])
    op.create_table(
        "self_operation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_by", sa.BigInteger(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("why <> ''", name="a_declaration_gives_a_reason"),
        sa.CheckConstraint("declared_at <= since", name="a_declaration_is_not_for_the_past"),
        sa.ForeignKeyConstraint(["declared_by"], ["staff_account.id"], name="fk_self_operation_declared_by"),
        sa.ForeignKeyConstraint(
            ["lot_id", "unit_id"], ["lot.id", "lot.unit_id"], name="a_unit_declares_for_its_own_lot"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_self_operation"),
    )
    op.create_index("ix_self_operation_lot_id_since", "self_operation", ["lot_id", "since"])


def _endings() -> None:
    op.create_table(
        "agreement_ending",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("why <> ''", name="an_ending_gives_a_reason"),
        sa.CheckConstraint("ended_at <= ends_at", name="an_agreement_never_ends_in_the_past"),
        sa.ForeignKeyConstraint(["agreement_id"], ["operating_agreement.id"], name="fk_agreement_ending_agreement_id"),
        sa.ForeignKeyConstraint(["ended_by"], ["staff_account.id"], name="fk_agreement_ending_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_ending"),
    )
    op.create_index("ix_agreement_ending_agreement_id", "agreement_ending", ["agreement_id"])
    op.create_table(
        "agreement_reminder",
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('ends_soon', 'ended')", name="a_reminder_is_of_the_end"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["operating_agreement.id"], name="fk_agreement_reminder_agreement_id"
        ),
        sa.PrimaryKeyConstraint("agreement_id", "kind", name="an_end_is_reminded_of_once"),
    )


def _changes() -> None:
    op.create_table(
        "register_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("operator_id", sa.BigInteger(), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("num_nonnulls(unit_id, operator_id) = 1", name="a_change_is_of_one_entry"),
        sa.CheckConstraint("reason <> ''", name="a_change_gives_a_reason"),
        sa.CheckConstraint("before <> after", name="a_change_changes_something"),
        sa.ForeignKeyConstraint(["changed_by"], ["staff_account.id"], name="fk_register_change_changed_by"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_register_change_operator_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_register_change_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_register_change"),
    )
    op.create_index("ix_register_change_unit_id", "register_change", ["unit_id"])
    op.create_index("ix_register_change_operator_id", "register_change", ["operator_id"])


def _excluded_units_stay_shut() -> None:
    """Whoever publishes and whoever excludes meet at the unit's row; the later of both sees what the other did."""
    op.execute(
        """
        CREATE FUNCTION an_excluded_unit_has_no_open_lot() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM unit WHERE id = NEW.unit_id FOR NO KEY UPDATE;
            IF EXISTS (
                SELECT FROM unit_finding JOIN lot ON lot.unit_id = unit_finding.unit_id
                WHERE unit_finding.unit_id = NEW.unit_id AND lifted_at IS NULL AND lot.state = 'open'
            ) THEN
                RAISE EXCEPTION 'unit % is excluded and has an open lot', NEW.unit_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_excluded_unit_has_no_open_lot';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_excluded_unit_has_no_open_lot AFTER INSERT OR UPDATE OF unit_id ON unit_finding
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_excluded_unit_has_no_open_lot();
        CREATE CONSTRAINT TRIGGER an_excluded_unit_has_no_open_lot AFTER INSERT OR UPDATE OF state, unit_id ON lot
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'open')
            EXECUTE FUNCTION an_excluded_unit_has_no_open_lot();

        CREATE FUNCTION a_lifted_finding_stays_lifted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'finding % is lifted', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_lifted_finding_stays_lifted';
        END $$;
        CREATE TRIGGER a_lifted_finding_stays_lifted BEFORE UPDATE ON unit_finding FOR EACH ROW
            WHEN (OLD.lifted_at IS NOT NULL) EXECUTE FUNCTION a_lifted_finding_stays_lifted();
        """
    )


def _agreed_lots_follow() -> None:
    """An agreement covers some lot, and each lot for exactly its term up to its earliest ending."""
    op.execute(
        """
        CREATE FUNCTION an_agreement_covers_a_lot() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM agreement_lot WHERE agreement_id = NEW.id) THEN
                RAISE EXCEPTION 'agreement % covers no lot', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_agreement_covers_a_lot';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_agreement_covers_a_lot AFTER INSERT ON operating_agreement
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_agreement_covers_a_lot();

        CREATE FUNCTION an_agreed_lot_follows_its_agreement() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM agreement_lot WHERE agreement_id = NEW.agreement_id ORDER BY id FOR NO KEY UPDATE;
            IF EXISTS (
                SELECT FROM agreement_lot JOIN operating_agreement ON operating_agreement.id = agreement_id
                WHERE agreement_id = NEW.agreement_id AND valid <> term * tstzrange(
                    NULL, (SELECT min(ends_at) FROM agreement_ending WHERE agreement_id = NEW.agreement_id)
                )
            ) THEN
                RAISE EXCEPTION 'a lot of agreement % is run for another span', NEW.agreement_id
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'an_agreed_lot_follows_its_agreement';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_agreed_lot_follows_its_agreement AFTER INSERT OR UPDATE ON agreement_lot
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_agreed_lot_follows_its_agreement();
        CREATE CONSTRAINT TRIGGER an_agreed_lot_follows_its_agreement AFTER INSERT ON agreement_ending
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_agreed_lot_follows_its_agreement();
        """
    )


def _rights() -> None:
    append_only("stored_file", "operating_agreement", "self_operation", "register_change")
    append_only("agreement_ending", "agreement_reminder")
    grant("SELECT, INSERT, UPDATE (lifted_by, lifted_at, lifted_because)", "unit_finding")
    grant("SELECT, INSERT, UPDATE (valid)", "agreement_lot")


def downgrade() -> None:
    op.execute("DROP TRIGGER an_excluded_unit_has_no_open_lot ON lot")
    for table in TABLES:
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_constraint("office_hours_take_some_time", "unit", type_="check")
    op.create_check_constraint("an_office_day_begins_before_it_ends", "unit", "office_begins < office_ends")
    op.drop_constraint("a_districts_unit_lies_in_a_district", "unit", type_="check")
    for column in ("authority_name", "authority", "credit_code"):
        op.drop_column("unit", column)
    for column in ("service_phone", "credit_code"):
        op.drop_column("operator", column)
    op.execute("DROP FUNCTION is_credit_code(text)")
