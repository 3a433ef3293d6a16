"""What tells a search that something about a lot has changed."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id


class LotChange(Base):
    """Change (变动) of a lot, its bays, hours, prices or claims; written by triggers, read by every process's board.

    `transaction_id` is the number of the transaction that wrote it: a reader asks for all that its last look could not
    see yet, so no late commit is missed. `is_pressing` is everything but a claim: a closure, a suspension, a finding,
    other hours or prices, which no search may pass over even for a second.
    """

    __tablename__ = "lot_change"
    id: Mapped[Id]
    lot_id: Mapped[int]
    transaction_id: Mapped[int] = mapped_column(BigInteger, server_default=func.txid_current())
    is_pressing: Mapped[bool]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    __table_args__ = (
        Index("ix_lot_change_transaction_id", "transaction_id", "lot_id"),
        Index("ix_lot_change_pressing", "transaction_id", postgresql_where=text("is_pressing")),
        Index("ix_lot_change_at", "at"),
    )
