"""A motorist follows what goes back to them."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.domain.lots.models import Lot
from app.domain.motorists.plates import read_plate
from app.domain.refunds.actions import ask, tell_forgotten, tell_of
from app.domain.refunds.queries import payments
from app.domain.stays.actions import open_payment
from app.domain.stays.models import Stay
from app.kernel.db import transaction
from app.wiring import wiring
from payments.charges.models import Order, Payment
from payments.payees.queries import accept_samples
from payments.refunds.actions import apply_refund_notice, check_refund
from payments.refunds.models import Refund
from tests import world
from tests.miniprogram.stand import Phone
from tests.miniprogram.test_stays import parked
from tests.payments.world import notice

__all__ = ["parked"]


@pytest.fixture(autouse=True)
def _sample_payees_may_collect() -> Iterator[None]:
    accept_samples(True)
    yield
    accept_samples(False)


def motorist_of(stay_key: str) -> int:
    """Whose stay this is."""
    with transaction() as session:
        motorist_id = session.scalars(select(Stay.motorist_id).where(Stay.key == uuid.UUID(stay_key))).one()
    assert motorist_id is not None
    return motorist_id


def leave(phone: Phone, stay_key: str) -> None:
    """The car of this stay drives out."""
    with transaction() as session:
        ours = select(Lot).join(Stay, Stay.lot_id == Lot.id).where(Stay.key == uuid.UUID(stay_key))
        lot = session.scalars(ours).one()
    world.drive(world.gate(lot, "out"), read_plate(phone.get("/vehicles")[0]["plate"], "blue"))


def refunded(stay_key: str, fen: int) -> Refund:
    """A part of a stay's payment, as somebody of the staff asks and WeChat has been asked for it."""
    maker, wired = world.staff("finance_maker"), wiring()
    made = ask(maker, payments(maker, uuid.UUID(stay_key))[0].key, fen, "charged_wrongly", "道闸离线")
    check_refund(made.id, wired.pay, wired.settings.wechat.refund_notify_url)
    return made


def reported(made: Refund, status: str) -> None:
    """WeChat reports what became of it."""
    with transaction() as session:
        payment = session.get_one(Payment, made.payment_id)
        order = session.get_one(Order, payment.order_id)
    said = {
        "refund_id": "50300000000000000000000000001", "out_refund_no": made.out_refund_no, "refund_status": status,
        "transaction_id": payment.transaction_id, "out_trade_no": order.out_trade_no,
        "amount": {"refund": made.amount_fen, "total": made.paid_fen},
    }  # fmt: skip
    apply_refund_notice(notice(said, f"REFUND.{status}", "refund"))


def test_a_refund_is_followed_to_its_end_and_told_at_each_step(parked: Phone, stranger: Phone) -> None:
    stay = parked.get("/stays/current")["stay"]["key"]
    assert parked.get("/refunds") == {"items": [], "next_cursor": None}
    charge_key = str(open_payment(motorist_of(stay), uuid.UUID(stay)))
    world.paid(uuid.UUID(charge_key))
    leave(parked, stay)
    made = refunded(stay, 250)
    tell_of(made.id)
    [shown] = parked.get("/refunds")["items"]
    assert (shown["charge_key"], shown["amount_fen"], shown["reason"]) == (charge_key, 250, "计费有误")
    assert [step["state"] for step in shown["steps"]] == ["requested", "approved"]
    tell_of(made.id)
    for status, state in (("ABNORMAL", "abnormal"), ("SUCCESS", "success")):
        reported(made, status)
        assert tell_forgotten() == 1
        assert parked.get(f"/refunds/{shown['key']}")["state"] == state
    told = [each["title"] for each in parked.get("/messages")["items"] if "退款" in each["title"]]
    assert told == ["退款已到账", "退款异常"]
    stranger.sign_in()
    assert stranger.get(f"/refunds/{shown['key']}", expect=404)["code"] == "no_such_refund"
    assert stranger.get("/refunds")["items"] == []
