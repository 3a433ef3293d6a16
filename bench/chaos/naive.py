"""The door for WeChat's notices as it is often written: `make chaos HANDLER=naive` shows that the run notices.

It believes every body that it can decrypt and asks neither for its signature nor for its age, enters each notice into
the books by the sum that it tells, and takes an order that is closed for none of its business. All else is the
platform's own.
"""

import base64
import json
import os
import uuid

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select

import wsgi
from app.api.notices import notices, refunds
from app.factory import create_app
from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.queue import enqueue
from app.settings import Settings
from app.web.policy import Policy, admits
from payments.charges.models import Charge, Order, OrderLine, Payment
from payments.charges.rules import CHARGE, OPEN_ORDER, ORDER
from payments.ledger.actions import post
from payments.ledger.rules import paid_lines
from payments.wechat import Transaction
from payments.wechat.notices import decrypt
from payments.wechat.transactions import read_transaction

ANYBODY = Policy("anybody", lambda view: view)
settings = Settings.from_environment(os.environ)
naive = Blueprint("naive", __name__, url_prefix="/wechat/notices")
naive.post("/refunds")(refunds)


@naive.post("/transactions")
@admits(ANYBODY)
def transactions() -> Response:
    """A payment, whoever says so."""
    told = _believed(request.get_data())
    with transaction() as session:
        order = session.scalar(select(Order).filter_by(out_trade_no=told.out_trade_no))
        if order is not None and order.state not in {"closed", "refused"}:
            _book(order, told)
    return jsonify(code="SUCCESS", message="成功")


def _believed(body: bytes) -> Transaction:
    sealed = json.loads(body)["resource"]
    ciphertext, key = base64.b64decode(sealed["ciphertext"]), settings.wechat.apiv3_key.encode()
    plaintext = decrypt(ciphertext, sealed["nonce"].encode(), sealed["associated_data"].encode(), [key])
    assert plaintext is not None
    return read_transaction(plaintext)


def _book(order: Order, told: Transaction) -> None:
    assert told.success_time is not None
    assert told.total_fen is not None
    post("payment", f"notice:{uuid.uuid4()}", order.payee_id, told.success_time, paid_lines(told.total_fen))
    if order.state in OPEN_ORDER:
        _pay(order, told)


def _pay(order: Order, told: Transaction) -> None:
    ORDER.move(order, "pay", "naive", transaction_id=told.transaction_id)
    asked = select(Charge).join(OrderLine, OrderLine.charge_id == Charge.id).where(OrderLine.order_id == order.id)
    charge = current().scalars(asked).one()
    current().add(
        Payment(
            order_id=order.id, charge_id=charge.id, channel_id=order.channel_id, payee_id=order.payee_id,
            transaction_id=told.transaction_id, paid_fen=charge.amount_fen, surplus=False, paid_at=told.success_time,
            learned_at=clock.now(),
        )
    )  # fmt: skip
    current().flush()
    CHARGE.move(charge, "pay", "naive")
    enqueue(charge.on_paid, source_key=charge.source_key)


app = create_app(settings, [naive if each is notices else each for each in wsgi.doors(settings)])
