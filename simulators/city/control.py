"""The tester's side door, `/control`: plain JSON, no signatures. docs/city-feed.md has the table."""

import json
from dataclasses import asdict
from typing import Any

from simulators.city.answers import json_reply
from simulators.city.faults import Fault, Faults
from simulators.city.register import Register
from simulators.clock import Clock
from simulators.wire import Asked, Reply


class Control:
    def __init__(self, register: Register, faults: Faults, clock: Clock) -> None:
        self._register = register
        self._faults = faults
        self._clock = clock

    def answer(self, asked: Asked) -> Reply:
        try:
            told = self._done(asked.method, asked.path.removeprefix("/control"), asked.body)
        except (TypeError, ValueError) as wrong:
            return json_reply(400, {"error": str(wrong)})
        return json_reply(404, {"error": "no such control"}) if told is None else json_reply(200, told)

    def _done(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        match method, path:
            case "GET", "/health":
                return {"status": "ok", "now": self._clock.now()}
            case "GET", "/book":
                return self._register.book()
            case "DELETE", "/book":
                self._register.clear()
                return {}
            case "POST", "/faults":
                fault = Fault(**json.loads(body or b"{}"))
                self._faults.plan(fault)
                return asdict(fault)
            case "DELETE", "/faults":
                self._faults.clear()
                return {}
        return None
