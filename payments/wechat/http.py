"""One signed exchange with WeChat Pay over HTTP, logged without a secret or a person in it."""

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from app.kernel.deadline import Overdue, watch_lines, within
from payments.wechat.outcomes import Unknown
from payments.wechat.signing import Signer

log = logging.getLogger("payments.wechat")
# urllib3 logs whole URLs at DEBUG, with merchant and order numbers.
logging.getLogger("urllib3").setLevel(logging.INFO)

CONNECT_SECONDS = 3.0
PIECE_BYTES = 256 * 1024
USER_AGENT = "gongbo-wechatpay/1"


@dataclass(frozen=True)
class Call:
    """What is asked: `route` has a `{}` where the order's number goes, so that it can be logged."""

    method: str
    route: str
    number: str = field(default="", repr=False)
    query: Sequence[tuple[str, str]] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    read_seconds: float = 10.0
    """How long nothing at all may come."""
    whole_seconds: float = 20.0
    """How long it may last from the greeting to the last byte."""
    signed_at: datetime | None = None
    """The moment that its signature names, however late it leaves; none: the one at which it does."""

    @property
    def target(self) -> str:
        path = self.route.format(quote(self.number, safe=""))
        return f"{path}?{urlencode(self.query)}" if self.query else path

    @property
    def is_read_only(self) -> bool:
        return self.method == "GET"


@dataclass(frozen=True)
class Answer:
    """What came back, not yet believed."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        return {name.lower(): value for name, value in self.headers.items()}.get("request-id")


class NotSent(Exception):
    """No connection came about: WeChat has certainly not seen the request."""


class Lost(Exception):
    """The connection broke or fell silent after the request may have been read."""


class Wire:
    """A pooled connection to the primary host and, when that cannot be reached, to the backup (异地接入点).

    A request that may have been read is repeated only if it is read-only; a read timeout is never
    repeated, because the caller has no more time than that. Safe to share between threads.
    """

    def __init__(
        self, base_urls: Sequence[str], signer: Signer, answer_serial: str, now: Callable[[], datetime]
    ) -> None:
        if not base_urls:
            raise ValueError("WeChat Pay needs at least one base URL")
        self._base_urls = [url.rstrip("/") for url in base_urls]
        self._signer = signer
        self._answer_serial = answer_serial
        self._now = now
        self._session = _pooled_session()

    def exchange(self, call: Call) -> Answer | Unknown:
        why = "unreachable"
        for base_url in self._base_urls:
            try:
                return self._send(base_url, call)
            except NotSent:
                why = "unreachable"
            except Lost as lost:
                why = str(lost)
                if why == "timeout" or not call.is_read_only:
                    break
        return Unknown(why)

    def download(self, call: Call, url: str, into: BinaryIO, most_bytes: int) -> Answer | Unknown:
        """Fetch a file from the very address that WeChat named into `into`; the answer then has no body.

        Whatever is not a file comes as an answer with its body. More than `most_bytes` is `Unknown`.
        """
        base_url, path, query = _split(url)
        prepared = self._signed(base_url, Call(call.method, path, query=parse_qsl(query, keep_blank_values=True)))
        try:
            with (
                within(call.whole_seconds),
                self._session.send(
                    prepared, timeout=(CONNECT_SECONDS, call.read_seconds), allow_redirects=False, stream=True
                ) as response,
            ):
                return _kept(response, into, most_bytes)
        except (requests.RequestException, Overdue, urllib3.exceptions.HTTPError) as error:
            log.warning("%s %s -> %s", call.method, call.route, type(error).__name__)
            return Unknown("the download broke off")

    def _send(self, base_url: str, call: Call) -> Answer:
        prepared = self._signed(base_url, call)
        started = time.monotonic()
        try:
            with within(call.whole_seconds):
                response = self._session.send(
                    prepared, timeout=(CONNECT_SECONDS, call.read_seconds), allow_redirects=False
                )
        except (requests.RequestException, Overdue) as error:
            failure = _failure(error)
            log.warning("%s %s -> %s %s", call.method, call.route, type(failure).__name__, failure)
            raise failure from None
        answer = Answer(response.status_code, dict(response.headers), response.content)
        _log_answer(call, answer, time.monotonic() - started)
        return answer

    def _signed(self, base_url: str, call: Call) -> requests.PreparedRequest:
        prepared = requests.Request(
            call.method, base_url + call.target, headers=self._headers(call), data=call.body or None
        ).prepare()
        # requests may re-quote the URL, so what is signed is what it prepared.
        prepared.headers["Authorization"] = self._signer.authorization(
            call.method,
            prepared.path_url,
            int((call.signed_at or self._now()).timestamp()),
            secrets.token_hex(16),
            call.body,
        )
        return prepared

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            "Wechatpay-Serial": self._answer_serial,
        }
        return headers | ({"Content-Type": "application/json"} if call.body else {})


def _split(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path, parts.query


def _kept(response: requests.Response, into: BinaryIO, most_bytes: int) -> Answer | Unknown:
    answer = Answer(response.status_code, dict(response.headers), b"")
    if response.status_code != HTTPStatus.OK:
        return replace(answer, body=response.raw.read(PIECE_BYTES, decode_content=True))
    size = 0
    for piece in response.iter_content(PIECE_BYTES):
        size += len(piece)
        if size > most_bytes:
            return Unknown("the file is too large")
        into.write(piece)
    return answer


def _pooled_session() -> requests.Session:
    session = requests.Session()
    # No proxies and no .netrc from the environment: the latter would replace our Authorization.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, _TimelyAdapter(pool_connections=4, pool_maxsize=32, max_retries=0))
    return session


class _TimelyAdapter(HTTPAdapter):
    """Calls only `within` a deadline."""

    def init_poolmanager(self, *words: Any, **how: Any) -> None:
        super().init_poolmanager(*words, **how)
        watch_lines(self.poolmanager)


def _failure(error: requests.RequestException | Overdue) -> NotSent | Lost:
    if isinstance(error, Overdue):
        return Lost("timeout")
    if any(isinstance(cause, (NewConnectionError, ConnectTimeoutError)) for cause in _causes(error)):
        return NotSent("unreachable")
    if isinstance(error, requests.Timeout):
        return Lost("timeout")
    return Lost("connection lost")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        inner = error.args[0] if error.args else None
        if isinstance(inner, MaxRetryError):
            inner = inner.reason
        error = inner if isinstance(inner, BaseException) else None


def _log_answer(call: Call, answer: Answer, seconds: float) -> None:
    level = logging.INFO if answer.status < HTTPStatus.MULTIPLE_CHOICES else logging.WARNING
    log.log(
        level,
        "%s %s -> %d request_id=%s ms=%d",
        call.method,
        call.route,
        answer.status,
        answer.request_id,
        seconds * 1000,
    )
