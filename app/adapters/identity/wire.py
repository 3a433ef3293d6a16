"""One exchange with api.weixin.qq.com. URLs carry secrets there, so none is ever logged or raised."""

import json
import logging
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from app.adapters.identity.errors import WeChatBusy
from app.adapters.outbound import TimelyAdapter
from app.kernel.deadline import within

log = logging.getLogger("app.adapters.identity")
# urllib3 logs whole URLs at DEBUG, and ours hold the secret or the token.
logging.getLogger("urllib3").setLevel(logging.INFO)

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
WHOLE_SECONDS = 8.0
"""From the greeting to the last byte of the answer: a person waits for it."""


class Unanswered(WeChatBusy):
    """No answer came at all, so that the same single-use code may be sent once more."""


class Unreached(Unanswered):
    """No connection was made: nothing of the request has left this machine."""


class Wire:
    """A pooled connection; safe to share between threads."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = requests.Session()
        # Neither proxies nor .netrc from the environment.
        self._session.trust_env = False
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, TimelyAdapter(pool_connections=2, pool_maxsize=16, max_retries=0))

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._exchange(requests.Request("GET", self._base_url + path, params=dict(query)), path)

    def post(self, path: str, body: Mapping[str, Any], query: Mapping[str, str] | None = None) -> dict[str, Any]:
        text = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        request = requests.Request("POST", self._base_url + path, params=dict(query or {}), data=text, headers=headers)
        return self._exchange(request, path)

    def _exchange(self, request: requests.Request, path: str) -> dict[str, Any]:
        started = time.monotonic()
        try:
            with within(WHOLE_SECONDS):
                response = self._session.send(
                    request.prepare(), timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False
                )
        except OSError as error:  # those of requests are such
            log.warning("%s unanswered: %s", path, type(error).__name__)
            # The original's text holds the whole URL.
            raise (Unreached if _never_left(error) else Unanswered)("no answer") from None
        answer = _read(response)
        milliseconds = (time.monotonic() - started) * 1000
        log.info("%s -> %d errcode=%d ms=%d", path, response.status_code, errcode_of(answer), milliseconds)
        return answer


def _never_left(error: OSError) -> bool:
    """Whether no connection came about: a name not found, a port that refuses, or nobody who answers in time."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    pooled = error.args[0] if error.args else None
    return isinstance(getattr(pooled, "reason", None), NewConnectionError)


def errcode_of(answer: Mapping[str, Any]) -> int:
    """0 when all is well; WeChat leaves it out then, or sends it. Raises `WeChatBusy` when it is no number."""
    errcode = answer.get("errcode", 0)
    if type(errcode) is not int:
        raise WeChatBusy("an errcode that is no number")
    return errcode


def text_of(answer: Mapping[str, Any], name: str) -> str:
    """A text that must be there. Raises `WeChatBusy`: an answer without it is nobody's we know."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise WeChatBusy(f"an answer without {name}")
    return value


def _read(response: requests.Response) -> dict[str, Any]:
    """The JSON object in the body, whatever the Content-Type: errors have come as text/plain."""
    if response.status_code != HTTPStatus.OK:
        raise WeChatBusy(f"HTTP {response.status_code}")
    try:
        answer = json.loads(response.content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise WeChatBusy("an answer that is not JSON") from None
    if not isinstance(answer, dict):
        raise WeChatBusy("an answer that is no object")
    return answer
