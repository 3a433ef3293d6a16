"""Staff accounts, and the roles that they hold in their scopes."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "staff_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("failed_sign_ins", sa.BigInteger(), nullable=False),
        sa.Column("next_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("display_name <> ''", name="an_account_names_its_person"),
        sa.CheckConstraint("login ~ '^[a-z][a-z0-9._-]{1,39}$'", name="a_login_is_short_and_plain"),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="a_closed_account_says_who_closed_it"),
        sa.CheckConstraint("closed_by <> id", name="nobody_closes_his_own_account"),
        sa.CheckConstraint("failed_sign_ins >= 0", name="failed_sign_ins_are_counted_upwards"),
        sa.ForeignKeyConstraint(["closed_by"], ["staff_account.id"], name="fk_staff_account_closed_by"),
        sa.ForeignKeyConstraint(["opened_by"], ["staff_account.id"], name="fk_staff_account_opened_by"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_account"),
        sa.UniqueConstraint("key", name="uq_staff_account_key"),
        sa.UniqueConstraint("login", name="uq_staff_account_login"),
    )
    op.create_table(
        "staff_grant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("district_code", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("operator_id", sa.BigInteger(), nullable=True),
        sa.Column("granted_by", sa.BigInteger(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(role = 'administrator') <= (scope = 'city')", name="an_administrator_serves_the_city"),
        sa.CheckConstraint(
            "(role = 'operator') <= (scope = 'operator')", name="an_operators_people_act_for_one_operator"
        ),
        sa.CheckConstraint("(role = 'unit') <= (scope = 'unit')", name="a_units_people_act_for_one_unit"),
        sa.CheckConstraint(
            "(scope = 'district') = (district_code IS NOT NULL) AND (scope = 'unit') = (unit_id IS NOT NULL) AND (scope = 'operator') = (operator_id IS NOT NULL)",
            name="a_scope_names_its_place_and_no_other",
        ),
        sa.CheckConstraint(
            "is_first <= (role = 'administrator' AND granted_by = account_id)", name="the_first_is_an_administrator"
        ),
        sa.CheckConstraint(
            "role IN ('unit', 'operator', 'complaint_handler', 'finance_maker', 'finance_checker', 'price_officer', 'regulator', 'administrator')",
            name="a_role_is_one_of_eight",
        ),
        sa.CheckConstraint("scope IN ('city', 'district', 'unit', 'operator')", name="a_scope_is_one_of_four"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="an_ended_grant_says_who_ended_it"),
        sa.CheckConstraint("is_first OR granted_by <> account_id", name="nobody_grants_himself"),
        sa.ForeignKeyConstraint(["account_id"], ["staff_account.id"], name="fk_staff_grant_account_id"),
        sa.ForeignKeyConstraint(["district_code"], ["district.code"], name="fk_staff_grant_district_code"),
        sa.ForeignKeyConstraint(["ended_by"], ["staff_account.id"], name="fk_staff_grant_ended_by"),
        sa.ForeignKeyConstraint(["granted_by"], ["staff_account.id"], name="fk_staff_grant_granted_by"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_staff_grant_operator_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_staff_grant_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_grant"),
        sa.UniqueConstraint("key", name="uq_staff_grant_key"),
    )
    op.create_index(
        "a_role_is_held_once_in_a_scope",
        "staff_grant",
        ["account_id", "role", "scope", "district_code", "unit_id", "operator_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "there_is_one_first_administrator",
        "staff_grant",
        ["is_first"],
        unique=True,
        postgresql_where=sa.text("is_first"),
    )
    account = "display_name, password_hash, failed_sign_ins, next_sign_in_at, closed_by, closed_at"
    grant(f"SELECT, INSERT, UPDATE ({account})", "staff_account")
    grant("SELECT, INSERT, UPDATE (ended_by, ended_at)", "staff_grant")


def downgrade() -> None:
    op.drop_table("staff_grant")
    op.drop_table("staff_account")
