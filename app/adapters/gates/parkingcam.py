"""ParkingCam / Alphadigi cameras over HTTP (profile `parkingcam-http`), by the maker's HTTP API V2.0.

The plate push has Vzenith's root and nothing else in common with it: every push is repeated until it is answered
`retransfer_stop`, heartbeats are JSON, and their answer may be an operation on the camera's list, whose outcome the
camera pushes. The list can be read back in the same channel. The wire's misspellings (`startime`, `reponse`) are the
maker's; firmware that spells them right, or writes `heartbeat` small, is understood too.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from app.adapters.gates.alarms import moment_in, pulsed_in, seen_in
from app.adapters.gates.fields import listed, local_time, number, record, root_of, text
from app.adapters.gates.words import (
    Beaten,
    Drop,
    Foreign,
    Habits,
    ListDone,
    ListRead,
    ListRow,
    Message,
    Nothing,
    Put,
    Reply,
    Step,
    Word,
)
from app.kernel.clock import SHANGHAI

TIME: Final = "%Y%m%d%H%M%S"
PAGE: Final = 1000
"""Rows that one question or one addition may hold."""

DROPS: Final = 10
DONE: Final = ("Response_AddWhiteList", "Response_DeleteWhiteList", "Response_DelWhiteListAll")


class ParkingCam:
    """The dialect of `parkingcam-http`. Safe to share between threads."""

    colours = "vzenith"
    habits = Habits(
        puts=PAGE, drops=DROPS, reads_back=True, can=frozenset({"open", "close", "snapshot", "sync"}),
        beats_tell_time=True,
    )  # fmt: skip

    def read(self, body: bytes) -> Message:
        """The meaning of a JSON push; raises `Foreign`."""
        root = root_of(body)
        for name, told in root.items():
            if word := _word(name, told):
                serial = record(told).get("serialno") or root.get("serialno")
                return Message(text(serial), word)
        return Message(text(root.get("serialno")), Nothing())

    def registration(self, _form: Mapping[str, str]) -> Message:
        """This family registers by no form."""
        raise Foreign("form")

    def write(self, reply: Reply, to: Word) -> Mapping[str, Any]:
        """`info` is "ok" only to open; `retransfer_stop` says that a reading need not come again.

        An operation on the list is the whole of an answer: a car that waits comes first, the list is compared anew.
        """
        if reply.step is not None and not reply.opens:
            return _operation(reply.step)
        info = "ok" if reply.opens else "no"
        if isinstance(to, Beaten):
            said = {"shutoff": "ok"} if reply.closes else {}
            return {"Response_Heartbeat": {"info": info, **said, **({"snapnow": "yes"} if reply.snaps else {})}}
        return {"Response_AlarmInfoPlate": {"info": info, "content": "retransfer_stop", "channelNum": 0}}

    def encoded(self, answer: Mapping[str, Any]) -> bytes:
        """Plates to delete are read as GB 2312, all others as UTF-8."""
        encoding = "gb18030" if "deleteWhiteList" in answer else "utf-8"
        return json.dumps(answer, ensure_ascii=False).encode(encoding)


def _word(name: str, told: Any) -> Word | None:
    if name == "AlarmInfoPlate":
        return seen_in(record(told), "pc")
    if name == "AlarmGioIn":
        return pulsed_in(record(told))
    if name.lower() == "heartbeat":
        return Beaten(moment_in(record(told))[0], number(record(told).get("countid", 0)))
    if name in DONE:
        return ListDone(_outcome(record(told)) == "ok")
    return _part(record(told)) if name == "Response_whiteList" else None


def _outcome(told: Mapping[str, Any]) -> str:
    return text(told.get("reponse", told.get("response")))


def _part(told: Mapping[str, Any]) -> ListRead:
    rows = [_row(record(row)) for row in listed(told.get("data", []))]
    return ListRead(rows, number(told.get("listPosition", 0)), number(told.get("totalList", 0)))


def _row(row: Mapping[str, Any]) -> ListRow:
    begins = row.get("startime", row.get("starttime"))
    return ListRow(text(row.get("carnum")), local_time(begins, TIME), local_time(row.get("endtime"), TIME))


def _operation(step: Step) -> dict[str, Any]:
    match step:
        case Put(rows):
            return {"addWhiteList": {"add_data": [_listed(row) for row in rows]}}
        case Drop(plates):
            return {"deleteWhiteList": {"del_data": [{"carnum": plate} for plate in plates]}}
    return {"whiteList": {"queryNumList": PAGE, "listPosition": step.position}}


def _listed(row: ListRow) -> dict[str, str]:
    begins, ends = (at.astimezone(SHANGHAI).strftime(TIME) for at in (row.begins_at, row.ends_at))
    return {"carnum": row.plate, "startime": begins, "endtime": ends}
