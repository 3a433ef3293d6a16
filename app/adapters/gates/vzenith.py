"""Vzenith 臻识 HTTP push and comet (profile `vz-http`).

The camera calls; what it shall do rides in the answers. It opens for `info: "ok"` in any answer and for nothing else.
The vendor's text has no acknowledgement of its whitelist: whether it took rows is read from its own web page
(`vzenith_web`), or never known.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from app.adapters.gates.alarms import pulsed_in, seen_in
from app.adapters.gates.fields import record, root_of, text
from app.adapters.gates.words import (
    Beaten,
    Drop,
    Habits,
    ListRow,
    Message,
    Nothing,
    Put,
    Reply,
    Step,
    Word,
)
from app.kernel.clock import SHANGHAI

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
            return Message(text(alarm.get("serialno")), seen_in(alarm, "vz"))
        if "AlarmGioIn" in root:
            alarm = record(root["AlarmGioIn"])
            return Message(text(alarm.get("serialno")), pulsed_in(alarm))
        return Message(text(record(root.get("SerialData", root)).get("serialno")), Nothing())

    def registration(self, form: Mapping[str, str]) -> Message:
        """The sign of life of a heartbeat or comet poll. Its user name and password are not even looked at."""
        return Message(form.get("serialno", ""), Beaten())

    def write(self, reply: Reply, _to: Word) -> Mapping[str, Any]:
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

    def encoded(self, answer: Mapping[str, Any]) -> bytes:
        """Escaped, so that no encoding can be mistaken."""
        return json.dumps(answer).encode()


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
