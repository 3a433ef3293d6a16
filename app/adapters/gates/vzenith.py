"""Vzenith 臻识 HTTP push and comet (profile `vz-http`).

The camera calls; what it shall do rides in the answers. It opens for `info: "ok"` in any answer and for nothing else.
The vendor's text has no acknowledgement of its whitelist: whether it took rows is read from its own web page
(`vzenith_web`), or never known.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.adapters.gates.fields import listed, number, record, root_of, text, without_pictures
from app.adapters.gates.words import (
    Beaten,
    Drop,
    Foreign,
    Habits,
    ListRow,
    Message,
    Nothing,
    Pulsed,
    Put,
    Reply,
    Seen,
    Step,
    Word,
)
from app.kernel.clock import SHANGHAI

OPENERS: Final = {1: "server", 2: "local_list"}
"""`gioouts.ctrltype`: who closed the open relay."""

TIME: Final = "%Y-%m-%d %H:%M:%S"


class Vzenith:
    """The dialect of `vz-http`. Safe to share between threads."""

    colours = "vzenith"
    habits = Habits(puts=5, drops=5, reads_back=False, can=frozenset({"open", "close", "snapshot", "display", "sync"}))

    def read(self, body: bytes) -> Message:
        """The meaning of a JSON push; raises `Foreign`."""
        root = root_of(body)
        if "AlarmInfoPlate" in root:
            alarm = record(root["AlarmInfoPlate"])
            return Message(text(alarm.get("serialno")), _seen(alarm))
        if "AlarmGioIn" in root:
            alarm = record(root["AlarmGioIn"])
            return Message(text(alarm.get("serialno")), _pulsed(alarm))
        return Message(text(record(root.get("SerialData", root)).get("serialno")), Nothing())

    def registration(self, form: Mapping[str, str]) -> Message:
        """The sign of life of a heartbeat or comet poll. Its user name and password are not even looked at."""
        return Message(form.get("serialno", ""), Beaten())

    def write(self, reply: Reply) -> Mapping[str, Any]:
        """An answer; `info` is "ok" only to open."""
        answer: dict[str, Any] = {"info": "ok" if reply.opens else "no", "channelNum": 0}
        if reply.closes:
            answer["ivs_ioctrl"] = {"io": 1, "value": 2, "delay": 500}
        if reply.snaps:
            answer["manualTrigger"] = "ok"
        if reply.voice:
            answer["playserver_json_request"] = _spoken(reply.voice)
        if reply.replayed is not None:
            answer["ContinuePushOffline"] = {"plateid": reply.replayed, "continue": 1}
        if reply.step is not None:
            answer["white_list_operate"] = _operation(reply.step)
        return {"Response_AlarmInfoPlate": answer}


def plate_record(alarm: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reading within an alarm, wherever the family puts it; raises `Foreign`."""
    return record(record(alarm.get("result")).get("PlateResult"))


def moment_of(reading: Mapping[str, Any]) -> tuple[datetime, str]:
    """When a car was read, and the same as an identifier; raises `Foreign`."""
    stamp = record(record(reading.get("timeStamp")).get("Timeval"))
    seconds, micro = number(stamp.get("sec")), number(stamp.get("usec", 0))
    try:
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micro), f"{seconds}.{micro}"
    except (OverflowError, ValueError, OSError) as wrong:
        raise Foreign("timeStamp") from wrong


def _seen(alarm: Mapping[str, Any]) -> Word:
    """Old firmware numbers nothing and tells no relay."""
    reading = plate_record(alarm)
    at, stamp = moment_of(reading)
    numbered = number(reading.get("plateid", 0))
    offline = number(reading.get("isoffline", 0)) == 1
    return Seen(
        event_id=f"vz-{numbered}-{stamp}", plate=text(reading.get("license")), colour=str(reading.get("colorType", 0)),
        at=at, offline=offline, opened_by=_opener(reading), record=numbered if offline else None,
        told=without_pictures(alarm),
    )  # fmt: skip


def _opener(reading: Mapping[str, Any]) -> str | None:
    kinds = [number(record(out).get("ctrltype", 0)) for out in listed(reading.get("gioouts", []))]
    return next((OPENERS[kind] for kind in kinds if kind in OPENERS), None)


def _pulsed(alarm: Mapping[str, Any]) -> Word:
    trigger = record(record(alarm.get("result")).get("TriggerResult"))
    return Pulsed(number(trigger.get("source"))) if number(trigger.get("value", 1)) else Nothing()


def _spoken(words: str) -> dict[str, Any]:
    voice = base64.b64encode(words.encode()).decode()
    return {"type": "ps_voice_play", "voice": voice, "voice_interval": 0, "voice_volume": 80, "voice_male": 0}


def _operation(step: Step) -> dict[str, Any]:
    if isinstance(step, Put):
        return {"operate_type": 0, "white_list_data": [_row(row) for row in step.rows]}
    if not isinstance(step, Drop):
        raise TypeError("this list cannot be read in the channel")
    assert all(step.plates), "an empty plate would delete the whole list"
    return {"operate_type": 1, "white_list_data": [{"plate": plate} for plate in step.plates]}


def _row(row: ListRow) -> dict[str, Any]:
    return {
        "plate": row.plate, "enable": 1, "need_alarm": 0,
        "enable_time": row.begins_at.astimezone(SHANGHAI).strftime(TIME),
        "overdue_time": row.ends_at.astimezone(SHANGHAI).strftime(TIME),
    }  # fmt: skip
