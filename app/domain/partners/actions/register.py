"""Partners are registered, given new keys and revoked, by people."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.partners.models import Partner, PartnerKey
from app.domain.staff.rules import CITY, Actor, permit
from app.domain.units.models import Operator, Unit
from app.kernel import audit, clock, crypto
from app.kernel.db import current, transaction, violated
from app.kernel.refusals import Conflict, Invalid, NotFound
from app.kernel.spans import span

SECRET_BYTES = 32
SLOTS = (1, 2)
LONGEST_OVERLAP = timedelta(days=30)


class PartnerNotFound(NotFound):
    """There is no such partner, or it was revoked."""

    code = "partner_not_found"
    message = "未找到该接入方，或其已被停用"


class OwnerUnclear(Invalid):
    """A partner speaks for exactly one unit or one operator that we know."""

    code = "partner_owner_unclear"
    message = "接入方须且只能对应一个已登记的开放单位或运营单位"


class PartnerNameTaken(Conflict):
    """Another partner has this name."""

    code = "partner_name_taken"
    message = "已有同名接入方"


class PartnerHasTwoKeys(Conflict):
    """Two keys are valid already: wait until the older one ends, or end both at once with no overlap."""

    code = "two_keys_already"
    message = "该接入方已有两把有效密钥，请等旧密钥到期，或以零重叠时间立即更换"


class OverlapTooLong(Invalid):
    """Two keys may be valid together for 0 hours to 30 days."""

    code = "overlap_refused"
    message = "新旧密钥并存时间应在 0 小时至 30 天之间"


@dataclass(frozen=True)
class NewKey:
    """A partner's new key; this is the only time that anybody sees the secret."""

    partner: uuid.UUID
    key_id: str
    secret: bytes = field(repr=False)


def register(by: Actor, name: str, *, unit: uuid.UUID | None = None, operator: uuid.UUID | None = None) -> NewKey:
    """A new partner that speaks for the lots of one unit, or for those that an operator runs, with its first key.

    Refuses `OwnerUnclear` and `PartnerNameTaken`.
    """
    with transaction() as session:
        permit(by, "partners.register", CITY)
        unit_id, operator_id = _id(Unit, unit), _id(Operator, operator)
        if (unit_id is None) == (operator_id is None):
            raise OwnerUnclear
        partner = Partner(
            name=name, unit_id=unit_id, operator_id=operator_id, registered_by=by.account_id, registered_at=clock.now()
        )
        session.add(partner)
        _flush_name()
        audit.record("partners.register", "partner", partner.id, by.label)
        return _new_key(partner, clock.now(), slot=1)


def rotate_key(by: Actor, partner: uuid.UUID, overlap: timedelta) -> NewKey:
    """A new key from now on; those in use end after `overlap` (at once when it is zero).

    Refuses `PartnerNotFound`, `OverlapTooLong`, and `PartnerHasTwoKeys` when two are valid and are not ended at once.
    """
    with transaction():
        permit(by, "partners.rotate_key", CITY)
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise OverlapTooLong
        row, moment = _locked(partner), clock.now()
        _end_keys(row.id, moment + overlap)
        made = _new_key(row, moment, _free_slot(row.id, moment))
        audit.record("partners.rotate_key", "partner", row.id, by.label, {"key_id": made.key_id})
        return made


def revoke(by: Actor, partner: uuid.UUID, because: str) -> None:
    """From now on nothing of this partner is believed, and its counts are no longer shown. Refuses `PartnerNotFound`.

    It cannot be taken back: who comes again is registered anew.
    """
    with transaction():
        permit(by, "partners.revoke", CITY)
        row, moment = _locked(partner), clock.now()
        _end_keys(row.id, moment)
        row.revoked_by, row.revoked_at, row.revoked_because = by.account_id, moment, because
        audit.record("partners.revoke", "partner", row.id, by.label)


def key_place(partner_id: int, key_id: str) -> str:
    """Where a secret lies, so that its ciphertext cannot be given to another partner."""
    return f"partner_key.secret_enc:{partner_id}:{key_id}"


def _id(owner: type[Unit] | type[Operator], key: uuid.UUID | None) -> int | None:
    return current().scalar(select(owner.id).where(owner.key == key)) if key else None


def _flush_name() -> None:
    try:
        current().flush()
    except IntegrityError as wrong:
        if violated(wrong) == "a_partner_has_a_name_of_its_own":
            raise PartnerNameTaken from wrong
        raise


def _locked(key: uuid.UUID) -> Partner:
    """Keys of one partner change one after the other."""
    live = select(Partner).where(Partner.key == key, Partner.revoked_at.is_(None))
    partner = current().scalars(live.with_for_update()).one_or_none()
    if partner is None:
        raise PartnerNotFound
    return partner


def _free_slot(partner_id: int, at: datetime) -> int:
    taken = (
        current()
        .scalars(select(PartnerKey.slot).where(PartnerKey.partner_id == partner_id, PartnerKey.valid.contains(at)))
        .all()
    )
    free = [slot for slot in SLOTS if slot not in taken]
    if not free:
        raise PartnerHasTwoKeys
    return free[0]


def _end_keys(partner_id: int, at: datetime) -> None:
    """Let every key that would hold longer end at that moment."""
    current().execute(
        update(PartnerKey)
        .where(PartnerKey.partner_id == partner_id, PartnerKey.valid.contains(at))
        .values(valid=func.tstzrange(func.lower(PartnerKey.valid), at))
        .execution_options(synchronize_session=False)
    )


def _new_key(partner: Partner, at: datetime, slot: int) -> NewKey:
    key_id, secret = secrets.token_hex(8), secrets.token_bytes(SECRET_BYTES)
    sealed = crypto.seal(secret.hex(), key_place(partner.id, key_id))
    row = PartnerKey(partner_id=partner.id, key_id=key_id, slot=slot, secret_enc=sealed, valid=span(at, None))
    current().add(row)
    current().flush()
    return NewKey(partner.key, key_id, secret)
