"""Where a merchant or a difference lies: where its payee does."""

import uuid

from app.domain.payees.queries import place_of_payee
from app.domain.staff.rules import Place
from payments.payees.models import MerchantChannel
from payments.reconciliation.queries import difference


def place_of_channel(channel: MerchantChannel) -> Place:
    """The place of a merchant's payee."""
    return place_of_payee(channel.payee_id)


def place_of_difference(key: uuid.UUID) -> Place:
    """The place of a difference's payee. Refuses `NoSuchDifference`."""
    return place_of_payee(difference(key).payee_id)
