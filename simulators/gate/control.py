"""The control API, for tests and demonstrations on this machine: drive cars, cut lines, break clocks."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from simulators.gate.gate import Car, Gate
from simulators.gate.life import Living, Street
from simulators.gate.plan import read_plans

LONGEST_BODY = 4 * 1024 * 1024
Deed = Callable[[Living, Mapping[str, Any]], Any]


def arrive(living: Living, wanted: Mapping[str, Any]) -> Any:
    """A car comes; answers with everything that then happened."""
    direction = wanted.get("direction") or living.gate.plan.direction
    if direction not in {"in", "out"}:
        raise ValueError("direction must be in or out")
    car = Car(str(wanted["plate"]), str(wanted.get("colour", "blue")), direction)
    return living.gate.arrive(car, wanted.get("read_as"))


def lift(living: Living, wanted: Mapping[str, Any]) -> Any:
    """Somebody raises the arm by hand."""
    return living.gate.lift(str(wanted["operator"]), str(wanted["reason"]), wanted.get("plate"))


def happen(living: Living, wanted: Mapping[str, Any]) -> Any:
    """Something else is noticed: `{"type": "tailgate", ...}`."""
    fields = {name: value for name, value in wanted.items() if name != "type"}
    return living.gate.happen(str(wanted["type"]), fields)


def network(living: Living, wanted: Mapping[str, Any]) -> Any:
    """Cut the line, or mend it."""
    living.gate.line.up = bool(wanted["up"])
    if living.gate.line.up:
        living.kick()
    else:
        living.gate.mode = "offline"
    return {"network": living.gate.line.up}


def clock(living: Living, wanted: Mapping[str, Any]) -> Any:
    """Put the gate's clock wrong by so many seconds."""
    living.gate.set_clock_error(float(wanted["error_seconds"]))
    return {"error_seconds": living.gate.clock.error}


def faults(living: Living, wanted: Mapping[str, Any]) -> Any:
    """Ask for faults by name; ending `hold_commands` lets the held ones through."""
    living.gate.faults.set(wanted)
    if not living.gate.faults.hold_commands:
        living.gate.release_held()
    return wanted


def reboot(living: Living, wanted: Mapping[str, Any]) -> Any:
    """The power fails for a moment."""
    living.gate.reboot(bool(wanted.get("forget_list")))
    living.kick()
    return {"rebooted": True}


def beat(living: Living, _wanted: Mapping[str, Any]) -> Any:
    """Beat now, and tell everything that is waiting; answers when it is done."""
    living.gate.beat()
    return {"told": living.gate.flush()}


DEEDS: dict[str, Deed] = {
    "arrive": arrive, "lift": lift, "happen": happen, "network": network, "clock": clock, "faults": faults,
    "reboot": reboot, "beat": beat,
}  # fmt: skip


class Control(ThreadingHTTPServer):
    """The control API on a loopback port."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, street: Street) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.street = street


class _Handler(BaseHTTPRequestHandler):
    server: Control
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match self._words():
            case ["control", "health"]:
                self._answer(HTTPStatus.OK, {"gates": len(self.server.street.gates())})
            case ["control", "gates"]:
                self._answer(HTTPStatus.OK, {"gates": [_brief(gate) for gate in self.server.street.gates()]})
            case ["control", "gates", gate_id] if living := self.server.street.find(gate_id):
                self._answer(HTTPStatus.OK, living.gate.show())
            case _:
                self._answer(HTTPStatus.NOT_FOUND, {"error": "not found"})

    def do_PUT(self) -> None:
        wanted = self._body()
        if self._words() != ["control", "gates"]:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "not found"})
            return
        self._attempt(lambda: self._put(wanted))

    def do_POST(self) -> None:
        wanted = self._body()
        match self._words():
            case ["control", "gates", gate_id, deed] if deed in DEEDS and self.server.street.find(gate_id):
                living = self.server.street.find(gate_id)
                assert living is not None
                self._attempt(lambda: DEEDS[deed](living, wanted))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, {"error": "not found"})

    def _put(self, wanted: Mapping[str, Any]) -> Any:
        plans = read_plans(wanted)
        self.server.street.put(plans)
        return {"gates": [plan.gate_id for plan in plans]}

    def _attempt(self, deed: Callable[[], Any]) -> None:
        try:
            self._answer(HTTPStatus.OK, deed())
        except (KeyError, ValueError, TypeError) as wrong:
            self._answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": f"{type(wrong).__name__}: {wrong}"})
        except Exception as failure:  # noqa: BLE001 - whoever drives the simulator must learn what went wrong
            self._answer(HTTPStatus.BAD_GATEWAY, {"error": f"{type(failure).__name__}: {failure}"})

    def _words(self) -> list[str]:
        return [word for word in self.path.split("?")[0].split("/") if word]

    def _body(self) -> Mapping[str, Any]:
        length = min(int(self.headers.get("Content-Length") or 0), LONGEST_BODY)
        content = json.loads(self.rfile.read(length) or b"{}")
        return content if isinstance(content, Mapping) else {"gates": content}

    def _answer(self, status: HTTPStatus, content: Any) -> None:
        body = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the trace says what happened, without plates in URLs."""


def _brief(gate: Gate) -> dict[str, Any]:
    shown = gate.show()
    return {name: shown[name] for name in ("gate_id", "lot", "lane", "direction", "network", "mode", "list_version")}
