"""Staff accounts, the roles that they hold in their scopes, and whose task is whose."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import grant

revision = "0007"
down_revision = "0006"

FUNCTIONS = (
    "a_grant_is_for_an_open_account",
    "an_ended_grant_stays_ended",
    "the_city_keeps_an_administrator",
    "a_closed_account_holds_nothing",
    "a_closed_task_stays_closed",
)
TASK_COLUMNS = ("owner_id", "taken_at", "due_at", "closed_by", "district_code", "unit_id", "operator_ids")


def upgrade() -> None:
    _accounts()
    _grants()
    _grants_end_once()
    _accounts_close_once()
    _tasks()
    op.create_check_constraint("a_policy_is_at_most_a_year_of_minutes", "policy_number", "value BETWEEN 0 AND 525600")
    account = "display_name, password_hash, password_is_own, failed_sign_ins, next_sign_in_at, closed_by, closed_at"
    grant(f"SELECT, INSERT, UPDATE ({account})", "staff_account")
    grant("SELECT, INSERT, UPDATE (ended_by, ended_at)", "staff_grant")


def _accounts() -> None:
    op.create_table(
        "staff_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("password_is_own", sa.Boolean(), nullable=False),
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


def _grants() -> None:
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


def _grants_end_once() -> None:
    """A grant is given to people who are still here and ends once; the last administrator's does not end."""
    op.execute(
        """
        CREATE FUNCTION a_grant_is_for_an_open_account() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM staff_account WHERE id = NEW.account_id AND closed_at IS NULL FOR SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'account % is closed', NEW.account_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_grant_is_for_an_open_account';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_grant_is_for_an_open_account BEFORE INSERT ON staff_grant
            FOR EACH ROW EXECUTE FUNCTION a_grant_is_for_an_open_account();

        CREATE FUNCTION an_ended_grant_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'grant % has ended', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_ended_grant_stays_ended';
        END $$;
        CREATE TRIGGER an_ended_grant_stays_ended BEFORE UPDATE ON staff_grant FOR EACH ROW
            WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION an_ended_grant_stays_ended();

        CREATE FUNCTION the_city_keeps_an_administrator() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('the_city_keeps_an_administrator'));
            IF NOT EXISTS (
                SELECT FROM staff_grant WHERE role = 'administrator' AND ended_at IS NULL AND id <> NEW.id
            ) THEN
                RAISE EXCEPTION 'nobody else administrates the city'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'the_city_keeps_an_administrator';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER the_city_keeps_an_administrator BEFORE UPDATE ON staff_grant FOR EACH ROW
            WHEN (OLD.role = 'administrator' AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
            EXECUTE FUNCTION the_city_keeps_an_administrator();
        """
    )


def _accounts_close_once() -> None:
    """A closed account holds no grant and is never opened again."""
    op.execute(
        """
        CREATE FUNCTION a_closed_account_holds_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.closed_at IS NOT NULL
               OR EXISTS (SELECT FROM staff_grant WHERE account_id = NEW.id AND ended_at IS NULL) THEN
                RAISE EXCEPTION 'account % is closed already, or holds grants', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_closed_account_holds_nothing';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_closed_account_holds_nothing BEFORE UPDATE ON staff_account FOR EACH ROW
            WHEN (NEW.closed_at IS DISTINCT FROM OLD.closed_at)
            EXECUTE FUNCTION a_closed_account_holds_nothing();
        """
    )


def _tasks() -> None:
    """A task may have an owner, a due time and a place, and what was decided stays decided."""
    op.add_column("task", sa.Column("owner_id", sa.BigInteger(), nullable=True))
    op.add_column("task", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("task", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("task", sa.Column("closed_by", sa.BigInteger(), nullable=True))
    op.add_column("task", sa.Column("district_code", sa.Text(), nullable=True))
    op.add_column("task", sa.Column("unit_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "task", sa.Column("operator_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False, server_default="{}")
    )
    op.create_foreign_key("fk_task_owner_id", "task", "staff_account", ["owner_id"], ["id"])
    op.create_foreign_key("fk_task_closed_by", "task", "staff_account", ["closed_by"], ["id"])
    op.create_foreign_key("fk_task_district_code", "task", "district", ["district_code"], ["code"])
    op.create_foreign_key("fk_task_unit_id", "task", "unit", ["unit_id"], ["id"])
    op.create_check_constraint("a_task_with_an_owner_was_taken", "task", "(owner_id IS NULL) = (taken_at IS NULL)")
    op.create_check_constraint("who_closed_a_task_closed_it", "task", "closed_by IS NULL OR closed_at IS NOT NULL")
    op.create_index("ix_task_due_at_id", "task", ["due_at", "id"], postgresql_where=sa.text("closed_at IS NULL"))
    op.execute(
        """
        CREATE FUNCTION a_closed_task_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'task % is closed', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_closed_task_stays_closed';
        END $$;
        CREATE TRIGGER a_closed_task_stays_closed BEFORE UPDATE ON task FOR EACH ROW
            WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION a_closed_task_stays_closed();
        """
    )
    op.execute("REVOKE UPDATE ON task FROM app_rw")
    grant("UPDATE (owner_id, taken_at, due_at, closed_by, closed_at, outcome)", "task")


def downgrade() -> None:
    op.drop_constraint("a_policy_is_at_most_a_year_of_minutes", "policy_number", type_="check")
    op.execute("DROP TRIGGER a_closed_task_stays_closed ON task")
    op.drop_constraint("a_task_with_an_owner_was_taken", "task", type_="check")
    op.drop_constraint("who_closed_a_task_closed_it", "task", type_="check")
    op.drop_index("ix_task_due_at_id", "task")
    for column in TASK_COLUMNS:
        op.drop_column("task", column)
    grant("UPDATE", "task")
    op.drop_table("staff_grant")
    op.drop_table("staff_account")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
