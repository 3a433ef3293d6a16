"""Arrears, pauses in chasing them, and the bases on which lots let cars leave before they pay."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Arrear(Base):
    """Arrear (欠费): what is asked for a stay that has ended. It is chased while `owing`; nobody may write that word.

    `owing` follows the charge: a trigger takes it away in the transaction in which the charge is paid or withdrawn.
    Without a motorist there is no charge: the debt stays with the stay until somebody proves that it is theirs.
    `owed_since`: when it became this motorist's debt.
    """

    __tablename__ = "arrear"
    id: Mapped[Id]
    key: Mapped[Key]
    stay_key: Mapped[uuid.UUID]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    motorist_id: Mapped[int | None] = mapped_column(ForeignKey("motorist.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("payee.id"))
    amount_fen: Mapped[int]
    charge_key: Mapped[uuid.UUID | None]
    left_at: Mapped[datetime]
    owed_since: Mapped[datetime]
    owing: Mapped[bool]
    noticed_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("stay_key", name="a_stay_is_owed_for_once"),
        UniqueConstraint("charge_key", name="a_charge_is_one_arrear"),
        CheckConstraint("amount_fen > 0", name="an_arrear_is_for_money"),
        CheckConstraint("(motorist_id IS NULL) = (charge_key IS NULL)", name="who_owes_is_charged"),
        ForeignKeyConstraint(
            ["charge_key", "payee_id", "amount_fen"],
            ["charge.key", "charge.payee_id", "charge.amount_fen"],
            name="an_arrear_is_what_its_charge_asks",
        ),
        CheckConstraint(
            "(noticed_at IS NULL OR motorist_id IS NOT NULL) AND "
            "(reminded_at IS NULL OR (noticed_at <= reminded_at) IS TRUE) AND "
            "(held_at IS NULL OR (reminded_at <= held_at) IS TRUE)",
            name="nobody_is_held_to_it_before_he_was_told",
        ),
        Index("ix_arrear_holding", "motorist_id", postgresql_where=text("owing AND held_at IS NOT NULL")),
        Index("ix_arrear_motorist_id_owing", "motorist_id", postgresql_where=text("owing")),
        Index("ix_arrear_lot_id_owing", "lot_id", postgresql_where=text("owing")),
        Index(
            "ix_arrear_to_chase", "id",
            postgresql_where=text("owing AND held_at IS NULL AND motorist_id IS NOT NULL"),
        ),
    )  # fmt: skip


class ArrearPause(Base):
    """Pause (暂缓催缴): somebody looks into an arrear; meanwhile nobody is reminded of it or kept from reserving."""

    __tablename__ = "arrear_pause"
    id: Mapped[Id]
    arrear_id: Mapped[int] = mapped_column(ForeignKey("arrear.id"))
    reason: Mapped[str]
    paused_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    paused_at: Mapped[datetime]
    outcome: Mapped[str | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "an_arrear_is_paused_once_at_a_time", "arrear_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        CheckConstraint("reason <> '' AND outcome <> ''", name="a_pause_says_why"),
        CheckConstraint(
            "num_nonnulls(outcome, ended_by, ended_at) IN (0, 3) AND (ended_at IS NULL OR ended_at >= paused_at)",
            name="a_pause_that_ended_says_who_when_and_why",
        ),
    )


class PayLater(Base):
    """Leave first, pay later (先离场后付费): a lot's basis for it, recorded by one person and approved by another.

    It names its document, says why, and covers a span that ends. Whoever collects public money defers it on nobody's
    word alone (浙江省政府非税收入管理条例 art. 20); an enterprise's lot is not treated otherwise.
    """

    __tablename__ = "pay_later"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    document_no: Mapped[str]
    reason: Mapped[str]
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    recorded_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    recorded_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    approved_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff_account.id"))
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("document_no <> '' AND reason <> ''", name="a_deferral_names_document_and_reason"),
        CheckConstraint("(isfinite(lower(valid)) AND isfinite(upper(valid))) IS TRUE", name="a_deferral_ends"),
        CheckConstraint("recorded_by <> approved_by", name="nobody_approves_his_own_deferral"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="an_approved_deferral_says_who_and_when"),
        CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name="an_ended_deferral_says_who_and_when"),
        ExcludeConstraint(
            ("lot_id", "="), ("valid", "&&"), name="a_lot_defers_on_one_basis_at_a_time", using="gist",
            where=text("approved_by IS NOT NULL AND ended_by IS NULL"),
        ),
        Index("ix_pay_later_lot_id", "lot_id"),
    )  # fmt: skip
