"""JSON over HTTP to one address on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from demo.patience import DemoFailed

ANSWER_SECONDS = 20.0
REFUSED = 400


@dataclass(frozen=True)
class Answer:
    """What came back: the status and the body, `{}` when there is none."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """Why it was refused; empty when it was not."""
        return str(self.body.get("code", "")) if self.status >= REFUSED and isinstance(self.body, dict) else ""


class Wire:
    """One server; proxies of the surroundings are not for it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *,
        query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """Ask and take any answer. Raises `DemoFailed` when nobody answers."""
        try:
            response = self._session.request(
                method, self._address + path, json=body, params=query, headers=headers, timeout=ANSWER_SECONDS
            )
        except requests.RequestException as failure:
            raise DemoFailed(f"{method} {path}: {type(failure).__name__}") from failure
        return Answer(response.status_code, _said(response))

    def get(self, path: str) -> Any:
        """The body of an answer that must not be a refusal."""
        return granted(f"GET {path}", self.ask("GET", path))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The same for something that is told."""
        return granted(f"POST {path}", self.ask("POST", path, body))

    def answers(self, path: str) -> bool:
        """Whether somebody is there and well."""
        try:
            return self._session.get(self._address + path, timeout=ANSWER_SECONDS).ok
        except requests.RequestException:
            return False

    def close(self) -> None:
        self._session.close()


def granted(what: str, answer: Answer) -> Any:
    """The body, unless it is a refusal: then `DemoFailed` with its code."""
    if answer.status >= REFUSED:
        raise DemoFailed(f"{what} was answered {answer.status} {answer.body}")
    return answer.body


def _said(response: requests.Response) -> Any:
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    return response.json() if is_json and response.content else {}
