"""The open platform's interfaces: the signature first, then reservations and crossing records."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from simulators.clock import Clock
from simulators.isecure.park import Crossing, Park, Parks, Refused, Reservation
from simulators.wire import Asked, HangUp, Reply

WINDOW_MS = 15 * 60 * 1000
MOST_ROWS = 1000
Fields = Mapping[str, Any]


class Desk:
    """Answers whoever holds a park's key; a nonce is good once."""

    def __init__(self, parks: Parks, clock: Clock) -> None:
        self._parks, self._clock, self._nonces = parks, clock, set[str]()

    def answer(self, asked: Asked) -> Reply:
        if asked.method != "POST" or asked.path not in PATHS:
            return _answer("0x02400000", "接口不存在", status=404)
        parks = self._parks.of_key(asked.header("x-ca-key"))
        if not parks or not self._is_signed(asked, parks[0].plan.secret):
            return _answer("0x02401007", "签名错误", status=401)
        fields = json.loads(asked.body)
        park = next((park for park in parks if _concerns(park, fields)), None)
        return _answer("0x00072001", "停车库不存在") if park is None else _served(park, asked.path, fields)

    def _is_signed(self, asked: Asked, secret: str) -> bool:
        nonce, stamp = asked.header("x-ca-nonce"), asked.header("x-ca-timestamp")
        digest = base64.b64encode(hashlib.md5(asked.body, usedforsecurity=False).digest()).decode()
        if asked.header("content-md5") != digest or not nonce or nonce in self._nonces or not stamp.isdigit():
            return False
        named = asked.header("x-ca-signature-headers").split(",")
        signed = [f"{name}:{asked.header(name)}" for name in named]
        plain = [asked.header(name) for name in ("accept", "content-md5", "content-type")]
        told = "\n".join(["POST", *plain, *signed, asked.target])
        right = base64.b64encode(hmac.digest(secret.encode(), told.encode(), "sha256")).decode()
        if not hmac.compare_digest(right, asked.header("x-ca-signature")):
            return False
        self._nonces.add(nonce)
        return abs(int(stamp) - self._clock.now() * 1000) < WINDOW_MS


def _concerns(park: Park, fields: Fields) -> bool:
    """A cancellation names an order, everything else a park."""
    if "reserveOrderNo" in fields:
        return any(row.order == fields["reserveOrderNo"] for row in park.waiting.values())
    return fields.get("parkSyscode") == park.plan.park


def _served(park: Park, path: str, fields: Fields) -> Reply:
    with park.lock:
        if not park.up:
            raise HangUp
        try:
            told = PATHS[path](park, fields)
        except Refused as wrong:
            return _answer("0x00072006", str(wrong))
        if park.loses_answer():
            raise HangUp
        return _answer("0", "SUCCESS", told)


def _add(park: Park, fields: Fields) -> Any:
    if park.refuses():
        raise Refused("系统繁忙")
    for name in ("startTime", "endTime"):
        if datetime.fromisoformat(fields[name]).tzinfo is None:
            raise Refused("时间格式错误")
    return {"reserveOrderNo": park.add(fields["plateNo"], fields["startTime"], fields["endTime"])}


def _delete(park: Park, fields: Fields) -> Any:
    if park.refuses():
        raise Refused("系统繁忙")
    park.delete(fields["reserveOrderNo"])


def _reservations(park: Park, fields: Fields) -> Any:
    return _page([_reserved(row) for row in park.live()], fields)


def _crossings(park: Park, fields: Fields) -> Any:
    begins, ends = (datetime.fromisoformat(fields[name]) for name in ("startTime", "endTime"))
    found = [row for row in park.crossings if begins <= datetime.fromisoformat(row.at) <= ends]
    return _page([_crossed(row) for row in reversed(found)], fields)


PATHS: Mapping[str, Callable[[Park, Fields], Any]] = {
    "/artemis/api/pms/v2/parkingSpace/reservations/addition": _add,
    "/artemis/api/pms/v1/parkingSpace/reservations/deletion": _delete,
    "/artemis/api/pms/v2/reserveRecord/page": _reservations,
    "/artemis/api/pms/v1/crossRecords/page": _crossings,
}


def _reserved(row: Reservation) -> dict[str, Any]:
    return {
        "reserveOrderNo": row.order, "plateNo": row.plate, "startTime": row.begins, "endTime": row.ends, "resvState": 0
    }  # fmt: skip


def _crossed(row: Crossing) -> dict[str, Any]:
    return {
        "crossRecordSyscode": row.number, "plateNo": row.plate, "plateColor": 1, "crossTime": row.at,
        "vehicleOut": row.out, "releaseWay": row.way, "releaseResult": 0,
    }  # fmt: skip


def _page(rows: Sequence[Any], fields: Fields) -> dict[str, Any]:
    number, size = int(fields["pageNo"]), min(int(fields["pageSize"]), MOST_ROWS)
    first = (number - 1) * size
    return {"total": len(rows), "pageNo": number, "pageSize": size, "list": list(rows[first : first + size])}


def _answer(code: str, message: str, told: Any = None, status: int = 200) -> Reply:
    body = json.dumps({"code": code, "msg": message, "data": told}, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json"})
