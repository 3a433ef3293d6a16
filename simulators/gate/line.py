"""The line to the platform: signs what goes out, believes only what comes back signed, and can be cut."""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from simulators.gate.clocks import DeviceClock
from simulators.gate.faults import Faults
from simulators.gate.plan import GatePlan, Habits
from simulators.gate.trace import Trace
from simulators.gate.wire import digest, is_signed, seconds, signature

SERVER_ERROR = 500
REFUSED = 400
UNAUTHENTICATED = 401


class NoAnswer(Exception):
    """Nothing that could be believed came back in time: the gate is on its own."""


class Refused(Exception):
    """The platform's signed no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Line:
    """One gate's way to the platform. While `up` is false nothing goes out and nothing comes in."""

    def __init__(self, plan: GatePlan, habits: Habits, clock: DeviceClock, faults: Faults, trace: Trace) -> None:
        self._plan, self._habits, self._clock, self._faults, self._trace = plan, habits, clock, faults, trace
        self._session = requests.Session()
        self._session.trust_env = False
        self._prefix = urlsplit(habits.platform).path.rstrip("/")
        self._base = habits.platform.rstrip("/").removesuffix(self._prefix)
        self.up = True

    def get(self, call: str, path: str, seconds: float | None = None) -> dict[str, Any]:
        """Ask; raises `NoAnswer` or `Refused`."""
        return self._call(call, "GET", path, None, seconds)

    def post(self, call: str, path: str, body: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """Tell; raises `NoAnswer` or `Refused`."""
        return self._call(call, "POST", path, body, seconds)

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _call(
        self, call: str, method: str, path: str, content: Mapping[str, Any] | None, timeout: float | None
    ) -> dict[str, Any]:
        """One request, and a second one with a corrected clock when the platform says that ours is wrong."""
        try:
            return self._once(call, method, path, _encoded(content), timeout)
        except Refused as refused:
            if refused.code != "clock_skew":
                raise
            return self._once(call, method, path, _encoded(self._owning_up(content)), timeout)

    def _owning_up(self, content: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """An event of this very moment was dated by a clock of which we now know better."""
        if content is None or "event_id" not in content:
            return content
        return {**content, "clock_offset": round(self._clock.server_offset, 3)}

    def _once(self, call: str, method: str, path: str, body: bytes, timeout: float | None) -> dict[str, Any]:
        nonce, asked_at = secrets.token_hex(16), self._clock.now()
        response = self._send(method, f"{self._prefix}/gate/v1{path}", body, nonce, timeout)
        if not self.up or self._faults.loses(call):
            raise NoAnswer("lost on the way")
        answer = self._believed(response, nonce, asked_at)
        self._trace.note(self._plan.gate_id, call, sent=_said(body), status=response.status_code, answer=answer)
        if response.status_code == UNAUTHENTICATED and answer.get("code") == "clock_skew":
            self._clock.learn(float(answer["details"]["server_time"]), asked_at)
        if response.status_code >= REFUSED:
            raise Refused(response.status_code, str(answer.get("code")))
        return answer

    def _send(self, method: str, target: str, body: bytes, nonce: str, timeout: float | None) -> requests.Response:
        if not self.up:
            raise NoAnswer("the line is cut")
        try:
            return self._session.request(
                method, self._base + target, data=body or None, headers=self._headers(method, target, body, nonce),
                timeout=timeout or self._habits.answer_seconds, allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            raise NoAnswer(type(error).__name__) from error

    def _headers(self, method: str, target: str, body: bytes, nonce: str) -> dict[str, str]:
        timestamp = str(int(self._clock.corrected()))
        return {
            "Content-Type": "application/json", "X-Gate-Id": self._plan.gate_id, "X-Key-Id": self._plan.key_id,
            "X-Timestamp": timestamp, "X-Nonce": nonce, "X-Content-SHA256": digest(body),
            "X-Signature": signature(self._plan.secret, method, target, timestamp, nonce, digest(body)),
        }  # fmt: skip

    def _believed(self, response: requests.Response, nonce: str, asked_at: float) -> dict[str, Any]:
        """The answer, when it is signed for this request; an error page in between is no answer."""
        if not is_signed(self._plan.secret, response.status_code, nonce, response.headers, response.content):
            self._trace.note(self._plan.gate_id, "unbelieved", status=response.status_code)
            raise NoAnswer("not signed by the platform")
        if response.status_code >= SERVER_ERROR:
            raise NoAnswer(f"status {response.status_code}")
        self._clock.learn(float(response.headers["X-Timestamp"]), asked_at)
        answer = response.json()
        return answer if isinstance(answer, dict) else {}


def _encoded(content: Mapping[str, Any] | None) -> bytes:
    return b"" if content is None else json.dumps(content, ensure_ascii=False).encode()


def _said(body: bytes) -> Any:
    return json.loads(body) if body else None


def is_late(expires_at: str, clock: DeviceClock) -> bool:
    """Whether a command's time is over by the platform's clock, as the gate knows it."""
    return clock.corrected() >= seconds(expires_at)
