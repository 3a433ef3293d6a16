"""A payee whose receipts are issued by the stand-in platforms, and motorists who paid it."""

import uuid

from sqlalchemy import select

from app.domain.messages.models import Message
from app.kernel.db import transaction
from payments.charges.actions import open_charge, recognise
from payments.charges.models import Charge
from payments.charges.queries import charge
from payments.payees.models import Payee
from payments.receipts.actions import issue_due, plan_due
from payments.receipts.models import Receipt
from payments.receipts.queries import live_receipt, own_receipts
from payments.receipts.rules.services import Service
from tests.payments.platforms import Stands
from tests.world import Driver, paid


def has_paid(who: Driver, organ: Payee, fen: int = 1250) -> Charge:
    made = open_charge(
        source_kind="test", source_key=uuid.uuid4(), payee_id=organ.id, amount_fen=fen, motorist_id=who.id,
        description="停车费 测试车场", on_paid="tests.paid",
    )  # fmt: skip
    paid(made.key)
    recognise(made.key)
    return charge(made.key)


def issued(platforms: Stands) -> None:
    plan_due(lambda each: Service(each.description))
    issue_due(platforms.clients)


def inbox(who: Driver) -> list[tuple[str, str]]:
    with transaction() as session:
        mine = select(Message).filter_by(motorist_id=who.id).order_by(Message.id)
        return [(each.kind, each.body) for each in session.scalars(mine)]


def keys_of(who: Driver) -> list[uuid.UUID]:
    """By which a motorist names the receipts of what they paid, newest first."""
    return [each.request.key for each in own_receipts(who.id)]


def receipt_of(of: Charge) -> Receipt:
    found = live_receipt(of.id)
    assert found is not None
    return found[0]
