"""Everything that goes wrong between two houses, on demand."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from simulators.wechat.errors import compact
from simulators.wechat.ids import Ids
from simulators.wire import HangUp, Reply

KINDS = (
    "latency",
    "reset_before",
    "reset_after",
    "error_500",
    "error_500_after",
    "error_429",
    "error_503",
    "html",
    "wrong_signature",
    "unsigned",
    "errcode",
    "paid_at_close",
    "bill_byte",
    "bill_truncated",
    "partly_paid_at_close",
)
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
SYSTEM_ERROR = Reply(
    500,
    compact({"code": "SYSTEM_ERROR", "message": "系统异常，请用相同参数重新调用"}),
    {"Content-Type": "application/json; charset=utf-8"},
)


@dataclass
class Fault:
    """One thing to go wrong: for which operation ('' = any), how many times (0 = until cleared), in which share.

    `seconds` is for latency, `status` for html, `errcode` for the mini-program API.
    """

    kind: str
    operation: str = ""
    times: int = 1
    rate: float = 1.0
    seconds: float = 0.0
    status: int = 502
    errcode: int = -1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")


class Faults:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._lock = Lock()
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this call, used up by it."""
        with self._lock:
            for fault in self._planned:
                if fault.operation in ("", operation) and self._ids.happens(fault.rate):
                    return self._used(fault)
        return None

    def _used(self, fault: Fault) -> Fault:
        if fault.times == 1:
            self._planned.remove(fault)
        elif fault.times > 1:
            fault.times -= 1
        return fault


def suffer(fault: Fault | None, run: Callable[[], Reply]) -> Reply:
    """Runs a call under a fault that lies on the line or in a proxy; the others are the caller's."""
    if fault is None:
        return run()
    if fault.kind == "latency":
        time.sleep(fault.seconds)
    instead = _instead(fault)
    if instead is not None:
        return instead
    return _afterwards(fault, run())


def _instead(fault: Fault) -> Reply | None:
    """What is answered though nothing was done; None when it is to be done."""
    if fault.kind == "reset_before":
        raise HangUp
    if fault.kind == "error_500":
        return SYSTEM_ERROR
    if fault.kind == "error_429":
        return _refusal(429, "FREQUENCY_LIMITED", "频率超限")
    if fault.kind == "error_503":
        return _refusal(503, "SERVICE_UNAVAILABLE", "服务不可用")
    return Reply(fault.status, PAGE, {"Content-Type": "text/html"}) if fault.kind == "html" else None


def _afterwards(fault: Fault, done: Reply) -> Reply:
    """What is answered though it was done."""
    if fault.kind == "reset_after":
        raise HangUp
    if fault.kind == "error_500_after":
        return SYSTEM_ERROR
    return done


def _refusal(status: int, code: str, message: str) -> Reply:
    return Reply(
        status, compact({"code": code, "message": message}), {"Content-Type": "application/json; charset=utf-8"}
    )
