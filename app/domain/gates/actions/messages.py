"""A message is recognised by its signature and admitted once."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from sqlalchemy import Interval, Table, Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from app.domain.gates.actions.devices import key_place
from app.domain.gates.models import GateDevice, GateKey, GateNonce
from app.kernel import clock, crypto, signatures
from app.kernel.db import transaction
from app.kernel.leftovers import forget
from app.kernel.lookout import glimpse
from app.kernel.prepared import Prepared
from app.kernel.refusals import NotAllowed, Unauthenticated
from app.kernel.signatures import SignedMessage


class BadSignature(Unauthenticated):
    """Nobody we know signed this; the answer is not signed either."""

    code = "bad_signature"
    message = "签名无效"


class ClockSkew(Unauthenticated):
    """Rightly signed, but the gate's clock stands more than 300 s off; `details.server_time` tells ours."""

    code = "clock_skew"
    message = "设备时钟偏差过大，请按 server_time 校正后重试"


class Replayed(Unauthenticated):
    """The very same message was here before."""

    code = "replayed"
    message = "请求已被使用，不能重放"


class GateDisabled(NotAllowed):
    """The gate is known and switched off."""

    code = "gate_disabled"
    message = "该道闸已停用"


@dataclass(frozen=True)
class Caller:
    """The gate that signed a message, when it came, and the key to sign the answer with."""

    device_id: int
    enabled: bool
    seen_at: datetime
    secret: bytes = field(repr=False)


def recognise(message: SignedMessage) -> Caller:
    """Who signed this; refuses `BadSignature` for an unknown gate or key just as for a wrong signature."""
    asked = {"key": _uuid(message.sender_id), "key_id": message.key_id, "offset": clock.offset()}
    found = next(iter(glimpse(_SENDER, asked)), None)
    if found is None:
        raise BadSignature
    secret = bytes.fromhex(crypto.unseal(found.secret_enc, key_place(found.id, message.key_id)))
    if not signatures.is_signed(secret, message):
        raise BadSignature
    return Caller(found.id, found.enabled, found.moment.astimezone(UTC), secret)


_MOMENT: Final = func.clock_timestamp() + bindparam("offset", type_=Interval)
_SENDER: Final = (
    select(GateDevice.id, GateDevice.enabled, GateKey.secret_enc, _MOMENT.label("moment"))
    .join(GateKey, GateKey.device_id == GateDevice.id)
    .where(
        GateDevice.key == bindparam("key", type_=Uuid),
        GateDevice.profile == "gate-v1",
        GateKey.key_id == bindparam("key_id", type_=Text),
        GateKey.valid.op("@>")(_MOMENT),
    )
)


def admit(caller: Caller, message: SignedMessage) -> None:
    """Let one message of a recognised gate in, once.

    Refuses `ClockSkew` (nothing is spent: the gate corrects its clock and signs anew), `Replayed` and `GateDisabled`.
    """
    with transaction():
        if _SPENT.first(**spent_by(caller, message)) is None:
            raise Replayed


def spent_by(caller: Caller, message: SignedMessage) -> dict[str, Any]:
    """What a statement with `spending()` is told of a message. Refuses `ClockSkew`, `GateDisabled`, `BadSignature`."""
    if not caller.enabled:
        raise GateDisabled
    if not signatures.is_timely(message.timestamp, caller.seen_at):
        raise ClockSkew(server_time=int(caller.seen_at.timestamp()))
    if not signatures.is_nonce(message.nonce):
        raise BadSignature
    return {"device_id": caller.device_id, "nonce": message.nonce, "seen_at": caller.seen_at}


_NONCES: Final = cast("Table", GateNonce.__table__)


def spending() -> ReturningInsert[int]:
    """Writes the nonce of a message down: returns its gate, or nothing where the nonce was spent before."""
    return (
        insert(_NONCES)
        .values({name: bindparam(name) for name in ("device_id", "nonce", "seen_at")})
        .on_conflict_do_nothing()
        .returning(_NONCES.c.device_id)
    )


_SPENT: Final = Prepared(spending())


def forget_old_nonces() -> int:
    """Remove nonces that no message could use any more; returns how many."""
    return forget(GateNonce, GateNonce.seen_at < clock.now() - signatures.NONCE_KEPT)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
