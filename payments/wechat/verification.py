"""Is this answer or notice WeChat's, and of now? (WeChat Pay v3: merchant/4013053420)"""

import re
from collections.abc import Mapping
from datetime import datetime

from payments.wechat.keys import KeyRing
from payments.wechat.signing import SCHEME, answer_message, is_signed

FRESH_SECONDS = 300
UNIX_SECONDS = re.compile(r"[0-9]{1,12}")
PROBE_PREFIX = "WECHATPAY/SIGNTEST/"


class Unverified(Exception):
    """Not proven to be WeChat's.

    `reason`: missing_header, unsupported_signature_type, probe, clock_skew, unknown_serial or wrong_signature.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(headers: Mapping[str, str], body: bytes, ring: KeyRing, now: datetime) -> str:
    """Returns the serial that proved it; raises `Unverified`. Never calls anyone.

    Messages 300 s or further from `now` are refused: a valid signature alone would let an old one be replayed.
    """
    named = {name.lower(): value for name, value in headers.items()}
    timestamp, nonce, serial, signature = (
        _present(named, f"wechatpay-{part}") for part in ("timestamp", "nonce", "serial", "signature")
    )
    # The official Go SDK too takes a missing type for RSA.
    if named.get("wechatpay-signature-type", SCHEME) != SCHEME:
        raise Unverified("unsupported_signature_type")
    if signature.startswith(PROBE_PREFIX):
        raise Unverified("probe")
    _expect_fresh(timestamp, now)
    key = ring.key(serial)
    if key is None:
        raise Unverified("unknown_serial")
    if not is_signed(answer_message(timestamp, nonce, body), signature, key):
        raise Unverified("wrong_signature")
    return serial


def _present(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise Unverified("missing_header")
    return value


def _expect_fresh(timestamp: str, now: datetime) -> None:
    if not UNIX_SECONDS.fullmatch(timestamp):
        raise Unverified("clock_skew")
    if abs(now.timestamp() - int(timestamp)) >= FRESH_SECONDS:
        raise Unverified("clock_skew")
