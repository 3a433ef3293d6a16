"""Signed messages of machines: who sent one, that nobody changed it, and which answer belongs to which request.

Gates and partners sign alike. docs/gate-protocol.md says the same in words; tests/gates/vectors.json holds worked
examples of requests and answers.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

SKEW = timedelta(seconds=300)
"""How far a request's timestamp may stand from ours."""

NONCE_KEPT = timedelta(minutes=10)
"""The whole width of the window: a nonce older than this belongs to a request that is refused anyway."""

_SECONDS = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[!-~]{16,64}")


@dataclass(frozen=True)
class SignedMessage:
    """One request as it came in: `target` is the path, with `?` and the query when there is one.

    `sender_id` and `key_id` are not signed: a wrong one finds no key, or another than the one that signed.
    """

    method: str
    target: str
    sender_id: str
    key_id: str
    timestamp: str
    nonce: str
    content_sha256: str
    signature: str
    body: bytes


def content_sha256(body: bytes) -> str:
    """Lower-case hex, also for an empty body."""
    return sha256(body).hexdigest()


def request_signature(key: bytes, message: SignedMessage) -> str:
    """HMAC-SHA256 over method, target, timestamp, nonce and body digest, joined by line feeds."""
    digest = content_sha256(message.body)
    return _hmac(key, message.method, message.target, message.timestamp, message.nonce, digest)


def answer_signature(key: bytes, status: int, nonce: str, timestamp: str, body: bytes) -> str:
    """An answer is bound to its request by the request's nonce."""
    return _hmac(key, str(status), nonce, timestamp, content_sha256(body))


def is_signed(key: bytes, message: SignedMessage) -> bool:
    """Whether both the digest and the signature are those of this very request; constant time."""
    right_body = hmac.compare_digest(message.content_sha256.encode(), content_sha256(message.body).encode())
    right_key = hmac.compare_digest(message.signature.encode(), request_signature(key, message).encode())
    return right_body and right_key


def _hmac(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\n".join(parts).encode(), sha256).hexdigest()


def is_timely(timestamp: str, now: datetime) -> bool:
    """Whether a timestamp (whole seconds since 1970) lies within 300 s of `now`, both ends included."""
    if not _SECONDS.fullmatch(timestamp):
        return False
    return abs(now.timestamp() - int(timestamp)) <= SKEW.total_seconds()


def is_nonce(nonce: str) -> bool:
    """16 to 64 visible ASCII characters."""
    return _NONCE.fullmatch(nonce) is not None
