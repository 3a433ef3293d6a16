"""Bills by merchant and day, each version that WeChat gave, and its lines. Nothing of them ever changes."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class BillDay(Base):
    """One day of one sub-merchant of which a bill of a kind is due (账单日), and when it is asked for next.

    `trade` is the trade bill (交易账单), `fund_flow` the fund-flow bill (资金账单).
    """

    __tablename__ = "bill_day"
    __table_args__ = (
        UniqueConstraint("channel_id", "kind", "day", name="a_merchants_day_has_one_bill_of_a_kind"),
        UniqueConstraint("id", "kind", name="a_bill_day_is_of_one_kind"),
        ForeignKeyConstraint(
            ["channel_id", "payee_id"], ["merchant_channel.id", "merchant_channel.payee_id"],
            name="a_bill_day_is_of_its_payees_channel",
        ),
        CheckConstraint("kind IN ('trade', 'fund_flow')", name="a_bill_is_of_a_known_kind"),
        Index("ix_bill_day_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    channel_id: Mapped[int]
    payee_id: Mapped[int]
    kind: Mapped[str]
    day: Mapped[date]
    next_check_at: Mapped[datetime | None]
    """None: it was fetched, and fetched again after three and after thirty days; or WeChat has it no more."""
    tries: Mapped[int] = mapped_column(default=0)
    """How often it was asked for in vain since it was last had."""


class BillFile(Base):
    """One answer of WeChat's about a bill day: a file, none because nothing happened, or a file that was refused.

    Another file than the last is another version. Sums are fen, counted from the lines and equal to the file's own
    summary; of a fund flow `paid_fen` came in and `refunded_fen` went out.
    """

    __tablename__ = "bill_file"
    __table_args__ = (
        UniqueConstraint("day_id", "version", name="a_bill_has_one_text_a_version"),
        UniqueConstraint("id", "kind", name="a_bill_keeps_its_kind"),
        UniqueConstraint("id", "state", name="a_bill_keeps_its_state"),
        ForeignKeyConstraint(["day_id", "kind"], ["bill_day.id", "bill_day.kind"], name="a_bill_is_of_its_day"),
        CheckConstraint("state IN ('loaded', 'empty', 'refused')", name="a_bill_is_in_a_known_state"),
        CheckConstraint("(state = 'refused') = (code IS NOT NULL)", name="a_refused_bill_says_why"),
        CheckConstraint(
            "(state = 'loaded') = (sha256 IS NOT NULL) AND (state = 'empty') = (sha1 IS NULL)",
            name="a_loaded_bill_has_its_hashes",
        ),
        CheckConstraint(
            "state = 'loaded' OR lines = 0 AND paid_fen = 0 AND refunded_fen = 0 AND fee_fen = 0",
            name="only_a_loaded_bill_has_lines",
        ),
        Index("ix_bill_file_day_id", "day_id"),
    )

    id: Mapped[Id]
    day_id: Mapped[int]
    kind: Mapped[str]
    version: Mapped[int]
    state: Mapped[str]
    code: Mapped[str | None]
    """Why it was refused."""
    at_line: Mapped[int | None]
    sha1: Mapped[str | None]
    """What WeChat signed: of the inflated text, of each part where there are several."""
    sha256: Mapped[bytes | None]
    """Our own, of the whole text."""
    lines: Mapped[int]
    paid_fen: Mapped[int]
    refunded_fen: Mapped[int]
    fee_fen: Mapped[int]
    fetched_at: Mapped[datetime]
    transaction_id: Mapped[int] = mapped_column(server_default=func.txid_current())
    """PostgreSQL's transaction that wrote it: no line can join from a later one."""


class BillByHand(Base):
    """That a person brought a bill (人工补录), since WeChat gives it out no more: who, why, when.

    A loaded one is a file from the merchant platform, kept as every original; that nothing happened on a day is proved
    by a paper. Triggers hold it to days that WeChat has no more, and to another signature than this person's.
    """

    __tablename__ = "bill_by_hand"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bill_id", "state"], ["bill_file.id", "bill_file.state"], name="what_is_brought_by_hand_is_a_bill"
        ),
        CheckConstraint("state IN ('loaded', 'empty')", name="what_was_refused_is_no_bill"),
        CheckConstraint("(state = 'empty') = (file_id IS NOT NULL)", name="that_nothing_happened_is_proved_by_a_paper"),
        CheckConstraint("brought_by <> '' AND because <> ''", name="who_brings_a_bill_says_why"),
    )

    bill_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    brought_by: Mapped[str]
    because: Mapped[str]
    brought_at: Mapped[datetime]


class BillOriginal(Base):
    """The original of a loaded bill (账单原件): kept until a moment, then erased; only the hashes outlive it.

    A trade bill names payers, so its bytes rest sealed, piece by piece.
    """

    __tablename__ = "bill_original"
    __table_args__ = (
        CheckConstraint("erased_at >= kept_until", name="an_original_is_kept_for_its_term"),
        Index("ix_bill_original_kept_until", "kept_until", postgresql_where=text("erased_at IS NULL")),
    )

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill_file.id"), primary_key=True, autoincrement=False)
    kept_until: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class BillOriginalPiece(Base):
    """A piece of an original: the bytes of one of its parts as they came, gzipped or plain, sealed."""

    __tablename__ = "bill_original_piece"

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill_original.bill_id"), primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes]


class BillLine(Base):
    """One line of a trade bill: a payment, or a refund with negative sums. Whose payment it was is not among it.

    A foreign key for each of a million lines would cost as much as the rest: triggers hold bill and lines together.
    """

    __tablename__ = "bill_line"
    __table_args__ = (
        CheckConstraint("kind IN ('SUCCESS', 'REFUND', 'REVOKED')", name="a_line_is_of_a_known_kind"),
        CheckConstraint("(kind = 'REFUND') = (refund_id <> '')", name="a_refunds_line_names_the_refund"),
        Index("a_line_stands_once_in_a_bill", "transaction_id", "refund_id", "bill_id", unique=True),
    )

    bill_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str]
    transaction_id: Mapped[str]
    out_trade_no: Mapped[str]
    refund_id: Mapped[str]
    out_refund_no: Mapped[str]
    amount_fen: Mapped[int]
    """订单金额, or 申请退款金额 with a minus."""
    settled_fen: Mapped[int]
    """应结订单金额, or 退款金额 with a minus: what the merchant's account sees."""
    fee_fen: Mapped[int]
    """手续费: negative where it was given back."""
    rate_ppm: Mapped[int]
    """费率 in millionths."""
    status: Mapped[str]
    """退款状态 as of then; it is never brought up to date."""
    currency: Mapped[str]


class FundLine(Base):
    """One line of a fund-flow bill (资金流水): what moved in a sub-merchant's account; what went out is negative."""

    __tablename__ = "fund_line"
    __table_args__ = (
        UniqueConstraint("flow_id", "bill_id", name="a_flow_stands_once_in_a_bill"),
        Index("ix_fund_line_business_id", "business_id"),
    )

    bill_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    business_id: Mapped[str]
    """微信支付业务单号: WeChat's number of the payment, refund or settlement."""
    flow_id: Mapped[str]
    kind: Mapped[str]
    """业务类型, such as 交易, 退款, 扣除交易手续费, 提现."""
    amount_fen: Mapped[int]
    balance_fen: Mapped[int]
    voucher: Mapped[str]
    """业务凭证号: our number of it."""
