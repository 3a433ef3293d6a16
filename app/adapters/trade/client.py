"""The three calls of 发货信息管理.

https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/order-shipping/order-shipping.html
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from app.adapters.identity.errors import BUSY, TOKEN_REFUSED, WeChatBusy, WeChatMisconfigured
from app.adapters.identity.tokens import AccessTokens, TokenStore
from app.adapters.identity.wire import Wire, errcode_of
from app.adapters.trade.outcomes import Told
from app.kernel.clock import SHANGHAI

ROOT: Final = "/wxa/sec/order"
BY_TRANSACTION: Final = 2
VIRTUAL: Final = 3
"""A service has no parcel: 虚拟商品."""
AT_ONCE: Final = 1
LONGEST_ITEM: Final = 120
NOT_YET_SHIPPED: Final = 1


class TradeOrders:
    """Speaks for one mini-program. Safe to share between threads. Call outside transactions; raises nothing."""

    def __init__(
        self, app_id: str, app_secret: str, base_url: str, now: Callable[[], datetime], token_store: TokenStore
    ) -> None:
        self._app_id = app_id
        self._wire = Wire(base_url)
        self._tokens = AccessTokens(app_id, app_secret, self._wire, now, token_store)

    def is_managed(self) -> bool | None:
        """Whether this mini-program must report what was paid for; none when WeChat did not say."""
        answer = self._ask("is_trade_managed", {"appid": self._app_id})
        managed = answer.get("is_trade_managed") if isinstance(answer, dict) else None
        return managed if isinstance(managed, bool) else None

    def report(self, transaction_id: str, openid: str, item: str, at: datetime) -> Told:
        """Report the service behind a payment as rendered. Twice is harmless: after any refusal the order decides."""
        wanted = {
            "order_key": {"order_number_type": BY_TRANSACTION, "transaction_id": transaction_id},
            "logistics_type": VIRTUAL,
            "delivery_mode": AT_ONCE,
            "shipping_list": [{"item_desc": item[:LONGEST_ITEM]}],
            "upload_time": at.astimezone(SHANGHAI).isoformat(timespec="milliseconds"),
            "payer": {"openid": openid},
        }
        answer = self._ask("upload_shipping_info", wanted)
        if isinstance(answer, Told) and answer.kind == "refused" and self._is_shipped(transaction_id):
            return Told("done")
        return answer if isinstance(answer, Told) else Told("done")

    def _is_shipped(self, transaction_id: str) -> bool:
        answer = self._ask("get_order", {"transaction_id": transaction_id})
        order = answer.get("order") if isinstance(answer, dict) else None
        state = order.get("order_state") if isinstance(order, dict) else None
        return type(state) is int and state > NOT_YET_SHIPPED

    def _ask(self, what: str, body: Mapping[str, Any]) -> dict[str, Any] | Told:
        try:
            answer = self._wire.post(f"{ROOT}/{what}", body, {"access_token": self._tokens.current()})
            if errcode_of(answer) in TOKEN_REFUSED:
                answer = self._wire.post(f"{ROOT}/{what}", body, {"access_token": self._tokens.fetch()})
            errcode = errcode_of(answer)
        except WeChatBusy:
            return Told("later")
        except WeChatMisconfigured as wrong:
            return Told("later", wrong.errcode)
        if errcode in TOKEN_REFUSED | BUSY:
            return Told("later", errcode)
        return Told("refused", errcode) if errcode else answer
