"""The interface itself: each path opens a message, checks its fields and enters it."""

import time
from collections.abc import Callable, Mapping

from simulators.city import forms
from simulators.city.answers import Rejection, answer
from simulators.city.faults import Fault, Faults
from simulators.city.letters import Fields, Letters
from simulators.city.register import Register
from simulators.wire import Asked, HangUp, Reply

PATHS: Mapping[str, tuple[forms.Form, Callable[[Register, Fields], None]]] = {
    "/api/v2/cp/uploadParkingInfo": (forms.LOT, Register.take_lot),
    "/api/v2/cp/uploadCarInData": (forms.ARRIVAL, Register.take_arrival),
    "/api/v2/cp/uploadCarOutData": (forms.DEPARTURE, Register.take_departure),
    "/api/v2/cp/uploadParkingState": (forms.STATE, Register.take_state),
    "/api/v2/tcjg/uploadHeartbeat": (forms.HEARTBEAT, Register.take_heartbeat),
}
PAGE = Reply(502, b"<html><head><title>502 Bad Gateway</title></head></html>", {"Content-Type": "text/html"})


class Desk:
    """Answers uploads, under whatever fault is planned."""

    def __init__(self, letters: Letters, register: Register, faults: Faults) -> None:
        self._letters = letters
        self._register = register
        self._faults = faults

    def answer(self, asked: Asked) -> Reply:
        if asked.path not in PATHS or asked.method != "POST":
            return answer(404, "接口不存在")
        fault = self._faults.take(asked.path.rpartition("/")[2])
        return _instead(fault) or self._afterwards(fault, asked)

    def _afterwards(self, fault: Fault | None, asked: Asked) -> Reply:
        reply = self._entered(asked)
        if fault is not None and fault.kind == "lost_answer":
            raise HangUp
        return reply

    def _entered(self, asked: Asked) -> Reply:
        form, enter = PATHS[asked.path]
        try:
            fields = self._letters.opened(asked)
            forms.check(fields, form)
            enter(self._register, fields)
        except Rejection as rejection:
            return answer(rejection.code, rejection.message)
        return answer()


def _instead(fault: Fault | None) -> Reply | None:
    """What is answered though nothing was entered; None when it is to be entered."""
    match fault.kind if fault else "":
        case "down":
            raise HangUp
        case "error_500":
            return Reply(500, b"")
        case "html":
            return PAGE
        case "busy":
            return answer(500, "系统繁忙")
        case "refuse":
            return answer(fault.code if fault else 0, "数据不符合要求")
        case "slow":
            time.sleep(fault.seconds if fault else 0)
    return None
