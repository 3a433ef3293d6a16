"""Who parks (车主): the motorist, how they stay signed in, their vehicles, what they signed and allowed.

Phones, openids and plates rest as ciphertext beside a blind index, the device of a signature as ciphertext; no column
here holds one in the clear.
``agreement_version``, ``agreement_signature`` and ``consent`` are append-only: the application role may
insert and read them, never change them.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key


class Motorist(Base):
    """Motorist (车主): one person as one WeChat app knows them; erased (注销), nobody whom anything names.

    Whatever such a motorist would do is refused by triggers, and an erased one is never anybody again.
    """

    __tablename__ = "motorist"
    __table_args__ = (
        UniqueConstraint("app_id", "openid_bidx", name="an_openid_is_one_motorist_per_app"),
        CheckConstraint("octet_length(openid_bidx) = 16", name="an_openid_index_has_16_bytes"),
        CheckConstraint("phone_bidx IS NULL OR octet_length(phone_bidx) = 16", name="a_phone_index_has_16_bytes"),
        CheckConstraint("(phone_bidx IS NULL) = (phone_enc IS NULL)", name="a_phone_is_kept_with_its_index"),
        CheckConstraint("session_version > 0", name="a_session_version_is_positive"),
        CheckConstraint(
            "num_nonnulls(openid_bidx, openid_enc) = CASE WHEN erased_at IS NULL THEN 2 ELSE 0 END",
            name="whoever_is_erased_has_no_openid",
        ),
        CheckConstraint("erased_at IS NULL OR phone_bidx IS NULL", name="whoever_is_erased_has_no_phone"),
        Index("ix_motorist_phone_bidx", "phone_bidx"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    app_id: Mapped[str]
    openid_bidx: Mapped[bytes | None]
    openid_enc: Mapped[bytes | None]
    phone_bidx: Mapped[bytes | None]
    phone_enc: Mapped[bytes | None]
    session_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class SignIn(Base):
    """One sign-in on one phone: the family of all refresh tokens that grow out of it, ended as a whole."""

    __tablename__ = "sign_in"
    __table_args__ = (
        CheckConstraint("ends_at > began_at", name="a_sign_in_ends_after_it_began"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_because IS NULL)", name="a_revoked_sign_in_says_why"),
        CheckConstraint(
            "revoked_because IN ('logged_out', 'token_reused', 'erased')",
            name="a_sign_in_is_revoked_for_a_known_reason",
        ),
        Index("ix_sign_in_motorist_id", "motorist_id"),
    )

    id: Mapped[Id]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]


class RefreshToken(Base):
    """A secret that buys the next access token once; kept as its SHA-256 only.

    ``successor_enc`` keeps the next token sealed, so that a phone which lost the answer gets the same one
    again for a few seconds.
    """

    __tablename__ = "refresh_token"
    __table_args__ = (
        UniqueConstraint("digest", name="a_refresh_token_is_issued_once"),
        CheckConstraint("octet_length(digest) = 32", name="a_refresh_token_rests_as_sha256"),
        CheckConstraint("(spent_at IS NULL) = (successor_enc IS NULL)", name="a_spent_token_has_a_successor"),
        CheckConstraint("expires_at > issued_at", name="a_refresh_token_expires_after_issue"),
        Index(
            "a_sign_in_has_one_unspent_token",
            "sign_in_id",
            unique=True,
            postgresql_where="spent_at IS NULL",
        ),
    )

    id: Mapped[Id]
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_in.id"))
    digest: Mapped[bytes]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]
    successor_enc: Mapped[bytes | None]


class NumberPlate(Base):
    """Number plate (号牌): characters and colour together are the identity, kept once for the whole city.

    ``characters_bidx`` finds all colours of the same characters, for a camera that saw no colour. Erased with the last
    account that had it, its indices are chance and its characters words: stays point to it, and no car is told.
    """

    __tablename__ = "plate"
    __table_args__ = (
        UniqueConstraint("bidx", name="a_plate_is_kept_once"),
        CheckConstraint("octet_length(bidx) = 16", name="a_plate_index_has_16_bytes"),
        CheckConstraint("octet_length(characters_bidx) = 16", name="a_characters_index_has_16_bytes"),
        Index("ix_plate_characters_bidx", "characters_bidx"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    bidx: Mapped[bytes]
    characters_bidx: Mapped[bytes]
    value_enc: Mapped[bytes]
    colour: Mapped[str]
    kind: Mapped[str]
    erased_at: Mapped[datetime | None]


class Vehicle(Base):
    """Vehicle (车辆): a plate a motorist drives under, until they remove it."""

    __tablename__ = "vehicle"
    __table_args__ = (
        Index(
            "a_motorist_has_a_plate_once",
            "motorist_id",
            "plate_id",
            unique=True,
            postgresql_where="removed_at IS NULL",
        ),
        Index("ix_vehicle_plate_id", "plate_id", postgresql_where="removed_at IS NULL"),
        Index("ix_vehicle_plate_id_removed", "plate_id", postgresql_where="removed_at IS NOT NULL"),
        CheckConstraint("removed_at >= added_at", name="a_vehicle_is_removed_after_it_was_added"),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    plate_id: Mapped[int] = mapped_column(ForeignKey("plate.id"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class AgreementVersion(Base):
    """Driver agreement (车主服务协议, notice N4.8) as published: never edited, only followed by a newer one."""

    __tablename__ = "agreement_version"
    __table_args__ = (
        UniqueConstraint("version", name="an_agreement_version_is_published_once"),
        UniqueConstraint("version", "text_sha256", name="a_version_names_one_text"),
        CheckConstraint(
            "text_sha256 = sha256(convert_to(text, 'UTF8'))",
            name="an_agreement_hash_is_that_of_its_text",
        ),
        Index("ix_agreement_version_in_force_from", "in_force_from"),
    )

    id: Mapped[Id]
    version: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    text_sha256: Mapped[bytes]
    in_force_from: Mapped[datetime]
    published_at: Mapped[datetime]


class AgreementSignature(Base):
    """That a motorist signed a version, which text it was, when and on what device."""

    __tablename__ = "agreement_signature"
    __table_args__ = (
        UniqueConstraint("motorist_id", "version", name="a_version_is_signed_once"),
        ForeignKeyConstraint(
            ["version", "text_sha256"],
            ["agreement_version.version", "agreement_version.text_sha256"],
            name="a_signature_names_the_text_it_saw",
        ),
    )

    id: Mapped[Id]
    key: Mapped[Key]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    version: Mapped[str]
    text_sha256: Mapped[bytes]
    signed_at: Mapped[datetime]
    device_enc: Mapped[bytes]


class Consent(Base):
    """That a motorist allowed, or withdrew, one purpose of using personal data (PIPL articles 13-17)."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("act IN ('given', 'withdrawn')", name="a_consent_is_given_or_withdrawn"),
        Index("ix_consent_motorist_id_purpose", "motorist_id", "purpose"),
    )

    id: Mapped[Id]
    motorist_id: Mapped[int] = mapped_column(ForeignKey("motorist.id"))
    purpose: Mapped[str]
    wording: Mapped[str]
    act: Mapped[str]
    channel: Mapped[str]
    at: Mapped[datetime]
