"""Reports to WeChat that what was paid for was rendered, and whether it wants any."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id
from payments.charges.rules import words
from payments.shipping.rules import SHIPMENT_STATES


class Shipment(Base):
    """Report (发货信息) of one payment; `next_check_at` is when WeChat is told, or told again."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("payment_id", name="a_payment_is_reported_once"),
        CheckConstraint(f"state IN ({words(SHIPMENT_STATES)})", name="a_shipment_is_in_a_known_state"),
        CheckConstraint("(state = 'due') = (next_check_at IS NOT NULL)", name="a_shipment_that_is_due_says_when"),
        CheckConstraint("state <> 'refused' OR errcode IS NOT NULL", name="a_refused_shipment_says_the_code"),
        Index("ix_shipment_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    state: Mapped[str]
    rendered_at: Mapped[datetime]
    next_check_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    errcode: Mapped[int | None]


class TradeManagement(Base):
    """WeChat's word on whether this mini-program must report (是否开通发货信息管理), one row."""

    __tablename__ = "trade_management"
    __table_args__ = (
        CheckConstraint("id = 1", name="there_is_one_word_on_trade"),
        CheckConstraint("managed = (managed_since IS NOT NULL)", name="a_rule_on_trade_holds_since_some_moment"),
        CheckConstraint("managed OR unsought_before IS NULL", name="nothing_unwanted_is_sought"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    managed: Mapped[bool]
    asked_at: Mapped[datetime]
    managed_since: Mapped[datetime | None]
    """When we first heard that it must."""
    unsought_before: Mapped[int | None]
    """Of payments below this number it is still to be seen which were rendered while nobody noted it; none: all are."""
