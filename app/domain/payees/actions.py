"""Finance people write payees and sub-merchants down, confirm what another wrote down, and let them end."""

import uuid
from datetime import datetime

from app.domain.payees.queries import place_of_payee
from app.domain.payees.rules import LevelUnfit, check
from app.domain.staff.rules import Actor, Place, permit
from app.domain.units.models import District
from app.kernel.db import transaction
from payments.payees import actions as payees
from payments.payees.models import ChannelReopening, MerchantChannel, Payee, PayeeConfirmation
from payments.payees.queries import channel_by_key, payee_by_key, reopening_by_key
from payments.payees.rules import FiscalParticulars, Particulars


def open_payee(by: Actor, name: str, particulars: Particulars, since: datetime) -> Payee:
    """Write down a recipient of money; it collects nothing until another person has confirmed it.

    Refuses as `rules.check` does.
    """
    district = particulars.district_code if isinstance(particulars, FiscalParticulars) else None
    with transaction() as session:
        permit(by, "payees.open", Place(district))
        check(name, particulars)
        if district is not None and session.get(District, district) is None:
            raise LevelUnfit
        return payees.open_payee(name.strip(), particulars, since, actor=by.label)


def confirm(by: Actor, payee_key: uuid.UUID, note: str, *, sample: bool = False) -> PayeeConfirmation:
    """Say that another's particulars are right. Refuses as `payments.payees.actions.confirm` does."""
    with transaction():
        payee = payee_by_key(payee_key)
        permit(by, "payees.confirm", place_of_payee(payee.id))
        return payees.confirm(payee.id, confirmed_by=by.label, note=note, sample=sample)


def retire(by: Actor, payee_key: uuid.UUID, at: datetime) -> Payee:
    """No lot names the payee from then on. Refuses as `payments.payees.actions.retire` does."""
    with transaction():
        payee = payee_by_key(payee_key)
        permit(by, "payees.retire", place_of_payee(payee.id))
        return payees.retire(payee.id, at, by.label)


def open_channel(
    by: Actor, payee_key: uuid.UUID, *, sp_mchid: str, sub_mchid: str, since: datetime | None = None
) -> MerchantChannel:
    """Tie a sub-merchant to its payee; it takes nothing until another person has confirmed it.

    Refuses as `payments.payees.actions.open_channel` does.
    """
    with transaction():
        payee = payee_by_key(payee_key)
        permit(by, "payees.open_channel", place_of_payee(payee.id))
        return payees.open_channel(payee.id, sp_mchid=sp_mchid, sub_mchid=sub_mchid, actor=by.label, since=since)


def confirm_channel(by: Actor, key: uuid.UUID) -> MerchantChannel:
    """Say that another's sub-merchant is the payee's. Refuses as `payments.payees.actions.confirm_channel` does."""
    with transaction():
        permit(by, "payees.confirm_channel", place_of_payee(channel_by_key(key).payee_id))
        return payees.confirm_channel(key, by.label)


def retire_channel(by: Actor, key: uuid.UUID, at: datetime) -> MerchantChannel:
    """The sub-merchant takes no order from then on. Refuses as `payments.payees.actions.retire_channel` does."""
    with transaction():
        permit(by, "payees.retire_channel", place_of_payee(channel_by_key(key).payee_id))
        return payees.retire_channel(key, at, by.label)


def reopen_channel(by: Actor, key: uuid.UUID, because: str) -> ChannelReopening:
    """Ask that a sub-merchant takes orders again. Refuses as `payments.payees.actions.reopen_channel` does."""
    with transaction():
        permit(by, "payees.reopen_channel", place_of_payee(channel_by_key(key).payee_id))
        return payees.reopen_channel(key, by.label, because)


def accept_reopening(by: Actor, key: uuid.UUID, because: str) -> ChannelReopening:
    """Agree that it does. Refuses as `payments.payees.actions.accept_reopening` does."""
    with transaction():
        permit(by, "payees.accept_reopening", place_of_payee(reopening_by_key(key).payee_id))
        return payees.accept_reopening(key, by.label, because)


def reject_reopening(by: Actor, key: uuid.UUID, because: str) -> ChannelReopening:
    """Do not agree. Refuses as `payments.payees.actions.reject_reopening` does."""
    with transaction():
        permit(by, "payees.reject_reopening", place_of_payee(reopening_by_key(key).payee_id))
        return payees.reject_reopening(key, by.label, because)
