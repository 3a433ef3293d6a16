"""One signed exchange with a platform: JSON both ways, signed both ways as gates and partners sign."""

import hmac
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from app.adapters.outbound import LONGEST_ANSWER, Reach, bounded, guarded_session
from app.kernel.deadline import within
from app.kernel.signatures import SignedMessage, answer_signature, content_sha256, is_timely, request_signature

log = logging.getLogger("app.adapters.receipts")
TIMEOUT: Final = (3.0, 10.0)
WHOLE_SECONDS: Final = 30.0
"""From the greeting to the last byte of the answer, which may be a document."""


@dataclass(frozen=True)
class Account:
    """Who we are at a platform, and where it is."""

    url: str
    app_id: str
    key: bytes = field(repr=False)


class Silent(Exception):
    """Nothing can be concluded: not reached, too slow, no answer of the platform's own, or one that is not signed."""


class Wire:
    """Speaks with one platform. Safe to share between threads."""

    def __init__(self, account: Account, now: Callable[[], datetime], reach: Reach) -> None:
        self._account = account
        self._now = now
        self._session = guarded_session(reach)
        self._prefix = urlsplit(account.url).path.rstrip("/")

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a signed answer. Raises `Silent`."""
        raw, nonce = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), secrets.token_hex(16)
        try:
            with within(WHOLE_SECONDS), self._session.post(
                self._account.url + path, data=raw, headers=self._headers(path, raw, nonce), timeout=TIMEOUT,
                allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                text = bounded(answer.iter_content(65536))
                log.info("%s -> %d", path, answer.status_code)
                self._expect_signed(answer, nonce, text)
                return answer.status_code, _object(text)
        except OSError as error:  # those of requests are such
            log.warning("%s -> %s", path, type(error).__name__)
            raise Silent(type(error).__name__) from None

    def _headers(self, path: str, raw: bytes, nonce: str) -> dict[str, str]:
        account, at, digest = self._account, str(int(self._now().timestamp())), content_sha256(raw)
        message = SignedMessage("POST", self._prefix + path, account.app_id, "", at, nonce, digest, "", raw)
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-App-Id": account.app_id,
            "X-Timestamp": at,
            "X-Nonce": nonce,
            "X-Content-SHA256": digest,
            "X-Signature": request_signature(account.key, message),
        }

    def _expect_signed(self, answer: requests.Response, nonce: str, text: bytes) -> None:
        at, signature = answer.headers.get("X-Timestamp", ""), answer.headers.get("X-Signature", "")
        right = answer_signature(self._account.key, answer.status_code, nonce, at, text)
        if not hmac.compare_digest(right.encode(), signature.encode()) or not is_timely(at, self._now()):
            raise Silent("unsigned")
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or len(text) > LONGEST_ANSWER:
            raise Silent(f"HTTP {answer.status_code}")


def yuan(fen: int) -> str:
    """12.50 for 1250 fen, as platforms write money."""
    return str(Decimal(fen).scaleb(-2).quantize(Decimal("0.01")))


def moment(text: object) -> datetime:
    """A platform's moment with its offset. Raises `Silent` for anything else."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise Silent("not a moment") from None
    if at.tzinfo is None:
        raise Silent("a moment without offset")
    return at


def word(answer: Mapping[str, Any], name: str) -> str:
    """A text that must not be empty. Raises `Silent`."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise Silent(f"no {name}")
    return value


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Silent("not JSON") from None
    if not isinstance(value, dict):
        raise Silent("not an object")
    return value
