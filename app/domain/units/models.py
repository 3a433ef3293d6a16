"""Districts, opening units with their findings, operators and their agreements."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.staff.rules import Place
from app.kernel.base import Base, Id, Key


class District(Base):
    """District or county (区县市) by its official code; 330100 is the city itself."""

    __tablename__ = "district"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    __table_args__ = (CheckConstraint("code ~ '^3301[0-9]{2}$'", name="a_district_lies_in_hangzhou"),)


class Unit(Base):
    """Opening unit (开放单位, N2.1) with its office hours, from which its open hours follow (N2.2.1).

    Hours that end earlier than they begin end on the next day.
    """

    __tablename__ = "unit"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    level: Mapped[str]
    district_code: Mapped[str] = mapped_column(ForeignKey("district.code"))
    office_begins: Mapped[time]
    office_ends: Mapped[time]
    credit_code: Mapped[str | None] = mapped_column(unique=True)
    authority: Mapped[str]
    authority_name: Mapped[str | None]

    @property
    def place(self) -> Place:
        """Where it lies, for the question who may do something with it."""
        return Place(self.district_code, self.id)

    __table_args__ = (
        CheckConstraint("is_credit_code(credit_code)", name="a_units_credit_code_has_its_check_digit"),
        CheckConstraint(
            "authority IN ('government_offices', 'state_assets', 'district', 'department')",
            name="a_unit_has_one_supervising_authority",
        ),
        CheckConstraint(
            "(authority = 'department') = (authority_name IS NOT NULL)", name="a_supervising_department_has_a_name"
        ),
        UniqueConstraint("id", "kind", "level", "district_code", name="a_unit_has_one_kind_and_place"),
        CheckConstraint("kind IN ('organ', 'institution', 'enterprise')", name="a_unit_has_one_of_three_kinds"),
        CheckConstraint("level IN ('city', 'district')", name="a_unit_belongs_to_city_or_district"),
        CheckConstraint("office_begins <> office_ends", name="office_hours_take_some_time"),
        CheckConstraint(
            "authority = 'department' OR authority = CASE WHEN level = 'district' THEN 'district' "
            "WHEN kind = 'enterprise' THEN 'state_assets' ELSE 'government_offices' END",
            name="a_unit_is_supervised_by_its_own",
        ),
        CheckConstraint("level = 'city' OR district_code <> '330100'", name="a_districts_unit_lies_in_a_district"),
    )


class Operator(Base):
    """Operator (运营单位, N3.2): runs lots for units under an agreement."""

    __tablename__ = "operator"
    id: Mapped[Id]
    key: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    credit_code: Mapped[str | None] = mapped_column(unique=True)
    service_phone: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("is_credit_code(credit_code)", name="an_operators_credit_code_has_its_check_digit"),
        CheckConstraint("service_phone ~ '^[0-9 +-]{5,20}$'", name="a_service_phone_can_be_dialled"),
    )


class UnitFinding(Base):
    """Finding of exclusion (例外认定, N2.1): why a unit does not open, and proof; live until another lifts it."""

    __tablename__ = "unit_finding"
    id: Mapped[Id]
    key: Mapped[Key]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    ground: Mapped[str]
    reason: Mapped[str]
    evidence: Mapped[str]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    found_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    found_at: Mapped[datetime]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    lifted_at: Mapped[datetime | None]
    lifted_because: Mapped[str | None]
    __table_args__ = (
        CheckConstraint(
            "ground IN ('secret', 'special_security', 'always_open', 'school', 'hospital', 'care')",
            name="a_unit_is_excepted_on_a_ground_of_the_notice",
        ),
        CheckConstraint("reason <> '' AND evidence <> ''", name="a_finding_gives_reason_and_evidence"),
        CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_because IS NULL)",
            name="a_lifted_finding_says_who_and_why",
        ),
        CheckConstraint("lifted_by <> found_by", name="nobody_lifts_his_own_finding"),
        Index(
            "a_unit_has_one_live_finding_of_a_ground", "unit_id", "ground",
            unique=True, postgresql_where=text("lifted_at IS NULL"),
        ),
    )  # fmt: skip


class OperatingAgreement(Base):
    """Operating agreement (委托运营服务协议, N4.7): bays, hours, services, both sides' duties, a term."""

    __tablename__ = "operating_agreement"
    id: Mapped[Id]
    key: Mapped[Key]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    shared_bays: Mapped[int]
    hours_text: Mapped[str]
    services: Mapped[str]
    unit_duties: Mapped[str]
    operator_duties: Mapped[str]
    term: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    signed_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    signed_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("id", "unit_id", name="an_agreement_is_of_one_unit"),
        CheckConstraint("shared_bays > 0", name="an_agreement_states_its_bays"),
        CheckConstraint(
            "hours_text <> '' AND services <> '' AND unit_duties <> '' AND operator_duties <> ''",
            name="an_agreement_states_what_the_notice_demands",
        ),
        CheckConstraint(
            "(lower_inc(term) AND NOT upper_inc(term) AND isfinite(lower(term)) AND isfinite(upper(term))) IS TRUE",
            name="a_term_is_a_finite_half_open_span",
        ),
    )


