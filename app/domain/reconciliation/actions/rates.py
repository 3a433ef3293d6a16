"""WeChat's fee as it was agreed for a merchant, by two persons."""

import uuid
from datetime import date

from app.domain.payees.queries import place_of_payee
from app.domain.reconciliation.actions.places import place_of_channel
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel.db import transaction
from payments.reconciliation import actions as recon
from payments.reconciliation.models import AgreedRate
from payments.reconciliation.queries import merchant, rate


def record_rate(by: Actor, sub_mchid: str, rate_ppm: int, since: date, note: str) -> AgreedRate:
    """Write down at which rate WeChat's fee was agreed. Refuses `NoSuchMerchant`, `RateUnfit`."""
    with transaction():
        channel = merchant(sub_mchid, since)
        permit(by, "reconciliation.record_rate", place_of_channel(channel))
        return recon.record_rate(channel, rate_ppm, since, note, by.label)


def confirm_rate(by: Actor, key: uuid.UUID) -> AgreedRate:
    """Agree with a recorded rate. Refuses as `payments.reconciliation.actions.confirm_rate` does."""
    with transaction():
        found = rate(key)
        permit(by, "reconciliation.confirm_rate", CITY if found is None else place_of_payee(found.payee_id))
        return recon.confirm_rate(key, by.label)
