"""Gates are put up, given keys and switched off."""

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range

from app.domain.gates.models import GateDevice, GateKey, GateList, GatePulse
from app.kernel import audit, clock, crypto
from app.kernel.db import affected, transaction
from app.kernel.refusals import Conflict, Invalid, NotFound

SHORTEST_SECRET = 32
SLOTS = (1, 2)


class UnknownGate(NotFound):
    """No such gate, or no such key of it."""

    code = "gate_not_found"
    message = "未找到该道闸"


class TwoKeysAlready(Conflict):
    """A gate has at most two valid keys: retire one first."""

    code = "two_keys_already"
    message = "该道闸已有两把有效密钥，请先停用一把"


class WeakSecret(Invalid):
    """A gate's secret has at least 32 bytes."""

    code = "weak_secret"
    message = "密钥至少需要 32 字节"


def install_gate(
    lot_id: int, name: str, lane: str, direction: str, actor: str, profile: str = "gate-v1"
) -> GateDevice:  # fmt: skip
    """A new gate in a lot, enabled, with an empty whitelist; it still needs a key to speak."""
    with transaction() as session:
        device = GateDevice(
            lot_id=lot_id, name=name, lane=lane, direction=direction, profile=profile, created_at=clock.now()
        )
        session.add(device)
        session.flush()
        session.add_all([GatePulse(device_id=device.id), GateList(device_id=device.id)])
        session.flush()
        session.refresh(device)
        audit.record("gate_installed", "gate_device", device.id, actor)
        return device


def add_key(device_id: int, key_id: str, secret: bytes, actor: str) -> None:
    """A second key beside the one in use, valid from now on. Refuses `TwoKeysAlready` and `WeakSecret`."""
    if len(secret) < SHORTEST_SECRET:
        raise WeakSecret
    with transaction() as session:
        session.execute(select(GateDevice.id).where(GateDevice.id == device_id).with_for_update()).one()
        moment = clock.now()
        taken = session.scalars(
            select(GateKey.slot).where(GateKey.device_id == device_id, GateKey.valid.op("@>")(moment))
        ).all()
        free = [slot for slot in SLOTS if slot not in taken]
        if not free:
            raise TwoKeysAlready
        sealed = crypto.seal(secret.hex(), key_place(device_id, key_id))
        valid = Range(moment, None, bounds="[)")
        session.add(GateKey(device_id=device_id, key_id=key_id, slot=free[0], secret_enc=sealed, valid=valid))
        audit.record("gate_key_added", "gate_device", device_id, actor, {"key_id": key_id})


def retire_key(device_id: int, key_id: str, actor: str) -> None:
    """From now on nothing signed with this key is accepted. Refuses `UnknownGate` when it is not valid anyway."""
    with transaction():
        moment = clock.now()
        ended = (
            update(GateKey)
            .where(GateKey.device_id == device_id, GateKey.key_id == key_id, GateKey.valid.op("@>")(moment))
            .values(valid=func.tstzrange(func.lower(GateKey.valid), moment))
        )
        if affected(ended) != 1:
            raise UnknownGate
        audit.record("gate_key_retired", "gate_device", device_id, actor, {"key_id": key_id})


def set_enabled(device_id: int, enabled: bool, actor: str) -> None:
    """Switch a gate off, so that all it sends is refused, or on again."""
    with transaction():
        if affected(update(GateDevice).where(GateDevice.id == device_id).values(enabled=enabled)) != 1:
            raise UnknownGate
        audit.record("gate_enabled" if enabled else "gate_disabled", "gate_device", device_id, actor)


def key_place(device_id: int, key_id: str) -> str:
    """Where a secret lies, so that its ciphertext cannot be given to another gate."""
    return f"gate_key.secret_enc:{device_id}:{key_id}"
