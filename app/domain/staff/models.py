"""Accounts of people who work here, and the roles that they hold."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class StaffAccount(Base):
    """Account (工作账号) of one person; nobody shares one. The password rests as argon2id.

    A password that somebody else chose is not `password_is_own`: it is good for nothing but choosing another.
    """

    __tablename__ = "staff_account"
    id: Mapped[Id]
    key: Mapped[Key]
    login: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    password_is_own: Mapped[bool]
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    next_sign_in_at: Mapped[datetime | None]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    opened_at: Mapped[datetime]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("login ~ '^[a-z][a-z0-9._-]{1,39}$'", name="a_login_is_short_and_plain"),
        CheckConstraint("display_name <> ''", name="an_account_names_its_person"),
        CheckConstraint("failed_sign_ins >= 0", name="failed_sign_ins_are_counted_upwards"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="a_closed_account_says_who_closed_it"),
        CheckConstraint("closed_by <> id", name="nobody_closes_his_own_account"),
    )  # fmt: skip


class StaffGrant(Base):
    """Grant (授权): one role in one scope; it ends and stays readable. Only the first person granted himself."""

    __tablename__ = "staff_grant"
    id: Mapped[Id]
    key: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    role: Mapped[str]
    scope: Mapped[str]
    district_code: Mapped[str | None] = mapped_column(ForeignKey("district.code"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    granted_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    granted_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    ended_at: Mapped[datetime | None]
    is_first: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (
        CheckConstraint(
            "role IN ('unit', 'operator', 'complaint_handler', 'finance_maker', 'finance_checker', 'price_officer', "
            "'regulator', 'administrator')",
            name="a_role_is_one_of_eight",
        ),
        CheckConstraint("scope IN ('city', 'district', 'unit', 'operator')", name="a_scope_is_one_of_four"),
        CheckConstraint(
            "(scope = 'district') = (district_code IS NOT NULL) AND (scope = 'unit') = (unit_id IS NOT NULL) "
            "AND (scope = 'operator') = (operator_id IS NOT NULL)",
            name="a_scope_names_its_place_and_no_other",
        ),
        CheckConstraint("(role = 'unit') <= (scope = 'unit')", name="a_units_people_act_for_one_unit"),
        CheckConstraint("(role = 'operator') <= (scope = 'operator')", name="an_operators_people_act_for_one_operator"),
        CheckConstraint("(role = 'administrator') <= (scope = 'city')", name="an_administrator_serves_the_city"),
        CheckConstraint("is_first OR granted_by <> account_id", name="nobody_grants_himself"),
        CheckConstraint(
            "is_first <= (role = 'administrator' AND granted_by = account_id)", name="the_first_is_an_administrator"
        ),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="an_ended_grant_says_who_ended_it"),
        Index("there_is_one_first_administrator", "is_first", unique=True, postgresql_where=text("is_first")),
        Index(
            "a_role_is_held_once_in_a_scope", "account_id", "role", "scope", "district_code", "unit_id", "operator_id",
            unique=True, postgresql_where=text("ended_at IS NULL"), postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
