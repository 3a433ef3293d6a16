"""Where sample motorists pay: answers as WeChat would and speaks with nobody, since the past cannot be paid for.

Everything below it is the real path: the order is prepared, checked field by field, settled, booked and receipted.
"""

import json
from datetime import datetime
from typing import Any, Final

from app.domain.stays import actions as stays
from app.domain.stays.queries import current_for
from app.jobs.sample_city.motorists import Driver
from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from app.settings import WeChatSettings
from app.wiring import merchant_account
from payments.charges.actions import prepare
from payments.charges.actions.settle import settle
from payments.charges.queries import charge
from payments.wechat import Done, Transaction, WeChatPay

CAUSE: Final = "sample-city"


class Till(WeChatPay):
    """Takes every order and calls it paid; what it vouches for is what the order asked for, as at WeChat."""

    def __init__(self, wechat: WeChatSettings) -> None:
        super().__init__(merchant_account(wechat), wechat.pay_urls, clock.now)
        self._wechat = wechat
        self._asked: dict[str, Any] = {}
        self._count = 0

    def create_order(self, body: bytes) -> Done[str]:
        """Accepts the order."""
        self._asked = json.loads(body)
        self._count += 1
        return Done(f"wx{self._count:034d}")

    def take(self, driver: Driver) -> None:
        """The driver pays what the stay owes now, if it owes anything."""
        view = current_for(driver.id)
        if view is None:
            return
        try:
            charge_key = stays.open_payment(driver.id, view.stay.key)
        except stays.NothingToPay:
            return
        wechat = self._wechat
        prepare(charge_key, driver.openid, self, sp_appid=wechat.app_id, notify_url=wechat.notify_url)
        with transaction():
            outcome = settle(self._paid(clock.now()), CAUSE)
            if outcome != "paid":
                raise RuntimeError(f"a sample payment came to {outcome}")
        stays.settle(charge(charge_key).source_key)

    def _paid(self, at: datetime) -> Transaction:
        asked = self._asked
        total = asked["amount"]["total"]
        return Transaction(
            sp_appid=self._wechat.app_id, sp_mchid=self._wechat.sp_mchid, sub_mchid=asked["sub_mchid"],
            out_trade_no=asked["out_trade_no"], transaction_id=self._transaction_id(at), trade_state="SUCCESS",
            total_fen=total, payer_total_fen=total, currency=asked["amount"]["currency"],
            sp_openid=asked["payer"]["sp_openid"], success_time=at, attach=None, trade_type="JSAPI",
        )  # fmt: skip

    def _transaction_id(self, at: datetime) -> str:
        """28 digits, as WeChat's; the first ones say that it is none of WeChat's."""
        return f"9999{at.astimezone(SHANGHAI):%Y%m%d}{self._count:016d}"
