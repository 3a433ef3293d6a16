"""Messages in a motorist's inbox, and what becomes of those that WeChat shows as well."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Message(Base):
    """Message (站内信): told once about one subject, and read or not. No plate and no phone number stands in it."""

    __tablename__ = "message"
    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    told_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("motorist_id", "kind", "subject", name="a_motorist_is_told_once_of_a_subject"),
        UniqueConstraint("id", "motorist_id", name="a_message_is_one_motorists"),
        CheckConstraint("title <> '' AND body <> ''", name="a_message_says_something"),
        CheckConstraint("read_at >= told_at", name="a_message_is_read_after_it_was_told"),
        Index("ix_message_motorist_id_id", "motorist_id", "id"),
        Index("ix_message_unread", "motorist_id", postgresql_where=text("read_at IS NULL")),
    )


class MessageTemplate(Base):
    """Template of subscribe messages (订阅消息模板): WeChat's number of it, where a tap leads, what stands where.

    `fields` gives each of WeChat's keys, such as `thing1`, one of our words, such as `lot`.
    """

    __tablename__ = "message_template"
    id: Mapped[Id]
    kind: Mapped[str]
    template_id: Mapped[str]
    page: Mapped[str]
    fields: Mapped[dict[str, Any]]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        CheckConstraint("kind IN ('leaving', 'conduct', 'arrears', 'booking')", name="a_template_is_of_a_known_kind"),
        CheckConstraint("template_id <> '' AND page <> ''", name="a_template_has_a_number_and_a_page"),
        CheckConstraint("fields <> '{}'", name="a_template_says_something"),
        CheckConstraint("NOT isempty(valid)", name="a_template_holds_for_some_time"),
        ExcludeConstraint(
            ("kind", "="), ("valid", "&&"), name="a_kind_has_one_template_at_a_time", using="gist",
        ),
    )  # fmt: skip


class MessageConsent(Base):
    """Consent to one message (一次性订阅授权): a motorist accepted a template once, and it is good for one send.

    It ends spent on a delivery, or void because WeChat says that there is none (43101).
    """

    __tablename__ = "message_consent"
    id: Mapped[Id]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    template_id: Mapped[str]
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("id", "motorist_id", name="a_consent_is_one_motorists"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="a_consent_that_ended_says_how"),
        CheckConstraint("ended_as IN ('spent', 'void')", name="a_consent_ends_spent_or_void"),
        CheckConstraint("ended_at >= given_at", name="a_consent_ends_after_it_was_given"),
        Index("ix_message_consent_unspent", "motorist_id", "template_id", postgresql_where=text("ended_at IS NULL")),
    )


class MessageDelivery(Base):
    """Delivery (微信下发) of a message through WeChat: one at most a message, paid with one consent, sent once.

    `told` holds our words for the template, never personal data. `sending`: the call is being made, and
    `next_check_at` is when nobody waits for its answer any more; it then ends `unknown`, and is not sent again.
    """

    __tablename__ = "message_delivery"
    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(unique=True)
    motorist_id: Mapped[int]
    consent_id: Mapped[int]
    template_row: Mapped[int] = mapped_column(ForeignKey("message_template.id"))
    told: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_check_at: Mapped[datetime]
    errcode: Mapped[int | None]
    wechat_id: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["message_id", "motorist_id"], ["message.id", "message.motorist_id"],
            name="a_delivery_goes_to_whom_the_message_is_for",
        ),
        ForeignKeyConstraint(
            ["consent_id", "motorist_id"], ["message_consent.id", "message_consent.motorist_id"],
            name="a_delivery_spends_its_own_motorists_consent",
        ),
        UniqueConstraint("consent_id", name="a_consent_is_spent_once"),
        CheckConstraint(
            "state IN ('due', 'sending', 'sent', 'refused', 'unknown', 'expired')",
            name="a_delivery_is_in_a_known_state",
        ),
        CheckConstraint("(state IN ('due', 'sending')) = (ended_at IS NULL)", name="a_delivery_that_ended_says_when"),
        CheckConstraint("state <> 'refused' OR errcode IS NOT NULL", name="a_refused_delivery_says_the_code"),
        CheckConstraint("state NOT IN ('sending', 'sent', 'refused', 'unknown') OR attempts > 0",
                        name="what_was_sent_was_tried"),
        CheckConstraint("give_up_at > made_at", name="a_delivery_has_some_time"),
        Index("ix_message_delivery_next", "next_check_at", postgresql_where=text("state IN ('due', 'sending')")),
    )  # fmt: skip


class MessageLine(Base):
    """The line to WeChat's messages (下发通道), one row: while it rests, for a quota or an outage, nothing is tried."""

    __tablename__ = "message_line"
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    failures: Mapped[int] = mapped_column(server_default="0")
    paused_until: Mapped[datetime | None]
    errcode: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("id = 1", name="there_is_one_line_for_messages"),
        CheckConstraint("(failures = 0) = (paused_until IS NULL)", name="a_line_that_failed_says_until_when_it_rests"),
    )
