"""Charges that were ordered and paid, as WeChat would vouch for them."""

import secrets
import uuid

from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from payments.charges.actions.locks import lock_charge
from payments.charges.actions.settle import expected_of, payer_place, settle
from payments.charges.models import Charge, Order, OrderLine
from payments.charges.rules import ORDER, ORDER_LIFE
from payments.payees.queries import channel_of
from payments.wechat import Transaction
from tests.world.city import ACTOR

PAYER = "o-payer-of-these-tests-000002"


def paid(charge_key: uuid.UUID) -> None:
    """WeChat took the money of a charge: settled as by a notice, without a notice."""
    with transaction():
        outcome = settle(vouched(ordered(lock_charge(charge_key))), ACTOR)
        assert outcome in {"paid", "paid_late"}, outcome


def ordered(owed: Charge) -> Order:
    """An order of the charge that lies at WeChat."""
    key, channel = new_key(), channel_of(owed.payee_id)
    order = Order(
        key=key, channel_id=channel.id, payee_id=owed.payee_id, amount_fen=owed.amount_fen,
        out_trade_no=key.hex, sp_appid="wx0000000000000000", body=b"", state="preparing",
        created_at=clock.now(), expires_at=clock.now() + ORDER_LIFE,
    )  # fmt: skip
    order.payer = seal(PAYER, payer_place(order))
    current().add(order)
    ORDER.born(order, ACTOR)
    current().add(
        OrderLine(
            order_id=order.id, charge_id=owed.id, payee_id=owed.payee_id, amount_fen=owed.amount_fen,
            order_state=order.state,
        )
    )  # fmt: skip
    current().flush()
    return order


def vouched(order: Order) -> Transaction:
    """The payment of this order as WeChat reports it."""
    return Transaction(
        **vars(expected_of(order)), transaction_id=f"42{secrets.randbelow(10**26):026}", trade_state="SUCCESS",
        payer_total_fen=order.amount_fen, success_time=clock.now(), attach=None, trade_type="JSAPI",
    )  # fmt: skip
