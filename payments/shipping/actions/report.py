"""Telling WeChat of what was rendered: taken up, told, the answer saved; again until it knows."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from app.kernel import clock
from app.kernel.db import current, transaction
from app.kernel.faults import fault_point
from payments.charges.actions.cases import open_case
from payments.charges.actions.rounds import one_round
from payments.charges.actions.settle import payer_of
from payments.charges.models import Charge, Order, Payment
from payments.shipping.models import Shipment
from payments.shipping.queries import word_on_trade
from payments.shipping.rules import LATE_AFTER, NOT_SHIPPABLE, SHIPMENT, Told, Trade, next_try


@dataclass(frozen=True)
class Report:
    """What WeChat is told."""

    transaction_id: str
    openid: str = field(repr=False)
    item: str
    at: datetime


def report_due(trade: Trade, limit: int = 50) -> int:
    """Tell WeChat of up to `limit` services in one round (`rounds.one_round`); returns how many.

    Telling twice is harmless, so that whoever dies between call and answer needs no care.
    """
    return one_round(Shipment, lambda shipment_id: _report(shipment_id, trade), limit)


def _report(shipment_id: int, trade: Trade) -> bool:
    report = _of(shipment_id)
    told = trade.report(report.transaction_id, report.openid, report.item, report.at)
    fault_point("shipping.answered")
    _save(shipment_id, told)
    return told.kind != "later"


def _of(shipment_id: int) -> Report:
    with transaction() as session:
        shipment = session.get_one(Shipment, shipment_id)
        payment = session.get_one(Payment, shipment.payment_id)
        order, charge = session.get_one(Order, payment.order_id), session.get_one(Charge, payment.charge_id)
        openid = payer_of(order)
        assert openid is not None, "whoever is to be reported is not forgotten"
        return Report(payment.transaction_id, openid, charge.description, shipment.rendered_at)


def _save(shipment_id: int, told: Told) -> None:
    with transaction():
        shipment = current().scalars(select(Shipment).filter_by(id=shipment_id).with_for_update()).one()
        if shipment.state != "due":
            return
        if told.kind == "done":
            SHIPMENT.move(shipment, "report", "wechat", next_check_at=None, errcode=None)
        elif told.kind == "refused":
            SHIPMENT.move(shipment, "refuse", "wechat", next_check_at=None, errcode=told.errcode)
            if not _is_older_than_the_rule(shipment):
                _case("shipment_refused", shipment)
        else:
            _postpone(shipment, told.errcode)


def _is_older_than_the_rule(shipment: Shipment) -> bool:
    """Whether WeChat says that it wants no report of what was rendered before it wanted any: it withholds nothing."""
    word = word_on_trade()
    since = word.managed_since if word else None
    return shipment.errcode == NOT_SHIPPABLE and since is not None and shipment.rendered_at < since


def _postpone(shipment: Shipment, errcode: int | None) -> None:
    now = clock.now()
    shipment.attempts += 1
    shipment.errcode, shipment.next_check_at = errcode, next_try(shipment.attempts, now)
    if now - shipment.rendered_at > LATE_AFTER:
        _case("shipment_late", shipment)


def _case(kind: str, shipment: Shipment) -> None:
    open_case(kind, f"shipment:{shipment.id}", 3, payment_id=shipment.payment_id, errcode=shipment.errcode)
