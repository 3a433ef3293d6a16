"""The cashier (收银台) inside WeChat, where a user pays or turns back."""

from collections.abc import Mapping

from simulators.wechat.courier import Courier
from simulators.wechat.keys import KeyMaterial
from simulators.wechat.notices import Notice
from simulators.wechat.orders import Order, Orders, PaymentFailed
from simulators.wechat.signatures import is_signed_by

PACKAGE = "prepay_id="


class Cashier:
    def __init__(self, orders: Orders, courier: Courier, material: KeyMaterial) -> None:
        self._orders = orders
        self._courier = courier
        self._app_id = material.account.app_id
        self._merchant_key = material.merchant_key.public_key()

    def open(self, parameters: Mapping[str, str]) -> Order:
        """The order that `wx.requestPayment(parameters)` opens. Raises `PaymentFailed`."""
        self._expect_signed(parameters)
        prepay_id = parameters["package"].removeprefix(PACKAGE)
        try:
            order = self._orders.order_of_prepay(prepay_id)
        except KeyError:
            raise PaymentFailed("支付会话不存在") from None
        self._orders.expect_prepay(order, prepay_id)
        return order

    def pay(
        self, order: Order, openid: str = "", payer_total_fen: int | None = None, *, forced: bool = False
    ) -> Notice:
        """Pays and announces it. Raises `PaymentFailed`."""
        if openid and openid != order.openid:
            raise PaymentFailed("支付用户与下单用户不一致")
        return self._courier.announce(self._orders.pay(order.number, payer_total_fen, forced=forced))

    def settle(self, number: str) -> None:
        """The user pays in the very moment in which the order is closed; the close then answers for itself."""
        try:
            self.pay(self._orders.order(number))
        except (KeyError, PaymentFailed):
            return

    def _expect_signed(self, parameters: Mapping[str, str]) -> None:
        if not parameters.get("package", "").startswith(PACKAGE) or parameters.get("signType") != "RSA":
            raise PaymentFailed("支付参数不正确")
        if parameters.get("appId", self._app_id) != self._app_id:
            raise PaymentFailed("appId不正确")
        lines = (self._app_id, *(parameters.get(name, "") for name in ("timeStamp", "nonceStr", "package")))
        if not is_signed_by(self._merchant_key, parameters.get("paySign", ""), *lines):
            raise PaymentFailed("支付验证签名失败")
