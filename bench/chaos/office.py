"""The staff: asks for refunds as the commands do, and looks first whether somebody asked already."""

import uuid
from typing import Final

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.domain.refunds import actions
from app.domain.staff.policy import Role
from app.domain.staff.rules import Actor, Grant, Scope, ScopeKind
from app.domain.stays.models import Bill, Stay
from app.jobs.sample_city.people import People
from app.kernel.db import transaction
from bench.chaos.scene import Visitor
from payments.charges.models import Charge, Order, OrderLine, Payment
from payments.refunds.models import Refund

BASIS: Final = "示例：出口道闸离线，多计时长"


class Office:
    """Two persons: one asks, another one approves what needs two."""

    def __init__(self, app: Flask, people: People) -> None:
        self._app = app
        self._checker = people.finance
        self._maker = Actor(
            people.regulator.account_id, people.regulator.name,
            (Grant(Role.FINANCE_MAKER, Scope(ScopeKind.CITY)),),
        )  # fmt: skip

    def order_of(self, charge_key: str) -> str | None:
        """The number of the charge's newest order; none while the database is away."""
        found = (
            select(Order.out_trade_no).join(OrderLine, OrderLine.order_id == Order.id)
            .join(Charge, Charge.id == OrderLine.charge_id).where(Charge.key == uuid.UUID(charge_key))
        )  # fmt: skip
        try:
            with self._app.app_context(), transaction() as session:
                return session.scalars(found.order_by(Order.id.desc()).limit(1)).one()
        except DBAPIError:
            return None

    def has_refunded(self, visitor: Visitor) -> bool:
        """Bring the refund of a visit one step further; whether nothing is left to be done for it."""
        with self._app.app_context():
            known = self._refund(visitor)
            if known is None:
                payment = self._payment(visitor)
                if payment is None:
                    return False
                fen = max(1, payment.paid_fen * visitor.fate.refund_permille // 1000)
                known = actions.ask(self._maker, payment.key, fen, "charged_wrongly", BASIS)
            if known.state == "requested":
                known = actions.approve(self._checker, known.key, "示例：已核对")
            return True

    def _payment(self, visitor: Visitor) -> Payment | None:
        """What was paid for a stay that is settled."""
        found = (
            select(Payment).join(Charge, Charge.id == Payment.charge_id).join(Bill, Bill.charge_key == Charge.key)
            .join(Stay, Stay.id == Bill.stay_id).where(Stay.key == visitor.stay_key, Stay.state == "settled")
        )  # fmt: skip
        with transaction() as session:
            return session.scalar(found)

    def _refund(self, visitor: Visitor) -> Refund | None:
        found = (
            select(Refund).join(Charge, Charge.id == Refund.charge_id).join(Bill, Bill.charge_key == Charge.key)
            .join(Stay, Stay.id == Bill.stay_id).where(Stay.key == visitor.stay_key)
        )  # fmt: skip
        with transaction() as session:
            return session.scalar(found)
