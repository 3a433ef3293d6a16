"""The receipt that a paid charge is owed."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from app.kernel.base import Base, Id, Key


class ReceiptRequest(Base):
    """A receipt to be issued (开票申请): 财政电子票据 for the treasury's payees, 数电票 for enterprises.

    The regime is the payee's own by foreign key, and the kind follows from it by a CHECK.
    """

    __tablename__ = "receipt_request"
    __table_args__ = (
        UniqueConstraint("charge_id", name="a_charge_has_one_receipt"),
        ForeignKeyConstraint(
            ["charge_id", "payee_id"], ["charge.id", "charge.payee_id"], name="a_receipt_has_its_charges_payee"
        ),
        ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_receipt_has_its_payees_regime"
        ),
        CheckConstraint(
            "kind = CASE regime WHEN 'TREASURY' THEN 'fiscal_ebill' ELSE 'tax_invoice' END",
            name="the_treasury_gives_fiscal_ebills_and_enterprises_tax_invoices",
        ),
        CheckConstraint("amount_fen > 0", name="a_receipt_is_for_money"),
        CheckConstraint("state IN ('requested')", name="a_receipt_is_in_a_known_state"),
        Index("ix_receipt_request_motorist_id", "motorist_id"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    charge_id: Mapped[int]
    payee_id: Mapped[int]
    regime: Mapped[str]
    kind: Mapped[str]
    motorist_id: Mapped[int]
    amount_fen: Mapped[int]
    state: Mapped[str]
    requested_at: Mapped[datetime]
