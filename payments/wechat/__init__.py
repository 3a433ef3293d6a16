"""A thin WeChat Pay APIv3 client in service-provider mode (服务商): no database, nothing of ours.

`WeChatPay` speaks; what it brings back is `Done`, `Refused` or `Unknown`, never an exception for
what WeChat or the network did. A notice that is not proven to be WeChat's raises `NoticeRejected`.
"""

from payments.wechat.account import MerchantAccount
from payments.wechat.bills import BillPart, Unopenable
from payments.wechat.cards import BankCard
from payments.wechat.client import WeChatPay
from payments.wechat.combined import CombinedJsapiOrder, SubOrder, SubOrderNumber
from payments.wechat.keys import KeyRing, read_private_key
from payments.wechat.notices import Notice, NoticeRejected
from payments.wechat.orders import JsapiOrder
from payments.wechat.outcomes import Done, Refused, Unknown
from payments.wechat.refunds import RefundOrder, RefundSeen
from payments.wechat.signing import SIGNATURE_HOLDS
from payments.wechat.transactions import Transaction

__all__ = [
    "SIGNATURE_HOLDS",
    "BankCard",
    "BillPart",
    "CombinedJsapiOrder",
    "Done",
    "JsapiOrder",
    "KeyRing",
    "MerchantAccount",
    "Notice",
    "NoticeRejected",
    "RefundOrder",
    "RefundSeen",
    "Refused",
    "SubOrder",
    "SubOrderNumber",
    "Transaction",
    "Unknown",
    "Unopenable",
    "WeChatPay",
    "read_private_key",
]
