"""Districts, opening units and operators."""

from datetime import datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class District(Base):
    """District or county (区县市) by its official code; 330100 is the city itself."""

    __tablename__ = "district"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    __table_args__ = (CheckConstraint("code ~ '^3301[0-9]{2}$'", name="a_district_lies_in_hangzhou"),)


class Unit(Base):
    """Opening unit (开放单位, N2.1) with its office hours, from which its open hours follow (N2.2.1)."""

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
    __table_args__ = (
        CheckConstraint("is_credit_code(credit_code)", name="a_units_credit_code_has_its_check_digit"),
        CheckConstraint(
            "authority IN ('government_offices', 'state_assets', 'district', 'department')",
            name="a_unit_has_one_supervising_authority",
        ),
        CheckConstraint(
            "(authority = 'department') <= (authority_name IS NOT NULL)", name="a_supervising_department_has_a_name"
        ),
        UniqueConstraint("id", "kind", "level", "district_code", name="a_unit_has_one_kind_and_place"),
        CheckConstraint("kind IN ('organ', 'institution', 'enterprise')", name="a_unit_has_one_of_three_kinds"),
        CheckConstraint("level IN ('city', 'district')", name="a_unit_belongs_to_city_or_district"),
        CheckConstraint("office_begins < office_ends", name="an_office_day_begins_before_it_ends"),
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
    """That an agreement covers a lot of its unit for a term; never two operators for one lot at a time."""

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
    )  # fmt: skip


class SelfOperation(Base):
    """Declaration that the unit runs a lot itself (自行运营, N3.2); needed again after an agreement has ended."""

    __tablename__ = "self_operation"
    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    declared_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    declared_at: Mapped[datetime]
    why: Mapped[str]
    __table_args__ = (CheckConstraint("why <> ''", name="a_declaration_gives_a_reason"),)
