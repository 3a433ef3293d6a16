"""Units with their credit codes and findings, operators and their agreements, stored files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, grant, only_ends

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    _credit_codes()
    _columns()
    _tables()
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
        "a_supervising_department_has_a_name", "unit", "(authority = 'department') <= (authority_name IS NOT NULL)"
    )
    op.create_check_constraint(
        "an_operators_credit_code_has_its_check_digit", "operator", "is_credit_code(credit_code)"
    )
    op.create_check_constraint("a_service_phone_can_be_dialled", "operator", "service_phone ~ '^[0-9 +-]{5,20}$'")


def _tables() -> None:
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
        sa.CheckConstraint("name <> ''", name="a_stored_file_has_a_name"),
        sa.CheckConstraint("sha256 = sha256(content)", name="a_stored_file_has_its_hash"),
        sa.CheckConstraint("size = octet_length(content)", name="a_stored_file_has_its_size"),
        sa.CheckConstraint("size BETWEEN 1 AND 10485760", name="a_stored_file_has_at_most_10_mb"),
        sa.ForeignKeyConstraint(["stored_by"], ["staff_account.id"], name="fk_stored_file_stored_by"),
        sa.PrimaryKeyConstraint("id", name="pk_stored_file"),
        sa.UniqueConstraint("key", name="uq_stored_file_key"),
    )
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
    op.create_table(
        "self_operation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("declared_by", sa.BigInteger(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("why <> ''", name="a_declaration_gives_a_reason"),
        sa.ForeignKeyConstraint(["declared_by"], ["staff_account.id"], name="fk_self_operation_declared_by"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_self_operation_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_self_operation"),
    )


def _rights() -> None:
    append_only("stored_file", "operating_agreement", "self_operation")
    grant("SELECT, INSERT, UPDATE (lifted_by, lifted_at, lifted_because)", "unit_finding")
    only_ends("agreement_lot")


def downgrade() -> None:
    for table in ("self_operation", "agreement_lot", "unit_finding", "operating_agreement", "stored_file"):
        op.drop_table(table)
    for column in ("authority_name", "authority", "credit_code"):
        op.drop_column("unit", column)
    for column in ("service_phone", "credit_code"):
        op.drop_column("operator", column)
    op.execute("DROP FUNCTION is_credit_code(text)")
