"""Paying for a stay with WeChat."""

import uuid
from collections.abc import Sequence
from typing import Any

import marshmallow as ma

from app.domain.motorists.queries import openid_of
from app.domain.stays.actions import open_payment, open_payments
from app.kernel.db import transaction
from app.kernel.idempotency import Answer
from app.web.once import remember, wants_key
from app.web.policy import admits
from app.wiring import wiring
from miniprogram_api.door import asking, motorist, noun
from miniprogram_api.fields import Key, Several, Wish, fen
from payments.charges.actions import prepare_together
from payments.charges.models import Charge
from payments.charges.queries import own_charge

blueprint = noun("payments", "缴费")


class PaymentParameters(ma.Schema):
    """What `wx.requestPayment` takes, word for word."""

    appId = ma.fields.String(required=True)  # noqa: N815
    timeStamp = ma.fields.String(required=True)  # noqa: N815
    nonceStr = ma.fields.String(required=True)  # noqa: N815
    package = ma.fields.String(required=True)
    signType = ma.fields.String(required=True)  # noqa: N815
    paySign = ma.fields.String(required=True)  # noqa: N815


class ShownCharge(ma.Schema):
    key = ma.fields.UUID(required=True)
    amount_fen = fen("金额")
    state = ma.fields.String(required=True, metadata={"description": "paid 或 fulfilled 为已支付"})


class PreparedPayment(ma.Schema):
    charge = ma.fields.Nested(ShownCharge, required=True)
    parameters = ma.fields.Nested(PaymentParameters, required=True)


class ArrearsWish(Wish):
    stay_keys = Several(Key(), 50, metadata={"description": "要缴清的停车记录编号；不填则缴清全部未暂缓的欠费"})


class PreparedTogether(ma.Schema):
    charges = ma.fields.List(ma.fields.Nested(ShownCharge), required=True)
    amount_fen = fen("合计金额")
    parameters = ma.fields.Nested(PaymentParameters, required=True)


@blueprint.post("/stays/<uuid:key>/payment")
@admits(motorist("6/minute", calls_outside=True))
@wants_key
@blueprint.gives(201, PreparedPayment)
@blueprint.refuses(400, 401, 404, 409, 429, 503)
def pay(key: uuid.UUID) -> dict[str, Any]:
    """为停车缴费

    返回 wx.requestPayment 的参数。支付结果以 GET /payments/{key} 为准，不以小程序回调为准。
    """
    opened = remember(lambda: Answer(201, {"charge_key": str(open_payment(asking(), key))}))
    return _prepared(uuid.UUID(opened.body["charge_key"]))


@blueprint.post("/arrears/payment")
@admits(motorist("6/minute", calls_outside=True))
@wants_key
@blueprint.takes(ArrearsWish)
@blueprint.gives(201, PreparedTogether)
@blueprint.refuses(400, 401, 404, 409, 422, 429, 503)
def pay_arrears(wish: dict[str, Any]) -> dict[str, Any]:
    """合并缴清欠费

    一次支付多次停车的欠费：同一收费主体合为一单，不同收费主体合单支付、分别入账。各笔结果以 GET /payments/{key} 为准。
    """
    named = wish.get("stay_keys")
    opened = remember(lambda: Answer(201, {"charge_keys": [str(key) for key in open_payments(asking(), named)]}))
    return _prepared_together([uuid.UUID(key) for key in opened.body["charge_keys"]])


@blueprint.get("/payments/<uuid:key>")
@admits(motorist())
@blueprint.gives(200, ShownCharge)
@blueprint.refuses(401, 404, 429)
def one_payment(key: uuid.UUID) -> Charge:
    """支付结果"""
    return own_charge(asking(), key)


def _prepared(charge_key: uuid.UUID) -> dict[str, Any]:
    made = _prepared_together([charge_key])
    return {"charge": made["charges"][0], "parameters": made["parameters"]}


def _prepared_together(charge_keys: Sequence[uuid.UUID]) -> dict[str, Any]:
    """Between the transactions WeChat is asked; the charges themselves remember how far that came."""
    wired = wiring()
    wechat = wired.settings.wechat
    parameters = prepare_together(
        charge_keys, openid_of(asking()), wired.pay, sp_appid=wechat.app_id, notify_url=wechat.notify_url
    )
    with transaction():
        charges = [own_charge(asking(), key) for key in charge_keys]
    total = sum(each.amount_fen for each in charges)
    return {"charges": charges, "amount_fen": total, "parameters": parameters}
