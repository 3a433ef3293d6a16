"""Notices (回调通知): verified, decrypted, not yet believed to be about our order."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from payments.wechat.account import MerchantAccount
from payments.wechat.combined import is_combined, read_combined
from payments.wechat.reading import Fields, Malformed, read_object
from payments.wechat.refunds import RefundSeen, read_refund_notice
from payments.wechat.transactions import Transaction, read_transaction
from payments.wechat.verification import Unverified, verify

LONGEST_SECRET: Final = 2**20
"""What is sealed within a notice; a larger body is not read at all."""


class NoticeRejected(Exception):
    """Answer 401 and change nothing.

    `reason` is for the log, not for whoever called: those of `Unverified`, or malformed, unsupported_algorithm,
    undecryptable.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Notice:
    """A notice that WeChat wrote. The same `id` comes again until we answered 200 or 204 within 5 s.

    `plaintext` is the decrypted resource, JSON as a rule; `serial` names the key that proved it.
    """

    id: str
    event_type: str
    original_type: str
    created_at: datetime
    serial: str
    plaintext: bytes = field(repr=False)

    def transaction(self) -> Transaction:
        """The order it tells of. Raises `NoticeRejected` when it is not one."""
        try:
            return read_transaction(self.plaintext)
        except Malformed:
            raise NoticeRejected("malformed") from None

    def transactions(self) -> Sequence[Transaction]:
        """The orders it tells of: one, or the parts of a combined one. Raises `NoticeRejected` when it is neither."""
        try:
            return read_combined(self.plaintext).orders if is_combined(self.plaintext) else [self.transaction()]
        except Malformed:
            raise NoticeRejected("malformed") from None

    def refund(self) -> RefundSeen:
        """The refund it tells of. Raises `NoticeRejected` when it is not one."""
        try:
            return read_refund_notice(self.plaintext)
        except Malformed:
            raise NoticeRejected("malformed") from None


def read_notice(headers: Mapping[str, str], body: bytes, account: MerchantAccount, now: datetime) -> Notice:
    """Verifies the raw `body`, then decrypts it (WeChat Pay v3: merchant/4013053420). Raises `NoticeRejected`."""
    try:
        serial = verify(headers, body, account.platform_keys, now)
        return _open(read_object(body), serial, account.apiv3_keys)
    except Unverified as refusal:
        raise NoticeRejected(refusal.reason) from None
    except Malformed:
        raise NoticeRejected("malformed") from None


def decrypt(ciphertext: bytes, nonce: bytes, associated: bytes, keys: Iterable[bytes]) -> bytes | None:
    """AEAD_AES_256_GCM under the first key that fits; None when none does."""
    for key in keys:
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, associated)
        except (InvalidTag, ValueError):
            continue
    return None


def _open(envelope: Fields, serial: str, keys: Iterable[bytes]) -> Notice:
    resource = envelope.inner("resource")
    return Notice(
        id=envelope.text("id"),
        event_type=envelope.text("event_type"),
        original_type=resource.text("original_type"),
        created_at=envelope.time("create_time"),
        serial=serial,
        plaintext=_decrypted(resource, keys),
    )


def _decrypted(resource: Fields, keys: Iterable[bytes]) -> bytes:
    if resource.text("algorithm") != "AEAD_AES_256_GCM":
        raise NoticeRejected("unsupported_algorithm")
    # The documentation calls associated_data optional; real notices carry it.
    associated = (resource.optional_text("associated_data") or "").encode()
    plaintext = decrypt(
        _base64(resource.text("ciphertext", LONGEST_SECRET)), resource.text("nonce").encode(), associated, keys
    )
    if plaintext is None:
        raise NoticeRejected("undecryptable")
    return plaintext


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("ciphertext") from None