class AgreementLot(Base):
    """That an agreement covers a lot of its unit; never two operators for one lot at a time.

    `valid` is the agreement's term up to its earliest ending, and empty when that lies before the term.
    """

    __tablename__ = "agreement_lot"
    id: Mapped[Id]
    agreement_id: Mapped[int]
    unit_id: Mapped[int]
    lot_id: Mapped[int]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        ForeignKeyConstraint(
            ["agreement_id", "unit_id"], ["operating_agreement.id", "operating_agreement.unit_id"],
            name="an_agreement_covers_lots_of_its_unit",
        ),
        ForeignKeyConstraint(
            ["lot_id", "unit_id"], ["lot.id", "lot.unit_id"], name="an_agreed_lot_belongs_to_the_unit"
        ),
        ExcludeConstraint(("lot_id", "="), ("valid", "&&"), name="a_lot_has_one_operator_at_a_time", using="gist"),
        Index("ix_agreement_lot_agreement_id", "agreement_id"),
    )  # fmt: skip


class AgreementEnding(Base):
    """Ending (提前终止) of an agreement before its term is over; of several the earliest counts."""

    __tablename__ = "agreement_ending"
    id: Mapped[Id]
    agreement_id: Mapped[int] = mapped_column(ForeignKey("operating_agreement.id"))
    ends_at: Mapped[datetime]
    why: Mapped[str]
    ended_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    ended_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("why <> ''", name="an_ending_gives_a_reason"),
        CheckConstraint("ended_at <= ends_at", name="an_agreement_never_ends_in_the_past"),
        Index("ix_agreement_ending_agreement_id", "agreement_id"),
    )


class AgreementReminder(Base):
    """That people were told of an agreement's end (到期提醒): once a month before it, once when it has come."""

    __tablename__ = "agreement_reminder"
    agreement_id: Mapped[int] = mapped_column(ForeignKey("operating_agreement.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    reminded_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("kind IN ('ends_soon', 'ended')", name="a_reminder_is_of_the_end"),)


class SelfOperation(Base):
    """Declaration that the unit runs a lot itself (自行运营, N3.2); needed once an agreement has ended."""

    __tablename__ = "self_operation"
    id: Mapped[Id]
    unit_id: Mapped[int]
    lot_id: Mapped[int]
    since: Mapped[datetime]
    declared_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    declared_at: Mapped[datetime]
    why: Mapped[str]
    __table_args__ = (
        ForeignKeyConstraint(["lot_id", "unit_id"], ["lot.id", "lot.unit_id"], name="a_unit_declares_for_its_own_lot"),
        CheckConstraint("why <> ''", name="a_declaration_gives_a_reason"),
        CheckConstraint("declared_at <= since", name="a_declaration_is_not_for_the_past"),
        Index("ix_self_operation_lot_id_since", "lot_id", "since"),
    )


class RegisterChange(Base):
    """Change (变更登记) of a unit's or an operator's entry: what was told before and after, who changed it, and why."""

    __tablename__ = "register_change"
    id: Mapped[Id]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"), index=True)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    reason: Mapped[str]
    changed_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    changed_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("num_nonnulls(unit_id, operator_id) = 1", name="a_change_is_of_one_entry"),
        CheckConstraint("reason <> ''", name="a_change_gives_a_reason"),
        CheckConstraint("before <> after", name="a_change_changes_something"),
    )
