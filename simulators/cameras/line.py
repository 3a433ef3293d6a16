"""A camera's way to the platform: one request at a time, no signature, and it can be cut."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import requests

from simulators.cameras.faults import Faults
from simulators.cameras.plan import CameraPlan, Habits
from simulators.gate.trace import Trace

OK = 200
Hearing = Callable[[bytes], Any]
"""How a camera reads the bytes of an answer; raises ValueError."""


class NoAnswer(Exception):
    """Nothing usable came back in time."""


class Line:
    """Sends what a camera says; while `up` is false nothing goes out and nothing comes in."""

    def __init__(self, plan: CameraPlan, habits: Habits, faults: Faults, trace: Trace, heard: Hearing) -> None:
        self._plan, self._habits, self._faults, self._trace = plan, habits, faults, trace
        self._heard = heard
        self._local = threading.local()
        self.up = True

    def push(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Tell, and hear what to do; raises `NoAnswer`."""
        for _ in range(self._plan.alternates):
            self._send("events", json=body)
        answer = self._send("events", json=body)
        if self._faults.spend("lose_replies"):
            raise NoAnswer("lost on the way")
        return answer

    def register(self, form: Mapping[str, str], seconds: float) -> dict[str, Any]:
        """Register, and wait for what there is to do; raises `NoAnswer`."""
        parts = {name: (None, value) for name, value in form.items()}
        return self._send("poll", files=parts, timeout=seconds)

    def _send(self, call: str, **how: Any) -> dict[str, Any]:
        if not self.up or (call == "events" and self._faults.spend("slow")):
            raise NoAnswer("no network")
        how.setdefault("timeout", self._habits.answer_seconds)
        try:
            response = self._session().post(f"{self._habits.platform}{self._plan.path}/{call}", **how)
            content = self._heard(response.content) if response.status_code == OK else None
        except (requests.RequestException, ValueError) as error:
            raise NoAnswer(type(error).__name__) from error
        self._trace.note(self._plan.serial, "answered", call=call, status=response.status_code, answer=content)
        if not isinstance(content, dict):
            raise NoAnswer(f"status {response.status_code}")
        if not self.up:
            raise NoAnswer("no network")
        return content

    def _session(self) -> requests.Session:
        """A connection for each thread: a poll that waits keeps no car waiting."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session
