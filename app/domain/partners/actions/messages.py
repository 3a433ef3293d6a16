"""A partner's message is recognised by its signature and admitted once."""

import uuid
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.partners.actions.register import key_place
from app.domain.partners.models import Partner, PartnerKey, PartnerNonce
from app.kernel import clock, crypto, signatures
from app.kernel.db import transaction
from app.kernel.leftovers import forget
from app.kernel.refusals import Unauthenticated
from app.kernel.signatures import SignedMessage


class BadSignature(Unauthenticated):
    """Nobody we know signed this; the answer is not signed either."""

    code = "bad_signature"
    message = "签名无效"


class ClockSkew(Unauthenticated):
    """Rightly signed, but more than 300 s from our time; `details.server_time` tells ours."""

    code = "clock_skew"
    message = "时间戳偏差超过 300 秒，请按 server_time 校正后重试"


class Replayed(Unauthenticated):
    """The very same message was here before."""

    code = "replayed"
    message = "请求已被使用，不能重放"


@dataclass(frozen=True)
class Caller:
    """The partner that signed a message, and the key to sign the answer with."""

    partner_id: int
    secret: bytes = field(repr=False)


def recognise(message: SignedMessage) -> Caller:
    """Who signed this; refuses `BadSignature` alike for an unknown partner, a revoked one, a dead key."""
    with transaction() as session:
        found = session.execute(
            select(Partner.id, PartnerKey.secret_enc)
            .join(PartnerKey, PartnerKey.partner_id == Partner.id)
            .where(
                Partner.key == _uuid(message.sender_id),
                Partner.revoked_at.is_(None),
                PartnerKey.key_id == message.key_id,
                PartnerKey.valid.contains(clock.now()),
            )
        ).one_or_none()
    if found is None:
        raise BadSignature
    secret = bytes.fromhex(crypto.unseal(found.secret_enc, key_place(found.id, message.key_id)))
    if not (signatures.is_signed(secret, message) and signatures.is_nonce(message.nonce)):
        raise BadSignature
    return Caller(found.id, secret)


def admit(caller: Caller, message: SignedMessage) -> None:
    """Let one message of a recognised partner in, once.

    Refuses `ClockSkew` (nothing is spent: the partner corrects its time and signs anew) and `Replayed`.
    """
    with transaction() as session:
        moment = clock.now()
        if not signatures.is_timely(message.timestamp, moment):
            raise ClockSkew(server_time=int(moment.timestamp()))
        spent = insert(PartnerNonce).values(partner_id=caller.partner_id, nonce=message.nonce, seen_at=moment)
        if session.scalar(spent.on_conflict_do_nothing().returning(PartnerNonce.nonce)) is None:
            raise Replayed


def forget_old_nonces() -> int:
    """Remove nonces that no message could use any more; returns how many."""
    return forget(PartnerNonce, PartnerNonce.seen_at < clock.now() - signatures.NONCE_KEPT)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
