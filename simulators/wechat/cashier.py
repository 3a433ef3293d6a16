"""The cashier (收银台) inside WeChat, where a user pays or turns back."""

from collections.abc import Mapping, Sequence

from simulators.wechat.combined import Combined, CombinedOrders
from simulators.wechat.courier import Courier
from simulators.wechat.keys import KeyMaterial
from simulators.wechat.notices import Notice
from simulators.wechat.orders import Order, Orders, PaymentFailed
from simulators.wechat.signatures import is_signed_by

PACKAGE = "prepay_id="


class Cashier:
    def __init__(self, orders: Orders, combined: CombinedOrders, courier: Courier, material: KeyMaterial) -> None:
        self._orders = orders
        self._combined = combined
        self._courier = courier
        self._app_id = material.account.app_id
        self._merchant_key = material.merchant_key.public_key()

    def open(self, parameters: Mapping[str, str]) -> Order | Combined:
        """What `wx.requestPayment(parameters)` opens. Raises `PaymentFailed`."""
        self._expect_signed(parameters)
        prepay_id = parameters["package"].removeprefix(PACKAGE)
        whole = self._combined.whole_of_prepay(prepay_id)
        if whole is not None:
            self._combined.expect_prepay(whole, prepay_id)
            return whole
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

    def pay_together(
        self, whole: Combined, openid: str = "", only: Sequence[str] = (), *, forced: bool = False
    ) -> tuple[list[Order], Notice]:
        """Pays a combined order, or only a part of it, and announces it in one notice. Raises `PaymentFailed`."""
        if openid and openid != whole.asked["combine_payer_info"]["openid"]:
            raise PaymentFailed("支付用户与下单用户不一致")
        paid = self._combined.pay(whole, list(only), forced=forced)
        return paid, self._courier.announce_as(whole.number, lambda: self.notice_of(whole))

    def notice_of(self, whole: Combined) -> Notice:
        """A notice of what is paid of it by now."""
        return self._courier.notices.paid_together(whole.number, whole.asked["notify_url"], self._combined.told(whole))

    def settle(self, number: str) -> None:
        """The user pays in the very moment in which the order is closed; the close then answers for itself."""
        try:
            self.pay(self._orders.order(number))
        except (KeyError, PaymentFailed):
            return

    def settle_together(self, number: str, only: Sequence[str]) -> None:
        """The same of a combined order, or a part of it."""
        try:
            self.pay_together(self._combined.whole(number), only=only)
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
