"""The side door over HTTP: letters to look at, faults to plan. Plain JSON."""

import json
from dataclasses import asdict
from typing import Any

from simulators.clock import Clock
from simulators.mail.faults import Fault, Faults
from simulators.mail.mailbox import Mailbox
from simulators.wire import Asked, Reply


class Control:
    """`GET /letters` shows what came, `GET /letters/N` is letter N as a file that mail programs open."""

    def __init__(self, mailbox: Mailbox, faults: Faults, clock: Clock) -> None:
        self._mailbox, self._faults, self._clock = mailbox, faults, clock

    def answer(self, asked: Asked) -> Reply:
        number = asked.path.removeprefix("/letters/")
        if asked.method == "GET" and number.isdecimal():
            return self._file(int(number))
        try:
            told = self._done(asked.method, asked.path, asked.body)
        except (TypeError, ValueError) as wrong:
            return _json(400, {"error": str(wrong)})
        return _json(404, {"error": "no such page"}) if told is None else _json(200, told)

    def _done(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        match method, path:
            case "GET", "/" | "/letters":
                return {"letters": [each.shown() for each in self._mailbox.letters()]}
            case "DELETE", "/letters":
                self._mailbox.clear()
                return {}
            case "GET", "/control/health":
                return {"status": "ok", "now": self._clock.now()}
            case "POST" | "DELETE", "/control/faults" | "/control/starttls":
                return self._spoiled(method, path, body)
        return None

    def _spoiled(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        if method == "DELETE":
            self._faults.clear()
            return {}
        if path == "/control/starttls":
            self._faults.offers_starttls = bool(json.loads(body)["offered"])
            return {"offered": self._faults.offers_starttls}
        fault = Fault(**json.loads(body))
        self._faults.plan(fault)
        return asdict(fault)

    def _file(self, number: int) -> Reply:
        found = self._mailbox.letter(number)
        if found is None:
            return _json(404, {"error": "no such letter"})
        named = {"Content-Disposition": f'attachment; filename="letter-{number}.eml"'}
        return Reply(200, found.raw, {"Content-Type": "message/rfc822", **named})


def _json(status: int, body: dict[str, Any]) -> Reply:
    raw = json.dumps(body, ensure_ascii=False, indent=1).encode()
    return Reply(status, raw, {"Content-Type": "application/json; charset=utf-8"})
