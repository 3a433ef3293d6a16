"""The motorist's thumb inside WeChat: it consents to sign in, and pays or does not. Spoken to by the side door."""

from collections.abc import Mapping
from typing import Any

from demo.patience import insist_equal
from demo.wire import Wire, granted

Parameters = Mapping[str, str]


class Thumb:
    """One WeChat user of the stand-in; `book` is what WeChat itself wrote down about everybody."""

    def __init__(self, wechat: Wire) -> None:
        self._wechat = wechat
        self._openid = ""

    def login_code(self) -> str:
        """What `wx.login` hands to the mini-program; the person stays the same."""
        wish = {"openid": self._openid} if self._openid else {}
        person = self._wechat.post("/control/login-codes", wish)
        self._openid = person["openid"]
        return str(person["code"])

    def pay(self, parameters: Parameters) -> None:
        """Pay in WeChat's cashier, which `wx.requestPayment(parameters)` opened."""
        wish = {"parameters": parameters, "openid": self._openid}
        said = granted("the cashier", self._wechat.ask("POST", "/control/pay", wish))
        insist_equal("the cashier says", said["errMsg"], "requestPayment:ok")

    def lose_notices(self, parameters: Parameters) -> str:
        """From now on no notice about this order sets out; returns the order's number."""
        number = self._number(parameters)
        self._wechat.post("/control/notices", {"mode": "drop", "out_trade_no": number})
        return number

    def notices(self, number: str) -> list[dict[str, Any]]:
        """What WeChat sent about an order, or did not."""
        return list(self._wechat.get(f"/control/book?out_trade_no={number}")["notices"])

    def _number(self, parameters: Parameters) -> str:
        prepay_id = parameters["package"].removeprefix("prepay_id=")
        orders = self._wechat.get("/control/book")["orders"]
        return next(str(order["out_trade_no"]) for order in orders if prepay_id in order["prepay_ids"])
