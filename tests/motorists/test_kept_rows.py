"""What the database itself holds about motorists, against our own code too."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.domain.motorists.actions.sessions import IDLE
from app.domain.motorists.models import (
    AgreementSignature,
    AgreementVersion,
    Consent,
    Motorist,
    RefreshToken,
    SignIn,
    Vehicle,
)
from app.kernel import clock
from app.kernel.base import Base
from app.kernel.db import transaction, violated
from tests.miniprogram.stand import Phone, a_plate


def refused_by(statement: Callable[[], None]) -> str | None:
    """The name of the constraint that forbids what `statement` tries."""
    with pytest.raises(IntegrityError) as refusal, transaction():
        statement()
    return violated(refusal.value)


@pytest.mark.parametrize(
    ("kept", "column"), [(AgreementVersion, "title"), (AgreementSignature, "version"), (Consent, "act")]
)
def test_what_was_published_signed_or_allowed_is_never_changed_or_removed(
    motorist: Phone, kept: type[Base], column: str
) -> None:
    motorist.put("/phone", {"code": motorist.phone_code()})
    for change in (update(kept).values({column: "x"}), delete(kept)):
        with pytest.raises(DBAPIError, match="permission denied"), transaction() as session:
            session.execute(change)
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(kept)) == 1


def test_a_hash_that_is_not_the_texts_cannot_be_published(motorist: Phone) -> None:
    assert motorist.access
    body, wrong = "正文", sha256("另一份".encode()).digest()

    def publish() -> None:
        with transaction() as session:
            version = AgreementVersion(
                version="wrong", title="x", text=body, text_sha256=wrong, in_force_from=clock.now(),
                published_at=clock.now(),
            )  # fmt: skip
            session.add(version)
            session.flush()

    assert refused_by(publish) == "an_agreement_hash_is_that_of_its_text"


def test_a_signature_cannot_name_a_text_that_its_version_does_not_have(motorist: Phone) -> None:
    assert motorist.access

    def sign() -> None:
        with transaction() as session:
            who = session.scalars(select(Motorist.id)).one()
            signature = AgreementSignature(
                motorist_id=who, version="another", text_sha256=b"x" * 32, signed_at=clock.now(), device_enc=b""
            )
            session.add(signature)
            session.flush()

    assert refused_by(sign) == "a_signature_names_the_text_it_saw"


def test_a_sign_in_never_has_two_unspent_tokens(motorist: Phone) -> None:
    assert motorist.access

    def issue() -> None:
        with transaction() as session:
            family = session.scalars(select(SignIn)).one()
            now = clock.now()
            session.add(
                RefreshToken(sign_in_id=family.id, digest=secrets.token_bytes(32), issued_at=now, expires_at=now + IDLE)
            )
            session.flush()

    assert refused_by(issue) == "a_sign_in_has_one_unspent_token"


def test_a_motorist_has_a_plate_once(motorist: Phone) -> None:
    motorist.post("/vehicles", {"plate": a_plate(), "colour": "blue"}, expect=201)

    def add() -> None:
        with transaction() as session:
            vehicle = session.scalars(select(Vehicle)).one()
            again = Vehicle(motorist_id=vehicle.motorist_id, plate_id=vehicle.plate_id, added_at=clock.now())
            session.add(again)
            session.flush()

    assert refused_by(add) == "a_motorist_has_a_plate_once"


def test_a_refresh_token_rests_as_a_hash_only(motorist: Phone) -> None:
    with transaction() as session:
        token = session.scalars(select(RefreshToken)).one()
        family = session.scalars(select(SignIn)).one()
    assert token.digest == sha256(motorist.refresh.encode()).digest()
    assert (token.spent_at, token.successor_enc) == (None, None)
    assert token.expires_at - token.issued_at == IDLE
    assert family.ends_at - family.began_at == timedelta(days=30)
