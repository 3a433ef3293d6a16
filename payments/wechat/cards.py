"""A bank card to which WeChat pays what it could not give back, told to WeChat alone."""

import base64
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA1

from payments.wechat.keys import KeyRing
from payments.wechat.orders import canonical

_ACCOUNT: Final = re.compile(r"[0-9]{8,30}")
_BANK: Final = re.compile(r"[A-Z0-9]{2,20}_(DEBIT|CREDIT)")
LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class BankCard:
    """A card of whoever paid: WeChat's code of the bank and kind of card (ICBC_DEBIT), its number, whose it is.

    Number and name are shown nowhere and kept nowhere. Raises `ValueError` for what WeChat cannot take, without it.
    """

    bank_type: str
    account: str = field(repr=False)
    holder: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _BANK.fullmatch(self.bank_type):
            raise ValueError("a bank type reads like ICBC_DEBIT")
        if not _ACCOUNT.fullmatch(self.account):
            raise ValueError("a card's number has 8 to 30 digits")
        if not 0 < len(self.holder) <= LONGEST_NAME:
            raise ValueError("a name has 1 to 64 characters")

    def body(self, sub_mchid: str, out_refund_no: str, keys: KeyRing) -> bytes:
        """The request for an abnormal refund, number and name legible to WeChat alone; no two are alike."""
        return canonical(
            {
                "sub_mchid": sub_mchid,
                "out_refund_no": out_refund_no,
                "type": "USER_BANK_CARD",
                "bank_type": self.bank_type,
                "bank_account": sealed(self.account, keys),
                "real_name": sealed(self.holder, keys),
            }
        )


def sealed(text: str, keys: KeyRing) -> str:
    """A sensitive field (敏感信息加密) under the key that our requests name (WeChat Pay v3: merchant/4012154180).

    RSAES-OAEP with SHA-1, as WeChat's own libraries have it.
    """
    key = keys.keys[keys.preferred]
    padding = OAEP(MGF1(SHA1()), SHA1(), None)  # noqa: S303 - WeChat opens no other
    return base64.b64encode(key.encrypt(text.encode(), padding)).decode()
