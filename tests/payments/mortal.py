"""What a process of the platform does with money until it dies."""

import uuid

from werkzeug.serving import make_server

from app.wiring import wiring
from payments.charges.actions import prepare
from payments.refunds.actions import check_refund, pay_to_card
from payments.shipping.actions import report_due
from payments.wechat import BankCard
from wsgi import create_app


def open_doors(port: int) -> None:
    """Serve."""
    make_server("127.0.0.1", port, create_app(), threaded=True).serve_forever()


def prepare_one(charge: uuid.UUID, openid: str) -> None:
    """Prepare one payment."""
    with create_app().app_context():
        wired = wiring()
        told = wired.settings.wechat
        prepare(charge, openid, wired.pay, sp_appid=told.app_id, notify_url=told.notify_url)


def bring_refund(refund_id: int) -> None:
    """Bring one refund forward."""
    with create_app().app_context():
        wired = wiring()
        check_refund(refund_id, wired.pay, wired.settings.wechat.refund_notify_url)


def pay_one_to_card(refund: uuid.UUID, card: BankCard) -> None:
    """Have one abnormal refund paid to a card."""
    with create_app().app_context():
        pay_to_card(refund, card, wiring().pay, "staff:2", "原卡已注销")


def tell_of_services() -> None:
    """Tell WeChat of what was rendered."""
    with create_app().app_context():
        report_due(wiring().trade)
