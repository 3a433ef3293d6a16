"""Under which certificate a lot's property is held; receipts on their way by e-mail, and the mail server's line."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from app.kernel.two_persons import Request


class LotCertificate(Request, Base):
    """Under which certificate (产权证书或不动产权证) a lot's property is held: its number, or 无 where there is none.

    One person records it, another decides; the one that was accepted last counts. Nobody's silence means 无.
    """

    __tablename__ = "lot_certificate"
    __table_args__ = (
        CheckConstraint("number = btrim(number) AND number <> ''", name="a_certificate_has_a_number_or_says_none"),
        CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_certificate_is_in_a_known_state"),
        CheckConstraint("decided_by <> made_by", name="a_certificate_is_decided_by_another_person"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_certificate_says_how_and_why",
        ),
        CheckConstraint("because <> '' AND decided_because <> ''", name="a_certificate_says_on_what_it_rests"),
        Index(
            "a_lot_has_one_certificate_waiting", "lot_id", unique=True, postgresql_where=text("state = 'waiting'")
        ),
        Index("ix_lot_certificate_lot_id", "lot_id"),
    )  # fmt: skip

    id: Mapped[Id]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    number: Mapped[str]


class ReceiptMail(Base):
    """Receipt mail (票据邮件): issued receipts that a motorist wants sent to an address.

    The address rests sealed, and only until the mail is delivered, refused or given up. `sending`: it is being handed
    to the mail server, and `next_check_at` is when nobody waits for the answer any more; it is then sent again, under
    the Message-ID that follows from `key`.
    """

    __tablename__ = "receipt_mail"
    __table_args__ = (
        UniqueConstraint("id", "motorist_id", name="a_receipt_mail_is_one_motorists"),
        CheckConstraint(
            "state IN ('due', 'sending', 'delivered', 'refused', 'given_up')",
            name="a_receipt_mail_is_in_a_known_state",
        ),
        CheckConstraint(
            "(state IN ('due', 'sending')) = (address IS NOT NULL)", name="an_address_is_kept_until_its_mail_has_ended"
        ),
        CheckConstraint(
            "(state IN ('due', 'sending')) = (ended_at IS NULL)", name="a_receipt_mail_that_ended_says_when"
        ),
        CheckConstraint(
            "(ended_at IS NULL) = (next_check_at IS NOT NULL)", name="a_receipt_mail_under_way_is_looked_at_again"
        ),
        CheckConstraint(
            "state NOT IN ('sending', 'delivered', 'refused') OR attempts > 0", name="what_was_mailed_was_tried"
        ),
        CheckConstraint("state <> 'refused' OR smtp_code >= 500", name="a_refused_receipt_mail_says_the_code"),
        CheckConstraint("give_up_at > asked_at", name="a_receipt_mail_has_some_time"),
        Index("ix_receipt_mail_motorist_id_asked_at", "motorist_id", "asked_at"),
        Index("ix_receipt_mail_next_check_at", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    address: Mapped[bytes | None]
    """Sealed; it can be erased, never replaced."""
    asked_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_check_at: Mapped[datetime | None]
    smtp_code: Mapped[int | None]
    """What the server replied last."""
    ended_at: Mapped[datetime | None]


class MailedReceipt(Base):
    """A receipt in a mail: the motorist's own, and issued, by one foreign key."""

    __tablename__ = "mailed_receipt"
    __table_args__ = (
        ForeignKeyConstraint(
            ["mail_id", "motorist_id"], ["receipt_mail.id", "receipt_mail.motorist_id"],
            name="a_mailed_receipt_goes_to_who_asked",
        ),
        ForeignKeyConstraint(
            ["receipt_id", "motorist_id", "number"], ["receipt.id", "receipt.motorist_id", "receipt.number"],
            name="only_ones_own_issued_receipts_are_mailed",
        ),
        Index("ix_mailed_receipt_receipt_id", "receipt_id"),
    )  # fmt: skip

    mail_id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int] = mapped_column(primary_key=True)
    motorist_id: Mapped[int]
    number: Mapped[str]


class ReceiptMailLine(Base):
    """The line to the mail server (邮件通道), one row: while it rests nothing is tried."""

    __tablename__ = "receipt_mail_line"
    __table_args__ = (
        CheckConstraint("id = 1", name="there_is_one_line_for_receipt_mails"),
        CheckConstraint("(failures = 0) = (rests_until IS NULL)", name="a_mail_line_that_failed_rests_until_a_moment"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    failures: Mapped[int] = mapped_column(server_default="0")
    rests_until: Mapped[datetime | None]
