"""One call for each record, and an outcome for whatever comes back."""

import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from urllib3.exceptions import HTTPError

from app.adapters.city.outcomes import Accepted, Barred, Outcome, Refused, Unknown
from app.adapters.city.records import Record, wire_time
from app.adapters.city.sealing import sealed, signed
from app.adapters.outbound import Reach, guarded_session
from app.kernel.deadline import within

log = logging.getLogger("app.adapters.city")

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
UPLOAD_SECONDS = 15.0
"""From the greeting to the last byte of the answer."""
DONE: Final = 200
BARRED: Final = frozenset({401, 402, 403})
"""`resultCode`s taken to mean us, not the record: unknown account, unreadable cipher, wrong signature."""
BUSY: Final = frozenset({408, 429, *range(500, 600)})
"""`resultCode`s taken to mean another time; all others but 200 refuse the record."""
LONGEST_ANSWER: Final = 64 * 1024


@dataclass(frozen=True)
class CityAccount:
    """How we are known to the city's system. `body` is how a message is written: form or json."""

    url: str
    access_id: str
    city_key: RSAPublicKey = field(repr=False)
    own_key: RSAPrivateKey = field(repr=False)
    sign_hash: str = "sha256"
    body: str = "form"


class CitySystem:
    """Speaks with the city's system. Safe to share between threads. Call outside transactions.

    Nothing is raised for what happens outside: each call ends in an `Outcome`.
    """

    def __init__(self, account: CityAccount, now: Callable[[], datetime], reach: Reach) -> None:
        self._account = account
        self._now = now
        self._session = guarded_session(reach)

    def upload(self, record: Record) -> Outcome:
        """Tell the city one record, stamped with the time of this very try (`uploadTime`)."""
        message = self._message(record)
        started = time.monotonic()
        outcome = self._exchange(record.path, message)
        level = logging.DEBUG if isinstance(outcome, Accepted) else logging.WARNING
        log.log(level, "%s -> %s ms=%d", record.path, outcome, (time.monotonic() - started) * 1000)
        return outcome

    def _message(self, record: Record) -> dict[str, str]:
        fields = record.wire() | {"uploadTime": wire_time(self._now())}
        cipher = sealed(fields, self._account.city_key)
        sign = signed(cipher, self._account.own_key, self._account.sign_hash)
        return {"accessID": self._account.access_id, "cipher": cipher, "sign": sign}

    def _exchange(self, path: str, message: dict[str, str]) -> Outcome:
        body = {"json": message} if self._account.body == "json" else {"data": message}
        try:
            with within(UPLOAD_SECONDS), self._session.post(
                self._account.url + path, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True,
                **body,  # type: ignore[arg-type]
            ) as response:  # fmt: skip
                content = response.raw.read(LONGEST_ANSWER + 1, decode_content=True)
        except (requests.RequestException, HTTPError, OSError) as error:
            return Unknown(f"no answer: {type(error).__name__}")
        return read_answer(response.status_code, content)


def read_answer(status: int, content: bytes) -> Outcome:
    """What an answer says; one that we do not understand says nothing. `resultCode` is a number, or one as text."""
    if status != HTTPStatus.OK:
        return Unknown(f"HTTP {status}")
    if len(content) > LONGEST_ANSWER:
        return Unknown("an answer without end")
    try:
        answer = json.loads(content.decode())
    except (ValueError, RecursionError):
        return Unknown("an answer that is not JSON")
    code = str(answer.get("resultCode")) if isinstance(answer, dict) else ""
    return _meaning(int(code)) if re.fullmatch("[0-9]{1,6}", code) else Unknown("an answer without resultCode")


def _meaning(code: int) -> Outcome:
    if code == DONE:
        return Accepted()
    if code in BARRED:
        return Barred(str(code))
    return Unknown(f"resultCode {code}") if code in BUSY else Refused(str(code))
